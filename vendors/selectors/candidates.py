"""Who could do a kind of work, with everything the ranking needs, in five queries whatever the number of vendors."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Q

from common.clock import Now, database_now
from vendors.core.eligibility import Availability, exclusion_of
from vendors.core.posteriors import NEWCOMER_ENDS, Acceptance, Duration, Ratio, on_hard
from vendors.models import (
    Capability,
    CapacityWindow,
    DurationPosterior,
    PriceListEntry,
    RatioPosterior,
    VendorAgreement,
)
from vendors.selectors import agreements

ACCURACY_PRIOR = Ratio(4.5, 0.5)
ACCEPTANCE_PRIOR = Ratio(3.0, 1.0)
COMPLETION_PRIOR = Ratio(9.0, 0.5)


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """One vendor as the ranking sees it: price, promises, beliefs, and why it is out of the question if it is."""

    vendor_id: uuid.UUID
    capability_id: uuid.UUID
    name: str
    state: str
    exclusion: str | None
    price_micro: int | None
    currency: str
    accept_window_s: dict[str, int]
    min_batch: int
    start_window_s: int
    base_s: int
    seconds_per_label: float
    slots: int
    in_flight: int
    accuracy: Ratio
    acceptance: Ratio
    completion: Ratio
    response: Duration
    label: Duration
    accuracy_hard: Ratio
    p_accept: float
    p_accept_hard: float
    p_complete: float
    response_s: float
    label_s: float
    is_newcomer: bool


def of_kind(
    *,
    task_type: str,
    modality: str,
    language: str,
    domain: str,
    customer_id: uuid.UUID | None,
    data_class: str = "public",
) -> list[VendorFacts]:
    """Return every vendor that declared a kind of work, the excluded ones with their reason.

    Vendors private to another customer are left out altogether: their very existence is not to be seen.
    """
    now = database_now()
    kind = {"task_type": task_type, "modality": modality, "language": language, "domain": domain}
    capabilities = list(
        Capability.objects.filter(**kind, data_class=data_class)
        .filter(Q(vendor__private_to=None) | Q(vendor__private_to_id=customer_id))
        .select_related("vendor", "vendor__capacity")
        .order_by("vendor_id")
    )
    ids = [capability.pk for capability in capabilities]
    signed = agreements.in_force(capability.vendor_id for capability in capabilities)
    prices = _prices_in_force(ids)
    ratios = {(r.capability_id, r.metric): r for r in RatioPosterior.objects.filter(capability_id__in=ids)}
    durations = {(d.capability_id, d.metric): d for d in DurationPosterior.objects.filter(capability_id__in=ids)}
    return [
        _facts(capability, signed.get(capability.vendor_id), prices.get(capability.pk), ratios, durations, now)
        for capability in capabilities
    ]


def in_force() -> Q:
    """Return the condition of a price that counts now."""
    return Q(valid_from__lte=Now()) & (Q(valid_until=None) | Q(valid_until__gt=Now()))


def _prices_in_force(capability_ids: list[uuid.UUID]) -> dict[uuid.UUID, PriceListEntry]:
    rows = (
        PriceListEntry.objects.filter(in_force(), capability_id__in=capability_ids)
        .order_by("capability_id", "-valid_from")
        .distinct("capability_id")
    )
    return {row.capability_id: row for row in rows}


def _facts(
    capability: Capability,
    agreement: VendorAgreement | None,
    price: PriceListEntry | None,
    ratios: dict[tuple[uuid.UUID, str], RatioPosterior],
    durations: dict[tuple[uuid.UUID, str], DurationPosterior],
    now: datetime.datetime,
) -> VendorFacts:
    vendor, capacity = capability.vendor, capability.vendor.capacity
    kinds = RatioPosterior.Metric
    counted = ratios.get((capability.pk, kinds.ACCEPTANCE))
    acceptance = _ratio(counted, ACCEPTANCE_PRIOR)
    finished = ratios.get((capability.pk, kinds.COMPLETION))
    completion = _ratio(finished, COMPLETION_PRIOR)
    promised_label_s = agreement.seconds_per_label if agreement else 60.0
    response = _duration(durations.get((capability.pk, DurationPosterior.Metric.RESPONSE)), 120.0)
    label = _duration(durations.get((capability.pk, DurationPosterior.Metric.LABEL)), promised_label_s)
    accuracy = _ratio(ratios.get((capability.pk, kinds.ACCURACY)), ACCURACY_PRIOR)
    told = _acceptance(counted, now)
    willing = _on_hard(acceptance, ratios.get((capability.pk, kinds.ACCEPTANCE_HARD))).mean
    return VendorFacts(
        vendor_id=vendor.pk,
        capability_id=capability.pk,
        name=vendor.name,
        state=vendor.state,
        exclusion=_exclusion(capability, agreement, capacity, price, now),
        price_micro=price.price_micro if price else None,
        currency=price.currency if price else "",
        accept_window_s=_windows(agreement),
        min_batch=agreement.min_batch if agreement else 1,
        start_window_s=agreement.start_window_s if agreement else 3600,
        base_s=agreement.base_s if agreement else 0,
        seconds_per_label=promised_label_s,
        slots=capacity.slots,
        in_flight=capacity.in_flight,
        accuracy=accuracy,
        accuracy_hard=_on_hard(accuracy, ratios.get((capability.pk, kinds.ACCURACY_HARD))),
        acceptance=acceptance,
        completion=completion,
        response=response,
        label=label,
        p_accept=told.p_accept(ACCEPTANCE_PRIOR),
        p_accept_hard=willing * (1 - told.p_away_now),
        p_complete=completion.mean,
        response_s=response.mean_s,
        label_s=label.mean_s,
        is_newcomer=finished is None or finished.n_observed < NEWCOMER_ENDS,
    )


def _on_hard(general: Ratio, counted: RatioPosterior | None) -> Ratio:
    return on_hard(general, counted.successes, counted.failures) if counted else on_hard(general, 0, 0)


def _acceptance(counted: RatioPosterior | None, now: datetime.datetime) -> Acceptance:
    if counted is None:
        return Acceptance()
    since_s = (now - counted.told_at).total_seconds() if counted.told_at else None
    return Acceptance(counted.successes, counted.failures, counted.p_away, since_s)


def _windows(agreement: VendorAgreement | None) -> dict[str, int]:
    if agreement is None:
        return {}
    return {
        "cost": agreement.accept_window_cost_s,
        "speed": agreement.accept_window_speed_s,
        "accuracy": agreement.accept_window_accuracy_s,
    }


def _exclusion(
    capability: Capability,
    agreement: VendorAgreement | None,
    capacity: CapacityWindow,
    price: PriceListEntry | None,
    now: datetime.datetime,
) -> str | None:
    availability = Availability(
        state=capability.vendor.state,
        is_capability_active=capability.status == Capability.Status.ACTIVE,
        has_signed_agreement=agreement is not None,
        is_accepting=capacity.is_accepting,
        paused_until=capacity.paused_until,
        private_to_other=False,
        qualified_until=capability.qualified_until,
        evidence_until=capability.evidence_until,
    )
    return exclusion_of(availability, now) or (None if price else "The vendor has no price in force.")


def _ratio(row: RatioPosterior | None, prior: Ratio) -> Ratio:
    return prior.with_counts(row.successes, row.failures) if row else prior


def _duration(row: DurationPosterior | None, prior_s: float) -> Duration:
    if row is None:
        return Duration(0.0, 0.0, 0.0, prior_s)
    return Duration(row.weight, row.log_sum, row.log_sum_sq, prior_s)

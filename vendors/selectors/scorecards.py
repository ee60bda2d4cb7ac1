"""What the market has learnt about a vendor, by capability, with the uncertainty of it."""

import math
import uuid
from dataclasses import dataclass

from vendors.core.posteriors import Ratio, on_hard
from vendors.models import Capability, PriceListEntry, RatioPosterior, Vendor
from vendors.selectors.candidates import ACCEPTANCE_PRIOR, ACCURACY_PRIOR, COMPLETION_PRIOR, in_force

_PRIORS = {
    RatioPosterior.Metric.ACCURACY: ACCURACY_PRIOR,
    RatioPosterior.Metric.ACCEPTANCE: ACCEPTANCE_PRIOR,
    RatioPosterior.Metric.COMPLETION: COMPLETION_PRIOR,
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio with the interval that holds 90 % of the belief, and how many observations stand behind it."""

    mean: float
    low: float
    high: float
    n_observed: int


@dataclass(frozen=True, slots=True)
class CherryPicking:
    """How much likelier a vendor accepts batches in general than hard ones, with a 90 % interval; above 0 it picks.

    None where it was never offered a hard batch.
    """

    index: float
    low: float
    high: float
    n_hard_offers: int


@dataclass(frozen=True, slots=True)
class Score:
    """One kind of work of a vendor: its price in force and what is believed of it."""

    capability_id: uuid.UUID
    task_type: str
    modality: str
    language: str
    domain: str
    data_class: str
    status: str
    price_micro: int | None
    currency: str
    accuracy: Estimate
    acceptance: Estimate
    completion: Estimate
    accuracy_hard: Estimate | None
    cherry_picking: CherryPicking | None


def of_vendor(vendor: Vendor) -> list[Score]:
    """Return a vendor's scores, oldest capability first (three queries)."""
    capabilities = Capability.objects.filter(vendor=vendor).prefetch_related("ratios").order_by("pk")
    entries = (
        PriceListEntry.objects.filter(in_force(), capability__vendor=vendor)
        .order_by("capability_id", "-valid_from")
        .distinct("capability_id")
    )
    prices = {price.capability_id: price for price in entries}
    return [_score(capability, prices.get(capability.pk)) for capability in capabilities]


def _score(capability: Capability, price: PriceListEntry | None) -> Score:
    ratios = {row.metric: row for row in capability.ratios.all()}
    metric = RatioPosterior.Metric
    return Score(
        capability_id=capability.pk,
        task_type=capability.task_type,
        modality=capability.modality,
        language=capability.language,
        domain=capability.domain,
        data_class=capability.data_class,
        status=capability.status,
        price_micro=price.price_micro if price else None,
        currency=price.currency if price else "",
        accuracy=_estimate(ratios.get(metric.ACCURACY), _PRIORS[metric.ACCURACY]),
        acceptance=_estimate(ratios.get(metric.ACCEPTANCE), _PRIORS[metric.ACCEPTANCE]),
        completion=_estimate(ratios.get(metric.COMPLETION), _PRIORS[metric.COMPLETION]),
        accuracy_hard=_accuracy_hard(ratios),
        cherry_picking=_cherry_picking(ratios),
    )


def _belief(row: RatioPosterior | None, prior: Ratio) -> Ratio:
    return prior.with_counts(row.successes, row.failures) if row else prior


def _accuracy_hard(ratios: dict[str, RatioPosterior]) -> Estimate | None:
    row = ratios.get(RatioPosterior.Metric.ACCURACY_HARD)
    if row is None:
        return None
    general = _belief(ratios.get(RatioPosterior.Metric.ACCURACY), ACCURACY_PRIOR)
    belief = on_hard(general, row.successes, row.failures)
    return Estimate(belief.mean, belief.lower(), belief.upper(), row.n_observed)


def _cherry_picking(ratios: dict[str, RatioPosterior]) -> CherryPicking | None:
    row = ratios.get(RatioPosterior.Metric.ACCEPTANCE_HARD)
    if row is None:
        return None
    general = _belief(ratios.get(RatioPosterior.Metric.ACCEPTANCE), ACCEPTANCE_PRIOR)
    hard = on_hard(general, row.successes, row.failures)
    spread = 1.645 * math.sqrt(general.variance + hard.variance)
    index = general.mean - hard.mean
    return CherryPicking(index, index - spread, index + spread, row.n_observed)


def _estimate(row: RatioPosterior | None, prior: Ratio) -> Estimate:
    belief = _belief(row, prior)
    return Estimate(belief.mean, belief.lower(), belief.upper(), row.n_observed if row else 0)

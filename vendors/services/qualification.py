"""Qualification: blind records with known labels, judged by the lower Beta bound, two tries with new records."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from vendors.core import requirements, states
from vendors.core.qualification import MAX_ATTEMPTS, QualificationResult, judge
from vendors.errors import (
    NoEvidenceError,
    NoGoldSetError,
    NoMoreAttemptsError,
    QualificationClosedError,
    VendorStateError,
)
from vendors.models import Capability, GoldItem, GoldSet, QualificationAttempt, QualificationItem, Vendor
from vendors.selectors import vendors
from vendors.services import onboarding, posteriors

DIFFERS: Final = -2
"""Index of an answer that is a value and does not say what the gold says."""
PAID_SHARE: Final = 0.5
"""Share of a test's records that must be answered for its fee to be owed."""
TERM: Final = datetime.timedelta(days=365)
"""How long a passed qualification holds."""


@dataclass(frozen=True, slots=True)
class GoldRecord:
    """A record with a known label: an index into the classes, or 0 and a value; -1 for "cannot be labeled"."""

    key: str
    label: int
    uri: str = ""
    value: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


def add_gold_set(
    *,
    actor: Actor,
    task_type: str,
    modality: str,
    language: str,
    domain: str,
    classes: list[str],
    records: list[GoldRecord],
    rules: Mapping[str, Any] | None = None,
    n_records_per_attempt: int = 40,
    floor: float = 0.85,
    fee_micro: int = 0,
) -> GoldSet:
    """Add the qualification test of one kind of work.

    Raises
    ------
    ConflictError
        When that kind of work already has one.
    ValidationFailedError
        When labels are outside the classes, or the records do not suffice for two attempts.
    """
    actor.require("gold_sets:write")
    if not actor.is_staff:
        raise PermissionDeniedError
    _check_gold(records, classes, n_records_per_attempt)
    with transaction.atomic(durable=True):
        gold_set, is_new = GoldSet.objects.get_or_create(
            task_type=task_type,
            modality=modality,
            language=language,
            domain=domain,
            defaults={
                "classes": classes,
                "rules": dict(rules or {}),
                "n_records_per_attempt": n_records_per_attempt,
                "floor": floor,
                "fee_micro": fee_micro,
            },
        )
        if not is_new:
            raise ConflictError("This kind of work already has a gold set.", gold_set=gold_set.public_id)
        GoldItem.objects.bulk_create(
            GoldItem(gold_set=gold_set, key=r.key, uri=r.uri, label=r.label, value=r.value, metadata=r.metadata)
            for r in records
        )
        return gold_set


def _check_gold(records: list[GoldRecord], classes: list[str], n_records_per_attempt: int) -> None:
    needed = MAX_ATTEMPTS * n_records_per_attempt
    if len(records) < needed:
        detail = f"{MAX_ATTEMPTS} attempts of {n_records_per_attempt} need {needed} records, got {len(records)}."
        raise ValidationFailedError.of("records", "too_few", detail)
    if len({record.key for record in records}) < len(records):
        raise ValidationFailedError.of("records", "duplicate_key", "Each record needs a key of its own.")
    bad = [i for i, record in enumerate(records) if record.value is None and not -1 <= record.label < len(classes)]
    if bad:
        detail = f"The label of record {bad[0]} is not one of the {len(classes)} classes."
        raise ValidationFailedError.of(f"records[{bad[0]}].label", "unknown_class", detail)


def start(*, actor: Actor, capability_id: uuid.UUID) -> QualificationAttempt:
    """Open an attempt on records never shown to this vendor before; an open one is returned as it is.

    Locks the vendor row. Raises VendorStateError, NoGoldSetError or NoMoreAttemptsError.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        capability = Capability.objects.filter(pk=capability_id, vendor=vendor).first()
        if capability is None:
            raise NotFoundError("There is no such capability.")
        if vendor.state not in {states.QUALIFYING, states.PROBATION, states.ACTIVE}:
            raise VendorStateError(f"A vendor that is {vendor.state} cannot be tested; wait for the review.")
        attempts = list(capability.attempts.order_by("number"))
        if attempts and attempts[-1].state == QualificationAttempt.State.OPEN:
            return attempts[-1]
        if capability.status == Capability.Status.ACTIVE and not _is_renewable(capability):
            raise ConflictError("This capability is already qualified.")
        if capability.evidence_until is not None and capability.evidence_until <= database_now():
            raise NoEvidenceError
        since = capability.qualified_until - TERM if capability.qualified_until else None
        if sum(since is None or attempt.created_at > since for attempt in attempts) >= MAX_ATTEMPTS:
            raise NoMoreAttemptsError
        return _open_attempt(capability, len(attempts) + 1)


def _is_renewable(capability: Capability) -> bool:
    """Return whether the yearly renewal may be taken: from 30 days before the qualification runs out."""
    until = capability.qualified_until
    return until is not None and until - requirements.NOTICE <= database_now()


def _open_attempt(capability: Capability, number: int) -> QualificationAttempt:
    gold_set = GoldSet.objects.filter(
        task_type=capability.task_type,
        modality=capability.modality,
        language=capability.language,
        domain=capability.domain,
    ).first()
    if gold_set is None:
        raise NoGoldSetError
    shown = QualificationItem.objects.filter(attempt__capability=capability).values("gold_item_id")
    items = list(gold_set.items.exclude(pk__in=shown).order_by("?")[: gold_set.n_records_per_attempt])
    if len(items) < gold_set.n_records_per_attempt:
        raise NoGoldSetError("The vendor has seen all records of this test; staff has to add new ones.")
    fee = {"fee_micro": gold_set.fee_micro, "fee_currency": gold_set.fee_currency}
    attempt = QualificationAttempt.objects.create(capability=capability, number=number, floor=gold_set.floor, **fee)
    QualificationItem.objects.bulk_create(QualificationItem(attempt=attempt, gold_item=item) for item in items)
    Capability.objects.filter(pk=capability.pk).exclude(status=Capability.Status.ACTIVE).update(
        status=Capability.Status.PENDING
    )
    return attempt


def answer(
    *,
    actor: Actor,
    attempt_id: uuid.UUID,
    answers: Mapping[uuid.UUID, int],
    values: Mapping[uuid.UUID, Any] | None = None,
) -> QualificationResult:
    """Judge an attempt by its answers (item id -> class index or -1); records left out count as wrong.

    Answers that are values are compared before: 0 where they say what the gold says, else :data:`DIFFERS`; ``values``
    keeps what they were.

    A pass activates the capability, seeds its accuracy posterior and admits a qualifying vendor to probation. The
    test's fee is owed, passed or not, when at least half of the records were answered.

    Raises
    ------
    QualificationClosedError
        When the attempt has been judged already.
    ValidationFailedError
        When an answer names a record that is not part of the attempt.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        attempt = (
            QualificationAttempt.objects.select_related("capability")
            .filter(pk=attempt_id, capability__vendor=vendor)
            .first()
        )
        if attempt is None:
            raise NotFoundError("There is no such attempt.")
        if attempt.state != QualificationAttempt.State.OPEN:
            raise QualificationClosedError
        items = list(attempt.items.select_related("gold_item"))
        _check_answers(answers, {item.pk for item in items})
        for item in items:
            item.answer, item.value = answers.get(item.pk), (values or {}).get(item.pk)
        given = ["answer", "value"] if any(item.value is not None for item in items) else ["answer"]
        QualificationItem.objects.bulk_update(items, given)
        n_correct = sum(item.answer == item.gold_item.label for item in items)
        result = judge(n_correct, len(items), attempt.floor)
        n_answered = sum(item.answer is not None for item in items)
        is_paid = attempt.fee_micro > 0 and n_answered >= PAID_SHARE * len(items)
        _close(vendor, attempt, result, actor, is_paid=is_paid)
        return result


def _check_answers(answers: Mapping[uuid.UUID, int], expected: set[uuid.UUID]) -> None:
    unknown = set(answers) - expected
    if unknown:
        detail = f"{len(unknown)} of the answers are for records that are not part of this attempt."
        raise ValidationFailedError.of("answers", "unknown_record", detail)


def _close(
    vendor: Vendor, attempt: QualificationAttempt, result: QualificationResult, actor: Actor, *, is_paid: bool
) -> None:
    passed = result.is_passed
    QualificationAttempt.objects.filter(pk=attempt.pk).update(
        state=QualificationAttempt.State.PASSED if passed else QualificationAttempt.State.FAILED,
        n_correct=result.n_correct,
        lower_bound=result.lower_bound,
        decided_at=Now(),
        fee_due_at=Now() if is_paid else None,
    )
    capability = Capability.objects.filter(pk=attempt.capability_id)
    if passed:
        capability.update(status=Capability.Status.ACTIVE, qualified_until=Now() + TERM)
    else:
        # A failed renewal leaves the former qualification standing until it runs out.
        capability.exclude(status=Capability.Status.ACTIVE).update(status=Capability.Status.INACTIVE)
    counts = posteriors.Counts(result.n_correct, result.n_records - result.n_correct, result.n_records)
    posteriors.record_accuracy(seen={attempt.capability_id: counts})
    if passed and vendor.state == states.QUALIFYING:
        onboarding.move(vendor, states.PROBATION, actor, "Qualification passed.")

"""The customer's say in a round: picks it vetoes, records it adds by key.

Whoever calls the writes here holds the lock under which the round is ordered, so that a veto is in before, or is late.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.db import IntegrityError, transaction

from common.clock import Now
from common.errors import ConflictError, FieldError, NotFoundError, ValidationFailedError
from curation.models import Experiment, Observation, Pick, Round
from curation.models.experiments import ExperimentKind, VetoReason
from curation.services import choosing, experiments, problems
from curation.services.outputs import Outputs

TEACHING: Final = frozenset({VetoReason.OUT_OF_SCOPE, VetoReason.CORRUPTED, VetoReason.UNREADABLE})
"""Reasons that say of a record that nobody could label it; the others teach nothing."""


def veto(*, experiment_id: uuid.UUID, number: int, keys: Sequence[str], reason: VetoReason) -> list[str]:
    """Mark picks of a round as vetoed, inside the caller's transaction; return the keys that were not vetoed before.

    A veto is final: the pick stays, so that the record is never chosen again, and the first reason stands. A reason
    that says that nobody could label the record is taken in as such an answer, from the customer and hence sure; any
    other teaches nothing.

    Raises
    ------
    ValidationFailedError
        Naming each key that is not among the round's picks.
    """
    possible = [key for key in keys if "\0" not in key]  # which the database refuses to look for
    rows = Pick.objects.filter(experiment=experiment_id, round__number=number, key__in=possible)
    found = {pick.key: pick for pick in rows}
    _refuse(
        [
            FieldError(field=f"keys[{at}]", code="not_proposed", detail=f"{key[:60]!r} is not proposed in this round.")
            for at, key in enumerate(keys)
            if key not in found
        ]
    )
    fresh = sorted((pick for pick in found.values() if pick.vetoed_at is None), key=lambda pick: pick.rank)
    rows.filter(vetoed_at=None).update(vetoed_at=Now(), veto_reason=reason)
    if reason in TEACHING:
        Observation.objects.bulk_create(
            Observation(experiment_id=experiment_id, row=pick.row, label=None, reason=reason, confidence=1.0)
            for pick in fresh
        )
    return [pick.key for pick in fresh]


def by_hand(*, experiment_id: uuid.UUID, keys: Sequence[str]) -> list[Pick]:
    """Return records the customer wants asked as picks, with the same figures as any pick; nothing is stored.

    Raises
    ------
    ValidationFailedError
        Naming each key that is unknown, given twice, asked before or vetoed.
    """
    experiment = Experiment.objects.select_related("dataset").filter(pk=experiment_id).first()
    if experiment is None:
        raise NotFoundError("There is no such experiment.")
    asked = problems.asked_of(experiment)
    row_of = problems.rows_of(experiment, keys)
    vetoed = Pick.objects.filter(experiment=experiment, vetoed_at__isnull=False).values_list("row", flat=True)
    _check(keys, row_of, set(asked.rows.tolist()), set(vetoed))
    experiment.kind = ExperimentKind.MANUAL
    return experiments.pick_rows(experiment, choosing.choose(experiment, 0, keys, Outputs()))


def add(*, experiment_id: uuid.UUID, number: int, picks: Sequence[Pick]) -> None:
    """Add picks of :func:`by_hand` to a round, inside the caller's transaction.

    Raises
    ------
    ConflictError
        When one of them was picked meanwhile.
    """
    round_row = Round.objects.get(experiment=experiment_id, number=number)
    newest = Pick.objects.filter(round=round_row).order_by("-rank").values_list("rank", flat=True).first()
    try:
        with transaction.atomic():
            experiments.add_rows(round_row, picks, 0 if newest is None else newest + 1)
    except IntegrityError:
        raise ConflictError("One of these records was added meanwhile; look at the proposal again.") from None


def _check(keys: Sequence[str], row_of: Mapping[str, int], asked: Collection[int], vetoed: Collection[int]) -> None:
    findings = [_finding(key, keys[:at], row_of.get(key), asked, vetoed) for at, key in enumerate(keys)]
    _refuse(
        [
            FieldError(field=f"keys[{at}]", code=found[0], detail=f"{keys[at][:60]!r} {found[1]}")
            for at, found in enumerate(findings)
            if found is not None
        ]
    )


def _finding(
    key: str, earlier: Sequence[str], row: int | None, asked: Collection[int], vetoed: Collection[int]
) -> tuple[str, str] | None:
    if row is None:
        return "unknown_key", "is not in the dataset."
    if row in vetoed:
        return "vetoed", "was vetoed, and a veto is final in this experiment."
    if row in asked:
        return "asked_before", "was asked before or is proposed already."
    return ("duplicate_key", "stands here twice.") if key in earlier else None


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise ValidationFailedError(errors[0]["detail"], errors=errors)

"""Labels as they come in: checked, and kept by record."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from common.errors import NotFoundError, ValidationFailedError
from curation.models import Experiment, Observation
from curation.services import problems


@dataclass(frozen=True, slots=True)
class ObservationInput:
    """What came back for a record: a class index, or None with the reason; how sure; the belief over all classes.

    ``answers``: who said what, as annotator and class index, where that is known.
    """

    key: str
    label: int | None
    reason: str = ""
    confidence: float = 1.0
    proba: tuple[float, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()


def record(
    *,
    experiment_id: uuid.UUID,
    observations: Sequence[ObservationInput],
    gold_counts: Mapping[str, Sequence[Sequence[int]]] | None = None,
) -> int:
    """Take in labels by key; a later label of the same record replaces the earlier one. Return how many.

    ``gold_counts`` replaces what is known of the annotators: [class of gold][answer] by name.

    Raises
    ------
    ValidationFailedError
        When a key is not part of the dataset, is given twice, or a label is outside the classes.
    """
    experiment = Experiment.objects.select_related("dataset").filter(pk=experiment_id).first()
    if experiment is None:
        raise NotFoundError("There is no such experiment.")
    row_of = problems.rows_of(experiment, [o.key for o in observations])
    _check(experiment, observations, row_of)
    with transaction.atomic(durable=True):
        Observation.objects.bulk_create(
            [
                Observation(
                    experiment=experiment,
                    row=row_of[o.key],
                    label=o.label,
                    reason=o.reason,
                    confidence=o.confidence,
                    proba=list(o.proba),
                    answers=[list(pair) for pair in o.answers],
                )
                for o in sorted(observations, key=lambda o: row_of[o.key])
            ],
            update_conflicts=True,
            unique_fields=["experiment", "row"],
            update_fields=["label", "reason", "confidence", "proba", "answers"],
        )
        if gold_counts is not None:
            Experiment.objects.filter(pk=experiment.pk).update(gold_counts=dict(gold_counts))
    return len(observations)


def _check(experiment: Experiment, observations: Sequence[ObservationInput], row_of: dict[str, int]) -> None:
    seen: set[str] = set()
    for i, o in enumerate(observations):
        if o.key not in row_of:
            raise ValidationFailedError.of(f"labels[{i}].key", "unknown_key", f"{o.key!r} is not in the dataset.")
        if o.key in seen:
            raise ValidationFailedError.of(f"labels[{i}].key", "duplicate_key", f"{o.key!r} is labeled twice here.")
        if o.label is not None and not 0 <= o.label < len(experiment.classes):
            detail = f"Label {o.label} is outside the {len(experiment.classes)} classes."
            raise ValidationFailedError.of(f"labels[{i}].label", "unknown_class", detail)
        if not 0 <= o.confidence <= 1:
            raise ValidationFailedError.of(f"labels[{i}].confidence", "out_of_range", "Give a number from 0 to 1.")
        seen.add(o.key)

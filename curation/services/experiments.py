"""One active-learning run: choose a round's records, take in what came back, train and evaluate.

Every step is deterministic under the experiment's seed and guarded by a unique constraint, so that running it twice,
at once or after a kill, gives the same rows once. The array work happens outside of any transaction.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from common import audit
from common.actors import CUSTOMER, Actor
from common.clock import Now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from curation.core import relevance
from curation.core.reasons import Pick
from curation.errors import ComputeCapError, NoEmbeddingsError, RoundOrderError
from curation.models import ComputeStage, Dataset, Experiment, Round
from curation.models import Pick as PickRow
from curation.models.experiments import ExperimentKind
from curation.selectors import datasets
from curation.selectors import experiments as selectors
from curation.services import choosing, compute, compute_caps, designs, measuring, storage
from curation.services import classes as names
from curation.services.outputs import Outputs

_NO_OUTPUTS = Outputs()


@dataclass(frozen=True, slots=True)
class PickedRecord:
    """A record chosen in a round, as marketplace orders it; how hard the model finds it (None before the first one)."""

    row: int
    key: str
    uri: str
    metadata: dict[str, Any]
    arm: str
    words: str
    difficulty: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a round's model is worth (accuracy: None without a test set), and the labels it doubts, worst first."""

    n_asked: int
    n_labeled: int
    n_unlabelable: int
    accuracy: float | None
    doubted: tuple[str, ...] = ()


def create(
    *,
    actor: Actor,
    dataset_id: uuid.UUID,
    name: str,
    kind: str = "",
    strategy: str = "",
    rules: Sequence[Mapping[str, Any]] = (),
    wishes: Mapping[str, Any] | None = None,
    classes: Sequence[str] = (),
    batch_size: int = 40,
    control_ratio: float = 0.05,
    seed: int = 0,
    trusts_anchor: bool = False,
    max_cpu_s: int | None = None,
) -> Experiment:
    """Start an experiment on a dataset.

    Raises
    ------
    ValidationFailedError
        On a design that cannot be meant (`designs.resolve`), no classes here nor in the dataset, wishes for what is not
        in the dataset, or trust in an anchor that is not there.
    NoEmbeddingsError
        When the dataset has no embeddings, the strategy is not ``random`` and nobody chooses by hand.
    ConflictError
        When the organization has an experiment of that name.
    """
    actor.require("experiments:write")
    if actor.organization_kind != CUSTOMER or actor.organization_id is None:
        raise PermissionDeniedError("Only a customer organization has experiments.")
    dataset = datasets.get(actor, dataset_id)
    names = list(classes) or list(dataset.classes)
    design = designs.resolve(kind=kind, strategy=strategy, rules=rules, wishes=wishes)
    is_blind = design.strategy in {"random", ExperimentKind.MANUAL}
    _check(dataset, names, is_blind, trusts_anchor)
    designs.check_fits(design, dataset)
    try:
        with transaction.atomic(durable=True):
            return Experiment.objects.create(
                organization_id=actor.organization_id,
                dataset=dataset,
                name=name,
                kind=design.kind,
                strategy=design.strategy,
                config=design.config,
                classes=names,
                seed=seed,
                batch_size=batch_size,
                control_ratio=0.0 if is_blind else control_ratio,
                trusts_anchor=trusts_anchor,
                max_cpu_s=max_cpu_s,
            )
    except IntegrityError:
        raise ConflictError("You already have an experiment of this name; choose another name.") from None


def _check(dataset: Dataset, classes: Sequence[str], is_blind: bool, trusts_anchor: bool) -> None:
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValidationFailedError.of("classes", "too_few_or_repeated", "Give at least two different classes.")
    if not dataset.classes:
        names.check(classes)
    if dataset.classes and list(classes) != list(dataset.classes):
        raise ValidationFailedError.of("classes", "classes_differ", "The dataset names other classes.")
    if not dataset.n_features and not is_blind:
        raise NoEmbeddingsError
    if trusts_anchor and is_blind:
        detail = "Nothing is steered where records are drawn at random or named by hand; leave this out."
        raise ValidationFailedError.of("trusts_anchor", "wrong_for_type", detail)
    if trusts_anchor and dataset.n_anchor < relevance.MIN_ANCHOR:
        detail = (
            f"The dataset has {dataset.n_anchor} trusted records, {relevance.MIN_ANCHOR} are needed to steer by; "
            "upload it with more of them as `anchor`, or leave this out."
        )
        raise ValidationFailedError.of("trusts_anchor", "no_anchor", detail)


def cap_compute(*, actor: Actor, experiment_id: uuid.UUID, max_cpu_s: int | None) -> Experiment:
    """Set or lift the cap on an experiment's compute, which counts from the next round on; the trail keeps who did."""
    actor.require("experiments:write")
    with transaction.atomic(durable=True):
        experiment = selectors.get(actor, experiment_id)
        experiment.max_cpu_s = max_cpu_s
        experiment.save(update_fields=["max_cpu_s"])
        audit.record(actor=actor, action="experiment.capped", target=experiment, max_cpu_s=max_cpu_s)
        return experiment


def start_round(
    *,
    experiment_id: uuid.UUID,
    number: int,
    keys: Sequence[str] = (),
    outputs: Outputs = _NO_OUTPUTS,
    n_records: int | None = None,
) -> list[PickedRecord]:
    """Return the picks of a round, chosen now when the round is new; a second call returns the same picks.

    ``keys`` are the customer's own choice (type manual); ``outputs`` what the customer's model says of the records to
    choose among; ``n_records`` a size of this round's own, in place of the experiment's. Fewer come back where fewer
    are left to choose among, none (and no round is begun) where nothing is.

    Raises
    ------
    RoundOrderError
        When the round before has not been evaluated, or this one was begun with other keys.
    ComputeCapError
        When the round is forecast to exceed the experiment's ``max_cpu_s``.
    ValidationFailedError
        When keys or outputs do not fit the experiment or the dataset.
    """
    experiment = _experiment(experiment_id)
    if not Round.objects.filter(experiment=experiment, number=number).exists():
        _check_order(experiment, number)
        experiment.batch_size = n_records or experiment.batch_size
        excess = compute_caps.excess(experiment.pk, number, len(keys) or experiment.batch_size, experiment.max_cpu_s)
        if excess is not None:
            raise ComputeCapError(f"{excess.words} Raise `max_cpu_s`, or end here.", **asdict(excess))
        with compute.measured(experiment_id=experiment.pk, number=number, stage=ComputeStage.SELECT):
            picks = choosing.choose(experiment, number, keys, outputs)
            if picks:
                _save(experiment, number, picks)
    _check_keys(experiment, number, keys)
    return picked(experiment_id=experiment_id, number=number)


def _check_keys(experiment: Experiment, number: int, keys: Sequence[str]) -> None:
    """Refuse keys that are not those of the round, which was begun with others, by somebody else perhaps."""
    chosen = PickRow.objects.filter(experiment=experiment, round__number=number)
    if keys and set(keys) != set(chosen.values_list("key", flat=True)):
        raise RoundOrderError(
            f"Round {number} is open with other records; evaluate it first, or leave `keys` out to see it.", next=number
        )


def picked(*, experiment_id: uuid.UUID, number: int) -> list[PickedRecord]:
    """Return a round's picks but the vetoed ones, best first: what may be ordered."""
    rows = PickRow.objects.filter(experiment=experiment_id, round__number=number, vetoed_at=None).order_by("rank")
    return [PickedRecord(p.row, p.key, p.uri, p.metadata, p.arm, p.words, _difficulty(number, p)) for p in rows]


def _difficulty(number: int, pick: PickRow) -> float | None:
    """Return how near the model was to a tie; before the first labels there is no model to find anything hard."""
    return pick.parts.get("uncertainty") if number > 1 else None


def _experiment(experiment_id: uuid.UUID) -> Experiment:
    experiment = Experiment.objects.select_related("dataset").filter(pk=experiment_id).first()
    if experiment is None:
        raise NotFoundError("There is no such experiment.")
    return experiment


def _check_order(experiment: Experiment, number: int) -> None:
    evaluated = Round.objects.filter(experiment=experiment, evaluated_at__isnull=False).count()
    if number != evaluated + 1:
        raise RoundOrderError(f"Round {evaluated + 1} comes next, not round {number}.", next=evaluated + 1)


def _save(experiment: Experiment, number: int, picks: list[Pick]) -> None:
    rows = pick_rows(experiment, picks)
    try:
        with transaction.atomic(durable=True):
            add_rows(Round.objects.create(experiment=experiment, number=number), rows, 0)
    except IntegrityError:
        # Another runner saved this round first; its picks are the same ones, and count.
        if not Round.objects.filter(experiment=experiment, number=number).exists():
            raise


def pick_rows(experiment: Experiment, picks: Sequence[Pick]) -> list[PickRow]:
    """Return picks with what the dataset says of them; nothing is stored, and they have no round and rank yet."""
    table = storage.load_table(experiment.dataset.storage_url)
    return [
        PickRow(
            experiment=experiment,
            row=pick.row,
            key=table.keys[pick.row],
            uri=table.uris[pick.row],
            metadata=table.metadata[pick.row],
            arm=pick.arm,
            propensity=pick.propensity,
            utility=pick.utility,
            parts=_finite(pick.parts),
            words=pick.words,
        )
        for pick in picks
    ]


def add_rows(round_row: Round, rows: Sequence[PickRow], rank: int) -> None:
    """Store picks in a round from a rank on, inside the caller's transaction."""
    for number, row in enumerate(rows, rank):
        row.round, row.rank = round_row, number
    PickRow.objects.bulk_create(rows)


def _finite(parts: dict[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in parts.items()}


def train_and_evaluate(*, experiment_id: uuid.UUID, number: int) -> Metrics:
    """Train on all labels so far and store what the round's model is worth; a second call returns the first result.

    Raises
    ------
    NotFoundError
        When there is no such round.
    """
    experiment = _experiment(experiment_id)
    round_row = Round.objects.filter(experiment=experiment, number=number).first()
    if round_row is None:
        raise NotFoundError("There is no such round.")
    if round_row.metrics is None:
        with compute.measured(experiment_id=experiment.pk, number=number, stage=ComputeStage.TRAIN):
            metrics = measuring.measure(experiment)
            Round.objects.filter(pk=round_row.pk, evaluated_at=None).update(metrics=metrics, evaluated_at=Now())
        round_row.refresh_from_db()
    stored = round_row.metrics or {}
    doubted = tuple(stored.get("doubted", ()))
    return Metrics(stored["n_asked"], stored["n_labeled"], stored["n_unlabelable"], stored["accuracy"], doubted)

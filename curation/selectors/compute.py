"""The ledger of compute as its owner may see it: entries, and their sums by round and stage."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet, Sum

from common.actors import Actor
from curation.models import ComputeEntry, ComputeStage, Pick
from curation.selectors import experiments


@dataclass(frozen=True, slots=True)
class Cost:
    """Measured cost; ``n_open`` attempts began without an end: they run, or were killed at a cost that is not known."""

    cpu_us: int = 0
    wall_us: int = 0
    n_rows: int = 0
    n_attempts: int = 0
    n_open: int = 0

    @classmethod
    def total(cls, costs: Iterable["Cost"]) -> "Cost":
        """Return the sum of costs."""
        rows = list(costs)
        names = ("cpu_us", "wall_us", "n_rows", "n_attempts", "n_open")
        return cls(*(sum(getattr(row, name) for row in rows) for name in names))

    @property
    def cpu_s(self) -> float:
        """CPU seconds."""
        return self.cpu_us / 1e6

    @property
    def wall_s(self) -> float:
        """Seconds."""
        return self.wall_us / 1e6


@dataclass(frozen=True, slots=True)
class RoundCost:
    """What a round cost, by stage."""

    number: int
    stages: dict[str, Cost]

    @property
    def total(self) -> Cost:
        """All stages together."""
        return Cost.total(self.stages.values())


def entries(actor: Actor, experiment_id: uuid.UUID) -> QuerySet[ComputeEntry]:
    """Return the entries of an experiment that the actor may see, in the order they were made."""
    return ComputeEntry.objects.filter(experiment=experiments.get(actor, experiment_id)).order_by("id")


def of_rounds(experiment_id: uuid.UUID) -> list[RoundCost]:
    """Return what each round of an experiment cost so far, in order; one query."""
    rows = ComputeEntry.objects.filter(experiment=experiment_id).values_list("round", "stage")
    sums = rows.annotate(
        cpu=Sum("cpu_us"),
        wall=Sum("wall_us"),
        rows=Sum("n_rows"),
        begun=Count("id", filter=Q(is_end=False)),
        ended=Count("id", filter=Q(is_end=True)),
    )
    rounds: dict[int, dict[str, Cost]] = defaultdict(dict)
    for number, stage, cpu_us, wall_us, n_rows, n_begun, n_ended in sums.order_by("round", "stage"):
        rounds[number][stage] = Cost(cpu_us, wall_us, n_rows, n_begun, n_begun - n_ended)
    return [RoundCost(number, stages) for number, stages in rounds.items()]


def n_asked(experiment_id: uuid.UUID) -> dict[int, int]:
    """Return how many records were asked for up to the end of each round; one query."""
    counts = Pick.objects.filter(experiment=experiment_id).values_list("round__number").annotate(n=Count("id"))
    found, total = {}, 0
    for number, count in counts.order_by("round__number"):
        found[number] = total = total + count
    return found


def training_began(experiment_id: uuid.UUID) -> dict[int, datetime.datetime]:
    """Return when training first began, by round; one query."""
    begun = ComputeEntry.objects.filter(experiment=experiment_id, stage=ComputeStage.TRAIN, is_end=False)
    return dict(begun.values_list("round").annotate(at=Min("created_at")).order_by("round"))

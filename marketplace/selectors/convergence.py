"""How many rounds and hours each experiment on a dataset took to a target: what chooses beside chance."""

import datetime
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from common.actors import Actor
from curation.models import Experiment, Round
from curation.selectors import experiments
from marketplace.models import Campaign

MOST: Final = 20
"""Experiments shown beside each other, at most."""
_CONTROL: Final = "random"


@dataclass(frozen=True, slots=True)
class Reached:
    """When the accuracy first was at the target or above: after so many rounds, records and so much time."""

    rounds: int
    n_asked: int
    lasted: datetime.timedelta

    @property
    def hours(self) -> float:
        """The time in hours."""
        return self.lasted / datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arm:
    """An experiment so far; ``reached`` is None where it has not been at the target, or there is none."""

    experiment: Experiment
    campaign: Campaign | None
    n_rounds: int
    n_asked: int
    n_usable: int
    best: float | None
    reached: Reached | None

    @property
    def is_control(self) -> bool:
        """Whether it chooses by chance alone."""
        return self.experiment.strategy == _CONTROL

    @property
    def usable_per_round(self) -> float | None:
        """Usable labels that a round brought, on average."""
        return self.n_usable / self.n_rounds if self.n_rounds else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Experiments on one dataset beside each other, at one target; None where nobody names one and none is random."""

    target: float | None
    arms: list[Arm]


def compare(actor: Actor, experiment_id: uuid.UUID, *, target: float | None = None) -> Comparison:
    """Return the actor's experiments on an experiment's dataset, itself first, then the newest; four queries.

    Without a ``target`` it is the experiment's campaign's, and without that the best accuracy that a random experiment
    on the dataset has reached. Time runs from the start of the campaign, or of the first round where there is none.
    Experiments that ran at once competed for the same vendors.
    """
    own = experiments.get(actor, experiment_id)
    rows = experiments.for_actor(actor).filter(dataset=own.dataset_id, organization=own.organization_id)
    found = [own, *rows.exclude(pk=own.pk).order_by("-pk")[: MOST - 1]]
    ids = [one.pk for one in found]
    campaigns = {one.experiment_id: one for one in Campaign.objects.filter(experiment_id__in=ids)}
    rounds: dict[uuid.UUID, list[dict[str, Any]]] = defaultdict(list)
    figures = ("metrics__accuracy", "metrics__n_asked", "metrics__n_labeled")
    done = Round.objects.filter(experiment__in=ids, evaluated_at__isnull=False).order_by("number")
    for row in done.values("experiment", "number", "created_at", "evaluated_at", *figures):
        rounds[row["experiment"]].append(row)
    best = {pk: max((_accuracy(row) for row in rounds[pk]), default=-1.0) for pk in ids}
    own_campaign = campaigns.get(own.pk)
    wanted = target or (own_campaign and own_campaign.target_accuracy)
    wanted = wanted or max(
        (best[one.pk] for one in found if one.strategy == _CONTROL and best[one.pk] >= 0), default=None
    )
    return Comparison(wanted, [_arm(one, campaigns.get(one.pk), rounds[one.pk], best[one.pk], wanted) for one in found])


def _accuracy(row: dict[str, Any]) -> float:
    """Return a round's accuracy, below any target where it has none."""
    return -1.0 if row["metrics__accuracy"] is None else float(row["metrics__accuracy"])


def _arm(
    experiment: Experiment, campaign: Campaign | None, rounds: list[dict[str, Any]], best: float, target: float | None
) -> Arm:
    first = next((row for row in rounds if target is not None and _accuracy(row) >= target), None)
    reached = None
    if first is not None:
        start = campaign.created_at if campaign else rounds[0]["created_at"]
        reached = Reached(first["number"], first["metrics__n_asked"], first["evaluated_at"] - start)
    last = rounds[-1] if rounds else {"metrics__n_asked": 0, "metrics__n_labeled": 0}
    return Arm(
        experiment=experiment,
        campaign=campaign,
        n_rounds=len(rounds),
        n_asked=last["metrics__n_asked"],
        n_usable=last["metrics__n_labeled"],
        best=best if best >= 0 else None,
        reached=reached,
    )

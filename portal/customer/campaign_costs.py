"""What a campaign took, for its page: where each round's time went, its compute, others on the same dataset."""

import datetime
from typing import Any, Final

from common.actors import Actor
from common.ids import from_public
from curation.selectors import compute
from marketplace.core.timeline import Stage
from marketplace.models import Batch, Campaign
from marketplace.selectors import convergence, times
from marketplace.selectors.times import RoundTime

STAGES: Final = {
    Stage.SELECT: "selecting",
    Stage.OFFER: "waiting for a vendor",
    Stage.LABEL: "labeling",
    Stage.VET: "vetting",
    Stage.DECIDE: "waiting for your decision",
    Stage.CLOSE: "taking labels in",
    Stage.TRAIN: "training",
    Stage.PAUSED: "paused",
}
"""Stages in the words of the page, in the order of a round."""


def shown(actor: Actor, campaign: Campaign) -> dict[str, Any]:
    """Return what the page shows of a campaign's time and compute; the same queries however many rounds there were."""
    took = times.of_campaign(campaign)
    costs = {one.number: one.total for one in compute.of_rounds(campaign.experiment_id)}
    longest = max((one.lasted for one in took.rounds), default=datetime.timedelta())
    total = {Stage(stage): lasted for stage, lasted in took.by_stage.items()}
    return {
        "took": took.lasted.total_seconds(),
        "stages": [
            {"name": stage, "words": words, "lasted": total[stage].total_seconds(), "share": total[stage] / took.lasted}
            for stage, words in STAGES.items()
            if stage in total
        ],
        "turns": [_turn(one, longest, costs.get(one.number)) for one in took.rounds if one.steps],
        "cost": compute.Cost.total(costs.values()),
        "beside": convergence.compare(actor, campaign.experiment_id),
    }


def _turn(one: RoundTime, longest: datetime.timedelta, cost: compute.Cost | None) -> dict[str, Any]:
    """Return a round as a row: its bar on a scale of 100 that fits the longest round, and who held it up last."""
    bar = [
        {"name": step.stage, "x": 100 * ((step.start - one.start) / longest), "width": 100 * (step.lasted / longest)}
        for step in one.steps
    ]
    said = [f"{STAGES[Stage(stage)]} {lasted / one.lasted:.0%}" for stage, lasted in one.by_stage.items()]
    return {
        "number": one.number,
        "lasted": one.lasted.total_seconds(),
        "bar": bar,
        "words": ", ".join(said),
        "longest": STAGES[Stage(one.longest)],
        "batch": Batch(pk=from_public("bat", one.last_batch)) if one.last_batch else None,
        "cost": cost,
    }

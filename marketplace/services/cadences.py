"""How large a campaign's next round is: by the market's measured speed, where its customer said what a day is worth."""

from collections.abc import Sequence

from django.db.models import Min

from curation.core import cadence
from curation.models import Experiment, Pick
from curation.services.opinions import Again
from marketplace.core.states import LotState
from marketplace.models import Annotation, Campaign, Job, JobRecord, Lot
from marketplace.services import lots, opinions

LEAST = 10
"""Smallest round: below, vendors' smallest batches and the handling of a round weigh more than what it teaches."""


def records_left(campaign: Campaign) -> int:
    """Return how many records the campaign may still ask for: rounds times the experiment's batch size in all."""
    most = campaign.max_rounds * _usual(campaign)
    picks = Pick.objects.filter(experiment_id=campaign.experiment_id, round__number__gte=campaign.first_round)
    return most - picks.filter(vetoed_at=None).count()


def next_size(campaign: Campaign) -> int:
    """Return the size of the next round: the experiment's own, or the one of least cost with time priced in.

    Before a lot has closed nothing is measured, and the experiment's own size holds.
    """
    usual = _usual(campaign)
    if campaign.value_of_day_micro is None:
        return usual
    left = max(1, records_left(campaign))
    speed = _measured(campaign.job)
    if speed is None:
        return min(usual, left)
    latency_s, rate = speed
    least = min(LEAST, usual, left)
    setting = cadence.Setting(
        n_labels=left,
        price=max(price_micro(campaign.job), 1) / 1e6,
        round_cost=0.0,
        latency_s=latency_s,
        rate=rate,
        value_of_day=campaign.value_of_day_micro / 1e6,
        least=least,
        most=left,
    )
    return cadence.choose(setting).batch


def price_micro(job: Job) -> float:
    """Return what a record has cost so far, micro-units, further opinions, gold and fees included; 0 at first."""
    committed = Job.objects.values_list("committed_micro", flat=True).get(pk=job.pk)
    return float(committed / max(JobRecord.objects.filter(job=job).count(), 1))


def round_cost_micro(campaign: Campaign, n_records: int, again: Sequence[Again]) -> float:
    """Return what a round is expected to cost, micro-units: by the prices asked now, and no less than so far.

    What records have cost so far holds the third and the further opinions, which today's prices alone leave out.
    """
    asked = lots.expected_cost_micro(campaign.job, n_records)
    if asked is None:
        return 0.0
    return max(asked + opinions.cost_micro(campaign, again), price_micro(campaign.job) * n_records)


def _usual(campaign: Campaign) -> int:
    return int(Experiment.objects.values_list("batch_size", flat=True).get(pk=campaign.experiment_id))


def _measured(job: Job) -> tuple[float, float] | None:
    """Return the wait for the first label of a lot, seconds, and records labeled per second from then on."""
    first = Annotation.objects.filter(job=job).values_list("assignment__batch__lot").annotate(at=Min("created_at"))
    begun = dict(first.order_by())
    closed = Lot.objects.filter(job=job, state=LotState.CLOSED, pk__in=begun, closed_at__isnull=False)
    lots = list(closed.values_list("pk", "created_at", "closed_at", "n_records"))
    if not lots:
        return None
    waits = [(begun[pk] - created).total_seconds() for pk, created, _, _ in lots]
    work = sum((ended - begun[pk]).total_seconds() for pk, _, ended, _ in lots)
    return max(sum(waits) / len(waits), 0.0), sum(n for *_, n in lots) / max(work, 1e-3)

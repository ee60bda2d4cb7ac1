"""The closed loop: select -> order -> label and vet -> train and evaluate -> select again, one durable step at a time.

Where the customer wants a say, the records selected are proposed to it before they are ordered.
Each step reads the campaign's phase, does its work, and moves the phase on in one conditional update; run twice or
killed at any statement, it repeats work but never its effects.
"""

import datetime
import logging
import uuid
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction

from common.actors import Actor
from common.clock import Now
from common.errors import ConflictError, DomainError, NotFoundError
from curation.selectors import experiments as experiment_selectors
from curation.services import experiments, observations
from curation.services.opinions import Again
from marketplace.core.states import CampaignMode, CampaignPhase, CampaignState, JobState, LotState, RecordState
from marketplace.errors import CampaignStateError
from marketplace.models import Campaign, Job, JobRecord, Review
from marketplace.selectors import jobs
from marketplace.services import (
    cadences,
    campaign_terms,
    endings,
    events,
    lot_labels,
    lots,
    nudges,
    opinions,
    proposals,
    second_looks,
)
from marketplace.services.campaign_terms import CampaignTerms
from marketplace.services.lots import RecordInput

logger = logging.getLogger(__name__)
_SECOND_LOOK = datetime.timedelta(seconds=30)


def start(*, actor: Actor, experiment_id: uuid.UUID, job_id: uuid.UUID, terms: CampaignTerms) -> Campaign:
    """Tie an experiment to a standing job and start the loop; asked again for the same pair, return it.

    Locks job and experiment, so that of several jobs that want the experiment at once one gets it.

    Raises
    ------
    ConflictError
        When the job or the experiment is part of another campaign, or a round is open that is partly labeled by hand.
    ValidationFailedError
        When their classes differ, or accuracy is asked for and the dataset has no test set to measure it on.
    """
    actor.require("campaigns:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        experiment = experiment_selectors.get(actor, experiment_id, lock=True)
        campaign_terms.check(job, experiment, terms)
        existing = (
            Campaign.objects.filter(job=job).first() or Campaign.objects.filter(experiment_id=experiment_id).first()
        )
        if existing is not None:
            if existing.job_id == job.pk and existing.experiment_id == experiment_id:
                return existing
            raise ConflictError("The job or the experiment is part of another campaign.", campaign=existing.public_id)
        first = campaign_terms.first_round(experiment)
        campaign = Campaign.objects.create(
            organization_id=job.organization_id,
            job=job,
            experiment_id=experiment_id,
            first_round=first,
            round=first,
            **asdict(terms),
        )
        events.of_job(job.pk, "campaign.started", campaign=campaign.public_id, max_rounds=terms.max_rounds)
        nudges.advance_campaign_soon(campaign.pk)
        return campaign


_CONTROLS = {
    "pause": (CampaignState.RUNNING, CampaignState.PAUSED),
    "resume": (CampaignState.PAUSED, CampaignState.RUNNING),
}


def control(*, actor: Actor, campaign_id: uuid.UUID, verb: str) -> Campaign:
    """Pause, resume or stop a campaign; batches already out are finished and vetted all the same.

    Raises
    ------
    CampaignStateError
        When the campaign is over.
    """
    actor.require("campaigns:write")
    with transaction.atomic(durable=True):
        campaign = jobs.campaigns(actor).select_for_update(of=("self",), no_key=True).filter(pk=campaign_id).first()
        if campaign is None:
            raise NotFoundError("There is no such campaign.")
        source, target = _CONTROLS.get(verb, (None, CampaignState.STOPPED))
        if campaign.state == target:
            return campaign
        is_over = campaign.state in {CampaignState.FINISHED, CampaignState.STOPPED}
        if is_over or (source is not None and campaign.state != source):
            raise CampaignStateError(f"A campaign that is {campaign.state} cannot {verb}.", state=campaign.state)
        campaign.state = target
        campaign.save(update_fields=["state"])
        Campaign.objects.filter(pk=campaign.pk).update(next_check_at=Now())
        events.of_job(campaign.job_id, f"campaign.{target}")
        nudges.advance_campaign_soon(campaign.pk)
        return campaign


def advance(*, campaign_id: uuid.UUID) -> None:
    """Take a campaign's next steps until it has to wait for labels, or is over. Safe to run twice and at once."""
    try:
        while _step(campaign_id):
            continue
    except (DomainError, ValueError) as error:
        logger.exception("campaign %s is paused", campaign_id)
        _pause(campaign_id, str(error))


def _pause(campaign_id: uuid.UUID, reason: str) -> None:
    """Stop at a step that cannot succeed as things are; the customer mends the cause and resumes."""
    paused = Campaign.objects.filter(pk=campaign_id, state=CampaignState.RUNNING)
    if paused.update(state=CampaignState.PAUSED, reason=reason):
        events.of_job(Campaign.objects.get(pk=campaign_id).job_id, "campaign.paused", reason=reason)


def _step(campaign_id: uuid.UUID) -> bool:
    campaign = Campaign.objects.select_related("job", "lot").get(pk=campaign_id)
    if campaign.state != CampaignState.RUNNING:
        return False
    if campaign.phase == CampaignPhase.SELECT:
        return _select(campaign)
    if campaign.phase == CampaignPhase.REVIEW:
        return _review(campaign)
    if campaign.phase == CampaignPhase.LABEL:
        return _collect(campaign)
    return _train(campaign)


def _select(campaign: Campaign) -> bool:
    """Choose the round's records, and order them or propose them to the customer first."""
    if campaign.job.state != JobState.OPEN:
        return _finish(campaign, "The job is closed.")
    size = cadences.next_size(campaign)
    if excess := endings.too_much_compute(campaign, size):
        return _finish(campaign, excess)
    planned = opinions.plan(campaign, size)
    picks = experiments.start_round(
        experiment_id=campaign.experiment_id, number=campaign.round, n_records=planned.n_new
    )
    if not picks:
        return _finish(campaign, "Nothing is left to select.")
    if over := _over_budget(campaign, len(picks), planned.again):
        return _finish(campaign, over)
    if campaign.mode == CampaignMode.AUTO:
        return _order(campaign, planned.again)
    with transaction.atomic(durable=True):
        if _move(campaign, CampaignPhase.REVIEW):
            proposals.open_locked(campaign, len(picks), planned.again)
    return True


def _review(campaign: Campaign) -> bool:
    """Order what the customer left of a proposal, once its time is over or the customer approved it."""
    if campaign.job.state != JobState.OPEN:
        return _finish(campaign, "The job is closed.")
    if not proposals.is_due(campaign):
        return False
    picks, again = proposals.picks_of(campaign), proposals.again_of(campaign)
    if over := picks and _over_budget(campaign, len(picks), again):
        return _finish(campaign, over)
    return _order(campaign, again)


def _over_budget(campaign: Campaign, n_records: int, again: Sequence[Again]) -> str:
    """Return why a round cannot be paid, empty when it can."""
    needed, left = cadences.round_cost_micro(campaign, n_records, again), lots.budget_left_micro(campaign.job)
    currency = campaign.job.currency
    detail = f"A round is expected to cost {needed / 1e6:.2f} {currency}, {left / 1e6:.2f} are left."
    return f"The budget is used up: {detail}" if needed > left else ""


def _order(campaign: Campaign, again: Sequence[Again]) -> bool:
    """Order the round's records: the lot and the phase change commit together.

    What is ordered is read after the phase has changed, which locks the campaign: a veto is in by then, or too late.
    """
    with transaction.atomic(durable=True):
        job = (
            Job.objects.select_for_update(of=("self",), no_key=True)
            .select_related("label_schema")
            .get(pk=campaign.job_id)
        )
        if not _move(campaign, CampaignPhase.LABEL):
            return True
        picks = proposals.picks_of(campaign)
        if not picks:
            Campaign.objects.filter(pk=campaign.pk).update(phase=CampaignPhase.TRAIN)
            events.of_job(job.pk, "round.vetoed", round=campaign.round)
            return True
        lot = lots.add_to_locked(job, [RecordInput(p.key, p.uri, p.metadata, p.difficulty) for p in picks])
        opinions.order(lot, again)
        Campaign.objects.filter(pk=campaign.pk).update(lot=lot)
        facts = {"n_records": len(picks), "n_again": len(again)}
        events.of_lot(lot, "round.ordered", round=campaign.round, **facts)
    return False


def _collect(campaign: Campaign) -> bool:
    """When the lot is closed, give its labels to the experiment; the observations are keyed, so twice is once."""
    if campaign.lot is None or campaign.lot.state == LotState.OPEN:
        if campaign.lot is not None:
            with transaction.atomic(durable=True):
                opinions.give_up(campaign.lot)
        # Vetting wakes the campaign when the lot closes; this is only the second look should that nudge be lost.
        Campaign.objects.filter(pk=campaign.pk).update(next_check_at=Now() + _SECOND_LOOK)
        return False
    observations.record(
        experiment_id=campaign.experiment_id,
        observations=lot_labels.of_lot(campaign.lot),
        gold_counts=lot_labels.gold_counts(campaign.job),
    )
    with transaction.atomic(durable=True):
        _move(campaign, CampaignPhase.TRAIN)
    return True


def _train(campaign: Campaign) -> bool:
    """Retrain and evaluate on the labels so far, then go on to the next round or finish."""
    metrics = experiments.train_and_evaluate(experiment_id=campaign.experiment_id, number=campaign.round)
    ending = _ending(campaign, metrics.accuracy)
    with transaction.atomic(durable=True):
        next_round = campaign.round + (not ending)
        if not _move(campaign, CampaignPhase.SELECT, round_number=next_round):
            return True
        events.of_job(campaign.job_id, "round.evaluated", round=campaign.round, accuracy=metrics.accuracy)
        _call_for_second_looks(campaign, metrics.doubted)
        if ending:
            _finish(campaign, ending)
    return not ending


def _ending(campaign: Campaign, accuracy: float | None) -> str:
    """Return why the campaign ends after this round, empty when it goes on."""
    if campaign.target_accuracy is not None and accuracy is not None and accuracy >= campaign.target_accuracy:
        return f"The target accuracy {campaign.target_accuracy:.1%} is reached."
    if campaign.value_of_day_micro is None and campaign.round >= campaign.last_round:
        return "The only round is done." if campaign.max_rounds == 1 else f"All {campaign.max_rounds} rounds are done."
    if campaign.value_of_day_micro is not None and cadences.records_left(campaign) <= 0:
        most = _counted(campaign.max_rounds, "usual round")
        taken = _counted(campaign.round - campaign.first_round + 1, "round")
        return f"All records of {most} are asked for, in {taken}."
    return endings.not_worth_it(campaign)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _call_for_second_looks(campaign: Campaign, keys: Sequence[str]) -> None:
    """Call the labels that the model doubts to review, each once, whichever round doubts it first."""
    records = JobRecord.objects.filter(job_id=campaign.job_id, key__in=keys, state=RecordState.LABELED)
    ids = records.values_list("pk", flat=True)
    second_looks.call_for(campaign.job_id, ids, Review.Cause.MODEL, "A model trained on the other labels doubts it.")


def _move(campaign: Campaign, phase: CampaignPhase, round_number: int | None = None) -> bool:
    """Move the phase on unless another runner already has."""
    moved = Campaign.objects.filter(
        pk=campaign.pk, state=CampaignState.RUNNING, phase=campaign.phase, round=campaign.round
    ).update(phase=phase, round=round_number or campaign.round, next_check_at=Now())
    return bool(moved)


def _finish(campaign: Campaign, reason: str) -> bool:
    done = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING).update(
        state=CampaignState.FINISHED, reason=reason, finished_at=Now()
    )
    if done:
        events.of_job(campaign.job_id, "campaign.finished", reason=reason, rounds=campaign.round)
    return False

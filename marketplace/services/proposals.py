"""A round's records before they are ordered: the customer vetoes some, adds others by key, approves.

A proposal stands while the campaign's phase is review. Whatever changes it locks the campaign's row and looks at the
phase, which the order changes under the same lock: a change is in before the order is read, or is refused. The deadline
holds the order back and closes nothing: as long as the records are not ordered, a late veto counts.
"""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from common import audit, outbox
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError, ValidationFailedError
from curation.models.experiments import VetoReason
from curation.services import experiments, overrides
from curation.services.experiments import PickedRecord
from curation.services.opinions import Again
from marketplace.core.states import CampaignPhase, CampaignState
from marketplace.errors import CampaignStateError, ProposalClosedError
from marketplace.models import Campaign
from marketplace.selectors import jobs
from marketplace.services import cadences, events, lots, nudges

MAX_KEYS: Final = 1000
_LOOK_AGAIN: Final = datetime.timedelta(hours=1)
"""How long a proposal without a deadline rests before the campaign looks whether its job is still open."""


def open_locked(campaign: Campaign, n_records: int, again: Sequence[Again]) -> None:
    """Hold the round's order back and tell the customer, in the transaction that moved the campaign to review."""
    now, window_s = database_now(), campaign.review_s
    due_at = None if window_s is None else now + datetime.timedelta(seconds=window_s)
    rests_s = settings.PROPOSAL_REMINDER_S if window_s is None else settings.PROPOSAL_REMINDER_RATIO * window_s
    pairs = [[one.key, one.annotator] for one in again]
    Campaign.objects.filter(pk=campaign.pk).update(
        review_due_at=due_at, remind_at=now + datetime.timedelta(seconds=rests_s), proposed_again=pairs
    )
    facts = {"n_records": n_records, "n_again": len(pairs), "mode": campaign.mode}
    events.of_job(campaign.job_id, "round.proposed", round=campaign.round, **facts)
    told = {"job": campaign.job.title, "round": campaign.round, "n": n_records, "until": due_at and due_at.isoformat()}
    outbox.put(
        "customer.notice",
        {
            "customer": str(campaign.organization_id),
            "kind": "proposal.to_approve" if due_at is None else "proposal.to_veto",
            "about": [{"subject": str(campaign.pk), "facts": told}],
        },
    )


def picks_of(campaign: Campaign) -> list[PickedRecord]:
    """Return the records of the campaign's round but the vetoed ones."""
    return experiments.picked(experiment_id=campaign.experiment_id, number=campaign.round)


def again_of(campaign: Campaign) -> list[Again]:
    """Return the further opinions of a proposal."""
    return [Again(key, annotator) for key, annotator in campaign.proposed_again]


def is_due(campaign: Campaign) -> bool:
    """Return whether the round may be ordered now, by the database's clock; else look again when it may be."""
    waiting = Campaign.objects.filter(pk=campaign.pk, phase=CampaignPhase.REVIEW)
    if waiting.filter(review_due_at__lte=Now()).exists():
        return True
    waiting.update(next_check_at=Coalesce(F("review_due_at"), Now() + _LOOK_AGAIN))
    return False


def veto(*, actor: Actor, campaign_id: uuid.UUID, keys: Sequence[str], reason: VetoReason, note: str = "") -> Campaign:
    """Keep proposed records from being ordered, for good; keys vetoed before stay as they are.

    Locks the campaign; emits ``proposal.vetoed`` with who and why.

    Raises
    ------
    ProposalClosedError
        When the records are ordered already.
    ValidationFailedError
        Naming each key that is not proposed.
    """
    actor.require("campaigns:write")
    _check_count(keys)
    with transaction.atomic(durable=True):
        campaign = _open(actor, campaign_id)
        vetoed = overrides.veto(experiment_id=campaign.experiment_id, number=campaign.round, keys=keys, reason=reason)
        if vetoed:
            _tell(actor, campaign, "vetoed", keys=vetoed, reason=reason, note=note)
        return campaign


def add(*, actor: Actor, campaign_id: uuid.UUID, keys: Sequence[str]) -> Campaign:
    """Add records of the customer's own choice to a proposal.

    The arrays are read before the campaign is locked; a key picked meanwhile is refused. Emits ``proposal.added``.

    Raises
    ------
    ProposalClosedError
        When the round is ordered already.
    ValidationFailedError
        Naming each key that cannot be asked, or when the budget does not cover them.
    """
    actor.require("campaigns:write")
    _check_count(keys)
    with transaction.atomic(durable=True):
        campaign = _open(actor, campaign_id)
    picks = overrides.by_hand(experiment_id=campaign.experiment_id, keys=keys)
    with transaction.atomic(durable=True):
        locked = _open(actor, campaign_id)
        if locked.round != campaign.round:
            raise ProposalClosedError
        _check_budget(locked, len(picks))
        overrides.add(experiment_id=locked.experiment_id, number=locked.round, picks=picks)
        _tell(actor, locked, "added", keys=list(keys))
        return locked


def _check_count(keys: Sequence[str]) -> None:
    if not 0 < len(keys) <= MAX_KEYS:
        raise ValidationFailedError.of("keys", "count", f"Give 1 to {MAX_KEYS} keys at once, got {len(keys)}.")


def _check_budget(campaign: Campaign, n_added: int) -> None:
    """Refuse what the budget cannot cover while it is one field's fault; at the order it would end the campaign."""
    n_records = len(picks_of(campaign)) + n_added
    needed = cadences.round_cost_micro(campaign, n_records, again_of(campaign))
    left = lots.budget_left_micro(campaign.job)
    if needed > left:
        detail = (
            f"With these the round is expected to cost {needed / 1e6:.2f} {campaign.job.currency}, "
            f"{left / 1e6:.2f} are left; veto others first, add fewer, or raise the budget."
        )
        raise ValidationFailedError.of("keys", "over_budget", detail)


def approve(*, actor: Actor, campaign_id: uuid.UUID, number: int) -> Campaign:
    """Let a round be ordered now, with what is vetoed and added so far; approved again, it stays approved.

    ``number`` is the round that was looked at: no other is approved. Locks the campaign; emits ``proposal.approved``.

    Raises
    ------
    ProposalClosedError
        When this round is not the one proposed.
    """
    actor.require("campaigns:write")
    with transaction.atomic(durable=True):
        campaign = _open(actor, campaign_id)
        if campaign.round != number:
            raise ProposalClosedError(f"Round {campaign.round} is proposed now, not round {number}; look at it first.")
        if not Campaign.objects.filter(pk=campaign.pk, review_due_at__lte=Now()).exists():
            Campaign.objects.filter(pk=campaign.pk).update(review_due_at=Now(), next_check_at=Now())
            _tell(actor, campaign, "approved")
            nudges.advance_campaign_soon(campaign.pk)
            campaign.refresh_from_db(fields=["review_due_at"])
        return campaign


def _open(actor: Actor, campaign_id: uuid.UUID) -> Campaign:
    """Lock a campaign of the actor whose round waits for its customer."""
    campaign = jobs.campaigns(actor).select_for_update(of=("self",), no_key=True).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFoundError("There is no such campaign.")
    if campaign.state not in {CampaignState.RUNNING, CampaignState.PAUSED}:
        raise CampaignStateError(f"The campaign is {campaign.state}; nothing more is ordered.", state=campaign.state)
    if campaign.phase != CampaignPhase.REVIEW:
        raise ProposalClosedError(phase=campaign.phase, round=campaign.round)
    return campaign


def _tell(actor: Actor, campaign: Campaign, deed: str, **facts: Any) -> None:
    """Append who did what to the proposal to the market's feed and to the trail."""
    who = {"user": actor.user_id and str(actor.user_id), "api_key": actor.api_key_id and str(actor.api_key_id)}
    events.of_job(campaign.job_id, f"proposal.{deed}", round=campaign.round, **who, **facts)
    audit.record(actor=actor, action=f"proposal.{deed}", target=campaign, round=campaign.round, **facts)

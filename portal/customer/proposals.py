"""What a campaign would order next: looked at, vetoed record by record, added to by key, approved."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from curation.models.experiments import VetoReason
from curation.selectors import experiments as experiment_selectors
from marketplace.core.states import CampaignPhase, CampaignState
from marketplace.models import Campaign
from marketplace.selectors import jobs
from marketplace.services import proposals
from portal import pages

_MAX_TEXT = 201 * proposals.MAX_KEYS


class VetoForm(forms.Form):
    """Why the ticked records shall not be sent; their keys are the boxes of the list."""

    reason = forms.ChoiceField(
        choices=VetoReason.choices,
        initial=VetoReason.OTHER,
        help_text="Not of our kind, damaged and unreadable teach the model; the others do not.",
    )
    note = forms.CharField(max_length=1000, required=False)


class AddForm(forms.Form):
    """Records to ask as well."""

    keys = forms.CharField(
        max_length=_MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Also ask these",
        help_text="One key a line. They count as chosen by hand.",
    )

    def clean_keys(self) -> list[str]:
        """Return the keys, one a line."""
        return [line.strip() for line in self.cleaned_data["keys"].splitlines() if line.strip()]


@pages.page("campaigns:read", CUSTOMER, PLATFORM)
def detail(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID) -> HttpResponse:
    """Show what is proposed, why each record was chosen, and what can be done about it."""
    return _shown(request, actor, campaign_id)


@pages.page("campaigns:write", CUSTOMER, methods=("POST",))
def veto(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID) -> HttpResponse:
    """Veto the ticked records."""
    form, keys = VetoForm(request.POST), request.POST.getlist("keys")
    if form.is_valid() and not keys:
        form.add_error(None, "Tick the records that shall not be sent.")
    if form.is_valid():
        given = {"reason": VetoReason(form.cleaned_data["reason"]), "note": form.cleaned_data["note"]}
        try:
            proposals.veto(actor=actor, campaign_id=campaign_id, keys=keys, **given)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.tell(request, error)
        else:
            messages.success(request, f"Vetoed: {len(keys)}. They will not be sent, nor proposed again.")
        return redirect("portal:proposal", campaign_id=campaign_id)
    return _shown(request, actor, campaign_id, veto_form=form, ticked=keys, status=422)


@pages.page("campaigns:write", CUSTOMER, methods=("POST",))
def add(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID) -> HttpResponse:
    """Add records by key."""
    form = AddForm(request.POST)
    if form.is_valid():
        try:
            proposals.add(actor=actor, campaign_id=campaign_id, keys=form.cleaned_data["keys"])
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, f"Added: {len(form.cleaned_data['keys'])}.")
            return redirect("portal:proposal", campaign_id=campaign_id)
    return _shown(request, actor, campaign_id, add_form=form, status=422)


@pages.page("campaigns:write", CUSTOMER, methods=("POST",))
def approve(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID, number: int) -> HttpResponse:
    """Let the round that was looked at be ordered now."""
    try:
        proposals.approve(actor=actor, campaign_id=campaign_id, number=number)
        messages.success(request, f"Round {number} is approved and is being ordered.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:campaign", campaign_id=campaign_id)


def _shown(
    request: HttpRequest,
    actor: Actor,
    campaign_id: uuid.UUID,
    *,
    veto_form: VetoForm | None = None,
    add_form: AddForm | None = None,
    ticked: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    campaign = jobs.campaigns(actor).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFoundError("There is no such campaign.")
    picks = experiment_selectors.picks(actor, campaign.experiment_id, campaign.round)
    return pages.show(
        request,
        "portal/customer/proposal.html",
        status=status,
        campaign=campaign,
        page=pages.rows_of(request, picks),
        n_left=picks.filter(vetoed_at=None).count(),
        ticked=ticked or [],
        is_open=is_open(campaign),
        may_write=actor.may("campaigns:write") and actor.organization_kind == CUSTOMER,
        veto_form=veto_form or VetoForm(),
        add_form=add_form or AddForm(),
    )


def is_open(campaign: Campaign) -> bool:
    """Return whether a campaign's round waits for its customer."""
    over: Any = {CampaignState.FINISHED, CampaignState.STOPPED}
    return campaign.phase == CampaignPhase.REVIEW and campaign.state not in over

"""Campaigns: the closed loop on pages, its learning curve, what each round taught, and its controls."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from common.money import MICRO_PER_UNIT
from curation.models import Round
from curation.models.experiments import VetoReason
from curation.selectors import experiments as experiment_selectors
from marketplace.core.states import CampaignMode, CampaignState, JobState
from marketplace.models import Campaign
from marketplace.selectors import jobs
from marketplace.services import campaigns, override_reports
from marketplace.services.campaign_terms import MAX_REVIEW_S, CampaignTerms
from portal import pages
from portal.customer import campaign_costs, proposals

_OVER: Final = frozenset({CampaignState.FINISHED, CampaignState.STOPPED})
_DONE: Final = {"pause": "Paused: nothing more is chosen.", "resume": "It goes on.", "stop": "Stopped for good."}
_MOST_CHOICES: Final = 200


class CampaignForm(forms.Form):
    """What to choose from, who labels it, and when it is enough."""

    experiment = forms.ChoiceField(help_text="What records are chosen from, and how.")
    job = forms.ChoiceField(help_text="The standing job that buys the labels.")
    rounds = forms.IntegerField(min_value=1, max_value=1000, initial=10)
    target_accuracy = forms.FloatField(
        min_value=1, max_value=100, required=False, label="Stop at an accuracy of (%)", help_text="On your test set."
    )
    value_of_point = forms.DecimalField(
        min_value=0.01,
        max_digits=12,
        decimal_places=2,
        required=False,
        label="A point of accuracy is worth",
        help_text="Ends when labels no longer pay.",
    )
    value_of_day = forms.DecimalField(
        min_value=0.01,
        max_digits=12,
        decimal_places=2,
        required=False,
        label="Being done a day earlier is worth",
        help_text="Rounds are as large as the market's speed makes best.",
    )
    max_cpu_s = forms.IntegerField(
        min_value=1,
        max_value=10**9,
        required=False,
        label="Most compute (CPU seconds)",
        help_text="Ends before a round that is forecast to exceed it.",
    )
    mode = forms.ChoiceField(
        choices=[
            (CampaignMode.AUTO.value, "Labelyard alone"),
            (CampaignMode.VETO.value, "You may veto records for a while"),
            (CampaignMode.APPROVE.value, "You approve each round"),
        ],
        initial=CampaignMode.AUTO.value,
        required=False,
        label="Who has the last word on each round?",
    )
    review_hours = forms.FloatField(
        min_value=0.1,
        max_value=MAX_REVIEW_S / 3600,
        required=False,
        label="Hours to veto",
        help_text="Where you may veto; a day when left out.",
    )
    asks_again = forms.BooleanField(
        required=False, label="Ask again about doubtful records, where that is worth more than new ones"
    )

    def __init__(self, actor: Actor, *given: Any) -> None:
        super().__init__(*given)
        running = jobs.campaigns(actor)
        free = experiment_selectors.for_actor(actor).exclude(pk__in=running.values("experiment_id"))
        standing = jobs.for_actor(actor).filter(state=JobState.OPEN, campaign=None)
        experiment, job = self.fields["experiment"], self.fields["job"]
        if isinstance(experiment, forms.ChoiceField) and isinstance(job, forms.ChoiceField):
            experiment.choices = [(str(one.pk), one.name) for one in free.order_by("-pk")[:_MOST_CHOICES]]
            job.choices = [(str(one.pk), one.title) for one in standing.order_by("-pk")[:_MOST_CHOICES]]

    def terms(self) -> CampaignTerms:
        """Return when the campaign is to stop."""
        given = self.cleaned_data
        return CampaignTerms(
            max_rounds=given["rounds"],
            target_accuracy=given["target_accuracy"] / 100 if given["target_accuracy"] else None,
            value_of_point_micro=_micro(given["value_of_point"]),
            value_of_day_micro=_micro(given["value_of_day"]),
            asks_again=given["asks_again"],
            max_cpu_s=given["max_cpu_s"],
            mode=CampaignMode(given["mode"] or CampaignMode.AUTO),
            review_s=round(3600 * given["review_hours"]) if given["review_hours"] else None,
        )


def _micro(amount: Any) -> int | None:
    return int(amount * MICRO_PER_UNIT) if amount else None


@pages.page("campaigns:read", CUSTOMER, PLATFORM)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show campaigns, newest first, and the form to start one."""
    return _listed(request, actor, CampaignForm(actor))


@pages.page("campaigns:write", CUSTOMER, methods=("POST",))
def start(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Start a campaign."""
    form = CampaignForm(actor, request.POST)
    if form.is_valid():
        pair = {name: uuid.UUID(form.cleaned_data[name]) for name in ("experiment", "job")}
        try:
            started = campaigns.start(
                actor=actor, experiment_id=pair["experiment"], job_id=pair["job"], terms=form.terms()
            )
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error, {"value_of_point_micro": "value_of_point", "review_s": "review_hours"})
        else:
            messages.success(request, "Started. The first records are being chosen.")
            return redirect("portal:campaign", campaign_id=started.pk)
    return _listed(request, actor, form, status=422)


@pages.page("campaigns:read", CUSTOMER, PLATFORM)
def detail(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID) -> HttpResponse:
    """Show a campaign: what it has learned by round, why its model is confused, what choosing saved."""
    campaign = _campaign(actor, campaign_id)
    experiment = experiment_selectors.get(actor, campaign.experiment_id)
    rounds = list(experiment_selectors.rounds_of(experiment))
    done = [one for one in rounds if one.metrics]
    told = override_reports.tell(campaign, experiment)
    return pages.show(
        request,
        "portal/customer/campaign.html",
        campaign=campaign,
        experiment=experiment,
        rounds=rounds,
        newest=done[-1].metrics if done else None,
        curve=curve([one.metrics for one in done if one.metrics]),
        is_over=campaign.state in _OVER,
        costs=campaign_costs.shown(actor, campaign),
        is_proposing=proposals.is_open(campaign),
        overrides=told,
        vetoes=[(VetoReason(reason).label, n) for reason, n in told.report.vetoes.items()],
    )


@pages.page("campaigns:write", CUSTOMER, methods=("POST",))
def control(request: HttpRequest, actor: Actor, campaign_id: uuid.UUID, verb: str) -> HttpResponse:
    """Pause, resume or stop a campaign."""
    if verb not in _DONE:
        raise Http404
    try:
        campaigns.control(actor=actor, campaign_id=campaign_id, verb=verb)
        messages.success(request, _DONE[verb])
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:campaign", campaign_id=campaign_id)


def curve(metrics: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return accuracy by records asked as points of an SVG of 100 x 40, with the band of its 95 % interval.

    None below two rounds with an accuracy. The scale runs from the lowest bound to the highest.

    >>> shown = curve([
    ...     {"n_asked": 10, "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6},
    ...     {"n_asked": 20, "accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9},
    ... ])
    >>> shown["line"], shown["low"], shown["high"]
    ('0.0,32.0 100.0,8.0', 0.4, 0.9)
    """
    rows = [one for one in metrics if one.get("accuracy") is not None]
    if len(rows) < 2 or rows[0]["n_asked"] == rows[-1]["n_asked"]:
        return None
    first, last = rows[0]["n_asked"], rows[-1]["n_asked"]
    low, high = min(one["accuracy_low"] for one in rows), max(one["accuracy_high"] for one in rows)

    def point(one: dict[str, Any], name: str) -> str:
        x, y = (one["n_asked"] - first) / (last - first), (one[name] - low) / ((high - low) or 1)
        return f"{100 * x:.1f},{40 - 40 * y:.1f}"

    band = [point(one, "accuracy_low") for one in rows] + [point(one, "accuracy_high") for one in reversed(rows)]
    line = " ".join(point(one, "accuracy") for one in rows)
    ends = {"from": rows[0]["accuracy"], "to": rows[-1]["accuracy"], "first": first, "last": last}
    return {"line": line, "band": " ".join(band), "low": low, "high": high} | ends


def _campaign(actor: Actor, campaign_id: uuid.UUID) -> Campaign:
    found = jobs.campaigns(actor).filter(pk=campaign_id).first()
    if found is None:
        raise NotFoundError("There is no such campaign.")
    return found


def _listed(request: HttpRequest, actor: Actor, form: CampaignForm, *, status: int = 200) -> HttpResponse:
    page = pages.rows_of(request, jobs.campaigns(actor).select_related("organization").order_by("-pk"))
    ids = [one.experiment_id for one in page.object_list]
    evaluated = Round.objects.filter(experiment__in=ids, evaluated_at__isnull=False).order_by("number")
    newest = dict(evaluated.values_list("experiment", "metrics__accuracy"))
    shown = {"form": form, "page": page, "newest": newest}
    return pages.show(request, "portal/customer/campaigns.html", status=status, **shown)

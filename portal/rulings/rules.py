"""Rules: the list, a new one, one with its dry run and its effects."""

import datetime
import uuid

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from common.ids import from_public
from marketplace.models import Job, RuleTrial
from marketplace.selectors import jobs
from marketplace.selectors import rules as selectors
from marketplace.services import rules, rulings
from portal import pages
from portal.rulings.forms import NewRuleForm, ReversalForm, RuleForm, of_rule

_MAX_EFFECTS = 50


@pages.page("rules:read", CUSTOMER, PLATFORM)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show rules, newest first."""
    return pages.show(request, "portal/rulings/rules.html", page=pages.rows_of(request, selectors.for_actor(actor)))


@pages.page("rules:write", CUSTOMER, PLATFORM, methods=("GET", "HEAD", "POST"))
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a rule for the job that ``?job=`` names; staff without one, for the whole market."""
    job = _job_named(request, actor)
    form = NewRuleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            rule = rules.create(
                actor=actor,
                job_id=job.pk if job else None,
                name=form.cleaned_data["name"],
                terms=form.terms(),
            )
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, "The rule is made. Try it on history, then switch it on.")
            return redirect("portal:rule", rule_id=rule.pk)
    status = 422 if form.errors else 200
    return pages.show(request, "portal/rulings/rule_new.html", status=status, form=form, job=job)


def _job_named(request: HttpRequest, actor: Actor) -> Job | None:
    text = request.GET.get("job", "")
    if not text:
        return None
    try:
        return jobs.get(actor, from_public("job", text))
    except ValueError:
        raise NotFoundError("There is no such job.") from None


@pages.page("rules:read", CUSTOMER, PLATFORM)
def detail(request: HttpRequest, actor: Actor, rule_id: uuid.UUID) -> HttpResponse:
    """Show a rule, its newest dry run, what it did."""
    return _shown(request, actor, rule_id)


@pages.page("rules:write", CUSTOMER, PLATFORM, methods=("POST",))
def change(request: HttpRequest, actor: Actor, rule_id: uuid.UUID) -> HttpResponse:
    """Change what a rule says."""
    form = RuleForm(request.POST)
    selectors.get(actor, rule_id)
    if form.is_valid():
        try:
            rules.change(actor=actor, rule_id=rule_id, terms=form.terms())
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, "Changed. Try the rule again before you switch it on.")
            return redirect("portal:rule", rule_id=rule_id)
    return _shown(request, actor, rule_id, form, status=422)


@pages.page("rules:write", CUSTOMER, PLATFORM, methods=("POST",))
def attempt(request: HttpRequest, actor: Actor, rule_id: uuid.UUID) -> HttpResponse:
    """Try a rule on the answers there are."""
    trial = rules.attempt(actor=actor, rule_id=rule_id)
    messages.success(request, f"Tried on {trial.n_answers} answers: {trial.n_subjects_hit} would have been hit.")
    return redirect("portal:rule", rule_id=rule_id)


@pages.page("rules:write", CUSTOMER, PLATFORM, methods=("POST",))
def switch(request: HttpRequest, actor: Actor, rule_id: uuid.UUID) -> HttpResponse:
    """Switch a rule on (``on=1``) or off."""
    try:
        rule = rules.switch(actor=actor, rule_id=rule_id, is_on=request.POST.get("on") == "1")
        messages.success(request, "The rule is on." if rule.is_on else "The rule is off. Its effects run out.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:rule", rule_id=rule_id)


@pages.page("rules:write", CUSTOMER, PLATFORM, methods=("POST",))
def reverse(request: HttpRequest, actor: Actor, effect_id: uuid.UUID) -> HttpResponse:
    """Take an effect back, with the reason."""
    effect = selectors.effects(actor).filter(pk=effect_id).first()
    if effect is None:
        raise NotFoundError("There is no such effect.")
    form = ReversalForm(request.POST)
    try:
        if form.is_valid():
            rulings.reverse(actor=actor, effect_id=effect_id, reason=form.cleaned_data["reason"])
            messages.success(request, "Taken back. It stays on record.")
        else:
            messages.error(request, "Say why; the vendor reads it.")
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:rule", rule_id=effect.rule_id)


def _shown(
    request: HttpRequest, actor: Actor, rule_id: uuid.UUID, form: BaseForm | None = None, *, status: int = 200
) -> HttpResponse:
    rule = selectors.get(actor, rule_id)
    trial = selectors.last_trial(rule)
    return pages.show(
        request,
        "portal/rulings/rule.html",
        status=status,
        rule=rule,
        trial=trial,
        hits=_hits(trial),
        effects=selectors.effects(actor).filter(rule=rule)[:_MAX_EFFECTS],
        form=form or of_rule(rule),
        reversal=ReversalForm(),
        may_write=actor.may("rules:write"),
    )


def _hits(trial: RuleTrial | None) -> list[dict[str, object]]:
    if trial is None:
        return []
    return [hit | {"time": datetime.datetime.fromtimestamp(hit["at"], datetime.UTC)} for hit in trial.hits]

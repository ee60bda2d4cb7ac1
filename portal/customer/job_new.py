"""Posting a job, with the ranking it would get shown beside the form."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from common.actors import CUSTOMER, Actor
from common.errors import ConflictError, DomainError
from marketplace.models import Job, LabelSchema
from marketplace.selectors import jobs as selectors
from marketplace.services import jobs
from portal import pages
from portal.customer import quote, ranking
from portal.customer.forms import JobForm, KindForm
from portal.customer.ranking import Choice

NAMES = {
    "name": "title",
    "label_schema": "classes",
    "max_price_micro": "max_price",
    "budget_micro": "budget",
    "review_window_s": "review_hours",
    "gold_ratio": "gold_share",
    "target_confidence": "confidence",
    "accuracy_floor": "floor",
}
"""The form's field for a field of the service, where the two differ."""
_FEE = Job._meta.get_field("fee_basis_points").get_default()


@pages.page("jobs:write", CUSTOMER, methods=("GET", "HEAD", "POST"))
def form(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the form; ``action=preview`` ranks, ``action=part`` answers the ranking alone, ``action=post`` posts."""
    if request.method != "POST":
        return _shown(request, actor, JobForm(), _initial())
    action = request.POST.get("action", "post")
    if action.startswith(quote.FIX):
        changed = quote.fixed(request.POST)
        return _shown(request, actor, _unjudged(changed), changed)
    if action in {"part", "preview"}:
        template = "portal/customer/ranking_part.html" if action == "part" else "portal/customer/job_new.html"
        return _shown(request, actor, _unjudged(request.POST), request.POST, template=template)
    return _post(request, actor)


def _post(request: HttpRequest, actor: Actor) -> HttpResponse:
    filled = JobForm(request.POST)
    choice = ranking.choice_of(request.POST)
    if filled.is_valid() and not choice.wrong and not _has_unknown(actor, filled, choice, request.POST):
        try:
            job = _create(actor, filled, choice)
        except DomainError as error:
            pages.put_beside(filled, error, NAMES)
        else:
            messages.success(request, "The job is posted; its first batches are on offer.")
            return redirect("portal:job", job_id=job.pk)
    return _shown(request, actor, filled, request.POST, status=422)


def _has_unknown(actor: Actor, filled: JobForm, choice: Choice, data: QueryDict) -> bool:
    """Whether a numbered vendor cannot do this kind of work; then the form says so."""
    is_unknown = ranking.unseen(actor, choice, ranking.preview(actor, filled, choice, data))
    if is_unknown:
        filled.add_error(None, "A vendor you numbered does not do this kind of work; take its number away.")
    return is_unknown


def _create(actor: Actor, filled: JobForm, choice: Choice) -> Job:
    given = filled.cleaned_data
    schema = _schema(actor, given["title"], given["task_type"], given["classes"], given["rules"])
    return jobs.create(
        actor=actor,
        label_schema_id=schema.pk,
        terms=filled.terms(pinned_vendors=choice.pinned, denied_vendors=choice.denied),
        gold=given["gold"],
        records=given["records"],
    )


def _schema(actor: Actor, title: str, task_type: str, classes: list[str], rules: dict[str, Any]) -> LabelSchema:
    """Return the actor's schema of exactly this kind, made now if there is none (so a second try finds it)."""
    kind: dict[str, Any] = {"task_type": task_type, "classes": classes, "rules": rules}
    same = selectors.schemas(actor).filter(**kind).order_by("pk").first()
    if same is not None:
        return same
    try:
        return jobs.create_schema(actor=actor, name=title, **kind)
    except ConflictError:
        number = selectors.schemas(actor).count() + 1
        return jobs.create_schema(actor=actor, name=f"{title[:180]} ({number})", **kind)


def _initial() -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({name: field.initial for name, field in KindForm().fields.items() if field.initial is not None})
    return data


def _unjudged(data: QueryDict) -> JobForm:
    """Return the form with what was typed, not yet judged."""
    return JobForm(initial={name: data.get(name, "") for name in JobForm.base_fields})


def _shown(
    request: HttpRequest,
    actor: Actor,
    filled: JobForm,
    data: QueryDict,
    *,
    status: int = 200,
    template: str = "portal/customer/job_new.html",
) -> HttpResponse:
    kind, choice = KindForm(data), ranking.choice_of(data)
    rows = ranking.preview(actor, kind, choice, data) if kind.is_valid() else []
    overlap = data.get("min_overlap", "2")
    n_overlap = int(overlap) if overlap.isdecimal() and len(overlap) < 3 else 2
    facts: dict[str, Any] = {"rows": rows, "kind": kind, "choice": choice, "n_overlap": n_overlap}
    facts["cost"] = ranking.cost_per_record_micro(rows, n_overlap, _FEE)
    facts["quote"] = quote.of_form(actor, kind, choice, data) if kind.is_valid() and rows else None
    facts["weights"] = kind.weights() if kind.is_valid() else None
    facts["n_eligible"] = sum(row.place is not None for row in rows)
    return pages.show(request, template, status=status, form=filled, **facts)

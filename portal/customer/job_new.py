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
from portal.customer.schema_fields import SchemaForm

_FIELDS = {
    "name": "title",
    "label_schema": "classes",
    "max_price_micro": "max_price",
    "budget_micro": "budget",
    "pinned_vendors": "is_manual",
    "denied_vendors": "is_manual",
}
"""The form's fields by the service's."""
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
            pages.put_beside(filled, error, _FIELDS)
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
    return jobs.create(
        actor=actor,
        label_schema_id=_schema(actor, filled.cleaned_data["title"], filled.cleaned_data["schema"]).pk,
        terms=filled.terms(pinned_vendors=choice.pinned, denied_vendors=choice.denied),
        gold=filled.cleaned_data["gold"],
        records=filled.cleaned_data["records"],
    )


def _schema(actor: Actor, title: str, stated: LabelSchema) -> LabelSchema:
    """Return the actor's schema that says exactly this, made now if there is none (so a second try finds it)."""
    wanted: dict[str, Any] = {name: getattr(stated, name) for name in ("task_type", "classes", "rules")}
    same = selectors.schemas(actor).filter(**wanted).order_by("pk").first()
    if same is not None:
        return same
    try:
        return jobs.create_schema(actor=actor, name=title, **wanted)
    except ConflictError:
        number = selectors.schemas(actor).count() + 1
        return jobs.create_schema(actor=actor, name=f"{title[:180]} ({number})", **wanted)


def _initial() -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({name: str(field.initial) for name, field in KindForm().fields.items() if field.initial is not None})
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
    facts["currency"] = kind.cleaned_data["currency"] if kind.is_valid() else ""
    facts["weights"] = kind.weights() if kind.is_valid() else None
    facts["finer_wrong"] = any(name in filled.errors for name in SchemaForm.base_fields)
    facts["n_eligible"] = sum(row.place is not None for row in rows)
    return pages.show(request, template, status=status, form=filled, **facts)

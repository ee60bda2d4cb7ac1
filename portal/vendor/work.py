"""The vendor's work: what was accepted, the records to label, giving it back."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import VENDOR, Actor
from common.errors import DomainError, NotFoundError
from common.models import User
from marketplace.core import fates
from marketplace.core.states import OPEN_ASSIGNMENTS, AssignmentState
from marketplace.models import Annotation, Assignment, BatchItem, InstructionVersion
from marketplace.selectors import work
from marketplace.services import annotations, answer_files, assignments, disputes, prelabels
from marketplace.services.annotations import content_of
from portal import pages
from portal.rulings.disputes import DisputeForm
from portal.vendor.answer_fields import Suggestion
from portal.vendor.forms import AnswerFileForm, AnswersForm, ReleaseForm

MAX_FORM = 50
MAX_FAULTS = 100
_RELEASABLE = {AssignmentState.RESERVED, AssignmentState.STARTED}


@pages.page("assignments:read", VENDOR)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show all work, newest first."""
    return pages.show(request, "portal/vendor/work.html", page=pages.rows_of(request, work.assignments(actor)))


@pages.page("assignments:read", VENDOR)
def detail(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Show a piece of work: instructions, progress, the next records to label."""
    assignment = work.assignment(actor, assignment_id)
    return shown(request, assignment)


@pages.page("annotations:write", VENDOR, methods=("POST",))
def answer(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Save the answers given; the last one delivers the batch."""
    assignment = work.assignment(actor, assignment_id)
    form = _form(assignment, request)
    if form.is_valid():
        try:
            given = form.answers(annotator=annotator_of(request))
            delivery = annotations.submit(actor=actor, assignment_id=assignment_id, answers=given)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            left = f"{delivery.n_left} to go." if delivery.n_left else "The batch is delivered and goes to vetting."
            messages.success(request, f"Saved {len(given)}. {left}")
            return redirect("portal:assignment", assignment_id=assignment_id)
    return shown(request, assignment, status=422, answers=form)


@pages.page("assignments:write", VENDOR, methods=("POST",))
def release(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Give work back with a reason; what was delivered is kept."""
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        assignment = work.assignment(actor, assignment_id)
        return shown(request, assignment, status=422, release=form)
    try:
        assignments.release(actor=actor, assignment_id=assignment_id, reason=form.cleaned_data["reason"])
        messages.success(request, "Given back. What you delivered is kept.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:assignment", assignment_id=assignment_id)


def annotator_of(request: HttpRequest) -> str:
    """Return under which name a person's answers are kept: none that tells who it is."""
    return request.user.public_id if isinstance(request.user, User) else ""


def _form(assignment: Assignment, request: HttpRequest | None = None) -> AnswersForm:
    """Return the form of the next open records; sent answers are looked for on every record, in case one is done."""
    data = request.POST if request is not None else None
    sent = {name.split("-", 1)[0] for name in data} if data is not None else set()
    answered = [item for item in assignment.items.all() if item.public_id in sent]
    items = answered or [item for item in assignment.items.all() if not item.is_done]
    items = items[:MAX_FORM]
    suggestions = _suggestions(assignment, items)
    return AnswersForm(data, items=items, schema=assignment.job.label_schema, suggestions=suggestions)


def _suggestions(assignment: Assignment, items: Sequence[BatchItem]) -> dict[str, Suggestion]:
    """Return what a model says of the records, by key, where annotators may see it."""
    facts = {content_of(item).key: content_of(item).metadata for item in items}
    schema = assignment.job.label_schema
    return {
        key: Suggestion(schema.shown(row.label, row.value, facts[key]), row.confidence)
        for key, row in prelabels.shown_for(assignment.job, list(facts)).items()
    }


def shown(
    request: HttpRequest,
    assignment: Assignment,
    *,
    answers: AnswersForm | None = None,
    status: int = 200,
    release: ReleaseForm | None = None,
    file: AnswerFileForm | None = None,
    report: answer_files.Report | None = None,
) -> HttpResponse:
    """Show a piece of work with the forms as far as they are filled, and the report of a file."""
    answers = answers or _form(assignment)
    newest = InstructionVersion.objects.filter(job_id=assignment.job_id).order_by("-version").first()
    is_open = assignment.state in OPEN_ASSIGNMENTS
    return pages.show(
        request,
        "portal/vendor/assignment.html",
        status=status,
        assignment=assignment,
        deadline=assignment.lapse_at if assignment.state == AssignmentState.RESERVED else assignment.due_at,
        next=fates.fate("assignment", assignment.state, assignment.reason),
        instructions=newest,
        is_open=is_open,
        is_releasable=assignment.state in _RELEASABLE,
        form=answers,
        rows=list(answers.shown()) if is_open else [],
        release=release or ReleaseForm(),
        cannot=annotations.CANNOT_LABEL_REASONS,
        file=file or AnswerFileForm(),
        report=report,
        faults=report.wrong[:MAX_FAULTS] if report is not None else (),
        disputes=assignment.disputes.prefetch_related("adjudications").order_by("-pk"),
        may_dispute=disputes.is_open_to(assignment),
        dispute=DisputeForm(),
        verdicts=assignment.verdicts.order_by("-pk"),
        n_annotations=Annotation.objects.filter(assignment=assignment, is_current=True).count(),
    )

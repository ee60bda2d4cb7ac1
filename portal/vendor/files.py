"""A vendor's work as files: records to download, answers to send, a report of what is wrong at once."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import VENDOR, Actor
from common.errors import DomainError, NotFoundError
from marketplace.core.answer_files import FORMS
from marketplace.selectors import work
from marketplace.services import answer_files
from portal import pages
from portal.vendor import work as work_page
from portal.vendor.forms import AnswerFileForm

_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


@pages.page("assignments:read", VENDOR)
def download(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID, form: str) -> HttpResponse:
    """Send the open records as a file."""
    if form not in FORMS:
        raise NotFoundError("There is no such form of the file.")
    assignment = work.assignment(actor, assignment_id)
    headers = {"Content-Disposition": f'attachment; filename="{assignment.public_id}.{form}"'}
    lines = "".join(answer_files.written(assignment, form))
    return HttpResponse(lines, content_type=f"{_TYPES[form]}; charset=utf-8", headers=headers)


@pages.page("annotations:write", VENDOR, methods=("POST",))
def upload(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Check a file of answers and, unless only asked to check (``only=check``), save them all or none."""
    assignment = work.assignment(actor, assignment_id)
    form, report = AnswerFileForm(request.POST, request.FILES), None
    if form.is_valid():
        try:
            content = form.cleaned_data["file"]
            report = answer_files.check(assignment, content, annotator=work_page.annotator_of(request))
            if "only" in request.POST:
                status = 422 if report.wrong else 200
                return work_page.shown(request, assignment, file=form, report=report, status=status)
            delivery = answer_files.submit(actor=actor, assignment_id=assignment_id, report=report)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            left = f"{delivery.n_left} to go." if delivery.n_left else "The batch is delivered and goes to vetting."
            messages.success(request, f"Saved {report.n_good} from the file. {left}")
            return redirect("portal:assignment", assignment_id=assignment_id)
    return work_page.shown(request, assignment, file=form, report=report, status=422)

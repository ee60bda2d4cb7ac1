"""Jobs: the list, one with its batches, its labels, the end of it."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.core import notices
from marketplace.core.states import BatchState, JobState
from marketplace.models import Notice
from marketplace.selectors import chains
from marketplace.selectors import jobs as selectors
from marketplace.services import cancellations
from portal import labels as wording
from portal import pages

N_EVENTS = 20
N_NOTICES = 5


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show jobs, newest first, with what waits for a decision."""
    page = pages.rows_of(request, selectors.for_actor(actor).select_related("organization").order_by("-pk"))
    ids = [job.pk for job in page.object_list]
    escalated = selectors.batches(actor).filter(job__in=ids, state=BatchState.ESCALATED)
    waiting = dict(escalated.values_list("job_id").annotate(n=Count("pk")).order_by())
    news: list[tuple[Notice, str]] = []
    if actor.organization_kind == CUSTOMER and actor.may("campaigns:read"):
        news = [(row, notices.words_of(row.kind, row.facts)) for row in selectors.notices(actor)[:N_NOTICES]]
    return pages.show(request, "portal/customer/jobs.html", page=page, waiting=waiting, news=news)


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def detail(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Show a job: budget, progress, batches with their offers, latest events; with ``?part=1`` the batches alone."""
    job = selectors.get(actor, job_id)
    page = pages.rows_of(request, selectors.batches(actor).filter(job=job).order_by("-pk"))
    chained: dict[str, Any] = {"job": job, "page": page, "chains": chains.of_batches(actor, list(page.object_list))}
    if "part" in request.GET:
        status = 200 if job.state == JobState.OPEN else pages.LAST_POLL
        return pages.show(request, "portal/customer/batches_part.html", status=status, **chained)
    records = job.records.values_list("state").annotate(n=Count("pk")).order_by("state")
    return pages.show(
        request,
        "portal/customer/job.html",
        **chained,
        records=dict(records),
        rules=job.rules.order_by("pk"),
        events=selectors.feed(actor, job_id).order_by("-pk")[:N_EVENTS],
    )


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def labels(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Show the records of a job with what is known of their labels."""
    job = selectors.get(actor, job_id)
    page = pages.rows_of(request, selectors.labels(actor, job_id))
    shown = ((record, record.shown_label) for record in page.object_list)
    rows = [(record, "" if label is None else wording.as_text(label)) for record, label in shown]
    return pages.show(request, "portal/customer/labels.html", job=job, page=page, rows=rows)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def cancel(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Cancel a job; delivered labels are kept and paid."""
    try:
        cancellations.cancel_job(actor=actor, job_id=job_id)
        messages.success(request, "The job is cancelled. Delivered labels are kept and paid.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:job", job_id=job_id)

"""A batch: its chain of offers, its verdicts, why this vendor, and the choices when nobody took it."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.core import fates
from marketplace.core.states import BatchState
from marketplace.models import Candidate, Verdict
from marketplace.selectors import chains, jobs, settlements
from marketplace.services import cancellations, escalations, reviews
from portal import pages
from portal.customer.forms import ResolveForm, ReviewForm
from portal.customer.pay import BonusForm

_FIELDS = {"max_price_micro": "max_price"}
_MOVING = frozenset(BatchState) - {BatchState.DONE, BatchState.CANCELLED}


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def detail(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Show a batch with its chain of offers; with ``?part=1`` only the chain."""
    if "part" in request.GET:
        return _chain_alone(request, actor, batch_id)
    return _shown(request, actor, batch_id, ResolveForm())


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def resolve(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Decide on a batch that nobody took."""
    form = ResolveForm(request.POST)
    if form.is_valid():
        try:
            escalations.resolve(actor=actor, batch_id=batch_id, **form.choices_made())
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error, _FIELDS)
        else:
            messages.success(request, "Done. The batch follows your choice.")
            return redirect("portal:batch", batch_id=batch_id)
    return _shown(request, actor, batch_id, form, status=422)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def review(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Accept a vetted batch, or refuse single labels of it."""
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _shown(request, actor, batch_id, ResolveForm(), review=form, status=422)
    refusals = form.cleaned_data["refusals"]
    try:
        if refusals:
            reviews.refuse(actor=actor, batch_id=batch_id, refusals=refusals)
        else:
            reviews.accept(actor=actor, batch_id=batch_id)
    except NotFoundError:
        raise
    except DomainError as error:
        pages.put_beside(form, error, {"records": "refusals"})
        return _shown(request, actor, batch_id, ResolveForm(), review=form, status=422)
    words = f"{len(refusals)} labels are refused, the others are accepted." if refusals else "The batch is accepted."
    messages.success(request, words)
    return redirect("portal:batch", batch_id=batch_id)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def cancel(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Cancel a batch that is not delivered yet."""
    try:
        cancellations.cancel_batch(actor=actor, batch_id=batch_id)
        messages.success(request, "The batch is cancelled. What was delivered of it is kept.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:batch", batch_id=batch_id)


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def why(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Show the ranking the batch's offers follow, each candidate with its score parts in words."""
    batch = jobs.batch(actor, batch_id)
    rows = Candidate.objects.filter(run=batch.ranking_id).select_related("vendor").order_by("sequence", "pk")
    asked = {offer.candidate_id: offer for offer in jobs.offer_chain(actor, batch_id)}
    return pages.show(request, "portal/customer/why.html", batch=batch, rows=rows, asked=asked)


def _chain_alone(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    batch = jobs.batch(actor, batch_id)
    status = 200 if batch.state in _MOVING else pages.LAST_POLL
    chain = chains.of_batches(actor, [batch])[batch.pk]
    return pages.show(request, "portal/customer/chain_live.html", status=status, batch=batch, chain=chain)


def _shown(
    request: HttpRequest,
    actor: Actor,
    batch_id: uuid.UUID,
    form: ResolveForm,
    *,
    review: ReviewForm | None = None,
    status: int = 200,
) -> HttpResponse:
    batch = jobs.batch(actor, batch_id)
    verdicts = Verdict.objects.filter(assignment__batch=batch).select_related("assignment__vendor").order_by("-pk")
    return pages.show(
        request,
        "portal/customer/batch.html",
        status=status,
        batch=batch,
        chain=chains.of_batches(actor, [batch])[batch.pk],
        is_moving=batch.state in _MOVING,
        verdicts=verdicts,
        earned=settlements.of_batch(actor, batch.pk) if batch.job.is_billed else [],
        bonus=BonusForm(),
        is_escalated=batch.state == BatchState.ESCALATED,
        next=fates.fate("batch", batch.state, batch.reason),
        is_cancellable=batch.state in cancellations.UNDELIVERED,
        form=form,
        review=review or ReviewForm(),
    )

"""The vendor's inbox: live offers, work in hand, the availability switch."""

import datetime
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import VENDOR, Actor
from common.clock import Now
from common.errors import DomainError, NotFoundError
from marketplace.core import notices
from marketplace.core.states import OPEN_ASSIGNMENTS, OfferState
from marketplace.selectors import work
from marketplace.services import interests, offers
from portal import pages
from portal.vendor.forms import AvailabilityForm, DeclineForm, decline_choices
from vendors.models import CapacityWindow
from vendors.selectors import vendors
from vendors.services import capacity
from vendors.services.capacity import CHANGES, Availability

MAX_SHOWN = 200
MAX_MISSED = 10
MAX_NOTICES = 10
RECENT = datetime.timedelta(days=1)


@pages.page("offers:read", VENDOR)
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for a decision; with ``?part=1`` only the offers."""
    if not vendors.for_actor(actor).exists():
        return redirect("portal:home")
    template = "portal/vendor/offers_part.html" if "part" in request.GET else "portal/vendor/inbox.html"
    return _shown(request, actor, template)


@pages.page("offers:decide", VENDOR, methods=("POST",))
def accept(request: HttpRequest, actor: Actor, offer_id: uuid.UUID) -> HttpResponse:
    """Accept an offer and open the work."""
    try:
        assignment = offers.accept(actor=actor, offer_id=offer_id)
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
        return redirect("portal:inbox")
    messages.success(request, "Accepted. The work is yours; start before the time runs out.")
    return redirect("portal:assignment", assignment_id=assignment.pk)


@pages.page("offers:decide", VENDOR, methods=("POST",))
def decline(request: HttpRequest, actor: Actor, offer_id: uuid.UUID) -> HttpResponse:
    """Decline an offer with a reason."""
    form = DeclineForm(request.POST)
    if not form.is_valid():
        if not work.offers(actor).filter(pk=offer_id).exists():
            raise NotFoundError
        return _shown(request, actor, "portal/vendor/inbox.html", status=422, refused={offer_id: form})
    try:
        offers.decline(actor=actor, offer_id=offer_id, reason=form.cleaned_data["reason"])
        messages.success(request, "Declined. The batch has gone to the next candidate.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:inbox")


@pages.page("offers:decide", VENDOR, methods=("POST",))
def interest(request: HttpRequest, actor: Actor, offer_id: uuid.UUID) -> HttpResponse:
    """Say that the vendor still wants a batch it was too late for."""
    try:
        interests.register(actor=actor, offer_id=offer_id)
        messages.success(request, "Noted. If the batch comes back, you come first among equals and are told here.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:inbox")


@pages.page("vendor:write", VENDOR, methods=("POST",))
def availability(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Change whether and how much the vendor takes."""
    form = AvailabilityForm(request.POST)
    if form.is_valid():
        try:
            capacity.set_availability(actor=actor, change=Availability(**form.cleaned_data))
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
    if form.errors:
        return _shown(request, actor, "portal/vendor/inbox.html", status=422, availability=form)
    messages.success(request, "Your availability is changed.")
    return redirect("portal:inbox")


def _shown(
    request: HttpRequest,
    actor: Actor,
    template: str,
    *,
    status: int = 200,
    refused: dict[uuid.UUID, DeclineForm] | None = None,
    availability: AvailabilityForm | None = None,
) -> HttpResponse:
    vendor = vendors.own(actor)
    window = CapacityWindow.objects.get(vendor=vendor)
    live = work.offers(actor).filter(state=OfferState.LIVE, expires_at__gt=Now()).order_by("expires_at")
    in_hand = work.assignments(actor).filter(state__in=OPEN_ASSIGNMENTS).order_by("due_at")
    form = availability or AvailabilityForm(initial={name: getattr(window, name) for name in CHANGES})
    return pages.show(
        request,
        template,
        status=status,
        vendor=vendor,
        window=window,
        offers=live[:MAX_SHOWN],
        assignments=in_hand[:MAX_SHOWN],
        reasons=decline_choices(),
        refused=refused or {},
        availability=form,
        missed=work.missed(actor).filter(decided_at__gt=Now() - RECENT)[:MAX_MISSED],
        notices=[(row, notices.words_of(row.kind, row.facts)) for row in work.notices(actor)[:MAX_NOTICES]],
    )

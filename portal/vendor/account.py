"""The vendor's account: what is still to do, and the forms that do it."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from common.actors import VENDOR, Actor
from common.errors import DomainError, NotFoundError
from marketplace.services import payouts
from portal import pages
from portal.vendor import account_forms as forms
from vendors.models import Capability
from vendors.selectors import agreements, standing, vendors
from vendors.services import appeals, onboarding, paper_files, terms

MAX_ROWS: Final = 100
N_EVENTS: Final = 20
_SECONDS: Final = ("accept_window_cost", "accept_window_speed", "accept_window_accuracy", "start_window", "base")
_FIELDS: Final = {"price_micro": "price", "capability_id": "capability"} | {f"{name}_s": name for name in _SECONDS}

Step = tuple[type[Any], Callable[..., Any], str]
STEPS: Final[dict[str, Step]] = {
    "capability": (forms.CapabilityForm, onboarding.declare_capability, "The kind of work is declared."),
    "price": (forms.PriceForm, terms.list_price, "The price is listed."),
    "document": (forms.DocumentForm, paper_files.hand_in, "The paper is handed in; staff checks it."),
    "agreement": (forms.AgreementForm, terms.sign_agreement, "The agreement is signed."),
    "appeal": (forms.AppealForm, appeals.file, "Your objection is filed; staff answers it here."),
    "submit": (forms.NoFieldsForm, onboarding.submit, "Your application is handed in."),
}
"""What each form of the page does, and what is said when it is done."""


@pages.page("vendor:read", VENDOR)
def account(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what is to do, what was stated, and the forms."""
    return _shown(request, actor, {})


@pages.page("vendor:write", VENDOR, methods=("POST",))
def step(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Do one step of the account."""
    if name not in STEPS:
        raise Http404
    kind, act, words = STEPS[name]
    own = Capability.objects.filter(vendor=vendors.own(actor)).order_by("pk")
    form = kind(request.POST, request.FILES, prefix=name, capabilities=own)
    if form.is_valid():
        try:
            act(actor=actor, **form.arguments())
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error, _FIELDS)
        else:
            messages.success(request, words)
            return redirect("portal:account")
    return _shown(request, actor, {name: form}, status=422)


@pages.page("vendor:read", VENDOR)
def paper(request: HttpRequest, actor: Actor, document_id: uuid.UUID) -> HttpResponseBase:
    """Send the file of an own paper."""
    found = vendors.own(actor).documents.filter(pk=document_id).first()
    if found is None:
        raise NotFoundError("There is no such paper.")
    return pages.paper_file(found)


@pages.page("payouts:write", VENDOR, methods=("POST",))
def payout(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Open the payout account, and show the link to the page where its details are entered."""
    try:
        link = payouts.open_account(actor=actor, return_url=request.build_absolute_uri(reverse("portal:account")))
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
        return redirect("portal:account")
    return _shown(request, actor, {}, link=link)


@pages.page("vendor:write", VENDOR, methods=("POST",))
def register(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Apply as a vendor."""
    form = forms.RegisterForm(request.POST)
    if form.is_valid():
        try:
            onboarding.register(actor=actor, **form.arguments())
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, "You have applied. The list says what is still to do.")
            return redirect("portal:account")
    return render(request, "portal/vendor/unregistered.html", {"actor": actor, "form": form}, status=422)


def _shown(
    request: HttpRequest, actor: Actor, tried: dict[str, Any], *, status: int = 200, link: str = ""
) -> HttpResponse:
    vendor = vendors.own(actor)
    own = vendor.capabilities.prefetch_related("prices").order_by("pk")
    filled = {name: kind(prefix=name, capabilities=own) for name, (kind, _, _) in STEPS.items()} | tried
    return pages.show(
        request,
        "portal/vendor/account.html",
        status=status,
        vendor=vendor,
        requirements=standing.requirements(vendor),
        capabilities=own[:MAX_ROWS],
        papers=vendor.documents.select_related("capability").order_by("-pk")[:MAX_ROWS],
        agreement=agreements.newest(vendor.pk),
        objections=vendor.appeals.select_related("event").order_by("-pk")[:MAX_ROWS],
        events=vendor.events.order_by("-pk")[:N_EVENTS],
        forms=filled,
        tried=set(tried),
        link=link,
    )

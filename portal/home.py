"""The first page after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from common.actors import CUSTOMER, PLATFORM, VENDOR
from portal.actors import actor_of
from portal.vendor.account_forms import RegisterForm
from vendors.selectors import vendors

_FIRST = {CUSTOMER: "portal:jobs", VENDOR: "portal:inbox", PLATFORM: "portal:board"}


@login_required(login_url="portal:sign-in")
def home(request: HttpRequest) -> HttpResponse:
    """Send a person to the first page of its kind of organization, or say that there is none."""
    actor = actor_of(request)
    if actor is None:
        return render(request, "portal/no_organization.html")
    if actor.organization_kind == VENDOR and not vendors.for_actor(actor).exists():
        return render(request, "portal/vendor/unregistered.html", {"actor": actor, "form": RegisterForm()})
    return redirect(_FIRST[actor.organization_kind])

"""When the vendor works."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import VENDOR, Actor
from common.errors import DomainError, NotFoundError
from portal import pages
from portal.vendor.forms import HoursForm, shown_hours
from vendors.selectors import hours as stated_hours
from vendors.selectors import vendors
from vendors.services import hours


@pages.page("vendor:read", VENDOR)
def page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the hours kept, ready to be changed."""
    stated = stated_hours.of_vendor(vendors.own(actor))
    return _shown(request, actor, HoursForm(initial=shown_hours(stated)))


@pages.page("vendor:write", VENDOR, methods=("POST",))
def save(request: HttpRequest, actor: Actor) -> HttpResponse:
    """State the hours, or keep none any more."""
    if "always" in request.POST:
        hours.drop(actor=actor)
        messages.success(request, "You keep no hours any more: offers come at any time.")
        return redirect("portal:hours")
    form = HoursForm(request.POST)
    if form.is_valid():
        try:
            given = form.cleaned_data
            hours.state(actor=actor, time_zone=given["time_zone"], weekly=form.weekly(), closures=given["closures"])
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
    if form.errors:
        return _shown(request, actor, form, status=422)
    messages.success(request, "Your hours are changed. Offers are made and timed in them.")
    return redirect("portal:hours")


def _shown(request: HttpRequest, actor: Actor, form: HoursForm, *, status: int = 200) -> HttpResponse:
    stated = stated_hours.of_vendor(vendors.own(actor))
    return pages.show(request, "portal/vendor/hours.html", status=status, form=form, stated=stated)

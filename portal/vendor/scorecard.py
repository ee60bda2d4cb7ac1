"""What the market has learnt about the vendor."""

from django.http import HttpRequest, HttpResponse

from common.actors import VENDOR, Actor
from marketplace.selectors import rules
from portal import pages
from vendors.selectors import scorecards, standing, vendors

MAX_EFFECTS = 20


@pages.page("vendor:read", VENDOR)
def scorecard(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the vendor its state, what it owes, and its scores with their uncertainty."""
    vendor = vendors.own(actor)
    return pages.show(
        request,
        "portal/vendor/scorecard.html",
        vendor=vendor,
        requirements=standing.requirements(vendor),
        scores=scorecards.of_vendor(vendor),
        effects=rules.effects(actor)[:MAX_EFFECTS],
    )

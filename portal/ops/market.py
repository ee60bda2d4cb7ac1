"""The market board: every live offer, every batch that does not move."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from common.actors import PLATFORM, Actor
from marketplace.core.states import BatchState, OfferState
from marketplace.models import Batch
from marketplace.selectors import jobs, work
from portal import pages

_MAX_STUCK = 100


@pages.page("offers:read", PLATFORM)
def board(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show live offers, the next to end first, and stuck batches."""
    live = work.offers(actor).filter(state=OfferState.LIVE).order_by("expires_at")
    return pages.show(
        request, "portal/ops/board.html", page=pages.rows_of(request, live), stuck=stuck(jobs.batches(actor))
    )


def stuck(batches: QuerySet[Batch]) -> list[Batch]:
    """Return batches that wait for their customer or for a next round, oldest first."""
    states = [BatchState.ESCALATED, BatchState.WAITING]
    return list(batches.filter(state__in=states).select_related("job__organization").order_by("pk")[:_MAX_STUCK])

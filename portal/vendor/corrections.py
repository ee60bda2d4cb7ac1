"""What corrections changed in a vendor's pay."""

from django.http import HttpRequest, HttpResponse

from common.actors import VENDOR, Actor
from marketplace.selectors import disputes
from portal import labels, pages


@pages.page("assignments:read", VENDOR)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show answers that were refused first and are paid since, newest first, with why."""
    page = pages.rows_of(request, disputes.paid_later(actor))
    rows = [
        {
            "paid": row,
            "about": row.annotation.record or row.annotation.gold,
            "change": labels.of_correction(row.correction) if row.correction is not None else None,
        }
        for row in page.object_list
    ]
    return pages.show(request, "portal/vendor/corrections.html", page=page, rows=rows)

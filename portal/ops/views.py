"""The live status page."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from marketplace.selectors import status


@never_cache
@require_GET
def status_page(request: HttpRequest) -> HttpResponse:
    """Show the market's totals; with ``?part=1`` only the part that changes."""
    user = request.user
    if not (settings.STATUS_PAGE_IS_PUBLIC or (user.is_authenticated and user.is_staff)):
        raise Http404
    template = "portal/status_part.html" if "part" in request.GET else "portal/status.html"
    return render(request, template, {"status": status.current()})

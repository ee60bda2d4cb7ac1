"""What all pages share: who may open them, how a domain error is told, which headers go out."""

import functools
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from common.clock import database_now
from common.errors import DomainError, NotFoundError, PermissionDeniedError
from portal.actors import actor_of
from vendors.core import media
from vendors.models import VendorDocument
from vendors.services import paper_files

CSP: Final = "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
ROWS: Final = 50
LAST_POLL: Final = 286
"""The status that tells htmx to ask no more: nothing will change."""
View = Callable[..., HttpResponseBase]


def page(scope: str, *kinds: str, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Make a page of a function: strangers sign in, other kinds of organization get 404, others' ids too.

    The function is called with the request and the actor. The actor needs the scope, or it is told so (403).
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, **ids: Any) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            return _sealed(_opened(view, request, scope, kinds, ids))

        return wrapped

    return decorate


def _opened(
    view: View, request: HttpRequest, scope: str, kinds: tuple[str, ...], ids: dict[str, Any]
) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("portal:sign-in"))
    actor = actor_of(request)
    if actor is None or actor.organization_kind not in kinds:
        raise Http404
    request.portal_actor = actor  # type: ignore[attr-defined]
    try:
        actor.require(scope)
        return view(request, actor, **ids)
    except NotFoundError as error:
        raise Http404(error.detail) from None
    except PermissionDeniedError as error:
        return render(request, "portal/denied.html", {"detail": error.detail, "actor": actor}, status=403)


def _sealed(response: HttpResponseBase) -> HttpResponseBase:
    response["Content-Security-Policy"] = CSP if isinstance(response, HttpResponse) else f"sandbox; {CSP}"
    response["Cache-Control"] = "no-store"
    return response


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a template with the actor and the database's clock, which the countdowns are told."""
    shared = {"actor": getattr(request, "portal_actor", None), "now": database_now()}
    return render(request, template, shared | context, status=status)


def paper_file(paper: VendorDocument) -> HttpResponseBase:
    """Return a paper's file to keep, not to show: what a stranger sent is not run here."""
    name = f"{paper.public_id}.{media.ENDINGS.get(paper.media_type, 'bin')}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(paper_files.read(paper), content_type=paper.media_type, headers=headers)


def rows_of(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """Return the page of rows that ``?page=`` names (the nearest there is)."""
    return Paginator(rows, ROWS).get_page(request.GET.get("page"))


def tell(request: HttpRequest, error: DomainError) -> None:
    """Say on the next page why something could not be done."""
    messages.error(request, error.detail)


def put_beside(form: BaseForm, error: DomainError, names: dict[str, str] | None = None) -> None:
    """Put a domain error's findings beside the form's fields they speak of; the rest on top.

    ``names`` says which field of the form stands for a field of the service, by the first part of its name.
    """
    for finding in error.errors:
        first = finding["field"].partition("[")[0].partition(".")[0]
        field = (names or {}).get(first, first)
        form.add_error(field if field in form.fields else None, finding["detail"])
    if not error.errors:
        form.add_error(None, error.detail)

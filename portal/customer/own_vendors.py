"""A customer's own vendors: invitations, and what became of them. Nobody else sees them."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, Actor
from common.errors import DomainError, NotFoundError
from portal import pages
from vendors.services import invitations
from vendors.services.invitations import Invited


class InviteForm(forms.Form):
    """Whom to invite."""

    name = forms.CharField(max_length=200, label="Whom do you invite?", help_text="For your list only.")


@pages.page("vendors:invite", CUSTOMER, methods=("GET", "HEAD", "POST"))
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the customer's own vendors and invitations; invite one more, whose code is shown this once."""
    if request.method != "POST":
        return _shown(request, actor, InviteForm())
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invited = invitations.invite(actor=actor, name=form.cleaned_data["name"])
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            return _shown(request, actor, InviteForm(), invited=invited)
    return _shown(request, actor, form, status=422)


@pages.page("vendors:invite", CUSTOMER, methods=("POST",))
def withdraw(request: HttpRequest, actor: Actor, invitation_id: uuid.UUID) -> HttpResponse:
    """Take an invitation back that nobody has used."""
    try:
        invitations.withdraw(actor=actor, invitation_id=invitation_id)
        messages.success(request, "Withdrawn: the code opens nothing any more.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:own-vendors")


def _shown(
    request: HttpRequest, actor: Actor, form: InviteForm, *, status: int = 200, invited: Invited | None = None
) -> HttpResponse:
    page = pages.rows_of(request, invitations.of(actor).prefetch_related("vendor__capabilities"))
    return pages.show(request, "portal/customer/own_vendors.html", status=status, page=page, form=form, invited=invited)

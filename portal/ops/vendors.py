"""Vendor review: who applied, what is missing, the decision."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.services import vendor_exits
from portal import pages
from vendors.models import Vendor
from vendors.selectors import scorecards, standing
from vendors.selectors import vendors as selectors


class ReviewForm(forms.Form):
    """A decision with the reason the vendor reads."""

    decision = forms.ChoiceField(
        choices=[
            ("approve", "Approve: the vendor may take its qualification test"),
            ("request_changes", "Ask for changes"),
            ("reject", "Reject"),
            ("suspend", "Suspend"),
            ("readmit", "Readmit on probation"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a decision."},
    )
    reason = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text="The vendor reads it."
    )


@pages.page("vendors:read", PLATFORM)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show vendors, newest first; ``?state=`` keeps one state."""
    rows = selectors.for_actor(actor).order_by("-pk")
    state = request.GET.get("state", "")
    if state in Vendor.State.values:
        rows = rows.filter(state=state)
    page = pages.rows_of(request, rows)
    return pages.show(request, "portal/ops/vendors.html", page=page, states=Vendor.State.values, state=state)


@pages.page("vendors:read", PLATFORM)
def detail(request: HttpRequest, actor: Actor, vendor_id: uuid.UUID) -> HttpResponse:
    """Show a vendor: state, what it owes, its agreement and scores."""
    return _shown(request, actor, vendor_id, ReviewForm())


@pages.page("vendors:review", PLATFORM, methods=("POST",))
def review(request: HttpRequest, actor: Actor, vendor_id: uuid.UUID) -> HttpResponse:
    """Decide on a vendor."""
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            vendor = vendor_exits.review(actor=actor, vendor_id=vendor_id, **form.cleaned_data)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, f"{vendor.name} is now {vendor.state.replace('_', ' ')}.")
            return redirect("portal:vendor", vendor_id=vendor_id)
    return _shown(request, actor, vendor_id, form, status=422)


def _shown(
    request: HttpRequest, actor: Actor, vendor_id: uuid.UUID, form: ReviewForm, *, status: int = 200
) -> HttpResponse:
    vendor = selectors.for_actor(actor).filter(pk=vendor_id).first()
    if vendor is None:
        raise NotFoundError("There is no such vendor.")
    return pages.show(
        request,
        "portal/ops/vendor.html",
        status=status,
        vendor=vendor,
        requirements=standing.requirements(vendor),
        agreement=vendor.agreements.order_by("-version").first(),
        scores=scorecards.of_vendor(vendor),
        form=form,
    )

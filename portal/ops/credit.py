"""Who may pay by invoice: staff gives terms, changes and ends them."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError
from common.ids import from_public
from common.models import Organization
from common.money import MICRO_PER_UNIT
from marketplace.selectors import credit as selectors
from marketplace.services import invoice_terms
from portal import pages


class TermsForm(forms.Form):
    """A customer and what it is lent."""

    customer = forms.CharField(max_length=200, help_text="Its name, or its id (org_...).")
    currency = forms.RegexField("^[A-Z]{3}$", initial="USD", help_text="Three capital letters.")
    limit = forms.DecimalField(min_value=1, max_value=10**9, max_digits=12, decimal_places=2, label="Credit limit")
    days = forms.IntegerField(min_value=0, max_value=180, initial=30, label="Days to pay an invoice in")

    def clean_customer(self) -> uuid.UUID:
        """Return the customer's id."""
        given = self.cleaned_data["customer"].strip()
        found = Organization.objects.filter(kind=CUSTOMER)
        try:
            found = found.filter(pk=from_public("org", given))
        except ValueError:
            found = found.filter(name=given)
        ids = list(found.values_list("pk", flat=True)[:2])
        if len(ids) != 1:
            raise forms.ValidationError(
                "Several customers have this name: give the id." if ids else "There is no such customer."
            )
        return ids[0]


@pages.page("credit:write", PLATFORM, methods=("GET", "HEAD", "POST"))
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show all terms with what is used of them; give or change some."""
    form = TermsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            invoice_terms.grant(
                actor=actor,
                organization_id=given["customer"],
                currency=given["currency"],
                limit_micro=int(given["limit"] * MICRO_PER_UNIT),
                days=given["days"],
            )
        except DomainError as error:
            pages.put_beside(form, error, {"organization": "customer"})
        else:
            messages.success(request, "These terms hold from now on.")
            return redirect("portal:credit")
    page = pages.rows_of(request, selectors.of(actor))
    status = 422 if form.is_bound else 200
    return pages.show(request, "portal/ops/credit.html", status=status, form=form, page=page)


@pages.page("credit:write", PLATFORM, methods=("POST",))
def revoke(request: HttpRequest, actor: Actor, invoice_terms_id: uuid.UUID) -> HttpResponse:
    """End terms."""
    invoice_terms.revoke(actor=actor, terms_id=invoice_terms_id)
    messages.success(request, "Nothing more is lent; what is owed stays due.")
    return redirect("portal:credit")

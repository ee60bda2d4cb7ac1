"""What waits for staff: papers, objections, rules on vendors, suspended vendors, and what nobody sees to."""

import uuid
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from common.actors import PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.selectors import orphans
from marketplace.services import vendor_rules
from portal import pages
from vendors.models import Appeal, Vendor, VendorDocument, VendorRule
from vendors.selectors import vendors
from vendors.services import appeals, documents

MAX_ROWS: Final = 100
DAYS: Final = 90


class AnswerForm(forms.Form):
    """Yes or no, with the reason the vendor reads."""

    is_yes = forms.TypedChoiceField(choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes")
    reason = forms.CharField(max_length=2000, error_messages={"required": "Say why; the vendor reads it."})


@pages.page("vendors:review", PLATFORM)
def desk(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show everything that waits for staff."""
    return _shown(request, actor)


@pages.page("vendors:review", PLATFORM)
def paper_file(request: HttpRequest, actor: Actor, document_id: uuid.UUID) -> HttpResponseBase:
    """Send the file of a paper."""
    found = VendorDocument.objects.filter(pk=document_id).first()
    if found is None:
        raise NotFoundError("There is no such paper.")
    return pages.paper_file(found)


@pages.page("vendors:review", PLATFORM, methods=("POST",))
def paper(request: HttpRequest, actor: Actor, document_id: uuid.UUID) -> HttpResponse:
    """Accept or refuse a paper."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _shown(request, actor, wrong={document_id: form}, status=422)
    given = form.cleaned_data
    try:
        documents.decide(actor=actor, document_id=document_id, is_accepted=given["is_yes"], reason=given["reason"])
        messages.success(request, "The paper is accepted." if given["is_yes"] else "The paper is refused.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:desk")


@pages.page("vendors:review", PLATFORM, methods=("POST",))
def appeal(request: HttpRequest, actor: Actor, appeal_id: uuid.UUID) -> HttpResponse:
    """Grant or deny an objection."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _shown(request, actor, wrong={appeal_id: form}, status=422)
    given = form.cleaned_data
    try:
        appeals.decide(actor=actor, appeal_id=appeal_id, is_granted=given["is_yes"], reason=given["reason"])
        messages.success(request, "The objection is granted." if given["is_yes"] else "The objection is denied.")
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:desk")


@pages.page("vendors:review", PLATFORM)
def rule(request: HttpRequest, actor: Actor, vendor_rule_id: uuid.UUID) -> HttpResponse:
    """Show whom a rule on vendors would hit on the last days; nothing is changed."""
    hits = vendor_rules.attempt(actor=actor, rule_id=vendor_rule_id, days=DAYS)
    found = VendorRule.objects.get(pk=vendor_rule_id)
    names = dict(vendors.for_actor(actor).filter(pk__in=[hit.vendor_id for hit in hits]).values_list("pk", "name"))
    return pages.show(request, "portal/ops/vendor_rule.html", rule=found, hits=hits, names=names, days=DAYS)


@pages.page("vendors:review", PLATFORM, methods=("POST",))
def switch(request: HttpRequest, actor: Actor, vendor_rule_id: uuid.UUID) -> HttpResponse:
    """Switch a rule on vendors on or off."""
    done = vendor_rules.switch(actor=actor, rule_id=vendor_rule_id, is_on="on" in request.POST)
    messages.success(request, f"The rule is {'on' if done.is_enabled else 'off'}.")
    return redirect("portal:vendor-rule", vendor_rule_id=vendor_rule_id)


def _shown(
    request: HttpRequest, actor: Actor, *, wrong: dict[uuid.UUID, AnswerForm] | None = None, status: int = 200
) -> HttpResponse:
    waiting = VendorDocument.objects.filter(state=VendorDocument.State.PENDING).select_related("vendor", "capability")
    objections = Appeal.objects.filter(state=Appeal.State.OPEN).select_related("vendor", "event")
    suspended = vendors.for_actor(actor).filter(state=Vendor.State.SUSPENDED).order_by("pk")
    return pages.show(
        request,
        "portal/ops/desk.html",
        status=status,
        papers=waiting.order_by("pk")[:MAX_ROWS],
        objections=objections.order_by("pk")[:MAX_ROWS],
        rules=VendorRule.objects.order_by("name")[:MAX_ROWS],
        suspended=suspended[:MAX_ROWS],
        orphans=orphans.find()[:MAX_ROWS],
        wrong=wrong or {},
    )

"""What a batch earned: a bonus on top by its customer, pay taken back by staff."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from common.money import MICRO_PER_UNIT
from marketplace.models import Assignment
from marketplace.selectors import jobs
from marketplace.services import bonuses, clawbacks
from portal import pages


class BonusForm(forms.Form):
    """What the vendor gets on top, and for what."""

    amount = forms.DecimalField(min_value=0.01, max_value=10**6, max_digits=9, decimal_places=2)
    reason = forms.CharField(max_length=500, help_text="The vendor reads it.")


class ClawbackForm(forms.Form):
    """How many labels are taken back, and why."""

    n_labels = forms.IntegerField(min_value=1, max_value=10**6, label="Labels")
    reason = forms.CharField(max_length=500, help_text="The vendor reads it.")


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def bonus(request: HttpRequest, actor: Actor, batch_id: uuid.UUID) -> HttpResponse:
    """Give the batch's vendor a bonus."""
    jobs.batch(actor, batch_id)

    def give(given: dict[str, Any]) -> str:
        amount_micro = int(given["amount"] * MICRO_PER_UNIT)
        bonuses.grant(actor=actor, batch_id=batch_id, amount_micro=amount_micro, reason=given["reason"])
        return "The vendor has its bonus."

    return _done(request, BonusForm(request.POST), give, batch_id)


@pages.page("clawbacks:write", PLATFORM, methods=("POST",))
def clawback(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Take pay back from the vendor of a piece of work."""
    work = Assignment.objects.filter(pk=assignment_id).first()
    if work is None:
        raise NotFoundError("There is no such work.")

    def take(given: dict[str, Any]) -> str:
        clawbacks.take_back(actor=actor, assignment_id=assignment_id, **given)
        return "Taken back. The customer has its money again, the vendor is told why."

    return _done(request, ClawbackForm(request.POST), take, work.batch_id)


def _done(
    request: HttpRequest, form: forms.Form, do: Callable[[dict[str, Any]], str], batch_id: uuid.UUID
) -> HttpResponse:
    try:
        if form.is_valid():
            messages.success(request, do(form.cleaned_data))
        else:
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    except NotFoundError:
        raise
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:batch", batch_id=batch_id)

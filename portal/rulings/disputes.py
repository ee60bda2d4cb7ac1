"""Disputes: a vendor opens one; staff labels the disputed records anew, blind."""

import json
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import PLATFORM, VENDOR, Actor
from common.errors import DomainError, NotFoundError
from marketplace.selectors import disputes as selectors
from marketplace.selectors import work
from marketplace.services import disputes
from portal import pages

_CANNOT = "-"
_DECIDE = {True: "portal:adjudicate", False: "portal:own-adjudicate"}
_HOME = {True: "portal:adjudications", False: "portal:own-adjudications"}


class DisputeForm(forms.Form):
    """What is wrong with the decision."""

    text = forms.CharField(max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), label="What is wrong?")
    key = forms.CharField(
        max_length=200,
        required=False,
        label="Record",
        help_text="The key of one record; left open, all refused answers are disputed.",
    )


class DecisionForm(forms.Form):
    """A label given anew."""

    label = forms.CharField(max_length=50_000, label="Label")
    note = forms.CharField(max_length=5000, help_text="Why; the vendor reads it.")

    def answer(self) -> Any:
        """Return the label in its JSON form; None when it cannot be labeled."""
        text = self.cleaned_data["label"].strip()
        if text == _CANNOT:
            return None
        try:
            return json.loads(text) if text[:1] in "[{" else text
        except ValueError:
            return text


@pages.page("disputes:write", VENDOR, methods=("POST",))
def dispute(request: HttpRequest, actor: Actor, assignment_id: uuid.UUID) -> HttpResponse:
    """Open a dispute about a piece of work."""
    work.assignment(actor, assignment_id)
    form = DisputeForm(request.POST)
    try:
        if form.is_valid():
            key = form.cleaned_data["key"].strip() or None
            text = form.cleaned_data["text"]
            disputes.open_dispute(actor=actor, assignment_id=assignment_id, text=text, key=key)
            messages.success(request, "Disputed. Somebody labels the records anew without seeing your answers.")
        else:
            messages.error(request, "Say what is wrong with the decision.")
    except DomainError as error:
        pages.tell(request, error)
    return redirect("portal:assignment", assignment_id=assignment_id)


@pages.page("disputes:decide", PLATFORM)
def adjudications(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what is to be labeled anew, oldest first."""
    return _shown(request, actor)


@pages.page("disputes:decide", PLATFORM, methods=("POST",))
def decide(request: HttpRequest, actor: Actor, adjudication_id: uuid.UUID) -> HttpResponse:
    """Label a disputed record anew."""
    return _decided(request, actor, adjudication_id)


@pages.page("adjudications:decide", VENDOR)
def own_adjudications(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a vendor the records that were handed to it to be labeled anew, oldest first."""
    return _shown(request, actor)


@pages.page("adjudications:decide", VENDOR, methods=("POST",))
def own_decide(request: HttpRequest, actor: Actor, adjudication_id: uuid.UUID) -> HttpResponse:
    """Label a record anew that was handed to the vendor."""
    return _decided(request, actor, adjudication_id)


def _decided(request: HttpRequest, actor: Actor, adjudication_id: uuid.UUID) -> HttpResponse:
    if not selectors.exists(actor, adjudication_id):
        raise NotFoundError("There is nothing to decide under this id.")
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a label, and say why.")
        return _shown(request, actor, status=422)
    try:
        note = form.cleaned_data["note"]
        row = disputes.adjudicate(actor=actor, adjudication_id=adjudication_id, label=form.answer(), note=note)
        found = "The vendor was right." if row.is_upheld else "The answer stays refused."
        messages.success(request, found if actor.is_staff else "Decided. Thank you.")
    except DomainError as error:
        pages.tell(request, error)
    return redirect(_HOME[actor.is_staff])


def _shown(request: HttpRequest, actor: Actor, *, status: int = 200) -> HttpResponse:
    page = pages.rows_of(request, selectors.to_decide(actor))
    rows = selectors.blind(list(page.object_list))
    return pages.show(
        request,
        "portal/rulings/adjudications.html",
        status=status,
        page=page,
        rows=rows,
        decide=_DECIDE[actor.is_staff],
    )

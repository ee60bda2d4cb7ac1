"""Second looks: labels that may be wrong, drawn or called for, confirmed or corrected; and what was corrected."""

import json
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.core.states import RecordState
from marketplace.models import Review
from marketplace.selectors import disputes, jobs
from marketplace.services import second_looks
from portal import labels, pages
from portal.vendor.answer_fields import UnreadableError, entry_of, findings

_CAUSES = {"drawn": "drawn for review", "rule": "called for by a rule", "model": "a model says something else"}


class DrawForm(forms.Form):
    """How many to look at."""

    n = forms.IntegerField(
        min_value=1,
        max_value=10_000,
        initial=20,
        label="How many labels?",
        help_text="The unsure ones are drawn more often; the accuracy allows for that.",
    )


class LookForm(forms.Form):
    """What the label should be, by fields that suit the task type; left empty when it is right."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=600_000, required=False)

    def __init__(self, review: Review, data: Any = None) -> None:
        super().__init__(data, prefix=review.public_id)
        record = review.record
        self.entry = entry_of("label", record.job.label_schema.rules_for(record.metadata))
        self.fields |= self.entry.fields
        self.fields["note"] = forms.CharField(max_length=5000, required=False, label="Why")
        self.label: Any = None
        self.shown = json.dumps(record.shown_label, ensure_ascii=False, sort_keys=True)
        self.fields["seen"].initial = self.shown

    @property
    def answer_fields(self) -> list[forms.BoundField]:
        """The fields of the label."""
        return [self[name] for name in self.entry.fields]

    def read(self, *, is_right: bool) -> bool:
        """Read the answer; whether it can be taken. ``is_right`` confirms what was shown."""
        if not self.is_valid():
            return False
        if is_right:
            if self.cleaned_data["seen"] != self.shown:
                self.add_error(None, "The label has changed since you looked; look again.")
            self.label = json.loads(self.shown)
            return not self.errors
        place = next(iter(self.entry.fields))
        try:
            given = self.entry.given(self.cleaned_data)
        except UnreadableError as error:
            self.add_error(place, str(error))
            return False
        if given is None:
            self.add_error(place, "Say what the label is, or that the label shown is right.")
            return False
        for wrong in findings(*given, self.entry.rules):
            self.add_error(place, wrong)
        self.label = given[0]
        return not self.errors


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def listing(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Show the labels to look at again, those still open first, and the accuracy they tell of."""
    return _shown(request, actor, job_id)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def draw(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Draw labels to look at."""
    form = DrawForm(request.POST)
    if form.is_valid():
        try:
            drawn = second_looks.draw(actor=actor, job_id=job_id, n=form.cleaned_data["n"])
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, f"Drawn {len(drawn)} of {drawn[0].pool_size} labels.")
            return redirect("portal:second-looks", job_id=job_id)
    return _shown(request, actor, job_id, draw_form=form, status=422)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def decide(request: HttpRequest, actor: Actor, review_id: uuid.UUID) -> HttpResponse:
    """Confirm a label (``right=1``) or correct it."""
    review = jobs.review(actor, review_id)
    form = LookForm(review, request.POST)
    if form.read(is_right="right" in request.POST):
        try:
            done = second_looks.decide(
                actor=actor, review_id=review_id, label=form.label, note=form.cleaned_data["note"]
            )
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            key = review.record.key
            messages.success(request, f"{key}: confirmed." if done.is_right else f"{key}: corrected.")
            return redirect("portal:second-looks", job_id=review.job_id)
    return _shown(request, actor, review.job_id, tried={review_id: form}, status=422)


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def corrections(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Show every label that was changed after it was decided: from what, to what, why."""
    job = jobs.get(actor, job_id)
    page = pages.rows_of(request, disputes.corrections(actor, job_id))
    rows = [(row, *labels.of_correction(row)) for row in page.object_list]
    return pages.show(request, "portal/customer/corrections.html", job=job, page=page, rows=rows)


def _shown(
    request: HttpRequest,
    actor: Actor,
    job_id: uuid.UUID,
    *,
    draw_form: DrawForm | None = None,
    tried: dict[uuid.UUID, LookForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    job = jobs.get(actor, job_id)
    page = pages.rows_of(request, jobs.reviews(actor, job_id).order_by(F("decided_at").desc(nulls_first=True), "pk"))
    return pages.show(
        request,
        "portal/customer/second_looks.html",
        status=status,
        job=job,
        page=page,
        rows=[_row(review, (tried or {}).get(review.pk)) for review in page.object_list],
        draw=draw_form or DrawForm(),
        accuracy=second_looks.accuracy(actor=actor, job_id=job_id),
        may_write=actor.may("jobs:write") and actor.organization_kind == CUSTOMER,
    )


def _row(review: Review, tried: LookForm | None) -> dict[str, Any]:
    record = review.record
    is_decided = record.state in {RecordState.LABELED, RecordState.UNLABELABLE}
    return {
        "review": review,
        "record": record,
        "label": labels.as_text(record.shown_label) if is_decided else "",
        "cause": _CAUSES[review.cause],
        "form": None if review.decided_at or not is_decided else tried or LookForm(review),
    }

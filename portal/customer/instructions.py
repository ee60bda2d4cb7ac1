"""A job's instructions: where they are unclear, a new version, and the versions before."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, PLATFORM, Actor
from common.errors import DomainError, NotFoundError
from marketplace.selectors import confusions, jobs
from marketplace.selectors import instructions as selectors
from marketplace.services import instructions
from portal import pages


class InstructionsForm(forms.Form):
    """The text, and the version it was written from."""

    text = forms.CharField(
        max_length=instructions.MAX_TEXT, widget=forms.Textarea(attrs={"rows": 12}), label="Instructions"
    )
    replaces = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


@pages.page("jobs:read", CUSTOMER, PLATFORM)
def page(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Show what is unclear, the newest instructions ready to be changed, and the versions before."""
    return _shown(request, actor, job_id)


@pages.page("jobs:write", CUSTOMER, methods=("POST",))
def change(request: HttpRequest, actor: Actor, job_id: uuid.UUID) -> HttpResponse:
    """Write a new version."""
    form = InstructionsForm(request.POST)
    if form.is_valid():
        try:
            row = instructions.change(actor=actor, job_id=job_id, **form.cleaned_data)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, f"Version {row.version} is in force; vendors at work are told.")
            return redirect("portal:instructions", job_id=job_id)
    return _shown(request, actor, job_id, form, status=422)


def _shown(
    request: HttpRequest,
    actor: Actor,
    job_id: uuid.UUID,
    form: InstructionsForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    listed = pages.rows_of(request, selectors.of_job(actor, job_id))
    newest = selectors.of_job(actor, job_id).first()
    start = {"text": newest.text, "replaces": newest.version} if newest is not None else {"replaces": 0}
    return pages.show(
        request,
        "portal/customer/instructions.html",
        status=status,
        job=jobs.get(actor, job_id),
        page=listed,
        newest=newest,
        confusions=confusions.of_job(actor, job_id),
        form=form or InstructionsForm(initial=start),
        may_write=actor.may("jobs:write") and actor.organization_kind == CUSTOMER,
    )

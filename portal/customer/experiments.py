"""A new experiment by form: from which dataset, by what, and how far its trusted records are to be trusted."""

import uuid
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common.actors import CUSTOMER, Actor
from common.errors import DomainError, NotFoundError
from curation.core import selection
from curation.selectors import datasets
from curation.services import experiments
from portal import pages

_MOST_CHOICES: Final = 200
_NOT_BY_FORM: Final = frozenset({"auto", "utility"})
"""The engine has a choice of its own, and utilities come with each round over the API."""


class ExperimentForm(forms.Form):
    """What records are chosen from, and how."""

    dataset = forms.ChoiceField()
    name = forms.CharField(max_length=200)
    strategy = forms.ChoiceField(required=False, label="Chosen by", initial="")
    batch_size = forms.IntegerField(min_value=1, max_value=100_000, initial=40, label="Records a round")
    classes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=201_000,
        required=False,
        help_text="One a line; where the dataset names them, leave this out.",
    )
    trusts_anchor = forms.BooleanField(
        required=False,
        label="The trusted records show every kind I want",
        help_text="Then records unlike the dataset's trusted ones (its anchor) are asked for less from the first round "
        "on; a wanted kind that these lack, too rarely. Otherwise they steer only where over half of the pool seems "
        "unlike them.",
    )
    max_cpu_s = forms.IntegerField(
        min_value=1,
        max_value=10**9,
        required=False,
        label="Most compute (CPU seconds)",
        help_text="A round that is forecast to exceed it is not begun.",
    )

    def __init__(self, actor: Actor, *given: Any) -> None:
        super().__init__(*given)
        rows = datasets.for_actor(actor).order_by("-pk")[:_MOST_CHOICES]
        ways = [(name, name.replace("_", " ")) for name in selection.names() if name not in _NOT_BY_FORM]
        choices = {
            "dataset": [(str(one.pk), _said(one.name, one.n_records, one.n_anchor)) for one in rows],
            "strategy": [("", "Labelyard's engine"), *ways],
        }
        for name, options in choices.items():
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = options

    def clean_classes(self) -> list[str]:
        """Return the classes, one a line."""
        return [line.strip() for line in self.cleaned_data["classes"].splitlines() if line.strip()]


def _said(name: str, n_records: int, n_anchor: int) -> str:
    trusted = f", {n_anchor:,} trusted" if n_anchor else ""
    return f"{name} ({n_records:,} records{trusted})"


@pages.page("experiments:write", CUSTOMER, methods=("GET", "HEAD", "POST"))
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the form; sent, start the experiment."""
    if request.method != "POST":
        return pages.show(request, "portal/customer/experiment_new.html", form=ExperimentForm(actor))
    form = ExperimentForm(actor, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            experiments.create(actor=actor, dataset_id=uuid.UUID(given.pop("dataset")), **given)
        except NotFoundError:
            raise
        except DomainError as error:
            pages.put_beside(form, error)
        else:
            messages.success(request, "The experiment is ready; a campaign buys its labels.")
            return redirect("portal:campaigns")
    return pages.show(request, "portal/customer/experiment_new.html", status=422, form=form)

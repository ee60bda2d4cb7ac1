"""What a vendor fills in."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms

from marketplace.models import BatchItem
from marketplace.services.annotations import CANNOT_LABEL_REASONS, Answer
from marketplace.services.offers import DECLINE_REASONS

_DECLINE_WORDS = {
    "no_capacity": "We have no capacity now",
    "price_too_low": "The price is too low",
    "too_short": "The time is too short",
    "out_of_skill": "This is not our kind of work",
    "other": "Another reason",
}
CANNOT_PREFIX = "cannot:"


def decline_choices() -> list[tuple[str, str]]:
    """Return the reasons of a decline, in words, after an empty one that has to be changed."""
    return [("", "Choose a reason")] + [(code, _DECLINE_WORDS[code]) for code in DECLINE_REASONS]


class DeclineForm(forms.Form):
    """Why an offer is declined."""

    reason = forms.ChoiceField(
        choices=decline_choices, error_messages={"required": "Choose why: it decides what you are offered next."}
    )


class AvailabilityForm(forms.Form):
    """Whether and how much is taken at once."""

    is_accepting = forms.BooleanField(required=False, label="Send us offers")
    slots = forms.IntegerField(min_value=1, max_value=1000, label="Batches at once")


class ReleaseForm(forms.Form):
    """Why accepted work is given back."""

    reason = forms.CharField(max_length=64, label="Why do you give it back?")


class AnswersForm(forms.Form):
    """One answer per record: a class, or why there is none. What is left open stays open."""

    def __init__(self, *args: Any, items: Sequence[BatchItem], classes: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = {item.public_id: item.pk for item in items}
        # Classes by number: a class may be named anything, even like a reason.
        self.classes = {f"class:{number}": name for number, name in enumerate(classes)}
        cannot = [(f"{CANNOT_PREFIX}{code}", code.replace("_", " ")) for code in CANNOT_LABEL_REASONS]
        choices = [*self.classes.items(), *cannot]
        for name in self.items:
            self.fields[name] = forms.ChoiceField(choices=choices, required=False, widget=forms.RadioSelect)

    def clean(self) -> dict[str, Any]:
        """Refuse a form without any answer."""
        given = super().clean() or {}
        if not self.errors and not any(given.get(name) for name in self.items):
            raise forms.ValidationError("Answer at least one record before you save.")
        return given

    def answers(self, annotator: str) -> list[Answer]:
        """Return the answers given."""
        return [
            self._answer(pk, self.cleaned_data[name], annotator)
            for name, pk in self.items.items()
            if self.cleaned_data[name]
        ]

    def _answer(self, item_id: uuid.UUID, value: str, annotator: str) -> Answer:
        if value.startswith(CANNOT_PREFIX):
            return Answer(item_id, None, value.removeprefix(CANNOT_PREFIX), annotator=annotator)
        return Answer(item_id, self.classes[value], annotator=annotator)

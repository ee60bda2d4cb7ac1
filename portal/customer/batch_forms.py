"""What a customer fills in about a batch: what shall happen when nobody took it, and which labels it refuses."""

from typing import Any

from django import forms

from marketplace.services.reviews import Refusal
from portal.customer.forms import micro, percent_field, price_field


class ResolveForm(forms.Form):
    """What to do with a batch that nobody took."""

    choice = forms.ChoiceField(
        choices=[
            ("raise_price", "Pay more a label"),
            ("relax_floor", "Ask for less proven accuracy"),
            ("wait", "Try the same again"),
            ("close", "Do without these labels"),
        ],
        widget=forms.RadioSelect,
        label="What shall happen?",
        error_messages={"required": "Choose one of the four."},
    )
    max_price = price_field(required=False, label="New highest price a label, USD")
    min_accuracy = percent_field(required=False, label="New least proven accuracy, %")

    def choices_made(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        accuracy = self.cleaned_data.get("min_accuracy")
        return {
            "choice": self.cleaned_data["choice"],
            "max_price_micro": micro(self.cleaned_data.get("max_price")),
            "min_accuracy": None if accuracy is None else accuracy / 100,
        }


class ReviewForm(forms.Form):
    """The labels of a batch that are refused; none accepts it whole."""

    refusals = forms.CharField(
        required=False,
        label="Labels you refuse",
        max_length=100_000,
        help_text="One a line: the record's key, a colon, and why. Leave it empty to accept the whole batch.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean_refusals(self) -> list[Refusal]:
        """Read a key and a reason from each line."""
        found = []
        for number, line in enumerate(filter(None, map(str.strip, self.cleaned_data["refusals"].splitlines())), 1):
            key, colon, reason = line.rpartition(": ")
            if not colon or not key or not reason.strip():
                raise forms.ValidationError(f"Line {number}: write the record's key, a colon, a blank, and why.")
            found.append(Refusal(key, reason.strip()))
        return found

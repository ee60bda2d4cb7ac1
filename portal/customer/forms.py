"""What a customer fills in."""

from typing import Any

from django import forms

from common.money import MICRO_PER_UNIT
from marketplace.core import checks
from marketplace.core.routing import PRIORITIES, Weights
from marketplace.services.jobs import JobTerms
from marketplace.services.reviews import Refusal
from portal.customer import lines

MAX_PRICE, MAX_BUDGET = 10**6, 10**9


def micro(amount: Any) -> int | None:
    """Return an amount in micro-units."""
    return None if amount is None else int(amount * MICRO_PER_UNIT)


def price_field(**options: Any) -> forms.DecimalField:
    """Return a field for a price per label."""
    smallest = 1 / MICRO_PER_UNIT
    return forms.DecimalField(min_value=smallest, max_value=MAX_PRICE, decimal_places=6, max_digits=13, **options)


def percent_field(**options: Any) -> forms.FloatField:
    """Return a field for a ratio in percent."""
    return forms.FloatField(min_value=0, max_value=100, **options)


def weight_field(**options: Any) -> forms.IntegerField:
    """Return a slider from 0 to 100; only the proportions count."""
    slider = forms.NumberInput(attrs={"type": "range", "min": 0, "max": 100, "step": 5})
    return forms.IntegerField(min_value=0, max_value=100, initial=50, required=False, widget=slider, **options)


def _mix(given: dict[str, Any]) -> list[int]:
    return [given.get(f"weight_{name}") or 0 for name in PRIORITIES]


class KindForm(forms.Form):
    """The part of a job that the ranking needs."""

    priority = forms.ChoiceField(
        choices=[
            ("cost", "Low price"),
            ("speed", "Fast answers"),
            ("accuracy", "Right answers"),
            ("own", "My own mix"),
        ],
        initial="cost",
        widget=forms.RadioSelect,
        label="What matters most?",
    )
    weight_cost = weight_field(label="Price")
    weight_speed = weight_field(label="Speed")
    weight_accuracy = weight_field(label="Accuracy")
    modality = forms.CharField(max_length=32, initial="image", help_text="What a record is: image, text, audio ...")
    language = forms.CharField(max_length=16, required=False)
    domain = forms.CharField(max_length=64, required=False, help_text="A field of knowledge, if one is needed.")
    max_price = price_field(required=False, label="Highest price a label, USD")
    min_accuracy = percent_field(required=False, label="Least proven accuracy, %")
    batch_size = forms.IntegerField(min_value=1, max_value=10_000, initial=20, label="Records in a batch")
    is_manual = forms.BooleanField(required=False, label="Only the vendors I number below")

    def wishes(self) -> dict[str, Any]:
        """Return what the ranking needs, under the names of a job's fields."""
        given = self.cleaned_data
        accuracy = given.get("min_accuracy")
        return {
            "modality": given["modality"],
            "language": given.get("language", ""),
            "domain": given.get("domain", ""),
            "batch_size": given["batch_size"],
            "is_manual": given["is_manual"],
            "max_price_micro": micro(given.get("max_price")),
            "min_accuracy": None if accuracy is None else accuracy / 100,
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a mix of nothing."""
        given = super().clean() or {}
        if given.get("priority") == "own" and not any(_mix(given)):
            self.add_error("priority", "All three sliders are at 0: raise what matters to you.")
        return given

    def weights(self) -> Weights:
        """Return the weights of the stated priority, or the customer's own mix brought to a sum of 1."""
        priority = self.cleaned_data["priority"]
        if priority != "own":
            return Weights.of(priority)
        mix = _mix(self.cleaned_data)
        cost, speed, _ = (part / sum(mix) for part in mix)
        return Weights(cost, speed, max(1 - cost - speed, 0.0))


class JobForm(KindForm):
    """A whole job: what, how, which records, for how much."""

    title = forms.CharField(max_length=200)
    instructions = forms.CharField(max_length=50_000, widget=forms.Textarea)
    classes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), max_length=50_000, help_text="One class per line, two at least."
    )
    records = forms.CharField(
        widget=forms.Textarea,
        max_length=2_000_000,
        help_text="One per line: your key, or key, https address. The files stay with you.",
    )
    gold = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2_000_000,
        required=False,
        label="Records whose label you know",
        help_text="One per line: key, class (- if it cannot be labeled). They are mixed in unseen to check answers.",
    )
    budget = forms.DecimalField(
        min_value=0.01, max_value=MAX_BUDGET, decimal_places=2, max_digits=12, label="Budget with fees, USD"
    )
    min_overlap = forms.IntegerField(min_value=1, max_value=20, initial=2, label="Vendors per record, at least")
    max_overlap = forms.IntegerField(min_value=1, max_value=20, initial=4, label="Vendors per record, at most")

    def clean_classes(self) -> list[str]:
        """Return the classes, checked by the rules of the label schema."""
        classes = [line.strip() for line in self.cleaned_data["classes"].splitlines() if line.strip()]
        findings = checks.check_schema("classification", {"classes": classes})
        if findings:
            raise forms.ValidationError([finding.detail for finding in findings])
        return classes

    def clean_records(self) -> list[Any]:
        """Return the records."""
        return lines.records_of(self.cleaned_data["records"])

    def clean(self) -> dict[str, Any]:
        """Check what two fields say together."""
        given = super().clean() or {}
        if "classes" in given and "gold" in given:
            try:
                given["gold"] = lines.gold_of(given["gold"], given["classes"])
            except forms.ValidationError as error:
                self.add_error("gold", error)
        low, high = given.get("min_overlap"), given.get("max_overlap")
        if low and high and low > high:
            self.add_error("max_overlap", f"At most {high} is less than at least {low}.")
        return given

    def terms(self, **pins: Any) -> JobTerms:
        """Return the terms stated."""
        given = self.cleaned_data
        return JobTerms(
            title=given["title"],
            instructions=given["instructions"],
            budget_micro=micro(given["budget"]) or 0,
            weights=self.weights(),
            min_overlap=given["min_overlap"],
            max_overlap=given["max_overlap"],
            **self.wishes(),
            **pins,
        )


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

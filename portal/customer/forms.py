"""What a customer fills in."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from common.clock import database_now
from common.money import MICRO_PER_UNIT
from marketplace.core.routing import PRIORITIES, Weights
from marketplace.services.jobs import MAX_WAVE, JobTerms
from marketplace.services.reviews import Refusal
from portal.customer import lines
from portal.customer.schema_fields import TYPES, SchemaForm
from vendors.core.evidence import DATA_CLASSES

MAX_PRICE, MAX_BUDGET = 10**6, 10**9


def micro(amount: Any) -> int | None:
    """Return an amount in micro-units."""
    return None if amount is None else int(amount * MICRO_PER_UNIT)


def price_field(**options: Any) -> forms.DecimalField:
    """Return a field for a price per label."""
    smallest = 1 / MICRO_PER_UNIT
    return forms.DecimalField(min_value=smallest, max_value=MAX_PRICE, decimal_places=6, max_digits=13, **options)


def currency_field(**options: Any) -> forms.CharField:
    """Return a field for a currency's code."""
    code = RegexValidator("^[A-Z]{3}$", "A currency is three capital letters, such as USD.")
    widget = forms.TextInput(attrs={"maxlength": 3, "autocapitalize": "characters", "autocomplete": "off"})
    return forms.CharField(max_length=3, initial="USD", label="Currency", validators=[code], widget=widget, **options)


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

    task_type = forms.ChoiceField(choices=TYPES, initial=TYPES[0][0], label="What is a label?")
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
    max_price = price_field(required=False, label="Highest price a label")
    min_accuracy = percent_field(required=False, label="Least proven accuracy, %")
    batch_size = forms.IntegerField(min_value=1, max_value=10_000, initial=20, label="Records in a batch")
    currency = currency_field(help_text="Vendors are asked whose price is in it.")
    data_class = forms.ChoiceField(
        choices=[(name, f"{name} data") for name in DATA_CLASSES], initial=DATA_CLASSES[0], label="How sensitive"
    )
    wave_size = forms.IntegerField(
        min_value=1,
        max_value=MAX_WAVE,
        initial=1,
        label="Vendors asked at once after a miss",
        help_text=f"1 to {MAX_WAVE}; more than 1 when fast answers matter most.",
    )
    due_at = forms.DateTimeField(
        required=False,
        label="Done by (UTC)",
        help_text="Empty: no deadline. The quote tells the chance to keep it.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    is_manual = forms.TypedChoiceField(
        choices=[("", "Choose for me, numbered vendors first"), ("on", "I choose: only the vendors I number")],
        coerce=bool,
        initial="",
        required=False,
        widget=forms.RadioSelect,
        label="Who chooses the vendors?",
    )

    def wishes(self) -> dict[str, Any]:
        """Return what the ranking needs, under the names of a job's fields."""
        given = self.cleaned_data
        accuracy = given.get("min_accuracy")
        return {
            "modality": given["modality"],
            "language": given.get("language", ""),
            "domain": given.get("domain", ""),
            "batch_size": given["batch_size"],
            "is_manual": bool(given["is_manual"]),
            "data_class": given["data_class"],
            "currency": given["currency"],
            "wave_size": given["wave_size"],
            "due_at": given.get("due_at"),
            "max_price_micro": micro(given.get("max_price")),
            "min_accuracy": None if accuracy is None else accuracy / 100,
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a mix of nothing."""
        given = super().clean() or {}
        if given.get("priority") == "own" and not any(_mix(given)):
            self.add_error("priority", "All three sliders are at 0: raise what matters to you.")
        elif given.get("priority") and (given.get("wave_size") or 1) > 1 and self.weights().priority != "speed":
            self.add_error("wave_size", "Several are asked at once only where fast answers matter most; leave it at 1.")
        return given

    def clean_due_at(self) -> Any:
        """Return the deadline, which lies ahead."""
        due_at = self.cleaned_data["due_at"]
        if due_at is not None and due_at <= database_now():
            raise forms.ValidationError("This time is over; choose a later one, or leave it empty.")
        return due_at

    def weights(self) -> Weights:
        """Return the weights of the stated priority, or the customer's own mix brought to a sum of 1."""
        priority = self.cleaned_data["priority"]
        if priority != "own":
            return Weights.of(priority)
        mix = _mix(self.cleaned_data)
        cost, speed, _ = (part / sum(mix) for part in mix)
        return Weights(cost, speed, max(1 - cost - speed, 0.0))


class JobForm(SchemaForm, KindForm):
    """A whole job: what, how, which records, for how much."""

    title = forms.CharField(max_length=200)
    instructions = forms.CharField(max_length=50_000, widget=forms.Textarea)
    records = forms.CharField(
        widget=forms.Textarea,
        max_length=2_000_000,
        help_text="One per line. The files stay with you.",
    )
    gold = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2_000_000,
        required=False,
        label="Records whose label you know",
        help_text="One per line; - as the label if it has none. They are mixed in unseen to check answers.",
    )
    budget = forms.DecimalField(
        min_value=0.01, max_value=MAX_BUDGET, decimal_places=2, max_digits=12, label="Budget with fees"
    )
    min_overlap = forms.IntegerField(min_value=1, max_value=20, initial=2, label="Vendors per record, at least")
    max_overlap = forms.IntegerField(min_value=1, max_value=20, initial=4, label="Vendors per record, at most")
    review_hours = forms.IntegerField(
        min_value=0,
        max_value=30 * 24,
        initial=72,
        label="Time to refuse labels, hours",
        help_text="Then they count as accepted and are paid. 0: none.",
    )
    is_splittable = forms.BooleanField(
        required=False, initial=True, label="A vendor may take a part of a batch, others the rest"
    )

    def clean(self) -> dict[str, Any]:
        """Check what several fields say together."""
        given = super().clean() or {}
        if "task_type" in given:
            self._read(given)
        low, high = given.get("min_overlap"), given.get("max_overlap")
        if low and high and low > high:
            self.add_error("max_overlap", f"At most {high} is less than at least {low}.")
        return given

    def _read(self, given: dict[str, Any]) -> None:
        """Read schema, records and gold, which the task type gives their form."""
        given["schema"] = schema = self.schema_of(given["task_type"])
        for name, read in (
            ("records", lambda text: lines.records_of(text, schema.task_type)),
            ("gold", lambda text: lines.gold_of(text, schema)),
        ):
            if name == "gold" and any(field in self.errors for field in SchemaForm.base_fields):
                continue
            if name in given:
                try:
                    given[name] = read(given[name])
                except forms.ValidationError as error:
                    self.add_error(name, error)

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
            review_window_s=given["review_hours"] * 3600,
            is_splittable=given["is_splittable"],
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
    max_price = price_field(required=False, label="New highest price a label")
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

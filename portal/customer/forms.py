"""What a customer fills in."""

from typing import Any

from django import forms

from common.money import MICRO_PER_UNIT
from marketplace.core import checks
from marketplace.core.routing import PRIORITIES, Weights
from marketplace.services.jobs import MAX_RELABELS, MAX_WAVE, JobTerms
from portal.customer import lines

MAX_PRICE, MAX_BUDGET = 10**6, 10**9
FURTHER = ("wave_size", "review_hours", "gold_share", "confidence", "floor", "max_relabels")
TASK_NAMES = {
    "bbox": "Draw boxes",
    "classification": "Choose one class",
    "cuboid": "Place boxes in space (3D)",
    "keypoints": "Set points",
    "mask": "Paint masks",
    "multilabel": "Choose any number of classes",
    "polygon": "Draw outlines",
    "ranking": "Put in order",
    "spans": "Mark passages of text",
    "transcription": "Write down what is there",
}


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
    task_type = forms.ChoiceField(
        choices=[(name, TASK_NAMES.get(name, name)) for name in checks.task_types()],
        initial="classification",
        label="What is asked of annotators?",
    )
    modality = forms.CharField(max_length=32, initial="image", help_text="What a record is: image, text, audio ...")
    language = forms.CharField(max_length=16, required=False)
    domain = forms.CharField(max_length=64, required=False, help_text="A field of knowledge, if one is needed.")
    max_price = price_field(required=False, label="Highest price a label, USD")
    min_accuracy = percent_field(required=False, label="Least proven accuracy, %")
    data_class = forms.ChoiceField(
        choices=[("public", "Public"), ("internal", "Internal"), ("personal", "Personal"), ("medical", "Medical")],
        initial="public",
        required=False,
        label="How sensitive are the records?",
        help_text="Only vendors admitted to that class are asked.",
    )
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
            "data_class": given.get("data_class") or "public",
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
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=50_000,
        required=False,
        help_text="One per line. Text, rankings and keypoints have none.",
    )
    rules = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=50_000,
        required=False,
        help_text='One per line: name = value, such as min_width = 5. Keypoints need points = ["nose", "ear"].',
    )
    records = forms.CharField(
        widget=forms.Textarea,
        max_length=2_000_000,
        help_text="One per line: your key, or key, https address; or with facts such as the text to mark:"
        ' {"key": "r1", "text": "..."}. The files stay with you.',
    )
    gold = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2_000_000,
        required=False,
        label="Records whose label you know",
        help_text="One per line: key, class (- if it cannot be labeled), or for other labels"
        ' {"key": "g1", "label": ...}. They are mixed in unseen to check answers.',
    )
    budget = forms.DecimalField(
        min_value=0.01, max_value=MAX_BUDGET, decimal_places=2, max_digits=12, label="Budget with fees, USD"
    )
    min_overlap = forms.IntegerField(min_value=1, max_value=20, initial=2, label="Vendors per record, at least")
    max_overlap = forms.IntegerField(min_value=1, max_value=20, initial=4, label="Vendors per record, at most")

    wave_size = forms.IntegerField(
        min_value=1, max_value=MAX_WAVE, initial=1, required=False, label="Vendors asked at once, after the first"
    )
    review_hours = forms.FloatField(
        min_value=0,
        max_value=24 * 90,
        initial=72,
        required=False,
        label="Hours to review a batch",
        help_text="Then it counts as accepted; 0 accepts at once.",
    )
    gold_share = percent_field(initial=10, required=False, label="Known records mixed in, %")
    confidence = percent_field(initial=90, required=False, label="Confidence a label needs, %")
    floor = percent_field(initial=70, required=False, label="Accuracy below which work is refused, %")
    max_relabels = forms.IntegerField(
        min_value=0, max_value=MAX_RELABELS, initial=3, required=False, label="Times refused work is labeled again"
    )
    is_splittable = forms.BooleanField(required=False, initial=True, label="Vendors may take a part of a batch")

    @property
    def further(self) -> list[forms.BoundField]:
        """The fields that most customers leave as they are."""
        return [self[name] for name in FURTHER]

    @property
    def has_further_errors(self) -> bool:
        """Whether one of them has to be looked at."""
        return any(name in self.errors for name in FURTHER)

    def clean_classes(self) -> list[str]:
        """Return the classes."""
        return [line.strip() for line in self.cleaned_data["classes"].splitlines() if line.strip()]

    def clean_rules(self) -> dict[str, Any]:
        """Return the rules of the label schema."""
        return lines.rules_of(self.cleaned_data["rules"])

    def clean_records(self) -> list[Any]:
        """Return the records."""
        return lines.records_of(self.cleaned_data["records"])

    def clean(self) -> dict[str, Any]:
        """Check what two fields say together."""
        given = super().clean() or {}
        self._check_schema(given)
        if "classes" in given and "gold" in given:
            of_classes = given["classes"] if given.get("task_type") == "classification" else None
            try:
                given["gold"] = lines.gold_of(given["gold"], of_classes)
            except forms.ValidationError as error:
                self.add_error("gold", error)
        low, high = given.get("min_overlap"), given.get("max_overlap")
        if low and high and low > high:
            self.add_error("max_overlap", f"At most {high} is less than at least {low}.")
        return given

    def _check_schema(self, given: dict[str, Any]) -> None:
        """Hold classes and rules against the task type."""
        if not {"task_type", "classes", "rules"} <= given.keys():
            return
        if given["classes"] and not checks.takes_classes(given["task_type"]):
            self.add_error("classes", "Labels of this kind have no classes: leave this empty.")
            return
        classes = {"classes": given["classes"]} if checks.takes_classes(given["task_type"]) else {}
        for finding in checks.check_schema(given["task_type"], given["rules"] | classes):
            self.add_error("classes" if finding.field == "classes" else "rules", finding.detail)

    def _further(self) -> dict[str, Any]:
        """Return what of the terms was changed from the usual."""
        given = self.cleaned_data
        ratios = {"gold_ratio": "gold_share", "target_confidence": "confidence", "accuracy_floor": "floor"}
        found = {name: given[field] / 100 for name, field in ratios.items() if given.get(field) is not None}
        found |= {name: given[name] for name in ("wave_size", "max_relabels") if given.get(name) is not None}
        if given.get("review_hours") is not None:
            found["review_window_s"] = round(given["review_hours"] * 3600)
        return found | {"is_splittable": given["is_splittable"]}

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
            **self._further(),
            **self.wishes(),
            **pins,
        )

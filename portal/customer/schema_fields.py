"""The label schema of a job as plain fields: the task type, and what each type asks for beside it."""

from typing import Any, Final

from django import forms

from marketplace.core import checks
from marketplace.models import LabelSchema

TYPES: Final = (
    ("classification", "One class a record"),
    ("multilabel", "Several classes a record"),
    ("bbox", "Boxes on an image"),
    ("polygon", "Outlines on an image"),
    ("mask", "Areas painted on an image"),
    ("keypoints", "Points on an image"),
    ("cuboid", "Cuboids in space"),
    ("spans", "Stretches of a text"),
    ("transcription", "Words heard or read"),
    ("ranking", "An order of items"),
)
"""The task types in the words of the form."""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def limit_field(label: str, unit: str = "") -> forms.FloatField:
    """Return an optional field for a positive limit."""
    return forms.FloatField(required=False, min_value=0, max_value=1e9, label=f"{label}, {unit}" if unit else label)


def count_field(label: str) -> forms.IntegerField:
    """Return an optional field for a count."""
    return forms.IntegerField(required=False, min_value=0, max_value=100_000, label=label)


class SchemaForm(forms.Form):
    """What a label must look like. Fields that the chosen task type does not know are left alone."""

    classes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), max_length=50_000, required=False, help_text="One class per line."
    )
    points = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), max_length=50_000, required=False, help_text="One name per line."
    )
    skeleton = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=50_000,
        required=False,
        label="Lines between points",
        help_text="Two names per line, with a comma between: nose, ear",
    )
    tolerance = limit_field("A point may be off by", "pixels")
    min_count = count_field("Labels a record, at least")
    max_count = count_field("Labels a record, at most")
    min_width = limit_field("Least width", "pixels")
    max_width = limit_field("Greatest width", "pixels")
    min_height = limit_field("Least height", "pixels")
    max_height = limit_field("Greatest height", "pixels")
    min_area = limit_field("Least area", "square pixels")
    max_area = limit_field("Greatest area", "square pixels")
    max_aspect_ratio = limit_field("Longer side over shorter, at most")
    max_size = limit_field("Longest side", "metres")
    may_overlap = forms.BooleanField(required=False, label="Stretches may overlap")
    min_length = count_field("Characters, at least")
    max_length = count_field("Characters, at most")
    min_similarity = forms.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        label="Two answers say the same from, % alike",
        help_text="Empty: what is usual for the task type.",
    )

    def finer(self) -> list[tuple[forms.BoundField, str]]:
        """Return the fields of the finer rules, each with the style names of the task types that know it."""
        names = [name for name in SchemaForm.base_fields if name not in {"classes", "points"}]
        return [
            (self[name], " ".join(f"for-{one}" for one, _ in TYPES if name in checks.rules_of(one))) for name in names
        ]

    def schema_of(self, task_type: str) -> LabelSchema:
        """Return the schema stated, not stored; findings are put beside their fields."""
        classes = _lines(self.cleaned_data.get("classes", "")) if checks.takes_classes(task_type) else []
        schema = LabelSchema(task_type=task_type, classes=classes, rules=self._rules(task_type))
        stated = schema.definition if classes or not checks.takes_classes(task_type) else {"classes": []}
        if not self.errors:
            for finding in checks.check_schema(task_type, stated):
                field = finding.field.partition("[")[0]
                self.add_error(field if field in self.fields else "classes", finding.detail)
        return schema

    def _rules(self, task_type: str) -> dict[str, Any]:
        given, rules = self.cleaned_data, {}
        for name in checks.rules_of(task_type):
            value = given.get(name)
            if value in (None, "", False):
                continue
            rules[name] = self._rule(name, value)
        return rules

    def _rule(self, name: str, value: Any) -> Any:
        if name == "points":
            return _lines(value)
        if name == "skeleton":
            return [[end.strip() for end in line.split(",")] for line in _lines(value)]
        return value / 100 if name == "min_similarity" else value

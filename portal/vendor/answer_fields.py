"""How one record is answered on a page, by task type: choices, a text, places, or JSON; all without JavaScript."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from marketplace.core import checks, kinds
from marketplace.core.checks import Rules
from marketplace.services.annotations import CANNOT_LABEL_REASONS

CANNOT_PREFIX = "cannot:"
NONE_OF_THEM = "none"
_CANNOT = [(f"{CANNOT_PREFIX}{code}", code.replace("_", " ")) for code in CANNOT_LABEL_REASONS]
MAX_JSON = 512 * 1024


class UnreadableError(ValueError):
    """What was written cannot be read; the message says how to write it."""


@dataclass(frozen=True)
class Suggestion:
    """What a model says of a record, to check and not to trust: its label (None: cannot be labeled) and how sure."""

    label: Any
    confidence: float

    @property
    def is_text(self) -> bool:
        """Whether the label is a text to read, not a structure."""
        return self.label is None or isinstance(self.label, str)

    @property
    def words(self) -> str:
        """The label as text."""
        if self.label is None:
            return "cannot be labeled"
        return self.label if isinstance(self.label, str) else json.dumps(self.label, ensure_ascii=False)


@dataclass(frozen=True)
class Entry:
    """The fields of one record: of the answer by name, and the way to say that there is none."""

    name: str
    rules: Rules
    is_chosen_directly: bool = False
    hint: str = ""
    suggestion: Suggestion | None = None
    fields: dict[str, forms.Field] = field(default_factory=dict)

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """The record's metadata, without what the fields themselves say."""
        is_said = self.rules.task_type == "ranking"
        return [(name, value) for name, value in self.rules.record.items() if not (is_said and name == "items")]

    @property
    def cannot_name(self) -> str:
        """The name of the field with the reason why not."""
        return f"{self.name}-cannot"

    @property
    def agree_name(self) -> str:
        """The name of the field that takes the suggestion as the answer."""
        return f"{self.name}-agree"

    def given(self, cleaned: Mapping[str, Any]) -> tuple[Any, str | None] | None:
        """Return label and reason, one of them None; None when the record is left open.

        Raises
        ------
        UnreadableError
            When the answer is not written as the task type wants it, or there is an answer and a reason.
        """
        values = [cleaned.get(name) for name in self.fields if name not in {self.cannot_name, self.agree_name}]
        label, reason = self._label(values), cleaned.get(self.cannot_name) or None
        if isinstance(label, str) and label.startswith(CANNOT_PREFIX) and self.is_chosen_directly:
            label, reason = None, label
        if label is not None and reason is not None:
            raise UnreadableError("Give an answer or a reason why there is none, not both.")
        if self.suggestion is not None and cleaned.get(self.agree_name):
            return self._agreed(self.suggestion, is_answered=label is not None or reason is not None)
        if label is None and reason is None:
            return None
        return (label, None) if reason is None else (None, reason.removeprefix(CANNOT_PREFIX))

    def _agreed(self, suggestion: Suggestion, *, is_answered: bool) -> tuple[Any, str | None]:
        if is_answered:
            raise UnreadableError("Take the suggestion or give your own answer, not both.")
        return suggestion.label, None

    def _label(self, values: Sequence[Any]) -> Any:
        return _READERS.get(self.rules.task_type, _read_json)(values, self.rules)


def entry_of(name: str, rules: Rules, suggestion: Suggestion | None = None) -> Entry:
    """Return the fields of a record's answer, beside what a model suggests of it."""
    kind = rules.task_type
    if kind == kinds.CLASSIFICATION:
        choice = forms.ChoiceField(choices=[*_classes(rules), *_CANNOT], required=False, widget=forms.RadioSelect)
        return Entry(name, rules, is_chosen_directly=True, suggestion=suggestion, fields={name: choice})
    cannot = forms.ChoiceField(
        choices=[("", "It can be labeled"), *_CANNOT], required=False, label="Cannot be labeled because"
    )
    fields = _agree_field(name, suggestion) | _fields(name, rules) | {f"{name}-cannot": cannot}
    return Entry(name, rules, hint=_hint(rules), suggestion=suggestion, fields=fields)


def _agree_field(name: str, suggestion: Suggestion | None) -> dict[str, forms.Field]:
    if suggestion is None or suggestion.label is None:
        return {}
    return {f"{name}-agree": forms.BooleanField(required=False, label="The suggestion is right as it stands")}


def _fields(name: str, rules: Rules) -> dict[str, forms.Field]:
    if rules.task_type == "multilabel":
        choices = [*_classes(rules), (NONE_OF_THEM, "None of these")]
        several = forms.MultipleChoiceField(choices=choices, required=False, widget=forms.CheckboxSelectMultiple)
        several.label = "All that apply"
        return {name: several}
    if rules.task_type == "ranking":
        return {f"{name}-{place}": _place_field(item, rules) for place, item in enumerate(rules.record["items"])}
    is_text = rules.task_type == "transcription"
    widget = forms.Textarea(attrs={"rows": 3 if is_text else 6, "spellcheck": "false"})
    label = "Text" if is_text else "Label as JSON"
    return {name: forms.CharField(required=False, widget=widget, label=label, max_length=MAX_JSON)}


def _place_field(item: str, rules: Rules) -> forms.Field:
    n_items = len(rules.record["items"])
    return forms.IntegerField(required=False, min_value=1, max_value=n_items, label=f"Place of {item}")


def _classes(rules: Rules) -> list[tuple[str, str]]:
    # Classes by number: a class may be named anything, even like a reason.
    return [(f"class:{number}", name) for number, name in enumerate(rules.schema["classes"])]


def _hint(rules: Rules) -> str:
    if rules.task_type in {"multilabel", "transcription"}:
        return ""
    if rules.task_type == "ranking":
        return "1 is the best; each place once."
    return f"For example: {json.dumps(kinds.get(rules.task_type).example(rules))}"


def _read_choice(values: Sequence[Any], rules: Rules) -> Any:
    chosen: str = values[0] or ""
    if not chosen.startswith("class:"):
        return chosen or None
    return rules.schema["classes"][int(chosen.removeprefix("class:"))]


def _read_choices(values: Sequence[Any], rules: Rules) -> Any:
    chosen = values[0] or []
    if NONE_OF_THEM in chosen and len(chosen) > 1:
        raise UnreadableError("Choose classes, or none of these, not both.")
    classes = [rules.schema["classes"][int(one.removeprefix("class:"))] for one in chosen if one != NONE_OF_THEM]
    return classes if chosen else None


def _read_text(values: Sequence[Any], rules: Rules) -> Any:
    return unicodedata.normalize("NFC", values[0]) if values[0] else None


def _read_places(values: Sequence[Any], rules: Rules) -> Any:
    if all(place is None for place in values):
        return None
    if sorted(place or 0 for place in values) != list(range(1, len(values) + 1)):
        raise UnreadableError(f"Give each place from 1 to {len(values)} once.")
    ordered = sorted(zip(values, rules.record["items"], strict=True))
    return [item for _, item in ordered]


def _read_json(values: Sequence[Any], rules: Rules) -> Any:
    text = (values[0] or "").strip()
    if not text:
        return None
    try:
        label = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UnreadableError(f"This is not JSON{place}. {_hint(rules)}") from None
    if label is None:
        raise UnreadableError(f"null is no label. {_hint(rules)}")
    return label


_READERS = {
    "classification": _read_choice,
    "multilabel": _read_choices,
    "transcription": _read_text,
    "ranking": _read_places,
}


def findings(label: Any, reason: str | None, rules: Rules) -> list[str]:
    """Return what is wrong with an answer, each with the part of the label it is about."""
    outcome = checks.check(checks.Annotation("", label, reason), rules)
    return [
        f.detail if f.field == "label" else f"{f.field.removeprefix('label')}: {f.detail}" for f in outcome.findings
    ]

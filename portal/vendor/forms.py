"""What a vendor fills in."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms

from marketplace.models import BatchItem, LabelSchema
from marketplace.services import answer_files
from marketplace.services.annotations import Answer, content_of
from marketplace.services.offers import DECLINE_REASONS
from portal.vendor.answer_fields import Entry, Suggestion, UnreadableError, entry_of, findings
from vendors.core.calendar import WEEKDAYS, minute_of
from vendors.selectors.hours import Hours

DAYS = dict(zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))

_DECLINE_WORDS = {
    "no_capacity": "We have no capacity now",
    "price_too_low": "The price is too low",
    "too_short": "The time is too short",
    "out_of_skill": "This is not our kind of work",
    "other": "Another reason",
}


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
    daily_limit = forms.IntegerField(
        min_value=1, max_value=10**7, required=False, label="Records a day", help_text="Empty: no limit."
    )
    paused_until = forms.DateTimeField(
        required=False,
        label="Pause until (UTC)",
        help_text="Empty: no pause.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


def _stretches(text: str) -> list[tuple[int, int]]:
    """Read ``09:00-12:00, 13:00-17:00`` as stretches of minutes."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        opens, _, closes = part.partition("-")
        try:
            found.append((minute_of(opens.strip()), minute_of(closes.strip())))
        except ValueError:
            raise forms.ValidationError(f"Write hours as 09:00-17:00, several after commas; got {part!r}.") from None
    return found


def _closures(text: str) -> list[tuple[datetime.date, datetime.date]]:
    """Read a day or ``2026-12-24 to 2026-12-26`` a line."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        first, _, last = line.partition(" to ")
        try:
            found.append((datetime.date.fromisoformat(first), datetime.date.fromisoformat(last or first)))
        except ValueError:
            raise forms.ValidationError(
                f"Write a day as 2026-12-24, several as 2026-12-24 to 2026-12-26; got {line!r}."
            ) from None
    return found


class HoursForm(forms.Form):
    """When a vendor works: weekly hours in its zone, and days closed."""

    time_zone = forms.ChoiceField(choices=lambda: [(zone, zone) for zone in sorted(available_timezones())])
    closures = forms.CharField(
        required=False,
        label="Holidays and vacations",
        max_length=10_000,
        help_text="One a line: 2026-12-24, or 2026-12-24 to 2026-12-26.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in DAYS.items():
            widget = forms.TextInput(attrs={"placeholder": "closed", "autocomplete": "off"})
            self.fields[day] = forms.CharField(required=False, label=name, max_length=200, widget=widget)

    @property
    def days(self) -> list[forms.BoundField]:
        """The fields of the week."""
        return [self[day] for day in DAYS]

    def clean(self) -> dict[str, Any]:
        """Read the clock times; each error stands beside its field."""
        given = super().clean() or {}
        for name, read in [*((day, _stretches) for day in DAYS), ("closures", _closures)]:
            try:
                given[name] = read(given.get(name, ""))
            except forms.ValidationError as error:
                self.add_error(name, error)
        return given

    def weekly(self) -> dict[str, list[tuple[int, int]]]:
        """Return the checked hours by day."""
        return {day: self.cleaned_data[day] for day in DAYS}


def shown_hours(hours: Hours | None) -> dict[str, str]:
    """Return stated hours as the form shows them; office hours to start from where there are none."""
    if hours is None:
        return {"time_zone": "UTC"} | dict.fromkeys(WEEKDAYS[:5], "09:00-17:00")
    days = {day: ", ".join(f"{opens}-{closes}" for opens, closes in spans) for day, spans in hours.weekly.items()}
    closures = "\n".join(f"{first}" if first == last else f"{first} to {last}" for first, last in hours.closures)
    return {"time_zone": hours.time_zone, "closures": closures} | days


class ReleaseForm(forms.Form):
    """Why accepted work is given back."""

    reason = forms.CharField(max_length=64, label="Why do you give it back?")


class AnswerFileForm(forms.Form):
    """A file of answers."""

    file = forms.FileField(
        label="Your file",
        widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.csv,.txt"}),
        help_text=f"JSON lines or CSV, in UTF-8, at most {answer_files.MAX_BYTES // 1024**2} MiB.",
        error_messages={"required": "Choose the file to send.", "empty": "The file is empty."},
    )

    def clean_file(self) -> bytes:
        """Return the content, unless there is too much of it."""
        file = self.cleaned_data["file"]
        if file.size > answer_files.MAX_BYTES:
            most = answer_files.MAX_BYTES // 1024**2
            raise forms.ValidationError(f"The file has {file.size:,} bytes; {most} MiB are allowed. Send it in parts.")
        content: bytes = file.read()
        return content


class AnswersForm(forms.Form):
    """One answer per record, or why there is none. What is left open stays open."""

    def __init__(
        self,
        *args: Any,
        items: Sequence[BatchItem],
        schema: LabelSchema,
        suggestions: Mapping[str, Suggestion] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.items = {item.public_id: item for item in items}
        shown = suggestions or {}
        self.entries = [
            entry_of(name, schema.rules_for(content_of(item).metadata), shown.get(content_of(item).key))
            for name, item in self.items.items()
        ]
        for entry in self.entries:
            self.fields |= entry.fields
        self.given: dict[str, tuple[Any, str | None]] = {}

    def clean(self) -> dict[str, Any]:
        """Read every answer; refuse a form without any."""
        cleaned = super().clean() or {}
        for entry in self.entries:
            if not any(name in self.errors for name in entry.fields):
                self._read(entry, cleaned)
        if not self.errors and not self.given:
            raise forms.ValidationError("Answer at least one record before you save.")
        return cleaned

    def _read(self, entry: Entry, cleaned: dict[str, Any]) -> None:
        place = next(iter(entry.fields))
        try:
            given = entry.given(cleaned)
        except UnreadableError as error:
            self.add_error(place, str(error))
            return
        if given is None:
            return
        wrong = findings(*given, entry.rules)
        if wrong:
            self.add_error(place, forms.ValidationError(wrong))
        else:
            self.given[entry.name] = given

    def shown(self) -> Iterator[dict[str, Any]]:
        """Yield what the page shows of each record: item, content, bound fields, errors."""
        for entry in self.entries:
            item = self.items[entry.name]
            bound = [self[name] for name in entry.fields]
            errors = [error for one in bound for error in one.errors]
            yield {"item": item, "record": content_of(item), "entry": entry, "fields": bound, "errors": errors}

    def answers(self, annotator: str) -> list[Answer]:
        """Return the answers given."""
        return [
            Answer(self.items[name].pk, label, reason, annotator=annotator)
            for name, (label, reason) in self.given.items()
        ]

"""The job form orders every task type by plain fields, and puts what is wrong beside the field."""

import json

import pytest

from marketplace.core import checks
from marketplace.models import Job
from portal.customer.schema_fields import TYPES
from tests import kinds, market
from tests.kinds import EXAMPLES, Example
from tests.portal import world
from tests.portal.test_customer import FORM

pytestmark = pytest.mark.django_db(transaction=True)
every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def typed(value: object) -> str:
    """Return a rule as a person types it."""
    if isinstance(value, list):
        return "\n".join(", ".join(part) if isinstance(part, list) else part for part in value)
    return str(value)


def line_of(key: str, example: Example) -> str:
    """Return a record as a line of the form."""
    if example.task_type == "ranking":
        return ", ".join([key, *example.record["items"]])
    if example.task_type == "spans":
        return f'{key}, "{example.record["text"]}"'
    if example.record:
        return f"{key}, https://example.org/1.png, {example.record['width']}, {example.record['height']}"
    return f"{key}, https://example.org/1.png"


def label_of(example: Example) -> str:
    """Return a known label as a line of the form has it."""
    label = example.truth(0)
    if example.task_type in {"multilabel", "ranking"}:
        return "; ".join(label)
    return label if example.task_type == "transcription" else json.dumps(label)


def filled(example: Example) -> dict[str, str]:
    """Return the form filled in for a task type."""
    known = f"g-0, {example.truth(0)}"
    if example.task_type != "classification":
        known = f"{line_of('g-0', example)} => {label_of(example)}\n{line_of('g-1', example)} => -"
    return (
        FORM
        | {"task_type": example.task_type, "classes": "\n".join(example.classes), "max_price": ""}
        | {"records": "\n".join(line_of(f"r-{n}", example) for n in range(2)), "gold": known}
        | {name: typed(value) for name, value in example.rules.items()}
    )


@pytest.fixture
def client():
    return world.signed_in(market.customer())


def test_the_form_knows_every_task_type():
    assert {name for name, _ in TYPES} == set(checks.task_types())


@every_type
def test_every_type_is_ordered(client, example):
    kinds.seller(example.task_type)
    answer = client.post("/jobs/new/", filled(example))
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.get()
    schema = job.label_schema
    assert (schema.task_type, schema.classes, schema.rules) == (example.task_type, example.classes, example.rules)
    assert job.records.count() == 2
    assert job.records.first().metadata == example.record
    known = job.gold.get(key="g-0")
    assert schema.shown(known.label, known.value, known.metadata) == example.truth(0)


@every_type
def test_the_quote_of_every_type_is_shown_without_javascript(client, example):
    kinds.seller(example.task_type)
    text = client.post("/jobs/new/", filled(example) | {"action": "preview"}).content.decode()
    assert "What to expect" in text
    assert "For 2 records;" in text
    assert f'<option value="{example.task_type}" selected>' in text


def test_a_deadline_a_review_window_and_a_wave_are_stated(client):
    kinds.seller("classification")
    given = FORM | {"due_at": "2199-01-01T10:00", "review_hours": "5", "wave_size": "2", "data_class": "public"}
    assert "Done by your deadline:" in client.post("/jobs/new/", given | {"action": "part"}).content.decode()
    assert client.post("/jobs/new/", given).status_code == 302
    job = Job.objects.get()
    assert (job.wave_size, job.review_window_s, job.is_splittable) == (2, 18_000, True)
    assert job.due_at.isoformat() == "2199-01-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"task_type": "opera"}, "task_type", "Select a valid choice"),
        ({"task_type": "keypoints"}, "points", "a list of 1 to"),
        ({"task_type": "keypoints", "points": "a\nb", "skeleton": "a, c"}, "skeleton", "two different points"),
        ({"task_type": "bbox", "min_count": "3", "max_count": "1"}, "max_count", "min_count &lt;= max_count"),
        ({"task_type": "bbox", "records": "r, https://e.org, 30"}, "records", "Line 1: write width and height"),
        ({"task_type": "bbox", "gold": "g => [{]"}, "gold", "Line 1: the label is no JSON; write it like"),
        ({"task_type": "bbox", "gold": "g => [[["}, "gold", "Line 1: the label is no JSON"),
        ({"task_type": "bbox", "gold": "g =>"}, "gold", "Line 1: write the record, =&gt; and its label."),
        ({"task_type": "multilabel", "gold": "g => cow"}, "gold", "Line 1:"),
        ({"task_type": "spans", "records": "only-a-key"}, "records", "write key, text, or key"),
        ({"task_type": "ranking", "records": "r, a, a"}, "records", "2 to 100 different items"),
        ({"task_type": "transcription", "min_length": "9", "max_length": "2"}, "max_length", "max_length"),
        ({"task_type": "bbox", "min_similarity": "101"}, "min_similarity", "less than or equal to 100"),
        ({"wave_size": "4"}, "wave_size", "less than or equal to 3"),
        ({"wave_size": "2", "priority": "cost"}, "wave_size", "only where fast answers matter most"),
        ({"due_at": "2001-01-01T10:00"}, "due_at", "This time is over"),
        ({"due_at": "soon"}, "due_at", "Enter a valid date/time."),
        ({"review_hours": "721"}, "review_hours", "less than or equal to 720"),
        ({"is_manual": "on"}, "is_manual", "Name a vendor at least"),
        ({"records": "x" * 200_000}, "records", "a key has at most 200 characters"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_is_kept(client, change, field, words):
    kinds.seller("classification")
    answer = client.post("/jobs/new/", FORM | {"gold": ""} | change)
    text = answer.content.decode()
    beside = text.partition(f'id="id_{field}_error"')[2].partition("</ul>")[0]
    assert (answer.status_code, words in beside) == (422, True), beside or text
    assert FORM["instructions"] in text
    assert not Job.objects.exists()

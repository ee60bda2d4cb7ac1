"""The vendor's page of every task type: answers are taken as the page asks for them, and errors stand beside them."""

import json
from typing import Any

import pytest

from marketplace.core.kinds import canonical
from marketplace.models import Annotation
from marketplace.services import offers
from marketplace.services.annotations import content_of
from tests import kinds, market
from tests.kinds import EXAMPLES, TWO, Example
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)
every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def fields_of(name: str, label: Any, example: Example) -> dict[str, Any]:
    """Return what a browser would send for a label."""
    if example.task_type == "classification":
        return {name: f"class:{TWO.index(label)}"}
    if example.task_type == "multilabel":
        return {name: [f"class:{TWO.index(one)}" for one in label]}
    if example.task_type == "ranking":
        return {f"{name}-{n}": label.index(item) + 1 for n, item in enumerate(example.record["items"])}
    return {name: label if example.task_type == "transcription" else json.dumps(label)}


@pytest.fixture
def start():
    """Return a function that accepts work of a task type and returns a client, its address and the assignment."""

    def begin(example: Example):
        one = kinds.seller(example.task_type)
        kinds.job(market.customer(), example, n_gold=0)
        assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
        return world.signed_in(one.actor), f"/work/{assignment.public_id}/", assignment

    return begin


@every_type
def test_answers_of_every_type_are_taken_from_the_page(example, start):
    client, url, assignment = start(example)
    assert client.get(url).status_code == 200
    data = {"csrfmiddlewaretoken": "x"}
    for item in assignment.items.select_related("record"):
        data |= fields_of(item.public_id, example.truth(kinds.number_of(content_of(item).key)), example)
    text = client.post(f"{url}answers/", data, follow=True).content.decode()
    assert "The batch is delivered and goes to vetting." in text
    for answer in Annotation.objects.select_related("record", "job__label_schema"):
        schema = answer.job.label_schema
        wanted, _ = canonical(
            example.truth(kinds.number_of(answer.record.key)), schema.rules_for(answer.record.metadata)
        )
        assert (answer.label if answer.value is None else answer.value) == wanted


@every_type
def test_a_record_may_be_said_to_have_no_label(example, start):
    client, url, assignment = start(example)
    name = assignment.items.first().public_id
    field = name if example.task_type == "classification" else f"{name}-cannot"
    assert client.post(f"{url}answers/", {field: "cannot:corrupted"}).status_code == 302
    assert Annotation.objects.get().reason == "corrupted"


@pytest.mark.parametrize(
    ("task_type", "data", "words"),
    [
        ("bbox", {"": "[{"}, "This is not JSON at line 1"),
        ("bbox", {"": '[{"class": "cow", "box": [1, 1, 9, 9]}]'}, "is not one of the 2 classes"),
        ("polygon", {"": json.dumps(EXAMPLES["polygon"].bad[0][0])}, "[0].points: The outline crosses"),
        ("spans", {"": json.dumps(EXAMPLES["spans"].bad[0][0])}, "is past the text of"),
        ("multilabel", {"": ["class:0", "none"]}, "or none of these, not both"),
        ("ranking", {"-0": "1", "-1": "1", "-2": "2", "-3": "3"}, "Give each place from 1 to 4 once"),
        ("transcription", {"": "words", "-cannot": "cannot:other"}, "not both"),
        ("keypoints", {"": "null"}, "null is no label"),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_record_and_kept(task_type, data, words, start):
    client, url, assignment = start(EXAMPLES[task_type])
    name = assignment.items.first().public_id
    answer = client.post(f"{url}answers/", {f"{name}{suffix}": value for suffix, value in data.items()})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Annotation.objects.exists()


def test_an_empty_form_shows_its_records_again(start):
    client, url, assignment = start(EXAMPLES["bbox"])
    answer = client.post(f"{url}answers/", {"csrfmiddlewaretoken": "x"})
    assert answer.status_code == 422
    assert assignment.items.first().public_id in answer.content.decode()

"""The job form orders every task type, and says by field what is wrong with one."""

import json

import pytest

from marketplace.models import Job
from tests import kinds, market
from tests.kinds import EXAMPLES
from tests.portal import world
from tests.portal.test_customer import FORM

pytestmark = pytest.mark.django_db(transaction=True)
every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


@pytest.fixture
def client():
    return world.signed_in(market.customer())


def form_of(example: kinds.Example, **changed: str) -> dict[str, str]:
    """What a browser sends for a job of a task type."""
    gold = [{"key": f"g{i}", "label": example.truth(i)} | example.record for i in range(2)]
    own = {
        "task_type": example.task_type,
        "classes": "\n".join(example.classes),
        "rules": "\n".join(f"{name} = {json.dumps(value)}" for name, value in example.rules.items()),
        "records": "\n".join(json.dumps({"key": f"r{i}"} | example.record) for i in range(3)),
        "gold": "\n".join(json.dumps(row) for row in gold),
        "max_price": "",
    }
    return FORM | own | changed


@every_type
def test_a_job_of_every_type_is_posted(example, client):
    kinds.seller(example.task_type)
    answer = client.post("/jobs/new/", form_of(example))
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.select_related("label_schema").get()
    schema = job.label_schema
    assert (schema.task_type, schema.classes, schema.rules) == (example.task_type, example.classes, example.rules)
    assert {row.key: row.metadata for row in job.records.all()} == {f"r{i}": example.record for i in range(3)}
    assert job.gold.count() == 2


def test_how_work_is_offered_and_checked_is_stated(client):
    market.gold_set()
    market.seller()
    further = {"wave_size": "2", "review_hours": "1.5", "gold_share": "20", "confidence": "95", "floor": "80"}
    client.post("/jobs/new/", FORM | further | {"max_relabels": "1", "is_splittable": "on"})
    job = Job.objects.get()
    assert (job.wave_size, job.review_window_s, job.max_relabels, job.is_splittable) == (2, 5400, 1, True)
    assert (job.gold_ratio, job.target_confidence, job.accuracy_floor) == pytest.approx((0.2, 0.95, 0.8))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"task_type": "transcription"}, "Labels of this kind have no classes: leave this empty."),
        ({"task_type": "painting"}, "Select a valid choice."),
        ({"rules": "min_width 5"}, "Line 1: write name = value"),
        ({"rules": "min_width = 5"}, "This task type knows"),
        ({"records": '{"key": '}, "Line 1: this is not JSON"),
        ({"records": '{"uri": "x"}'}, "Line 1: key is missing."),
        ({"records": '{"key": 7}'}, "Line 1: the key is a text"),
        ({"gold": '{"key": "g1"}'}, "Line 1: label is missing."),
        ({"task_type": "bbox", "gold": "g1, cat"}, "for labels of this kind."),
        ({"task_type": "keypoints", "classes": "", "gold": ""}, "points"),
        ({"wave_size": "9"}, "less than or equal to 3"),
        ({"wave_size": "2", "priority": "cost"}, "Waves are for jobs that put speed first"),
        ({"review_hours": "-1"}, "greater than or equal to 0"),
        ({"data_class": "secret"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(client, changed, words):
    market.gold_set()
    market.seller()
    answer = client.post("/jobs/new/", FORM | changed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert "Animals at night" in text
    assert not Job.objects.exists()

"""Every task type over HTTP, from the qualification test to the label."""

import csv
import io
import json
from typing import Any

import pytest

from marketplace.core import rle
from marketplace.models import Lot
from marketplace.services import vetting
from tests import kinds
from tests.api import shop
from tests.kinds import EXAMPLES, Example

pytestmark = pytest.mark.django_db(transaction=True)
every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def schema_body(example: Example) -> dict[str, Any]:
    """Return a label schema as it is sent."""
    body: dict[str, Any] = {"name": example.task_type, "task_type": example.task_type}
    if example.classes:
        body["classes"] = example.classes
    return body | ({"rules": example.rules} if example.rules else {})


def admitted(staff, vendor, example: Example) -> shop.Seller:
    """Return a vendor that has taken the test of a task type with answers near the truth."""
    records = [{"key": f"gold-{i}", "label": example.truth(i % 8), "metadata": example.record} for i in range(80)]
    test = schema_body(example) | {"modality": "image", "records": records}
    del test["name"]
    staff.made("/gold-sets/", test)
    vendor.made("/vendor/", {"name": "V"})
    capability = vendor.made("/vendor/capabilities/", {"task_type": example.task_type, "modality": "image"})
    vendor.made("/vendor/prices/", {"capability": capability["id"], "price_micro": 50_000, "currency": "USD"})
    vendor.made("/vendor/agreement/", shop.AGREEMENT)
    vendor.made("/vendor/submit/")
    me = vendor.get("/vendor/").body["id"]
    staff.made(f"/vendors/{me}/review/", {"decision": "approve", "reason": "ok"})
    attempt = vendor.made(f"/vendor/capabilities/{capability['id']}/qualification/")
    assert attempt["rules"] == example.rules
    answers = [{"key": r["key"], "label": example.near(kinds.number_of(r["key"]) % 8)} for r in attempt["records"]]
    result = vendor.made(f"/vendor/qualifications/{attempt['id']}/answers/", {"answers": answers})
    assert result["passed"], result
    return shop.Seller(vendor, me, capability["id"])


def order(customer, example: Example, **terms: Any) -> Any:
    """Post a job of a task type."""
    schema = customer.made("/label-schemas/", schema_body(example))
    assert schema["rules"] == example.rules
    body = {
        "label_schema": schema["id"],
        "title": "Work",
        "instructions": "Do it.",
        "modality": "image",
        "priority": "cost",
        "budget_micro": 10**9,
        "min_overlap": 1,
        "max_overlap": 1,
        "gold": [{"key": f"known-{i}", "label": example.truth(i), "metadata": example.record} for i in range(3)],
        "records": [{"key": f"record-{i}", "metadata": example.record} for i in range(4)],
    }
    return customer.made("/jobs/", body | terms)


@every_type
def test_a_job_of_every_type_is_qualified_for_ordered_labeled_and_read_back(example, customer, vendor, staff):
    seller = admitted(staff, vendor, example)
    job = order(customer, example)
    work = shop.accept_one(seller)
    assert work["job"]["rules"] == example.rules
    given = [{"key": r["key"], "label": example.truth(kinds.number_of(r["key"]))} for r in work["records"]]
    path = f"/assignments/{work['id']}/annotations/"
    for label, code in example.bad:
        if "nan" not in repr(label):
            refused = seller.api.put(path, {"annotations": [given[0] | {"label": label}]})
            assert (refused.status, {name for _, name in refused.fields}) == (422, {code})
    assert seller.api.put(path, {"annotations": given}).status == 200
    vetting.vet_lot(lot_id=Lot.objects.get(job__title="Work").pk)
    rows = customer.get(f"/jobs/{job['id']}/labels/").body["results"]
    assert {row["state"] for row in rows} == {"labeled"}
    got = {row["key"]: row["label"] for row in rows}
    assert plain_of(example, got) == plain_of(example, {f"record-{i}": example.truth(i) for i in range(4)})
    assert customer.get(f"/jobs/{job['id']}/labels/export/").body["labels"] == rows


def plain_of(example: Example, labels: dict[str, Any]) -> dict[str, Any]:
    """Return labels with numbers as numbers and lists of names in order, whichever way they were written."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(part) for name, part in sorted(value.items())}
        if isinstance(value, list) and example.task_type in {"multilabel"}:
            return sorted(value)
        if isinstance(value, list):
            return [plain(part) for part in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return {key: plain(value) for key, value in labels.items()}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"task_type": "bbox"}, {("classes", "invalid_classes")}),
        ({"task_type": "bbox", "classes": ["a"], "rules": {"min_width": -1}}, {("rules.min_width", "min_value")}),
        ({"task_type": "bbox", "classes": ["a"], "rules": {"points": ["x"]}}, {("rules.points", "unknown_rule")}),
        ({"task_type": "bbox", "classes": ["a"], "rules": {"color": 1}}, {("rules.color", "unknown_field")}),
        ({"task_type": "classification", "classes": ["a", "b"], "rules": {"min_similarity": 0.5}},
         {("rules.min_similarity", "unknown_rule")}),
        ({"task_type": "keypoints"}, {("rules.points", "invalid_points")}),
        ({"task_type": "keypoints", "rules": {"points": ["a", "b"], "skeleton": [["a", "c"]]}},
         {("rules.skeleton[0]", "invalid_skeleton")}),
        ({"task_type": "transcription", "classes": ["a", "b"]}, {("classes", "unknown_rule")}),
        ({"task_type": "transcription", "rules": {"min_length": 9, "max_length": 3}},
         {("rules.max_length", "invalid_length")}),
        ({"task_type": "sculpture"}, {("task_type", "invalid_choice")}),
    ],
)  # fmt: skip
def test_an_unsound_schema_is_refused_beside_its_field(customer, body, errors):
    answer = customer.post("/label-schemas/", {"name": "S"} | body)
    assert (answer.status, answer.fields) == (422, errors)


@pytest.mark.parametrize(
    ("task_type", "metadata", "field"),
    [("ranking", {}, "items"), ("ranking", {"items": ["a", "a"]}, "items"), ("spans", {"length": 0}, "text")],
)
def test_a_record_without_what_its_annotators_need_is_refused(customer, task_type, metadata, field):
    schema = customer.made("/label-schemas/", schema_body(EXAMPLES[task_type]))
    body = shop.job_body(customer) | {"label_schema": schema["id"], "gold": []}
    refused = customer.post("/jobs/", body | {"records": [{"key": "r", "metadata": metadata}]})
    assert refused.status == 422
    assert {name for name, _ in refused.fields} == {f"records[0].metadata.{field}"}


def exported(customer, job, form: str) -> str:
    """Return a job's labels as a file."""
    address = f"/api/v1/jobs/{job['id']}/labels/export/?form={form}"
    response = customer.client.get(address, HTTP_AUTHORIZATION=f"Bearer {customer.token}")
    assert response.status_code == 200
    assert "attachment" in response.headers["Content-Disposition"]
    return b"".join(response.streaming_content).decode()


def labeled(customer, vendor, staff, task_type: str) -> Any:
    """Return a labeled job of a task type."""
    example = EXAMPLES[task_type]
    seller = admitted(staff, vendor, example)
    job = order(customer, example)
    work = shop.accept_one(seller)
    given = [{"key": r["key"], "label": example.truth(kinds.number_of(r["key"]))} for r in work["records"]]
    assert seller.api.put(f"/assignments/{work['id']}/annotations/", {"annotations": given}).status == 200
    vetting.vet_lot(lot_id=Lot.objects.get(job__title="Work").pk)
    return job


@pytest.mark.parametrize("task_type", ["bbox", "polygon", "mask"])
def test_what_is_drawn_is_exported_as_coco_and_as_a_table(customer, vendor, staff, task_type):
    job = labeled(customer, vendor, staff, task_type)
    coco = json.loads(exported(customer, job, "coco"))
    assert [(image["file_name"], image["width"]) for image in coco["images"]] == [
        (f"record-{i}", 400) for i in range(4)
    ]
    assert coco["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    first = coco["annotations"][0]
    wanted = [10.0, 20.0, 80.0, 60.0] if task_type == "bbox" else [20.0, 30.0, 100.0, 100.0]
    assert (first["image_id"], first["category_id"], first["bbox"]) == (1, 1, wanted)
    assert first["area"] == wanted[2] * wanted[3]
    assert ("segmentation" in first) == (task_type != "bbox")
    if task_type == "mask":
        assert rle.area(rle.decoded(first["segmentation"]["counts"])) == 100 * 100
    table = list(csv.DictReader(io.StringIO(exported(customer, job, "csv"))))
    lines = [json.loads(line) for line in exported(customer, job, "jsonl").splitlines()]
    assert [json.loads(row["label"]) for row in table] == [line["label"] for line in lines]
    assert len({line["key"] for line in lines}) == 4


def test_coco_of_texts_and_unknown_forms_are_refused(customer, vendor, staff):
    job = labeled(customer, vendor, staff, "transcription")
    refused = customer.get(f"/jobs/{job['id']}/labels/export/?form=coco")
    assert (refused.status, refused.code) == (400, "invalid_parameter")
    assert "COCO holds boxes, polygons and masks" in refused.body["detail"]
    assert customer.get(f"/jobs/{job['id']}/labels/export/?form=xml").code == "invalid_parameter"

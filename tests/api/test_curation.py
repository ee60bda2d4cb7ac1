"""Datasets, experiments and campaigns over HTTP."""

import numpy as np
import pytest

from common.ids import from_public
from curation.models import ComputeEntry, Dataset
from tests.api import pool, shop
from tests.api.client import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def dataset(api: Api) -> str:
    """Upload the pool and return its id."""
    answer = pool.upload(api, pool.archive())
    assert answer.status == 201, answer.body
    return answer.body["id"]


def experiment(api: Api, **more) -> str:
    """Start an experiment and return its address."""
    of = more.pop("dataset", None) or dataset(api)
    body = {"dataset": of, "name": "first", "batch_size": 6, "seed": 3} | more
    return f"/experiments/{api.made('/experiments/', body)['id']}"


def test_a_dataset_is_taken_in_and_shown(customer):
    answer = pool.upload(customer, pool.archive())
    assert (answer.status, answer.body["n_records"], answer.body["n_test"]) == (201, 40, 20)
    assert customer.get(f"/datasets/{answer.body['id']}/").body == answer.body
    assert customer.get("/datasets/").body["results"] == [answer.body]
    assert pool.upload(customer, pool.archive()).code == "conflict"


def test_a_table_brings_its_embeddings_beside_it(customer):
    text = "key,uri,place\n" + "".join(f"r{i},s3://x/{i},roof\n" for i in range(4))
    buffer = pool.io.BytesIO()
    np.save(buffer, np.eye(4))
    embeddings = pool.SimpleUploadedFile("e.npy", buffer.getvalue())
    answer = pool.upload(customer, text.encode(), "pool.csv", embeddings=embeddings, classes=["a", "b"])
    assert (answer.status, answer.body["n_features"], answer.body["classes"]) == (201, 4, ["a", "b"])


BROKEN = {
    "cut off": (pool.archive()[:-40], "pool.npz", "malformed_dataset"),
    "empty": (b"", "pool.npz", "malformed_dataset"),
    "pickle": (pool.archive(key=np.array([{}] * 40, dtype=object)), "pool.npz", "malformed_dataset"),
    "NaN": (pool.archive(X=np.full((40, 3), np.nan)), "pool.npz", "malformed_dataset"),
    "rows missing": (pool.archive(X=np.ones((39, 3))), "pool.npz", "malformed_dataset"),
    "keys repeated": (pool.archive(key=np.array(["same"] * 40)), "pool.npz", "malformed_dataset"),
    "no array": (pool.archive(X=None), "pool.npz", "malformed_dataset"),
    "unknown format": (b"hello", "pool.exe", "malformed_dataset"),
    "binary table": (b"\xff\x00\xfe", "pool.csv", "malformed_dataset"),
    "not Parquet": (b"PAR1xxxxPAR1", "pool.parquet", "malformed_dataset"),
    "no header": (b"a,b\n1,2\n", "pool.csv", "malformed_dataset"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_leaves_nothing_behind(customer, storage, fault):
    data, file_name, code = BROKEN[fault]
    answer = pool.upload(customer, data, file_name)
    assert (answer.status, answer.code) == (422, code)
    assert answer.body["errors"]
    assert not Dataset.objects.exists()
    assert list(storage.iterdir()) == []


@pytest.mark.parametrize(
    "change", [{"name": None}, {"name": "x" * 201}, {"extra": "1"}, {"file": None}, {"name": "\0"}]
)
def test_the_fields_beside_the_file_are_checked(customer, change):
    assert pool.upload(customer, pool.archive(), **change).code == "validation_failed"


def test_an_upload_cut_off_anywhere_is_refused(customer):
    form = {"name": "pool", "modality": "image", "file": pool.SimpleUploadedFile("p.csv", b"key\n1\n"), "classes": "a"}
    whole = pool.encode_multipart(pool.BOUNDARY, form)
    for n_bytes in range(0, len(whole), 7):
        wire = {"wsgi.input": pool.io.BytesIO(whole[:n_bytes]), "CONTENT_LENGTH": str(len(whole))}
        answer = customer.send("POST", "/datasets/", raw=whole, content_type=pool.MULTIPART_CONTENT, **wire)
        assert answer.code in {"truncated_body", "malformed_request"}, n_bytes


def test_an_upload_over_the_cap_is_refused_unread(customer, settings):
    settings.DATASET_MAX_BYTES = 100
    assert pool.upload(customer, pool.archive()).code == "too_large"


def test_a_person_labels_round_by_round(customer):
    path = experiment(customer)
    first = customer.made(f"{path}/rounds/")
    assert (first["number"], first["n_picks"], first["metrics"]) == (1, 6, None)
    assert customer.made(f"{path}/rounds/") == first
    picks = customer.get(f"{path}/rounds/1/picks/").body["results"]
    assert [pick["rank"] for pick in picks] == list(range(6))
    assert all(pick["words"] for pick in picks)
    labels = [{"key": pick["key"], "label": pool.CLASSES[i % 2]} for i, pick in enumerate(picks[:-1])]
    labels.append({"key": picks[-1]["key"], "cannot_label": "corrupted"})
    assert customer.made(f"{path}/observations/", {"labels": labels}) == {"n_recorded": 6}
    metrics = customer.made(f"{path}/rounds/1/evaluate/")["metrics"]
    assert (metrics["n_labeled"], metrics["n_unlabelable"]) == (5, 1)
    assert customer.made(f"{path}/rounds/")["number"] == 2
    assert [row["number"] for row in customer.get(f"{path}/rounds/").body["results"]] == [1, 2]


def test_what_a_round_is_given_is_used_or_refused(customer):
    path = experiment(customer)
    for name in ("keys", "probabilities", "utilities", "embeddings"):
        assert customer.post(f"{path}/rounds/", {name: []}).fields == {(name, "empty")}
    rows = [{"key": f"record-{n}", "proba": [0.5, 0.5]} for n in range(9)]
    rows[4]["proba"] = [0.5, 0.4]
    refused = customer.post(f"{path}/rounds/", {"probabilities": rows})
    assert refused.fields == {("probabilities[4]", "invalid")}
    assert refused.body["detail"] == "The probabilities of 'record-4' sum to 0.9, not to one."
    assert customer.get(f"{path}/rounds/1/picks/").status == 404
    by_hand = experiment(customer, name="by hand", type="manual", dataset=customer.get(f"{path}/").body["dataset"])
    assert customer.post(f"{by_hand}/rounds/", {"keys": ["record-1"]}).status == 201
    other = customer.post(f"{by_hand}/rounds/", {"keys": ["record-2"]})
    assert (other.status, other.code) == (409, "round_order")
    assert customer.post(f"{by_hand}/rounds/", {}).body["n_picks"] == 1


def test_trust_in_the_anchor_is_kept_and_needs_one(customer):
    anchor = pool.arrays()["X"][:25]
    trusted = pool.upload(customer, pool.archive(anchor=anchor), name="with anchor").body["id"]
    path = experiment(customer, dataset=trusted, trusts_anchor=True, control_ratio=0.0)
    assert customer.get(f"{path}/").body["trusts_anchor"] is True
    assert customer.post(f"{path}/rounds/").status == 201
    plain = {"dataset": dataset(customer), "name": "plain"}
    assert customer.made("/experiments/", plain)["trusts_anchor"] is False
    refused = customer.post("/experiments/", plain | {"name": "two", "trusts_anchor": True})
    assert (refused.status, refused.fields) == (422, {("trusts_anchor", "no_anchor")})
    assert "The dataset has 0 trusted records, 20 are needed" in refused.body["detail"]
    assert customer.post("/experiments/", plain | {"trusts_anchor": "yes"}).fields == {("trusts_anchor", "invalid")}


def test_a_cap_on_compute_refuses_the_round_that_would_exceed_it(customer):
    path = experiment(customer, max_cpu_s=1)
    customer.made(f"{path}/rounds/")
    customer.made(f"{path}/rounds/1/evaluate/")
    entry = {"round": 1, "stage": "train", "attempt": from_public("exp", path.split("/")[-1])}
    experiment_id = {"experiment_id": entry["attempt"]}
    ComputeEntry.objects.create(**experiment_id, **entry, is_end=False)
    ComputeEntry.objects.create(**experiment_id, **entry, is_end=True, cpu_us=900_000)
    refused = customer.post(f"{path}/rounds/", {})
    assert (refused.status, refused.code) == (409, "compute_cap")
    assert "Raise `max_cpu_s`" in refused.body["detail"]
    assert customer.get(f"{path}/rounds/").body["results"][-1]["number"] == 1
    for body, code in [
        ({}, "required"),
        ({"max_cpu_s": 0}, "min_value"),
        ({"max_cpu_s": 5, "name": "x"}, "unknown_field"),
    ]:
        assert {found for _, found in customer.patch(f"{path}/", body).fields} == {code}
    assert customer.patch(f"{path}/", {"max_cpu_s": 3600}).body["max_cpu_s"] == 3600
    assert customer.post(f"{path}/rounds/", {}).status == 201
    assert customer.patch(f"{path}/", {"max_cpu_s": None}).body["max_cpu_s"] is None


def test_a_class_that_turns_up_is_appended_and_answers_may_name_it(customer):
    path = experiment(customer)
    customer.made(f"{path}/rounds/")
    new = {"labels": [{"key": "record-1", "label": "straight on"}]}
    assert customer.post(f"{path}/observations/", new).fields == {("labels[0].label", "unknown_class")}
    for _ in range(2):
        assert customer.post(f"{path}/classes/", {"classes": ["straight on"]}).body["classes"][-1] == "straight on"
    assert customer.made(f"{path}/observations/", new) == {"n_recorded": 1}
    assert customer.post(f"{path}/classes/", {"classes": ["left"]}).fields == {("classes", "repeated")}


def test_observations_are_checked(customer):
    path = f"{experiment(customer)}/observations/"
    for label, marked in [
        ({"key": "nobody", "label": "left"}, ("labels[0].key", "unknown_key")),
        ({"key": "record-1", "label": "up"}, ("labels[0].label", "unknown_class")),
        ({"key": "record-1"}, ("labels[0].label", "one_of")),
        ({"key": "record-1", "label": "left", "confidence": 1.5}, ("labels[0].confidence", "max_value")),
    ]:
        answer = customer.post(path, {"labels": [label]})
        assert (answer.status, answer.fields) == (422, {marked})


def test_a_campaign_is_started_paused_resumed_and_stopped(customer):
    path = experiment(customer)
    body = shop.job_body(customer, n_records=0)
    schema = customer.made("/label-schemas/", {"name": "s", "task_type": "classification", "classes": pool.CLASSES})
    job = customer.made("/jobs/", body | {"label_schema": schema["id"], "records": [], "gold": []})
    terms = {"experiment": path.split("/")[-1], "job": job["id"], "rounds": 2}
    for value, code in [(0, "min_value"), (1.5, "invalid")]:
        answer = customer.post("/campaigns/", terms | {"value_of_point_micro": value})
        assert (answer.status, answer.fields) == (422, {("value_of_point_micro", code)})
    campaign = customer.made("/campaigns/", terms | {"value_of_point_micro": 5_000_000})
    assert campaign["value_of_point_micro"] == 5_000_000
    assert customer.made("/campaigns/", terms)["id"] == campaign["id"]
    assert (campaign["state"], campaign["max_rounds"]) == ("running", 2)
    assert customer.post(f"{path}/rounds/").code == "campaign_state"
    for verb, state in [("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("stop", "stopped")]:
        assert customer.made(f"/campaigns/{campaign['id']}/{verb}/")["state"] == state
    assert customer.post(f"/campaigns/{campaign['id']}/resume/").code == "campaign_state"
    assert customer.get("/campaigns/").body["results"][0]["state"] == "stopped"
    assert customer.post(f"{path}/rounds/").status == 201


def test_classes_must_agree(customer):
    path = experiment(customer)
    job = shop.post_job(customer)
    answer = customer.post("/campaigns/", {"experiment": path.split("/")[-1], "job": job["id"], "rounds": 1})
    assert answer.fields == {("experiment", "classes_differ")}


def test_a_mix_and_a_manual_round_over_http(customer):
    half = [{"strategy": "coverage", "share": 0.5}, {"strategy": "k_center", "share": 0.5}]
    made = customer.get(experiment(customer, rules=half, control_ratio=0.0) + "/").body
    assert (made["type"], made["config"]["rules"]) == ("rule_based", half)
    path = experiment(customer, type="manual", name="by hand", dataset=made["dataset"])
    assert customer.post(f"{path}/rounds/", {}).fields == {("keys", "wrong_for_type")}
    assert customer.post(f"{path}/rounds/", {"keys": ["record-2", "record-1"]}).status == 201
    picks = customer.get(f"{path}/rounds/1/picks/").body["results"]
    assert [(pick["key"], pick["arm"]) for pick in picks] == [("record-2", "manual"), ("record-1", "manual")]
    schema = customer.made("/label-schemas/", {"name": "s", "task_type": "classification", "classes": pool.CLASSES})
    body = shop.job_body(customer, n_records=0) | {"label_schema": schema["id"], "records": [], "gold": []}
    job = customer.made("/jobs/", body)
    terms = {"experiment": path.split("/")[-1], "job": job["id"], "rounds": 1}
    assert customer.post("/campaigns/", terms).fields == {("experiment", "is_manual")}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"type": "single"}, ("strategy", "wrong_for_type")),
        ({"strategy": "nonsense"}, ("strategy", "invalid_choice")),
        ({"rules": [{"strategy": "margin", "share": 0.4}]}, ("rules", "not_a_mix")),
        ({"strategy": "margin", "wishes": {"parts": []}}, ("wishes", "not_used")),
        ({"strategy": "metadata_weighted", "wishes": {"part": 1}}, ("wishes.parts", "invalid")),
    ],
)
def test_a_design_that_cannot_be_meant_is_refused_by_field(customer, more, field):
    with pytest.raises(AssertionError) as caught:
        experiment(customer, **more)
    assert field[0] in str(caught.value)
    assert field[1] in str(caught.value)


def test_utilities_of_the_customers_model_choose_the_round(customer):
    path = experiment(customer, strategy="utility", control_ratio=0.0, batch_size=2)
    rows = [{"key": f"record-{n}", "utility": float(n)} for n in range(1, 6)]
    assert customer.post(f"{path}/rounds/", {"utilities": [*rows, rows[0]]}).fields == {("utilities", "duplicate_key")}
    far = [{"key": "record-1", "utility": 1e308}, {"key": "record-2", "utility": -1e308}]
    assert customer.post(f"{path}/rounds/", {"utilities": [*rows[2:], *far]}).status == 201
    assert customer.get(f"{path}/rounds/1/picks/").body["results"][0]["key"] == "record-1"


def test_rounds_go_on_until_nothing_is_left_and_then_say_so(customer):
    path = experiment(customer, batch_size=30)
    sizes, seen = [], set()
    for number in (1, 2):
        sizes.append(customer.made(f"{path}/rounds/")["n_picks"])
        keys = [pick["key"] for pick in customer.get(f"{path}/rounds/{number}/picks/").body["results"]]
        seen |= set(keys)
        customer.made(f"{path}/observations/", {"labels": [{"key": key, "label": pool.CLASSES[0]} for key in keys]})
        customer.made(f"{path}/rounds/{number}/evaluate/")
    assert (sizes, len(seen)) == ([30, 10], 40)
    refused = customer.post(f"{path}/rounds/", {})
    assert (refused.status, refused.code) == (409, "conflict")
    assert [row["number"] for row in customer.get(f"{path}/rounds/").body["results"]] == [1, 2]

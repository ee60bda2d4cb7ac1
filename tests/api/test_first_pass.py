"""The first pass over HTTP: who sees a suggestion, what is told, and bodies that are none."""

import pytest

from marketplace.models import PreLabel
from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seller(staff, vendor):
    shop.add_gold_set(staff)
    return shop.admit(staff, shop.apply_as_vendor(vendor))


def suggest(customer, job, keys, **more):
    rows = [{"key": key, "label": shop.truth(key), "confidence": 0.8} | more for key in keys]
    return customer.post(f"/jobs/{job['id']}/prelabels/", {"model": "v1", "prelabels": rows})


def test_suggestions_stand_beside_records_but_for_the_blind_ones(customer, seller):
    job = shop.post_job(customer, n_records=4)
    keys = [f"record-{i}" for i in range(4)] + ["known-0", "known-1", "known-2"]
    assert suggest(customer, job, keys).body == {"n": 7}
    PreLabel.objects.update(role="shown")
    PreLabel.objects.filter(key="record-2").update(role="blind")
    work = shop.accept_one(seller)
    told = {row["key"]: row["prelabel"] for row in seller.api.get(f"/assignments/{work['id']}/").body["records"]}
    assert told.pop("record-2") is None
    assert all(told[key] == {"label": shop.truth(key), "confidence": 0.8} for key in told)  # gold as well
    report = customer.get(f"/jobs/{job['id']}/first-pass/").body
    assert (report["is_auto_accept"], report["models"][0]["counts"]) == (False, {"shown": 6, "blind": 1, "accepted": 0})
    labels = customer.get(f"/jobs/{job['id']}/labels/").body["results"]
    assert {row["given_by"] for row in labels} == {"people"}


def test_terms_are_kept_and_told(customer, seller):
    job = shop.post_job(customer, n_records=1)
    path = f"/jobs/{job['id']}/first-pass/"
    before = customer.get(path).body
    assert (before["blind_ratio"], before["required_accuracy"], before["models"]) == (0.1, 0.9, [])
    assert customer.put(path, {"is_auto_accept": True, "audit_ratio": 0.2}).status == 200
    after = customer.get(path).body
    assert (after["is_auto_accept"], after["audit_ratio"], after["blind_ratio"]) == (True, 0.2, 0.1)
    assert customer.put(path, {"is_auto_accept": True, "blind_ratio": 0.0}).fields == {("blind_ratio", "out_of_range")}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"label": "cow"}, "prelabels[0].label", "unknown_class"),
        ({"label": None}, "prelabels[0].label", "one_of"),
        ({"cannot_label": "other"}, "prelabels[0].label", "one_of"),
        ({"confidence": 1.5}, "prelabels[0].confidence", "max_value"),
        ({"probabilities": [1.0]}, "prelabels[0].probabilities", "count"),
    ],
)
def test_faults_are_named(customer, seller, change, field, code):
    job = shop.post_job(customer, n_records=1)
    refused = suggest(customer, job, ["record-0"], **change)
    assert refused.status == 422
    assert (field, code) in refused.fields
    assert not PreLabel.objects.exists()

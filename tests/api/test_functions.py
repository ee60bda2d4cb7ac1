"""Labeling functions over HTTP: CSV and JSON, with errors that name the row."""

import pytest

from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


def _job(customer):
    return shop.post_job(customer, n_records=4)


def test_csv_and_json_say_the_same(customer, staff, vendor):
    shop.add_gold_set(staff)
    shop.admit(staff, shop.apply_as_vendor(vendor))
    job = _job(customer)
    keys = [row["key"] for row in customer.get(f"/jobs/{job['id']}/labels/").body["results"]]
    text = "key,label\n" + "".join(f"{key},cat\n" for key in keys[:3]) + f"{keys[3]},\n"
    first = customer.made(f"/jobs/{job['id']}/functions/", {"name": "csv", "csv": text})
    votes = [{"key": key, "label": "cat"} for key in keys[:3]] + [{"key": keys[3], "label": None}]
    customer.made(f"/jobs/{job['id']}/functions/", {"name": "json", "votes": votes})
    told = customer.get(f"/jobs/{job['id']}/functions/").body["results"]
    assert [row["function"]["name"] for row in told] == ["csv", "json"]
    assert [(row["n_votes"], row["conflict"], row["accuracy"]) for row in told] == [(3, 0.0, None)] * 2
    assert customer.post(f"/functions/{first['id']}/drop/", {}).status == 200
    assert len(customer.get(f"/jobs/{job['id']}/functions/").body["results"]) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "votes", "one_of"),
        ({"csv": ""}, "csv", "blank"),
        ({"csv": "record,class\n"}, "csv", "heading"),
        ({"csv": "key,label\na\n"}, "csv[0]", "columns"),
        ({"csv": "key,label\na,b,c\n"}, "csv[0]", "columns"),
        ({"csv": 'key,label\n"a'}, "csv", "malformed"),
        ({"csv": "key,label\nnobody,cat\n"}, "csv[0].key", "unknown_record"),
        ({"votes": [{"key": "nobody", "label": "cat"}]}, "votes[0].key", "unknown_record"),
        ({"votes": [{"key": "nobody", "label": 3}]}, "votes[0].label", "invalid"),
        ({"votes": [], "csv": "key,label\n"}, "votes", "one_of"),
    ],
)
def test_faults_are_named(customer, staff, vendor, body, field, code):
    shop.add_gold_set(staff)
    shop.admit(staff, shop.apply_as_vendor(vendor))
    job = _job(customer)
    answer = customer.post(f"/jobs/{job['id']}/functions/", {"name": "one"} | body)
    assert answer.status == 422
    assert (field, code) in {(error["field"], error["code"]) for error in answer.body["errors"]}

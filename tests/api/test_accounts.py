"""Sign-up, the own organization, keys."""

import datetime

import pytest

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_UP = {"name": "Acme", "kind": "customer", "email": "a@example.org"}


def test_sign_up_gives_a_working_key_once(anonymous):
    answer = anonymous.post("/organizations/", SIGN_UP)
    assert answer.status == 201
    assert answer.body["organization"]["id"].startswith("org_")
    secret = answer.body["api_key"]["secret"]
    mine = anonymous.get("/organization/", HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert mine.body == answer.body["organization"]
    again = anonymous.post("/organizations/", SIGN_UP)
    assert (again.status, again.fields) == (422, {("email", "taken")})


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        ({"kind": "platform"}, ("kind", "invalid_choice")),
        ({"name": ""}, ("name", "blank")),
        ({"name": 7}, ("name", "invalid")),
        ({"name": "x" * 201}, ("name", "max_length")),
        ({"email": "nobody"}, ("email", "invalid")),
        ({"password": "short"}, ("password", "min_length")),
        ({"password": "password1234"}, ("password", "too_weak")),
        ({"extra": 1}, ("extra", "unknown_field")),
    ],
)
def test_sign_up_marks_what_is_wrong(anonymous, change, marked):
    answer = anonymous.post("/organizations/", SIGN_UP | change)
    assert answer.status == 422
    assert marked in answer.fields


def test_an_organization_can_be_renamed(customer):
    assert customer.patch("/organization/", {"name": "New"}).body["name"] == "New"
    assert customer.get("/organization/").body["name"] == "New"


def test_keys_are_made_listed_and_revoked(customer):
    made = customer.made("/api-keys/", {"name": "second", "scopes": ["jobs:read"]})
    listed = customer.get("/api-keys/").body["results"]
    assert [key["name"] for key in listed] == ["second", "first key"]
    assert "secret" not in listed[0]
    second = customer.__class__(customer.client, made["secret"])
    assert second.get("/organization/").status == 403
    assert customer.post(f"/api-keys/{made['id']}/revoke/").body["revoked_at"] is not None
    assert second.get("/organization/").status == 401


def test_the_key_of_another_organization_is_not_found(customer, sign_up):
    theirs = sign_up().get("/api-keys/").body["results"][0]["id"]
    assert customer.post(f"/api-keys/{theirs}/revoke/").status == 404


@pytest.mark.parametrize(
    "when", ["2020-01-01T00:00:00Z", "2030-01-01", "2030-01-01T00:00:00", "never", 5, "9999-12-31T23:59:59-23:59"]
)
def test_an_expiry_is_a_later_instant(customer, when):
    assert customer.post("/api-keys/", {"name": "k", "expires_at": when}).status == 422


def test_an_expiry_is_given_back_in_utc(customer):
    later = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=1)
    made = customer.made("/api-keys/", {"name": "k", "expires_at": later.isoformat()})
    assert made["expires_at"] == later.isoformat().replace("+00:00", "Z")

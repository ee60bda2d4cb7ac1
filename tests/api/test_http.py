"""What holds for every address: keys, problems, parameters, cursors, sending twice."""

import threading

import pytest
from django.db import InterfaceError, OperationalError, connection

from common.models import ApiKey, IdempotencyRecord
from common.services import api_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer ly_live_\x00", "ly_live_x"])
def test_without_a_valid_key_nothing(anonymous, header):
    answer = anonymous.get("/organization/", HTTP_AUTHORIZATION=header)
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_address_that_does_not_exist_is_a_problem(anonymous):
    assert anonymous.get("/nothing/").code == "not_found"
    assert anonymous.get("/api/nothing").code == "not_found"


def test_a_method_that_does_not_exist_is_a_problem(customer):
    assert customer.send("DELETE", "/organization/").code == "method_not_allowed"


def test_only_json_is_taken_and_given(customer):
    assert customer.post("/api-keys/", raw=b"<k/>", content_type="text/xml").code == "unsupported_media_type"
    assert customer.get("/organization/", HTTP_ACCEPT="text/html").code == "not_acceptable"


def test_an_unforeseen_error_is_told_without_its_inside(customer, monkeypatch):
    monkeypatch.setattr("common.selectors.accounts.organization", lambda _: 1 / 0)
    answer = customer.get("/organization/")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "division" not in str(answer.body)


@pytest.mark.parametrize("fault", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_while_the_database_is_away_a_client_is_asked_to_come_again(customer, monkeypatch, fault):
    def fail(**_):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(api_keys, "create", fail)
        answer = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one").status == 201


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(customer, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr("common.idempotency.finish", fail)
    assert customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one").status == 201


def test_health_tells_what_is_away(anonymous, monkeypatch):
    monkeypatch.setattr("api.v1.health.is_broker_up", lambda: True)
    assert anonymous.client.get("/api/v1/health/").json() == {"status": "ok", "database": True, "broker": True}
    monkeypatch.undo()
    response = anonymous.client.get("/api/v1/health/")
    assert (response.status_code, response.json()["database"], response.json()["broker"]) == (503, True, False)


def test_unknown_parameters_are_refused(customer):
    assert customer.get("/api-keys/?sort=name").code == "invalid_parameter"
    assert customer.get("/api-keys/?page_size=1").status == 200


@pytest.mark.parametrize("size", ["0", "-1", "1001", "x", "", "1e3", "٣", "9" * 400])
def test_a_page_size_is_a_number_in_range(customer, size):
    assert customer.get(f"/api-keys/?page_size={size}").code == "invalid_parameter"


def test_pages_follow_one_another_both_ways(customer):
    for n in range(4):
        customer.made("/api-keys/", {"name": f"{n}"})
    first = customer.get("/api-keys/?page_size=2").body
    second = customer.get(first["next"].removeprefix("http://testserver")).body
    third = customer.get(second["next"].removeprefix("http://testserver")).body
    names = [key["name"] for page in (first, second, third) for key in page["results"]]
    assert names == ["3", "2", "1", "0", "first key"]
    assert third["next"] is None
    back = customer.get(second["previous"].removeprefix("http://testserver")).body
    assert back["results"] == first["results"]


def forged_cursors(customer):
    """Return cursors that this list has not given out."""
    for n in range(2):
        customer.made("/api-keys/", {"name": f"{n}"})
    genuine = customer.get("/api-keys/?page_size=1").body["next"].split("cursor=")[1].split("&")[0]
    return [genuine[:-2], genuine + "x", "A" + genuine, "cD0y", "", "%00", "%ED%A0%80", "x" * 100_000, ":", "a:b:c"]


def test_forged_cursors_are_refused(customer):
    for cursor in forged_cursors(customer):
        assert customer.get(f"/api-keys/?cursor={cursor}").code in {"invalid_cursor", "malformed_request"}


class TestSendingTwice:
    """Idempotency-Key."""

    def test_the_second_gets_the_first_answer(self, customer):
        first = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        again = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        assert again.headers["Idempotent-Replayed"] == "true"
        assert (again.status, again.body["id"]) == (201, first.body["id"])
        assert ApiKey.objects.count() == 2

    def test_a_replay_does_not_show_secrets(self, customer):
        first = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        again = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        assert again.body == first.body | {"secret": None}
        assert first.body["secret"] not in str(IdempotencyRecord.objects.values())

    def test_another_body_under_the_key_is_refused(self, customer):
        customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        other = customer.post("/api-keys/", {"name": "other"}, HTTP_IDEMPOTENCY_KEY="one")
        assert (other.status, other.code) == (409, "idempotency_key_reused")
        assert ApiKey.objects.count() == 2

    def test_while_the_first_runs_the_second_waits(self, customer, monkeypatch):
        """The second is sent from inside the first, on another connection."""
        seen = []
        make = api_keys.create

        def create_slowly(**arguments):
            sender = threading.Thread(target=lambda: seen.append(send()) or connection.close())
            sender.start()
            sender.join()
            return make(**arguments)

        def send():
            return customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")

        monkeypatch.setattr(api_keys, "create", create_slowly)
        assert send().status == 201
        assert [answer.code for answer in seen] == ["idempotency_in_progress"]
        assert ApiKey.objects.count() == 2

    def test_a_failure_frees_the_key(self, customer):
        assert customer.post("/api-keys/", {"name": ""}, HTTP_IDEMPOTENCY_KEY="one").status == 422
        assert customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one").status == 201

    def test_two_organizations_may_use_one_key(self, customer, sign_up):
        other = sign_up()
        first = customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        second = other.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY="one")
        assert first.body["id"] != second.body["id"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "\x07", "é"])
    def test_a_key_is_printable_and_short(self, customer, key):
        assert customer.post("/api-keys/", {"name": "k"}, HTTP_IDEMPOTENCY_KEY=key).code == "malformed_request"


def test_the_answer_carries_the_request_id(customer):
    answer = customer.get("/nothing/")
    assert answer.headers["X-Request-Id"] == answer.body["request_id"]

"""Hostile input against every writable field of every route: never a 5xx, never a silent accept."""

import io
import json

import pytest

from tests.api import hostile
from tests.api.routes import ALL, KEYED
from tests.api.world import snapshot

pytestmark = pytest.mark.django_db(transaction=True)
WRITES = [route for route in ALL if route.is_write and route.template != "datasets/"]
LISTS = [route for route in KEYED if route.action == "list"]


def sender(world, route, anonymous):
    """Return a function that sends raw bytes to a route as its owner."""
    api = anonymous if route not in KEYED else world.owner(route)
    path = route.path(world.id_of(route))
    return lambda raw, **extra: api.send(route.method, path, raw=raw, **extra)


def test_what_no_field_takes_is_refused_everywhere(everything, anonymous):
    before, wrong = snapshot(), []
    for route in WRITES:
        send, body = sender(everything, route, anonymous), everything.body_of(route)
        for path in hostile.places(body):
            for name, text in hostile.REFUSED.items():
                if "metadata" in path and name in {"object", "list of lists"}:
                    continue  # metadata is free JSON
                answer = send(hostile.spoiled(body, path, text))
                if not 400 <= answer.status < 500:
                    wrong.append(f"{route} {path} {name}: {answer.status} {answer.body}")
    assert wrong == []
    assert snapshot() == before


def test_unknown_fields_are_refused_at_every_level(everything, anonymous):
    before, wrong = snapshot(), []
    for route in WRITES:
        send, body = sender(everything, route, anonymous), everything.body_of(route)
        for path in hostile.objects(body):
            answer = send(hostile.with_extra(body, path))
            if answer.status != 422 or not any(code == "unknown_field" for _, code in answer.fields):
                wrong.append(f"{route} {path}: {answer.status} {answer.body}")
    assert wrong == []
    assert snapshot() == before


def test_awkward_values_never_break_anything(everything, anonymous):
    wrong = []
    for route in WRITES:
        send, body = sender(everything, route, anonymous), everything.body_of(route)
        for number, path in enumerate(hostile.places(body)):
            for name, text in list(hostile.AWKWARD.items())[number % 2 :: 2]:  # half each: the other half next field
                answer = send(hostile.spoiled(body, path, text))
                if answer.status >= 500:
                    wrong.append(f"{route} {path} {name}: {answer.status} {answer.body}")
    assert wrong == []


BODIES = {
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "cut off": b'{"name": "x"',
    "two objects": b"{}{}",
    "a name twice": b'{"name": "a", "name": "b"}',
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "a form": b"name=x&kind=customer",
}


MEDIA_TYPES = ("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16")


def test_bodies_that_are_no_object_are_refused(everything, anonymous):
    wrong = []
    for route in WRITES:
        send, body = sender(everything, route, anonymous), everything.body_of(route)
        for name, raw in BODIES.items():
            if name == "nothing" and (body == {} or route.method == "PATCH"):
                continue  # an action without fields needs no body, a change of nothing neither
            answer = send(raw)
            if not 400 <= answer.status < 500:
                wrong.append(f"{route} {name}: {answer.status}")
        for media_type in MEDIA_TYPES:
            answer = send(json.dumps(body).encode() or b"x", content_type=media_type)
            if answer.status >= 500 or (answer.status < 300 and "json" not in media_type):
                wrong.append(f"{route} as {media_type}: {answer.status}")
    assert wrong == []


def test_a_body_cut_at_any_byte_is_refused(everything, anonymous):
    before, wrong = snapshot(), []
    for route in WRITES:
        send, whole = sender(everything, route, anonymous), json.dumps(everything.body_of(route)).encode()
        for n_bytes in range(0, len(whole), max(len(whole) // 20, 1)):
            wire = {"wsgi.input": io.BytesIO(whole[:n_bytes]), "CONTENT_LENGTH": str(len(whole))}
            answer = send(whole, **wire)
            if answer.code != "truncated_body":
                wrong.append(f"{route} cut at {n_bytes}: {answer.code}")
    assert wrong == []
    assert snapshot() == before


def test_a_body_of_unknown_length_is_refused(everything, anonymous):
    for route in WRITES:
        answer = sender(everything, route, anonymous)(b"", HTTP_TRANSFER_ENCODING="chunked")
        assert answer.code == "length_required", route


def test_a_body_over_the_cap_is_refused(everything, anonymous, settings):
    settings.JSON_MAX_BYTES = 1000
    for route in WRITES:
        assert sender(everything, route, anonymous)(b" " * 1001).code == "too_large", route


PARAMETERS = ["%00", "%ED%A0%80", "%FF", "'", "9" * 400, "-1", "1e5", "", "x" * 10_000, "[]", "1&{name}=2"]


def test_hostile_parameters_never_break_a_list(everything):
    wrong = []
    for route in LISTS:
        owner = everything.customer if route.noun == "campaigns" else everything.owner(route)
        path = route.path(everything.id_of(route))
        genuine = owner.get(f"{path}?page_size=1")
        assert genuine.status == 200, (route, genuine.body)
        for name in ("cursor", "page_size", "state", "after", "n_records", "surplus", "id__in", "%00"):
            for value in PARAMETERS:
                answer = owner.get(f"{path}?{name}={value.format(name=name)}")
                if not 400 <= answer.status < 500 and not (name == "after" and value == "9" * 400):
                    wrong.append(f"{route} {name}={value[:20]}: {answer.status}")
    assert wrong == []


def test_a_cursor_serves_only_the_list_it_came_from(everything):
    customer = everything.customer
    jobs = customer.get("/jobs/?page_size=1").body["next"]
    cursor = jobs.split("cursor=")[1].split("&")[0]
    assert customer.get(f"/jobs/?cursor={cursor}").status == 200
    for other in ("/label-schemas/", "/experiments/", f"/jobs/{everything.ids['jobs']}/batches/"):
        assert customer.get(f"{other}?cursor={cursor}").code == "invalid_cursor"


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "2147483648", "9223372036854775808"])
def test_rounds_that_cannot_exist_are_empty_or_not_found(everything, number):
    path = f"/experiments/{everything.ids['experiments']}/rounds/{number}"
    picks = everything.customer.get(f"{path}/picks/")
    assert picks.status == 404 or picks.body["results"] == []
    assert everything.customer.post(f"{path}/evaluate/").status == 404

"""Who may do what to whose things: every route, every caller, generated from the URL resolver."""

import pytest

from api.permissions import OPEN
from common.ids import to_public, uuid7
from common.scopes import SCOPES
from common.services import api_keys
from tests.api.client import Api
from tests.api.routes import ALL, KEYED
from tests.api.world import snapshot

pytestmark = pytest.mark.django_db(transaction=True)


def problems_of(world, cases):
    """Send the cases; return those whose status is not among the expected ones, after checking that nothing changed."""
    before = snapshot()
    wrong = []
    for route, api, path, expected in cases:
        answer = api.send(route.method, path, world.body_of(route))
        if answer.status not in expected:
            wrong.append(f"{route} at {path}: {answer.status}, expected {expected}: {answer.body}")
    assert wrong == []
    after = snapshot()
    assert {table for table in before if before[table] != after[table]} == set()


def test_every_scope_is_one_somebody_can_hold():
    known = {scope for scopes in SCOPES.values() for scope in scopes}
    assert {route.scope for route in KEYED} <= known


def test_every_route_has_a_fixture(everything):
    for route in ALL:
        everything.body_of(route)
        everything.id_of(route)


def test_without_a_key_nothing_is_open(everything, anonymous):
    problems_of(everything, [(r, anonymous, r.path(everything.id_of(r)), {401}) for r in KEYED])


def test_strangers_do_not_find_what_is_not_theirs(everything):
    """A stranger of the owner's kind holds every scope, and still finds nothing: 404, as if it did not exist."""
    cases = []
    for route in (r for r in KEYED if r.has_id):
        for kind, stranger in everything.strangers.items():
            expected = {404} if kind in route.kinds else {403}
            cases.append((route, stranger, route.path(everything.id_of(route)), expected))
    problems_of(everything, cases)


def test_other_kinds_of_organization_are_denied(everything):
    cases = []
    for route in KEYED:
        for kind in {"customer", "vendor", "platform"} - route.kinds:
            cases.append((route, everything.by_kind(kind), route.path(everything.id_of(route)), {403}))
    problems_of(everything, cases)


def test_a_key_without_the_scope_is_denied(everything):
    cases = []
    for route in KEYED:
        owner = everything.owner(route)
        actor = api_keys.authenticate(owner.token)
        weak = api_keys.create(actor=actor, name=str(route)[:100], scopes=sorted(actor.scopes - {route.scope}))
        caller = Api(owner.client, weak.token)
        cases.append((route, caller, route.path(everything.id_of(route)), {403}))
        api_keys.ApiKey.objects.filter(pk=weak.key.pk).update(created_at="2000-01-01T00:00Z")
        if len(cases) % 15 == 0:
            problems_of(everything, cases[-15:])
            api_keys.ApiKey.objects.filter(created_at__year=2000).delete()
    problems_of(everything, [case for case in cases[-(len(cases) % 15) :] if len(cases) % 15])


def test_ids_that_name_nothing_are_not_found(everything):
    cases = []
    for route in (r for r in KEYED if r.has_id):
        genuine = everything.id_of(route)
        prefix = genuine.split("_", maxsplit=1)[0]
        other = "off" if prefix != "off" else "job"
        for bad in (
            to_public(prefix, uuid7()),
            genuine.replace(prefix, other, 1),
            genuine.upper(),
            genuine[:-1],
            f"{genuine}0",
            "0",
            "%00",
            "..%2f..",
            f"{prefix}_{'z' * 26}",
            f"{prefix}_{'%F0%9F%98%80' * 26}",
        ):
            cases.append((route, everything.owner(route), route.path(bad), {404}))
    problems_of(everything, cases)


def test_owners_reach_what_is_theirs(everything):
    """The fixtures are real: every read succeeds, every write succeeds or says which state is in its way."""
    wrong = []
    for route in sorted(KEYED, key=lambda r: r.is_write):
        owner = everything.customer if route.noun == "campaigns" else everything.owner(route)
        answer = owner.send(route.method, route.path(everything.id_of(route)), everything.body_of(route))
        allowed = {200} if not route.is_write else {200, 201, 409}
        if route.template == "datasets/" and route.is_write:
            allowed = {415}  # sent as JSON here; uploads have tests of their own
        if answer.status not in allowed:
            wrong.append(f"{route}: {answer.status} {answer.body}")
    assert wrong == []


def test_open_routes_are_the_known_ones():
    assert {str(r) for r in ALL if r.scope == OPEN} == {"GET health/", "POST organizations/"}

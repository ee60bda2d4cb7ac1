"""Every action of the API names its scope, and answers only what its one table says."""

from django.urls import get_resolver

from api.permissions import OPEN, Scoped
from api.v1.urls import urlpatterns
from common.scopes import SCOPES
from tests.api.routes import ALL

KNOWN = {scope for scopes in SCOPES.values() for scope in scopes}


def test_every_action_names_its_scope():
    assert [str(route) for route in ALL if route.scope not in KNOWN | {OPEN}] == []


def test_every_view_asks_for_the_scope():
    views = {pattern.callback.cls for pattern in urlpatterns}
    assert {view.__name__ for view in views if view.permission_classes != [Scoped]} == set()


def test_no_view_names_a_scope_for_an_action_it_does_not_have():
    routed = {}
    for pattern in urlpatterns:
        routed.setdefault(pattern.callback.cls, set()).update(pattern.callback.actions.values())
    assert {view.__name__ for view, actions in routed.items() if set(view.action_scopes) != actions} == set()


def test_an_action_without_a_scope_is_denied_to_everyone(monkeypatch, rf):
    from api.v1.organizations import OrganizationView
    from common.actors import Actor

    monkeypatch.setattr(OrganizationView, "action_scopes", {})
    monkeypatch.setattr("api.authentication.ApiKeyAuthentication.authenticate", lambda *_: (None, Actor.system()))
    assert OrganizationView.as_view({"get": "retrieve"})(rf.get("/")).status_code == 403


def test_the_api_lives_under_one_prefix():
    patterns = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    assert patterns.count("api/") == 1

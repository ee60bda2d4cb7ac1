"""A short run of schemathesis: what the OpenAPI document promises is what is answered."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
N_EXAMPLES = 3


def owner_of(everything, operation):
    """Return the key of the operation's owner, and the id its address needs."""
    from tests.api.routes import ALL

    path = re.sub("{public_id}", "<str:public_id>", operation.path).replace("{number}", "<int:number>")
    route = next(r for r in ALL if f"/api/v1/{r.template}" == path and r.method == operation.method.upper())
    api = everything.customer if route.noun == "campaigns" or not route.kinds else everything.owner(route)
    return api, everything.id_of(route)


def probe(operation, api, public_id):
    """Send what the document allows and compare the answers with what it promises."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=N_EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def run(case):
        if "public_id" in (case.path_parameters or {}):
            case.path_parameters["public_id"] = public_id
        case.call_and_validate(headers={"Authorization": f"Bearer {api.token}"}, checks=CHECKS)

    run()


def test_answers_are_what_the_document_promises(everything, monkeypatch):
    monkeypatch.setattr("api.v1.health.is_broker_up", lambda: True)
    for found in schemathesis.openapi.from_wsgi("/api/schema/", application).get_all_operations():
        probe(found.ok(), *owner_of(everything, found.ok()))

"""What the API says of itself: valid, committed, and true."""

import pytest

from api.description import documents
from tests.api.routes import ALL

WRITTEN = documents()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_the_committed_document_is_the_present_one(path):
    assert path.exists(), "run manage.py describe_api"
    assert path.read_text() == WRITTEN[path], "run manage.py describe_api and commit what it writes"


def test_every_route_is_described(client):
    paths = client.get("/api/schema/", HTTP_ACCEPT="application/json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    for route in ALL:
        path = f"/api/v1/{route.template}".replace("<str:public_id>", "{public_id}").replace("<int:number>", "{number}")
        assert (route.method, path) in described


def test_the_documentation_is_served_from_here(client):
    response = client.get("/api/docs/")
    assert response.status_code == 200
    assert b"https://" not in response.content

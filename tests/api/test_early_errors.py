"""Errors raised before any view are problem+json under /api/ and pages elsewhere."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_host_we_do_not_answer_to_is_a_problem_under_api(client):
    answer = client.get("/api/v1/jobs/", headers={"host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    page = client.get(reverse("portal:status"), headers={"host": "evil.example"})
    assert page["Content-Type"].startswith("text/html")


def test_an_unknown_address_is_a_problem_under_api_and_a_page_elsewhere(client):
    assert client.get("/api/v9/")["Content-Type"] == "application/problem+json"
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")


def test_what_breaks_outside_of_views_is_a_problem_under_api(client, monkeypatch):
    def broken(self, request):
        raise RuntimeError("wiring")

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", broken)
    client.raise_request_exception = False
    answer = client.get("/api/v1/health/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")

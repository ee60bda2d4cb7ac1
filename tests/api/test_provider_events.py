"""The address where the payment provider tells what happened."""

import json
import time

import pytest

from common.models import ProviderEvent
from embedded.payments.webhooks import signature

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_tests"
BODY = json.dumps({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}})


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_next", SECRET]


def tell(client, body=BODY, secret=SECRET, at=None, header=None):
    headers = {"Stripe-Signature": header if header is not None else signature(body, secret, at or int(time.time()))}
    return client.post("/api/provider-events/", body, content_type="application/json", headers=headers).status_code


def test_a_signed_event_is_kept_once(client):
    assert [tell(client), tell(client)] == [200, 200]
    event = ProviderEvent.objects.get()
    assert (event.kind, event.object_id) == ("payment_intent.succeeded", "pi_1")


@pytest.mark.parametrize(
    "given", [{"secret": "whsec_other"}, {"at": 1}, {"header": ""}, {"header": "t=1"}, {"body": "\x00"}]
)
def test_anything_else_is_refused_and_nothing_is_kept(client, given):
    if "body" in given:
        given["header"] = signature(BODY, SECRET, int(time.time()))
    assert tell(client, **given) == 400
    assert not ProviderEvent.objects.exists()


def test_only_posts_of_bearable_size_are_taken(client):
    assert client.get("/api/provider-events/").status_code == 405
    assert tell(client, body="x" * 1_000_001) == 413

"""The stand-in provider, by the real client: what it takes, refuses, repeats, and how it fails on demand."""

import hmac
import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
import stripe
import stripe.params

from embedded.payments.routes import ROUTES
from tests.payments import KEY, control, running


@pytest.fixture(scope="module")
def provider():
    with running() as one:
        yield one


@pytest.fixture
def client(provider):
    control(provider, "faults")
    return stripe.StripeClient(KEY, base_addresses={"api": provider.url}, max_network_retries=0).v1


VISA = "pm_card_visa"


def customer_with(client, method=VISA):
    customer = client.customers.create({"name": "A"})
    return customer.id, client.payment_methods.attach(method, {"customer": customer.id}).id


def pay(client, how=VISA, amount=5000, **more):
    customer, method = customer_with(client, how)
    return client.payment_intents.create(
        {"amount": amount, "currency": "usd", "customer": customer, "payment_method": method, "confirm": True, **more}
    )


def ready_account(client, provider):
    account = client.accounts.create({"capabilities": {"transfers": {"requested": True}}})
    link = client.account_links.create(
        {"account": account.id, "type": "account_onboarding", "return_url": "http://x/", "refresh_url": "http://x/"}
    )
    connection = http.client.HTTPConnection(urlsplit(link.url).netloc)
    connection.request("POST", urlsplit(link.url).path)
    assert connection.getresponse().status == 303
    connection.close()
    return account.id


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_parameter_a_route_takes_is_one_of_the_client(route):
    described = getattr(stripe.params, route.params_type).__annotations__
    assert route.allowed - {"expand"} <= set(described)
    assert set(route.required) <= route.allowed


def test_a_payment_takes_the_amount_and_the_fee(client, provider):
    before = {row["currency"]: row["amount"] for row in client.balance.retrieve().to_dict()["available"]}.get("usd", 0)
    intent = pay(client, amount=5000, expand=["latest_charge.balance_transaction"])
    change = intent.latest_charge.balance_transaction
    assert (intent.status, change.amount, change.fee, change.net) == ("succeeded", 5000, 175, 4825)
    assert client.balance.retrieve().available[0].amount == before + 4825


@pytest.mark.parametrize(
    ("token", "code"),
    [("pm_card_chargeDeclined", "card_declined"), ("pm_card_chargeDeclinedExpiredCard", "expired_card")],
)
def test_a_declined_card_is_told_with_its_code(client, token, code):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, token)
    assert declined.value.code == code


def test_a_bank_debit_arrives_days_later(client, provider):
    intent = pay(client, "pm_usBankAccount_success")
    assert intent.status == "processing"
    control(provider, "clock", advance_s=5 * 24 * 3600)
    assert client.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_hold_is_captured_in_part_and_the_rest_is_freed(client):
    intent = pay(client, capture_method="manual")
    assert intent.status == "requires_capture"
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.capture(intent.id, {"amount_to_capture": 5001})
    assert client.payment_intents.capture(intent.id, {"amount_to_capture": 3000}).amount_received == 3000
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.payment_intents.cancel(intent.id)


def test_no_more_is_refunded_than_was_paid(client):
    intent = pay(client)
    client.refunds.create({"payment_intent": intent.id, "amount": 4000})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": intent.id, "amount": 1001})
    assert refused.value.code == "amount_too_large"


def test_money_goes_to_an_onboarded_account_and_back(client, provider):
    pay(client, amount=90_000)
    bare = client.accounts.create({})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.transfers.create({"amount": 1, "currency": "usd", "destination": bare.id})
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    account = ready_account(client, provider)
    sent = client.transfers.create({"amount": 900, "currency": "usd", "destination": account})
    options = {"stripe_account": account}
    assert client.balance.retrieve(None, options).available[0].amount == 900
    client.payouts.create({"amount": 500, "currency": "usd"}, options)
    with pytest.raises(stripe.InvalidRequestError) as short:
        client.transfers.reversals.create(sent.id, {"amount": 401})
    assert short.value.code == "balance_insufficient"
    client.transfers.reversals.create(sent.id, {"amount": 400})
    assert client.balance.retrieve(None, options).available[0].amount == 0


def test_more_than_there_is_cannot_be_sent(client, provider):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.transfers.create(
            {"amount": 99_999_999, "currency": "usd", "destination": ready_account(client, provider)}
        )
    assert refused.value.code == "balance_insufficient"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"amount": 5, "currency": "usd", "wrong": 1}, "parameter_unknown"),
        ({"amount": 5}, "parameter_missing"),
        ({"amount": -5, "currency": "usd"}, "parameter_invalid_integer"),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer"),
    ],
)
def test_bad_parameters_are_named(client, given, code):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.create(given)
    assert refused.value.code == code


def test_the_same_key_gets_the_same_answer_and_another_request_is_refused(client):
    options = {"idempotency_key": "one"}
    first = client.customers.create({"name": "A", "email": "a@x.org"}, options)
    assert client.customers.create({"email": "a@x.org", "name": "A"}, options).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        client.customers.create({"name": "B"}, options)


def test_a_saved_500_is_repeated_for_ever_whether_or_not_it_happened(client, provider):
    control(provider, "faults", saved_500=1)
    for name in ("s1", "s2", "s3", "s4", "s5", "s6"):
        with pytest.raises(stripe.APIError):
            client.customers.create({"name": name}, {"idempotency_key": name})
    control(provider, "faults")
    with pytest.raises(stripe.APIError):
        client.customers.create({"name": "s1"}, {"idempotency_key": "s1"})
    made = {row.name for row in client.customers.list({"limit": 100}).data} & {"s1", "s2", "s3", "s4", "s5", "s6"}
    assert 0 < len(made) < 6


def test_a_lost_answer_has_happened_and_a_lost_request_has_not(client, provider):
    control(provider, "faults", lost_answer=1)
    with pytest.raises(stripe.APIConnectionError):
        client.customers.create({"name": "lost answer"}, {"idempotency_key": "la"})
    control(provider, "faults", lost_request=1)
    with pytest.raises(stripe.APIConnectionError):
        client.customers.create({"name": "lost request"}, {"idempotency_key": "lr"})
    control(provider, "faults")
    names = [row.name for row in client.customers.list({"limit": 100}).data]
    assert ("lost answer" in names, "lost request" in names) == (True, False)


def test_a_wrong_key_is_refused(provider):
    client = stripe.StripeClient("sk_test_other", base_addresses={"api": provider.url})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.balance.retrieve()


def test_events_are_signed_as_the_client_checks_them(client, provider):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((body.decode(), self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            return

    listener = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    endpoint = client.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{listener.server_port}/", "enabled_events": ["payment_intent.succeeded"]}
    )
    intent = pay(client)
    deadline = time.monotonic() + 10
    while not seen and time.monotonic() < deadline:
        time.sleep(0.02)
    listener.shutdown()
    listener.server_close()
    payload, signature = seen[0]
    assert stripe.WebhookSignature.verify_header(payload, signature, endpoint.secret, tolerance=60)
    assert json.loads(payload)["data"]["object"]["id"] == intent.id
    assert not hmac.compare_digest(signature, "t=0,v1=0")


def test_lists_are_paged_newest_first(client):
    for n in range(3):
        client.customers.create({"name": f"page {n}"})
    names = [row.name for row in client.customers.list({"limit": 2}).auto_paging_iter()]
    assert names[:3] == ["page 2", "page 1", "page 0"]

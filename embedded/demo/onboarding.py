"""How anybody joins: sign up, and for a vendor register, declare, price, sign, submit, pass the test."""

import random
import secrets
import time
from typing import Any

import httpx

from embedded.demo import answers, setting
from embedded.demo.answers import Truth
from embedded.demo.behaviours import Behaviour
from embedded.demo.client import ApiError, Client
from embedded.demo.setting import ACCEPT_WINDOW_S, CLASSES, CURRENCY, START_GRACE_S, START_WINDOW_S, Setting

POLL_S = 0.3


class NotAdmittedError(RuntimeError):
    """The market did not take the vendor."""


def sign_up(run: Setting, *, name: str, kind: str, key: str) -> Client:
    """Sign an organization up and return its client; the key is kept in the run's folder as well."""
    with Client(run.base_url) as visitor:
        while True:
            # Nobody is known yet, so there is no idempotency: each try gives an address of its own.
            email = f"{key}-{secrets.token_hex(4)}@example.com"
            try:
                answer = visitor.post("/organizations/", {"name": name, "kind": kind, "email": email})
                break
            except ApiError as error:
                if error.code != "conflict":
                    raise
    setting.write_private(
        run.path(f"keys/{key}.json"), {"organization": answer["organization"], "token": token_of(answer)}
    )
    return Client(run.base_url, token_of(answer))


def token_of(answer: dict[str, Any]) -> str:
    """Return the key that a sign-up handed out."""
    return str(answer["api_key"]["secret"])


def join(run: Setting, behaviour: Behaviour, truth: dict[str, Truth]) -> Client:
    """Take a vendor from sign-up to the market."""
    client = sign_up(run, name=behaviour.name, kind="vendor", key=behaviour.key)
    apply(client, run, behaviour)
    capability = wait_reviewed(client)
    for _attempt in range(2):
        if take_test(client, run, behaviour, truth, capability):
            return client
    raise NotAdmittedError(f"{behaviour.name} failed the qualification twice.")


def apply(client: Client, run: Setting, behaviour: Behaviour) -> None:
    """Declare the work, list the price, sign the terms, hand in."""
    client.post("/vendor/", {"name": behaviour.name, "languages": [run.language], "regions": ["eu"]})
    capability = client.post("/vendor/capabilities/", run.kind)["id"]
    price = {"capability": capability, "price_micro": behaviour.price_micro, "currency": CURRENCY}
    client.post("/vendor/prices/", price)
    client.post("/vendor/agreement/", terms(behaviour))
    open_payouts(client, run)
    client.post("/vendor/submit/")


def open_payouts(client: Client, run: Setting) -> None:
    """Complete the payout account on the provider's page, and wait until the market knows."""
    link = client.post("/vendor/payout-account/", {"return_url": f"{run.base_url}/vendor/"})["url"]
    # The page's only button; the way back is a page for people.
    answer = httpx.post(link, trust_env=False, timeout=30.0)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise NotAdmittedError(f"The payment provider did not onboard us: {answer.text[:200]}")
    while not client.get("/vendor/payout-account/")["is_ready"]:
        time.sleep(POLL_S)


def terms(behaviour: Behaviour) -> dict[str, Any]:
    """Return what the vendor signs."""
    return {
        "accept_window_s": dict.fromkeys(("cost", "speed", "accuracy"), ACCEPT_WINDOW_S),
        "min_batch": behaviour.min_batch,
        "max_concurrent": behaviour.slots,
        "start_window_s": START_WINDOW_S,
        "start_grace_s": START_GRACE_S,
        "base_s": 4,
        "seconds_per_label": 0.1,
        "signed_by": f"Head of Operations, {behaviour.name}",
    }


def wait_reviewed(client: Client) -> str:
    """Wait for the staff's decision; return the id of the vendor's only capability."""
    while True:
        vendor = client.get("/vendor/")
        if vendor["state"] in {"qualifying", "probation", "active"}:
            return str(vendor["scorecard"][0]["id"])
        if vendor["state"] in {"rejected", "suspended", "closed"}:
            raise NotAdmittedError(f"{vendor['name']} is {vendor['state']}.")
        time.sleep(POLL_S)


def take_test(client: Client, run: Setting, behaviour: Behaviour, truth: dict[str, Truth], capability: str) -> bool:
    """Answer a qualification test; return whether it was passed."""
    attempt = client.post(f"/vendor/capabilities/{capability}/qualification/")
    given = [_test_answer(record, run, behaviour, truth) for record in attempt["records"]]
    result = client.post(f"/vendor/qualifications/{attempt['id']}/answers/", {"answers": given})
    return bool(result["passed"])


def _test_answer(record: dict[str, Any], run: Setting, behaviour: Behaviour, truth: dict[str, Truth]) -> dict[str, Any]:
    rng = random.Random(f"{run.seed}:{behaviour.key}:test:{record['uri']}")
    given = answers.answer(truth[record["uri"]], behaviour.test_error_ratio, len(CLASSES), rng)
    return {"key": record["key"]} | answers.as_answer(given, CLASSES)

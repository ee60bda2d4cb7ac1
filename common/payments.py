"""The payment provider (Stripe), and the only module that imports its client.

Calls either return, or raise one of three errors that say what to do (`common.payment_types`). The client never retries
by itself: the money operations do, and they write down what they are about to do first.
"""

import functools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, Final, ParamSpec, TypeVar

import stripe
from django.conf import settings

from common.payment_types import (
    BalanceChange,
    BusyError,
    Event,
    Moved,
    PayoutAccount,
    RefusedError,
    SignatureError,
    UnknownOutcomeError,
)

OP: Final = "labelyard_op"
"""The key in the metadata of everything we make there: which of our operations made it."""

P = ParamSpec("P")
T = TypeVar("T")
_BUSY: Final = frozenset({"balance_insufficient", "idempotency_key_in_use", "lock_timeout", "rate_limit"})


def translated(call: Callable[P, T]) -> Callable[P, T]:
    """Turn the client's errors into ours."""

    @functools.wraps(call)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except stripe.APIConnectionError as error:
            raise UnknownOutcomeError(str(error), is_saved=False) from error
        except stripe.StripeError as error:
            status, code = error.http_status or 500, error.code or ""
            if status in {401, 409, 429} or code in _BUSY:
                raise BusyError(f"{code or status}: {error.user_message or error}") from error
            if status >= 500:
                raise UnknownOutcomeError(str(error), is_saved=True) from error
            raise RefusedError(code or type(error).__name__, error.user_message or str(error)) from error

    return run


@functools.cache
def client() -> stripe.StripeClient:
    """Return the provider's client; RefusedError when no key is configured."""
    if not settings.STRIPE_SECRET_KEY:
        raise RefusedError("not_configured", "Payments are not configured: set STRIPE_SECRET_KEY.")
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {},
        max_network_retries=0,
    )


def forget_client() -> None:
    """Read the settings anew at the next call."""
    client.cache_clear()


# Two processes on one connection would read each other's answers.
os.register_at_fork(after_in_child=forget_client)


@translated
def create_customer(*, name: str, op: str, key: str) -> str:
    """Make a customer there; return its id."""
    made = client().v1.customers.create({"name": name, "metadata": {OP: op}}, {"idempotency_key": key})
    return made.id


@translated
def attach_method(*, customer: str, token: str, key: str) -> str:
    """Give a customer a payment method; return its id."""
    made = client().v1.payment_methods.attach(token, {"customer": customer}, {"idempotency_key": key})
    return made.id


@translated
def charge(*, customer: str, method: str, amount: int, currency: str, op: str, key: str) -> Moved:
    """Take an amount from a saved payment method while its owner is away."""
    made = client().v1.payment_intents.create(
        {
            "amount": amount,
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "metadata": {OP: op},
            "expand": ["latest_charge.balance_transaction"],
        },
        {"idempotency_key": key},
    )
    return as_moved(made.to_dict())


@translated
def payment(identifier: str) -> Moved:
    """Return how a payment stands now."""
    found = client().v1.payment_intents.retrieve(identifier, {"expand": ["latest_charge.balance_transaction"]})
    return as_moved(found.to_dict())


@translated
def find_charge(*, customer: str, op: str) -> Moved | None:
    """Return the payment an operation of ours made, if it did."""
    pages = client().v1.payment_intents.list(
        {"customer": customer, "limit": 100, "expand": ["data.latest_charge.balance_transaction"]}
    )
    found = _made_by(op, pages.auto_paging_iter())
    return as_moved(found) if found else None


@translated
def refund(*, payment_id: str, amount: int, op: str, key: str) -> Moved:
    """Give a payment back, or a part of it."""
    made = client().v1.refunds.create(
        {"payment_intent": payment_id, "amount": amount, "metadata": {OP: op}}, {"idempotency_key": key}
    )
    return _moved(made.to_dict())


@translated
def find_refund(*, payment_id: str, op: str) -> Moved | None:
    """Return the refund an operation of ours made, if it did."""
    pages = client().v1.refunds.list({"payment_intent": payment_id, "limit": 100})
    found = _made_by(op, pages.auto_paging_iter())
    return _moved(found) if found else None


@translated
def refund_by_id(identifier: str) -> Moved:
    """Return how a refund stands now."""
    return _moved(client().v1.refunds.retrieve(identifier).to_dict())


@translated
def disputes_of(payment_id: str) -> list[BalanceChange]:
    """Return how disputes of a payment changed our balance: taken away, and given back when one was won."""
    pages = client().v1.disputes.list({"payment_intent": payment_id, "expand": ["data.balance_transactions"]})
    rows = [row.to_dict() for row in pages.auto_paging_iter()]
    return [_change(line, row["id"]) for row in rows for line in row["balance_transactions"]]


@translated
def transfer(*, account: str, amount: int, currency: str, group: str, op: str, key: str) -> Moved:
    """Send money to a vendor's account."""
    made = client().v1.transfers.create(
        {
            "destination": account,
            "amount": amount,
            "currency": currency.lower(),
            "transfer_group": group,
            "metadata": {OP: op},
        },
        {"idempotency_key": key},
    )
    return _moved(made.to_dict())


@translated
def find_transfer(*, group: str, op: str) -> Moved | None:
    """Return the transfer an operation of ours made, if it did."""
    pages = client().v1.transfers.list({"transfer_group": group, "limit": 100})
    found = _made_by(op, pages.auto_paging_iter())
    return _moved(found) if found else None


@translated
def transfer_by_id(identifier: str) -> Moved:
    """Return how a transfer stands now."""
    return _moved(client().v1.transfers.retrieve(identifier).to_dict())


@translated
def reversals_of(transfer_id: str) -> tuple[str, list[Moved]]:
    """Return which of our operations made a transfer ("" for none), and what was taken back of it."""
    made = client().v1.transfers.retrieve(transfer_id).to_dict()
    rows = client().v1.transfers.reversals.list(transfer_id, {"limit": 100}).auto_paging_iter()
    return str((made.get("metadata") or {}).get(OP, "")), [_moved(row.to_dict()) for row in rows]


@translated
def create_account(*, name: str, op: str, key: str) -> PayoutAccount:
    """Make a payout account for a vendor, which pays the provider's fees and shows it a page of its own."""
    made = client().v1.accounts.create(
        {
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "business_profile": {"name": name},
            "metadata": {OP: op},
        },
        {"idempotency_key": key},
    )
    return _account(made.to_dict())


@translated
def account(identifier: str) -> PayoutAccount:
    """Return how a payout account stands now."""
    return _account(client().v1.accounts.retrieve(identifier).to_dict())


@translated
def onboarding_link(identifier: str, *, return_url: str) -> str:
    """Return the address of the page where a vendor completes its payout account; good for minutes only."""
    link = client().v1.account_links.create(
        {"account": identifier, "type": "account_onboarding", "return_url": return_url, "refresh_url": return_url}
    )
    return link.url


@translated
def balance_changes(*, since: int) -> list[BalanceChange]:
    """Return the provider's own books from a time on (seconds since the epoch), oldest first."""
    pages = client().v1.balance_transactions.list({"created": {"gte": since}, "limit": 100, "expand": ["data.source"]})
    rows = [row.to_dict() for row in pages.auto_paging_iter()]
    return [_change(row, _reference(row)) for row in reversed(rows)]


def _change(row: dict[str, Any], reference: str) -> BalanceChange:
    return BalanceChange(
        row["id"], row["type"], row["amount"], row["fee"], row["currency"].upper(), reference, row["created"]
    )


def _reference(row: dict[str, Any]) -> str:
    """Return our name for what a line of the provider's books is about; its own, where we did not cause it."""
    source = row.get("source")
    if not isinstance(source, dict):
        return str(source or row["id"])
    return str((source.get("metadata") or {}).get(OP) or source["id"])


@translated
def events_since(since: int) -> list[Event]:
    """Return what the provider told of from a time on, oldest first: what webhooks lost is here."""
    pages = client().v1.events.list({"created": {"gte": since}, "limit": 100})
    return [_event(row.to_dict()) for row in reversed(list(pages.auto_paging_iter()))]


def verified_event(payload: bytes, signature: str) -> Event:
    """Return the event of a webhook whose signature one of our active secrets made less than five minutes ago.

    Raises
    ------
    SignatureError
        When it was not made by the provider, or is too old.
    """
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(payload.decode(), signature, secret, tolerance=300)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return _event(json.loads(payload))
    raise SignatureError("The signature is not the provider's, or more than five minutes old.")


def _made_by(op: str, rows: Iterator[Any]) -> dict[str, Any] | None:
    return next((found for row in rows if ((found := row.to_dict()).get("metadata") or {}).get(OP) == op), None)


def as_moved(row: dict[str, Any]) -> Moved:
    charged = row.get("latest_charge")
    change = charged.get("balance_transaction") if isinstance(charged, dict) else None
    fee = change["fee"] if isinstance(change, dict) else 0
    error, amount = row.get("last_payment_error") or {}, "amount_received" if row["status"] == "succeeded" else "amount"
    return Moved(row["id"], row["status"], row[amount], row["currency"].upper(), fee, error.get("code", ""))


def _moved(row: dict[str, Any]) -> Moved:
    return Moved(row["id"], row.get("status", "succeeded"), row["amount"], row["currency"].upper())


def _account(row: dict[str, Any]) -> PayoutAccount:
    is_ready = (row.get("capabilities") or {}).get("transfers") == "active" and bool(row.get("payouts_enabled"))
    return PayoutAccount(row["id"], is_ready, tuple((row.get("requirements") or {}).get("currently_due") or ()))


def _event(row: dict[str, Any]) -> Event:
    thing = row["data"]["object"]
    facts = {name: thing[name] for name in ("payment_intent", "charge", "amount") if name in thing}
    facts |= {"account": row["account"]} if row.get("account") else {}
    return Event(row["id"], row["type"], str(thing.get("id", "")), facts, int(row.get("created", 0)))

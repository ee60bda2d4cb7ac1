"""Money going out: connected accounts and their onboarding, transfers, reversals, payouts."""

import secrets

from embedded.payments.books import Books, Thing
from embedded.payments.errors import ProviderError
from embedded.payments.forms import Params, amount_of

NEEDED = ["business_profile.url", "external_account", "tos_acceptance.date"]


def create_account(books: Books, params: Params) -> Thing:
    """Make a connected account that still has to be onboarded."""
    account = books.make(
        "acct",
        "account",
        country=params.get("country", "US"),
        email=params.get("email"),
        controller=params.get("controller") or {},
        capabilities={"transfers": "inactive"},
        payouts_enabled=False,
        details_submitted=False,
        requirements={"currently_due": list(NEEDED), "past_due": [], "disabled_reason": "requirements.past_due"},
        metadata=dict(params.get("metadata") or {}),
    )
    books.tell("account.updated", account)
    return account


def create_link(books: Books, params: Params, base_url: str) -> Thing:
    """Return the address of the page that onboards an account, good for five minutes."""
    account = books.get("account", params["account"])
    token = secrets.token_urlsafe(16)
    link = {"object": "account_link", "created": books.now(), "expires_at": books.now() + 300}
    link["url"] = f"{base_url}/onboarding/{token}"
    books.things[f"link_{token}"] = link | {"account": account["id"], "return_url": params["return_url"]}
    return link


def onboard(books: Books, token: str) -> Thing:
    """Complete the onboarding a link was made for; return the link.

    Raises
    ------
    ProviderError
        404 for an unknown link, 410 for one that has run out.
    """
    link = books.things.get(f"link_{token}")
    if link is None:
        raise ProviderError(404, "invalid_request_error", "There is no such link.")
    if link["expires_at"] < books.now():
        raise ProviderError(410, "invalid_request_error", "This link has run out; ask for a new one.")
    account = books.get("account", link["account"])
    account["capabilities"]["transfers"] = "active"
    account["payouts_enabled"] = account["details_submitted"] = True
    account["requirements"] = {"currently_due": [], "past_due": [], "disabled_reason": None}
    books.tell("account.updated", account)
    return link


def create_transfer(books: Books, params: Params) -> Thing:
    """Send money from the platform to a connected account."""
    amount, currency = amount_of(params), params["currency"]
    account = books.get("account", params["destination"])
    if account["capabilities"]["transfers"] != "active":
        detail = "Your destination account needs to have at least one of the capabilities enabled: transfers."
        raise ProviderError(400, "invalid_request_error", detail, "insufficient_capabilities_for_transfer")
    books.require_balance(amount, currency)
    transfer = books.make(
        "tr",
        "transfer",
        amount=amount,
        amount_reversed=0,
        currency=currency,
        destination=account["id"],
        reversed=False,
        transfer_group=params.get("transfer_group"),
        metadata=dict(params.get("metadata") or {}),
    )
    transfer["balance_transaction"] = books.move("transfer", -amount, 0, currency, transfer["id"])["id"]
    books.move("payment", amount, 0, currency, transfer["id"], account["id"])
    books.tell("transfer.created", transfer)
    return transfer


def reverse_transfer(books: Books, identifier: str, params: Params) -> Thing:
    """Take a transfer back, whole or in part, as far as the account still has it."""
    transfer = books.get("transfer", identifier)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = amount_of(params) if "amount" in params else left
    if amount > left:
        raise ProviderError(400, "invalid_request_error", f"Only {left} are left to reverse.", "amount_too_large")
    books.require_balance(amount, transfer["currency"], transfer["destination"])
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    reversal = books.make("trr", "transfer_reversal", amount=amount, currency=transfer["currency"], transfer=identifier)
    reversal["metadata"] = dict(params.get("metadata") or {})
    books.move("payment_refund", -amount, 0, transfer["currency"], reversal["id"], transfer["destination"])
    moved = books.move("transfer_refund", amount, 0, transfer["currency"], reversal["id"])
    reversal["balance_transaction"] = moved["id"]
    books.tell("transfer.reversed", transfer)
    return reversal


def create_payout(books: Books, params: Params, account: str) -> Thing:
    """Send a balance to the bank; it arrives at once here."""
    amount, currency = amount_of(params), params["currency"]
    books.require_balance(amount, currency, account)
    payout = books.make("po", "payout", amount=amount, currency=currency, status="paid", account=account)
    payout["metadata"] = dict(params.get("metadata") or {})
    books.move("payout", -amount, 0, currency, payout["id"], account)
    books.tell("payout.paid", payout)
    return payout


def fail_payout(books: Books, params: Params) -> Thing:
    """Let a connected account's bank refuse what it was sent (on demand): the account is blocked until it is mended."""
    account = books.get("account", params["account"])
    payout = create_payout(books, params, account["id"])
    payout["status"], payout["failure_code"] = "failed", "account_closed"
    books.move("payout_failure", payout["amount"], 0, payout["currency"], payout["id"], account["id"])
    account["payouts_enabled"] = False
    account["requirements"] = {"currently_due": ["external_account"], "past_due": [], "disabled_reason": None}
    books.tell("payout.failed", payout, account["id"])
    books.tell("account.updated", account)
    return payout


def balance_of(books: Books, account: str) -> Thing:
    """Return what an account has, by currency."""
    rows = [(currency, amount) for (owner, currency), amount in sorted(books.balances.items()) if owner == account]
    available = [{"currency": currency, "amount": amount} for currency, amount in rows]
    return {"object": "balance", "available": available, "pending": [], "livemode": False}

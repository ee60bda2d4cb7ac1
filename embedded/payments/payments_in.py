"""Money coming in: customers, payment methods, payment intents, refunds, disputes."""

from typing import Final

from embedded.payments.books import Books, Thing, card_fee
from embedded.payments.errors import ProviderError
from embedded.payments.forms import Params, amount_of, is_true

DISPUTE_FEE: Final = 1500
BANK_DAYS_S: Final = 4 * 24 * 3600
_DECLINES: Final = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
}
_ASKS_BACK: Final = frozenset({"pm_card_authenticationRequired"})
_KNOWN: Final = {"pm_card_visa", "pm_card_mastercard", "pm_card_authenticationRequired", "pm_usBankAccount_success"}


def create_customer(books: Books, params: Params) -> Thing:
    """Make a customer."""
    return books.make("cus", "customer", email=params.get("email"), name=params.get("name"), metadata=_meta(params))


def attach_method(books: Books, token: str, params: Params) -> Thing:
    """Give a customer a payment method by one of the test tokens."""
    customer = books.get("customer", params["customer"])
    if token not in _KNOWN and token not in _DECLINES:
        raise ProviderError(404, "invalid_request_error", f"No such PaymentMethod: '{token}'", "resource_missing")
    kind = "us_bank_account" if token.startswith("pm_usBank") else "card"
    return books.make("pm", "payment_method", type=kind, token=token, customer=customer["id"], metadata={})


def create_intent(books: Books, params: Params) -> Thing:
    """Make a payment intent, and confirm it when asked to."""
    customer = books.get("customer", params["customer"]) if params.get("customer") else None
    intent = books.make(
        "pi",
        "payment_intent",
        amount=amount_of(params),
        amount_received=0,
        amount_capturable=0,
        currency=params["currency"],
        customer=customer["id"] if customer else None,
        payment_method=params.get("payment_method"),
        capture_method=params.get("capture_method", "automatic"),
        status="requires_payment_method" if not params.get("payment_method") else "requires_confirmation",
        latest_charge=None,
        last_payment_error=None,
        transfer_group=params.get("transfer_group"),
        metadata=_meta(params),
    )
    books.tell("payment_intent.created", intent)
    return confirm_intent(books, intent["id"], params) if is_true(params.get("confirm")) else intent


def confirm_intent(books: Books, identifier: str, params: Params) -> Thing:
    """Try to take the money."""
    intent = books.get("payment_intent", identifier)
    _require(intent, {"requires_payment_method", "requires_confirmation"}, "confirm")
    method = books.get("payment_method", params.get("payment_method") or intent["payment_method"] or "")
    if intent["customer"] != method["customer"]:
        raise ProviderError(400, "invalid_request_error", "The payment method belongs to another customer.")
    intent["payment_method"] = method["id"]
    token = method["token"]
    if token in _DECLINES:
        return _decline(books, intent, _DECLINES[token])
    if token in _ASKS_BACK and is_true(params.get("off_session")):
        return _decline(books, intent, "authentication_required")
    if method["type"] == "us_bank_account":
        intent["status"], intent["settles_at"] = "processing", books.now() + BANK_DAYS_S
        books.tell("payment_intent.processing", intent)
        return intent
    if intent["capture_method"] == "manual":
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        books.tell("payment_intent.amount_capturable_updated", intent)
        return intent
    return _take(books, intent, intent["amount"], "card")


def settle_due(books: Books) -> None:
    """Let the bank debits arrive whose time has come."""
    for intent in books.all("payment_intent"):
        if intent["status"] == "processing" and intent["settles_at"] <= books.now():
            _take(books, intent, intent["amount"], "us_bank_account")


def capture_intent(books: Books, identifier: str, params: Params) -> Thing:
    """Take a held amount, or a part; the rest of the hold is freed."""
    intent = books.get("payment_intent", identifier)
    _require(intent, {"requires_capture"}, "capture")
    amount = amount_of(params, "amount_to_capture") if "amount_to_capture" in params else intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise ProviderError(400, "invalid_request_error", "The amount is more than what is held.", "amount_too_large")
    intent["amount_capturable"] = 0
    return _take(books, intent, amount, "card")


def cancel_intent(books: Books, identifier: str, _params: Params) -> Thing:
    """Cancel an intent that took nothing yet."""
    intent = books.get("payment_intent", identifier)
    _require(intent, {"requires_payment_method", "requires_confirmation", "requires_capture"}, "cancel")
    intent["status"], intent["amount_capturable"] = "canceled", 0
    books.tell("payment_intent.canceled", intent)
    return intent


def create_refund(books: Books, params: Params) -> Thing:
    """Give money back; never more than was taken."""
    intent = books.get("payment_intent", params["payment_intent"])
    charge = books.get("charge", intent["latest_charge"] or "")
    left = charge["amount"] - charge["amount_refunded"]
    amount = amount_of(params) if "amount" in params else left
    if amount > left:
        code = "charge_already_refunded" if left == 0 else "amount_too_large"
        raise ProviderError(400, "invalid_request_error", f"Refund amount ({amount}) is more than {left}.", code)
    books.require_balance(amount, charge["currency"])
    charge["amount_refunded"] += amount
    refund = books.make(
        "re",
        "refund",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        status="succeeded",
        metadata=_meta(params),
    )
    refund["balance_transaction"] = books.move("refund", -amount, 0, charge["currency"], refund["id"])["id"]
    books.tell("charge.refunded", charge)
    return refund


def open_dispute(books: Books, params: Params) -> Thing:
    """Let a cardholder's bank take a payment back (on demand: no API of the provider does this)."""
    intent = books.get("payment_intent", params["payment_intent"])
    charge = books.get("charge", intent["latest_charge"] or "")
    dispute = books.make(
        "dp",
        "dispute",
        amount=charge["amount"],
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        status="needs_response",
    )
    moved = books.move("adjustment", -charge["amount"], DISPUTE_FEE, charge["currency"], dispute["id"])
    dispute["balance_transactions"] = [dict(moved)]
    books.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(books: Books, params: Params) -> Thing:
    """End a dispute as won (the money comes back, the fee does not) or lost (on demand)."""
    dispute = books.get("dispute", params["dispute"])
    dispute["status"] = params["status"]
    if dispute["status"] == "won":
        moved = books.move("adjustment", dispute["amount"], 0, dispute["currency"], dispute["id"])
        dispute["balance_transactions"].append(dict(moved))
    books.tell("charge.dispute.closed", dispute)
    return dispute


def fail_refund(books: Books, params: Params) -> Thing:
    """Let a refund come back because the card is gone (on demand)."""
    refund = books.get("refund", params["refund"])
    refund["status"], refund["failure_reason"] = "failed", "expired_or_canceled_card"
    books.move("refund_failure", refund["amount"], 0, refund["currency"], refund["id"])
    books.tell("refund.failed", refund)
    return refund


def _take(books: Books, intent: Thing, amount: int, method: str) -> Thing:
    charge = books.make(
        "ch",
        "charge",
        amount=amount,
        amount_refunded=0,
        currency=intent["currency"],
        customer=intent["customer"],
        payment_intent=intent["id"],
        transfer_group=intent["transfer_group"],
        metadata=dict(intent["metadata"]),
        status="succeeded",
    )
    moved = books.move("charge", amount, card_fee(amount, method), intent["currency"], charge["id"])
    charge["balance_transaction"] = moved["id"]
    intent["status"], intent["latest_charge"], intent["amount_received"] = "succeeded", charge["id"], amount
    books.tell("payment_intent.succeeded", intent)
    return intent


def _decline(books: Books, intent: Thing, decline_code: str) -> Thing:
    code = decline_code if decline_code in {"expired_card", "authentication_required"} else "card_declined"
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {"code": code, "decline_code": decline_code}
    books.tell("payment_intent.payment_failed", intent)
    message = "Your card was declined."
    raise ProviderError(402, "card_error", message, code, decline_code=decline_code, payment_intent=dict(intent))


def _require(intent: Thing, states: set[str], verb: str) -> None:
    if intent["status"] not in states:
        detail = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
        raise ProviderError(
            400, "invalid_request_error", detail, "payment_intent_unexpected_state", payment_intent=dict(intent)
        )


def _meta(params: Params) -> dict[str, str]:
    return dict(params.get("metadata") or {})

"""Amounts held on a card without being taken: authorised, then captured in part, or freed.

A payment can be captured or cancelled once, so these calls need no key of ours: whoever comes second is refused.
"""

from common.payment_types import Moved
from common.payments import OP, as_moved, client, translated

_WITH_FEE = ["latest_charge.balance_transaction"]


@translated
def authorize(*, customer: str, method: str, amount: int, currency: str, op: str, key: str) -> Moved:
    """Have an amount held on a saved card while its owner is away; it can be taken for a few days."""
    made = client().v1.payment_intents.create(
        {
            "amount": amount,
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "capture_method": "manual",
            "metadata": {OP: op},
        },
        {"idempotency_key": key},
    )
    return as_moved(made.to_dict())


@translated
def capture(identifier: str, *, amount: int) -> Moved:
    """Take a part of what is held, or all; the rest is freed."""
    taken = client().v1.payment_intents.capture(identifier, {"amount_to_capture": amount, "expand": _WITH_FEE})
    return as_moved(taken.to_dict())


@translated
def free(identifier: str) -> Moved:
    """Free what is held."""
    return as_moved(client().v1.payment_intents.cancel(identifier, {}).to_dict())

"""What the stand-in provider knows: its objects, its balances, and the events it tells of."""

import itertools
import secrets
import threading
import time
from collections import defaultdict
from typing import Any, Final

from embedded.payments.errors import ProviderError, missing

Thing = dict[str, Any]
PLATFORM: Final = ""
CARD_FEE_PER_MILLE: Final = 29
CARD_FEE_FIXED: Final = 30
BANK_FEE_PER_MILLE: Final = 8
BANK_FEE_MOST: Final = 500


class Books:
    """Everything in memory; every method is called under ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        self.events: list[Thing] = []
        self.clock_offset_s = 0.0
        self._numbers = itertools.count(1)

    def clear(self) -> None:
        """Forget everything; ids are never given twice all the same."""
        self.things.clear()
        self.balances.clear()
        self.events.clear()
        self.clock_offset_s = 0.0

    def now(self) -> int:
        """Return the virtual time, seconds since the epoch."""
        return int(time.time() + self.clock_offset_s)

    def make(self, prefix: str, kind: str, **fields: Any) -> Thing:
        """Make a thing with an id and the time."""
        identifier = f"{prefix}_{next(self._numbers):06d}{secrets.token_hex(4)}"
        thing = {"id": identifier, "object": kind, "created": self.now(), "livemode": False, **fields}
        self.things[identifier] = thing
        return thing

    def get(self, kind: str, identifier: str) -> Thing:
        """Return a thing of a kind.

        Raises
        ------
        ProviderError
            404 when there is none.
        """
        thing = self.things.get(identifier)
        if thing is None or thing["object"] != kind:
            raise missing(kind, identifier)
        return thing

    def all(self, kind: str) -> list[Thing]:
        """Return the things of a kind, newest first."""
        return [thing for thing in reversed(self.things.values()) if thing["object"] == kind]

    def move(self, kind: str, amount: int, fee: int, currency: str, source: str, account: str = PLATFORM) -> Thing:
        """Change a balance and return the balance transaction that says why."""
        self.balances[account, currency] += amount - fee
        return self.make(
            "txn",
            "balance_transaction",
            type=kind,
            amount=amount,
            fee=fee,
            net=amount - fee,
            currency=currency,
            source=source,
            status="available",
            account=account,
        )

    def require_balance(self, amount: int, currency: str, account: str = PLATFORM) -> None:
        """Refuse to send more than there is.

        Raises
        ------
        ProviderError
            400 ``balance_insufficient``.
        """
        if self.balances[account, currency] < amount:
            detail = "You have insufficient available funds in your Stripe account."
            raise ProviderError(400, "invalid_request_error", detail, "balance_insufficient")

    def tell(self, kind: str, thing: Thing, account: str = PLATFORM) -> None:
        """Append an event with the thing as it is now; ``account`` is the connected account it happened to."""
        event = self.make("evt", "event", type=kind, data={"object": dict(thing)}, pending_webhooks=1)
        if account:
            event["account"] = account
        self.events.append(event)

    def snapshot(self) -> Thing:
        """Return what a checker compares with somebody else's books."""
        return {
            "balances": [{"account": a, "currency": c, "amount": n} for (a, c), n in sorted(self.balances.items())],
            "things": list(self.things.values()),
        }


def card_fee(amount: int, method: str) -> int:
    """Return what the provider keeps of a payment.

    >>> card_fee(50_000, "card"), card_fee(50_000, "us_bank_account")
    (1480, 400)
    """
    if method == "us_bank_account":
        return min(amount * BANK_FEE_PER_MILLE // 1000, BANK_FEE_MOST)
    return amount * CARD_FEE_PER_MILLE // 1000 + CARD_FEE_FIXED

"""The demo's money: paid in by card, sent to vendors, partly given back; then counted through the API."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from embedded.demo.client import Client
from embedded.demo.setting import CURRENCY

TOP_UP_MINOR: Final = 52_000
TAKEN_BACK_MINOR: Final = 20_000
MICRO_PER_MINOR: Final = 10_000
LEAST_PAYOUT_MICRO: Final = 1_000_000
PATIENCE_S: Final = 90.0
POLL_S: Final = 0.5


class MoneyError(RuntimeError):
    """Money did not arrive."""


@dataclass(frozen=True, slots=True)
class VendorMoney:
    """What a vendor earned, was sent, and is still owed."""

    sent_micro: int
    owed_micro: int
    n_payouts: int

    @property
    def earned_micro(self) -> int:
        """All that labels earned."""
        return self.sent_micro + self.owed_micro


@dataclass(frozen=True, slots=True)
class Money:
    """Where the customer's money is; ``books`` are all accounts of the ledger by kind, ``run`` the last comparison."""

    topped_up_micro: int
    refunded_micro: int
    wallet_micro: int
    books: Mapping[str, int]
    run: Mapping[str, Any]
    vendors: Mapping[str, VendorMoney] = field(default_factory=dict)

    @property
    def uses(self) -> dict[str, int]:
        """What the customer's money became; all together it is what was topped up."""
        return {
            "paid to vendors": sum(vendor.earned_micro for vendor in self.vendors.values()),
            "platform fee": self.books.get("platform_fee", 0),
            "refunded": self.refunded_micro,
            "held": self.books.get("hold", 0),
            "left in the wallet": self.wallet_micro,
        }

    @property
    def provider_fee_micro(self) -> int:
        """What the payment provider kept of the card payment."""
        return -self.books.get("provider_fees", 0)

    @property
    def ledger_sum_micro(self) -> int:
        """All accounts together: 0 in books that balance."""
        return sum(self.books.values())

    @property
    def n_compared(self) -> int:
        """Lines of the provider's books that were compared."""
        return int(self.run["n_theirs"])

    @property
    def n_different(self) -> int:
        """Differences the last comparison found."""
        return int(self.run["n_differences"]) + len(self.run["book_problems"])

    @property
    def is_reconciled(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return self.n_compared > 0 and self.n_different == 0 and self.ledger_sum_micro == 0


def top_up(client: Client) -> None:
    """Pay into the wallet by card, and wait until the money is there."""
    client.post("/wallet/payment-methods/", {"token": "pm_card_visa"})
    client.post("/wallet/top-ups/", {"amount_minor": TOP_UP_MINOR, "currency": CURRENCY})
    _wait(lambda: balance_of(client, "wallet") >= TOP_UP_MINOR * MICRO_PER_MINOR, "The top-up did not arrive.")


def take_back(client: Client) -> None:
    """Wait until the ended jobs have given back what they held, and ask for a part of it on the card."""
    _wait(lambda: balance_of(client, "hold") == 0, "The jobs' budget was not given back.")
    paid = next(op for op in client.pages("/money/operations/") if op["kind"] == "top_up")
    client.post("/wallet/refunds/", {"top_up": paid["id"], "amount_minor": TAKEN_BACK_MINOR})
    _wait(lambda: not _open(client), "The refund did not arrive.")


def collect(customer: Client, vendors: Mapping[str, Client], staff: Client) -> Money:
    """Wait for the last payouts and for a comparison of books after them, and return what all accounts say."""
    _wait(lambda: all(is_paid(client) for client in vendors.values()), "Not every vendor was paid out.")
    before = _newest_run(staff)
    _wait(lambda: _newest_run(staff)["id"] != before["id"], "The books were not compared.")
    rows = staff.get("/reconciliation/books/")["balances"]
    done = [op for op in customer.pages("/money/operations/") if op["state"] == "done"]
    totals = {kind: sum(op["amount_minor"] for op in done if op["kind"] == kind) for kind in ("top_up", "refund")}
    return Money(
        topped_up_micro=totals["top_up"] * MICRO_PER_MINOR,
        refunded_micro=totals["refund"] * MICRO_PER_MINOR,
        wallet_micro=balance_of(customer, "wallet"),
        books={row["kind"]: row["amount_micro"] for row in rows if row["currency"] == CURRENCY},
        run=_newest_run(staff),
        vendors={key: of_vendor(client) for key, client in vendors.items()},
    )


def of_vendor(client: Client) -> VendorMoney:
    """Return a vendor's money."""
    sent = [op["amount_minor"] for op in client.pages("/money/operations/") if op["state"] == "done"]
    return VendorMoney(sum(sent) * MICRO_PER_MINOR, balance_of(client, "payable"), len(sent))


def is_paid(client: Client) -> bool:
    """Return whether nothing is on its way to a vendor and it is owed less than a payout needs."""
    return balance_of(client, "payable") < LEAST_PAYOUT_MICRO and not _open(client)


def balance_of(client: Client, kind: str) -> int:
    """Return what the caller has of one kind of money."""
    rows = client.get("/money/balances/")["balances"]
    return sum(row["amount_micro"] for row in rows if (row["kind"], row["currency"]) == (kind, CURRENCY))


def _open(client: Client) -> list[Any]:
    return [op for op in client.pages("/money/operations/") if op["state"] not in {"done", "failed"}]


def _newest_run(staff: Client) -> dict[str, Any]:
    rows = staff.get("/reconciliation/runs/", page_size=1)["results"]
    return dict(rows[0]) if rows else {"id": None}


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise MoneyError(otherwise)
        time.sleep(POLL_S)

"""Answers of the API as a small finished run gives them."""

from functools import cache
from typing import Any

from embedded.demo import material
from embedded.demo.payments import Money, VendorMoney
from embedded.demo.pool import DIGIT, FOREIGN, MessyDigits
from embedded.demo.results import Arm, Results


def event(kind: str, vendor: str | None = None, number: int = 1, **facts: Any) -> dict[str, Any]:
    return {"id": number, "kind": kind, "vendor_name": vendor, "facts": facts}


@cache
def pool() -> MessyDigits:
    return material.make(0).pool


def rows_of(kind: int, n: int) -> list[int]:
    return [int(row) for row in (pool().kind == kind).nonzero()[0][:n]]


def label_of(row: int, *, is_right: bool = True) -> dict[str, Any]:
    truth = int(pool().truth[row])
    if truth < 0:
        return {"key": material.key_of(row), "state": "unlabelable", "label": None, "cannot_label": "out_of_scope"}
    label = str(truth if is_right else (truth + 1) % 10)
    return {"key": material.key_of(row), "state": "labeled", "label": label, "cannot_label": None}


def arm(name: str, foreign: tuple[int, ...] = (2, 1), accuracies: tuple[float, ...] = (0.6, 0.8)) -> Arm:
    """Return a campaign of two rounds of ten records with so many foreign ones in each."""
    digits, strangers = rows_of(DIGIT, 20), rows_of(FOREIGN, 20)
    asked = []
    for number, n_foreign in enumerate(foreign, start=1):
        asked += [(number, digits.pop()) for _ in range(10 - n_foreign)]
        asked += [(number, strangers.pop()) for _ in range(n_foreign)]
    labels = [label_of(row, is_right=place > 0) for place, (_, row) in enumerate(asked)]
    rounds = [round_of(number, accuracy) for number, accuracy in enumerate(accuracies, start=1)]
    campaign = {"state": "finished", "max_rounds": len(foreign), "target_accuracy": None}
    picks = [{"round": n, "key": material.key_of(row), "words": "Covers <much>.", "arm": name} for n, row in asked]
    return Arm(name, {"spent_micro": 2_000_000}, campaign, rounds, picks, labels, [batch()], events())


def round_of(number: int, accuracy: float) -> dict[str, Any]:
    metrics = {"n_asked": 10 * number, "accuracy": accuracy, "accuracy_low": 0.5, "accuracy_high": 0.9}
    return {"number": number, "metrics": metrics}


def batch() -> dict[str, Any]:
    offers = [
        {"vendor_name": "Nightjar Data", "state": "expired", "reason": "no_answer", "assignment_state": None},
        {"vendor_name": "Halfway Labels", "state": "accepted", "reason": "", "assignment_state": "failed"},
        {"vendor_name": "Steady Hands", "state": "accepted", "reason": "", "assignment_state": "accepted"},
    ]
    return {"lot_number": 1, "chunk": 0, "layer": 0, "n_items": 22, "offers": offers}


def events() -> list[dict[str, Any]]:
    return [
        event("round.ordered", round=1, n_records=10),
        event("offer.expired", "Nightjar Data"),
        event("offer.accepted", "Steady Hands"),
        event("verdict.accepted", "Steady Hands", words="Fine."),
        event("assignment.settled", "Steady Hands", n_paid=20, vendor_micro=900_000, fee_micro=90_000),
        event("lot.closed", number=1, labeled=8, unlabelable=2, unresolved=0, open=0),
        event("round.evaluated", round=1, accuracy=0.61),
        event("campaign.finished", reason="All 2 rounds are done."),
    ]


def results(**arms: Arm) -> Results:
    chosen = arms or {"selector": arm("selector"), "random": arm("random", (3, 3), (0.5, 0.7))}
    belief = {"mean": 0.97, "low": 0.9, "high": 0.99}
    vendors = {"steady": {"state": "active", "scorecard": [{"accuracy": belief}]}}
    return Results(seed=0, elapsed_s=12.3, arms=chosen, vendors=vendors, money=money())


def money(**changes: Any) -> Money:
    """Return 20 dollars paid in, of which one vendor earned 3.05 and was sent 3."""
    books = {"provider": -9_000_000, "provider_fees": -880_000, "wallet": 9_525_000, "payable": 50_000, "hold": 0}
    stated: dict[str, Any] = {
        "topped_up_micro": 20_000_000,
        "refunded_micro": 7_120_000,
        "wallet_micro": 9_525_000,
        "books": books | {"platform_fee": 305_000},
        "run": {"n_theirs": 4, "n_differences": 0, "book_problems": []},
        "vendors": {"steady": VendorMoney(3_000_000, 50_000, 2)},
    }
    return Money(**(stated | changes))

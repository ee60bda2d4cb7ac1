"""What a run shows, in numbers: waste, accuracy, money, and the checks that may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from embedded.demo import material
from embedded.demo.payments import LEAST_PAYOUT_MICRO, Money
from embedded.demo.pool import FOREIGN, KINDS, MessyDigits
from embedded.demo.results import Arm, Results

JUNK = ("foreign", "corrupted")
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about the run, and whether it holds."""

    statement: str
    is_passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One campaign in numbers; shares are of the records asked, per round where plural."""

    name: str
    n_asked: int
    n_labeled: int
    n_unlabelable: int
    n_unresolved: int
    label_accuracy: float
    accuracies: tuple[float, ...]
    kinds_by_round: tuple[Mapping[str, int], ...]
    spent: float

    def share(self, *kinds: str) -> float:
        """Return the share of the records asked over the run that are of these kinds."""
        return sum(row[kind] for row in self.kinds_by_round for kind in kinds) / max(self.n_asked, 1)

    def shares(self, kind: str) -> list[float]:
        """Return a kind's share of the records asked, round by round."""
        return [row[kind] / max(sum(row.values()), 1) for row in self.kinds_by_round]


def of_arm(arm: Arm, pool: MessyDigits) -> ArmSummary:
    """Summarize a campaign; the truth of the simulation serves for judging only."""
    numbers = sorted({pick["round"] for pick in arm.picks})
    kinds = [[material.kind_of(pool, pick["key"]) for pick in arm.picks if pick["round"] == n] for n in numbers]
    labeled = [row for row in arm.labels if row["state"] == "labeled"]
    right = [row for row in labeled if row["label"] == str(pool.truth[material.row_of(row["key"])])]
    return ArmSummary(
        name=arm.name,
        n_asked=len(arm.picks),
        n_labeled=len(labeled),
        n_unlabelable=sum(row["state"] == "unlabelable" for row in arm.labels),
        n_unresolved=sum(row["state"] == "unresolved" for row in arm.labels),
        label_accuracy=len(right) / max(len(labeled), 1),
        accuracies=tuple(arm.accuracies),
        kinds_by_round=tuple({kind: row.count(kind) for kind in KINDS} for row in kinds),
        spent=arm.job["spent_micro"] / _MICRO,
    )


def pool_share(pool: MessyDigits, kind: int = FOREIGN) -> float:
    """Return a kind's share of the pool."""
    return float((pool.kind == kind).mean())


def price_of_everything(summary: ArmSummary, pool: MessyDigits) -> float:
    """Return what the whole pool would cost at this arm's average price per record asked."""
    return summary.spent / max(summary.n_asked, 1) * len(pool.X)


def checks(results: Results, pool: MessyDigits) -> list[Check]:
    """Return what is claimed of a run and whether it is so; the first ones decide whether the loop completed."""
    arms = {name: of_arm(arm, pool) for name, arm in results.arms.items()}
    selector, random = arms["selector"], arms["random"]
    return [*_loop_checks(results), *_selection_checks(selector, random, pool), *_money_checks(results.money)]


def _loop_checks(results: Results) -> list[Check]:
    found = []
    for name, arm in results.arms.items():
        n_closed = sum(row["metrics"] is not None for row in arm.rounds)
        detail = f"{n_closed} of {arm.campaign['max_rounds']} rounds, campaign {arm.campaign['state']}"
        found.append(Check(f"{name}: every round was labeled, vetted, trained on", arm.is_complete, detail))
        asked, decided = [p["key"] for p in arm.picks], [r["key"] for r in arm.labels if r["state"] != "open"]
        is_exact = sorted(asked) == sorted(decided) and len(set(asked)) == len(asked)
        detail = f"{len(asked)} asked, {len(decided)} decided, {len(set(decided))} different"
        found.append(Check(f"{name}: every record asked was decided exactly once", is_exact, detail))
    return found


def _selection_checks(selector: ArmSummary, random: ArmSummary, pool: MessyDigits) -> list[Check]:
    share, limit = selector.share("foreign"), pool_share(pool) / 2
    shares = selector.shares("foreign")
    so_far = running_mean(shares)
    final, control = _last(selector.accuracies), _last(random.accuracies)
    return [
        Check(
            "foreign rows bought: at most half their share of the pool", share <= limit, f"{share:.1%} <= {limit:.1%}"
        ),
        Check(
            "foreign share of all rows bought so far: falling round by round",
            is_falling(so_far),
            f"{' > '.join(f'{s:.1%}' for s in so_far)}; by round {', '.join(f'{s:.1%}' for s in shares)}",
        ),
        Check(
            "final accuracy: above the random control at equal labels",
            final > control and selector.n_asked == random.n_asked,
            f"{final:.1%} against {control:.1%} with {selector.n_asked} and {random.n_asked} records asked",
        ),
    ]


def _money_checks(money: Money | None) -> list[Check]:
    if money is None:
        return [Check("money went through the payment provider", False, "nothing was collected")]
    parts = " + ".join(f"{name} {micro / _MICRO:,.4f}" for name, micro in money.uses.items())
    n_late = sum(vendor.owed_micro >= LEAST_PAYOUT_MICRO for vendor in money.vendors.values())
    n_compared, n_different = money.n_compared, money.n_different
    return [
        Check(
            "every cent topped up is accounted for",
            money.topped_up_micro == sum(money.uses.values()),
            f"{money.topped_up_micro / _MICRO:,.2f} = {parts}",
        ),
        Check(
            "vendors were sent all they earned but fractions below a dollar",
            n_late == 0 and any(vendor.n_payouts for vendor in money.vendors.values()),
            f"{sum(v.n_payouts for v in money.vendors.values())} transfers, {n_late} vendors wait for more",
        ),
        Check(
            "our books are the payment provider's: each line compared",
            money.is_reconciled,
            f"{n_compared} lines there, {n_different} differ, the ledger sums to {money.ledger_sum_micro}",
        ),
    ]


def running_mean(shares: Sequence[float]) -> list[float]:
    """Return the mean of the shares up to each round; rounds are equally large.

    >>> running_mean([0.3, 0.1])
    [0.3, 0.2]
    """
    return [sum(shares[:n]) / n for n in range(1, len(shares) + 1)]


def is_falling(shares: Sequence[float]) -> bool:
    """Return whether no share is above the one before it.

    >>> is_falling([0.2, 0.1, 0.1]), is_falling([0.1, 0.2])
    (True, False)
    """
    return all(later <= earlier for earlier, later in pairwise(shares))


def _last(accuracies: Sequence[float]) -> float:
    return accuracies[-1] if accuracies else 0.0

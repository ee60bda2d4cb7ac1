"""What the cells say: paired differences with their errors, ranks, junk, labels to 95 %."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from benchmarks.selection.cells import REFERENCE, Played

Place = tuple[str, int]
Table = dict[str, dict[Place, Played]]


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm against another on the same pools and seeds, in points of AULC; labels as a geometric ratio."""

    arm: str
    n: int
    difference: float
    error: float
    p: float
    end: float
    end_error: float
    labels_ratio: float
    junk: float
    lost_classes: float


def tables(played: Iterable[Played], setting: str, *, is_cleaned: bool) -> Table:
    """Return the cells of one setting by arm and (pool, seed)."""
    found: Table = defaultdict(dict)
    for one in played:
        if one.cell.setting == setting and one.cell.is_cleaned == is_cleaned:
            found[one.cell.arm][one.cell.pool, one.cell.seed] = one
    return found


def paired(table: Table, arm: str, against: str = REFERENCE) -> Paired | None:
    """Return an arm against another over the places both have; None with fewer than two."""
    places = sorted(set(table.get(arm, {})) & set(table.get(against, {})))
    if len(places) < 2:
        return None
    mine, theirs = [table[arm][p].outcome for p in places], [table[against][p].outcome for p in places]
    gains = 100 * np.array([a.aulc - b.aulc for a, b in zip(mine, theirs, strict=True)])
    ends = 100 * np.array([(a.accuracy[-1] - b.accuracy[-1]) / a.reference for a, b in zip(mine, theirs, strict=True)])
    ratios = np.array([a.labels_to_reach / b.labels_to_reach for a, b in zip(mine, theirs, strict=True)])
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    p = float(2 * special.stdtr(len(gains) - 1, -abs(gains.mean()) / error)) if error > 0 else 1.0
    return Paired(
        arm,
        len(places),
        float(gains.mean()),
        error,
        p,
        float(ends.mean()),
        float(ends.std(ddof=1) / np.sqrt(len(ends))),
        float(np.exp(np.log(ratios).mean())),
        float(np.mean([outcome.junk for outcome in mine])),
        float(np.mean([outcome.n_lost_classes for outcome in mine])),
    )


def by_pool(table: Table, arm: str, against: str = REFERENCE) -> dict[str, Paired]:
    """Return an arm against another on each pool by itself: means can hide a pool that loses."""
    pools = sorted({pool for pool, _ in table.get(arm, {})})
    of_pool = {name: {a: {p: one for p, one in table[a].items() if p[0] == name} for a in table} for name in pools}
    found = {name: paired(rows, arm, against) for name, rows in of_pool.items()}
    return {name: pair for name, pair in found.items() if pair is not None}


@dataclass(frozen=True, slots=True)
class Standing:
    """An arm among all on the places that all share: mean rank, mean AULC with its error, junk, seconds a run."""

    arm: str
    rank: float
    aulc: float
    error: float
    junk: float
    cpu_s: float


def standings(table: Table) -> tuple[list[Standing], int]:
    """Return the arms, best mean rank first, over the places all of them have, and how many those are."""
    arms = sorted(table)
    places = sorted(set.intersection(*(set(table[arm]) for arm in arms))) if arms else []
    if not places:
        return [], 0
    scores = np.array([[table[arm][place].outcome.aulc for arm in arms] for place in places])  # (places, arms)
    ranks = stats.rankdata(-scores, axis=1).mean(axis=0)
    found = [
        Standing(
            arm,
            float(ranks[at]),
            float(scores[:, at].mean()),
            float(scores[:, at].std(ddof=1) / np.sqrt(len(places))) if len(places) > 1 else float("nan"),
            float(np.mean([table[arm][place].outcome.junk for place in places])),
            float(np.mean([table[arm][place].outcome.cpu_s for place in places])),
        )
        for at, arm in enumerate(arms)
    ]
    return sorted(found, key=lambda one: one.rank), len(places)


def curve(table: Table, arm: str) -> list[float]:
    """Return the mean accuracy over the reference by round, as far as all runs go."""
    runs = [np.array(one.outcome.accuracy) / one.outcome.reference for one in table[arm].values()]
    length = min(len(run) for run in runs)
    return [float(value) for value in np.mean([run[:length] for run in runs], axis=0)]

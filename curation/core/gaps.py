"""Regions of a pool with fewer labels than their share, and clusters that annotators cannot label.

References
----------
Kulldorff (1997), A Spatial Scan Statistic (the most unlikely ball, against labels dealt out anew).
Besag, Clifford (1991), Sequential Monte Carlo p-Values (dealing stops once chance has done as well).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats
from scipy.sparse import csgraph

from curation.core import topology
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, IntArray, squared_distances
from curation.core.problem import Problem
from curation.core.topology import Clusters

LEVEL = 0.002
"""Chance that answers for records drawn at random leave something behind that is told, for each of three tests."""
_DEALS = 999
_OF_EACH, _CENTRES = 2048, 256
"""Records with and without a label, at most, that are compared, and those of them around which balls are looked at."""
_STEP = 1.25
_GUARD = 0.01
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Region:
    """Records that lie together and hold fewer labels than their share, or that nobody could label.

    Attributes
    ----------
    rows
        Its records, rising.
    n_labeled, expected
        Labels in it, and how many there would be if as many records had been drawn at random.
    n_answered, n_rejected
        Answers in it, and those of them that say "cannot be labeled".
    shown
        Up to six records that stand for it, the one of highest density first.
    distance
        How far its usual record is from the nearest labeled one, in units of what is usual in the pool.
    """

    rows: IntArray
    n_labeled: int
    expected: float
    n_answered: int
    n_rejected: int
    shown: IntArray
    distance: float

    @property
    def rejected_ratio(self) -> float | None:
        """Share of its answers that say "cannot be labeled"; None where nothing was answered."""
        return self.n_rejected / self.n_answered if self.n_answered else None


def of_problem(problem: Problem, *, without: Sequence[int] = ()) -> list[Region]:
    """Return the regions of a problem's pool, without rows that are there for another reason than chance."""
    kept = np.setdiff1d(np.arange(len(problem.X)), np.array(without, dtype=np.int64))
    is_kept = np.isin(problem.asked.rows, kept)
    asked = Asked(
        np.searchsorted(kept, problem.asked.rows[is_kept]),
        problem.asked.labels[is_kept],
        problem.asked.weights[is_kept],
    )
    found = find(problem.scaled[kept], asked, problem.group[kept], problem.rng(11))
    return [replace(region, rows=kept[region.rows], shown=kept[region.shown]) for region in found]


def find(X: Float32Array, asked: Asked, group: IntArray, rng: np.random.Generator) -> list[Region]:
    """Return the regions with significantly fewer labels than their share, largest first.

    Parameters
    ----------
    X
        Scaled pool, or all asked rows and a random sample of the others, shape (n, d).
    asked
        What was asked of it, and the answers.
    group
        Near-duplicate groups, shape (n,): each counts once, as copies of a labeled record need no label.
    rng
        Draws what is compared, and deals labels out anew.

    Notes
    -----
    A region is a cluster (`topology.clusters`), or the part in one cluster of balls that overlap. Clusters are tested
    by the hypergeometric tail, Bonferroni corrected; balls of all sizes around 256 records by the most unlikely one of
    each of 999 deals of the labels. A cluster is told too when significantly more of its answers than elsewhere say
    "cannot be labeled". Each of the three tells of anything in one of 500 pools whose records were drawn at random.

    O(4,096 n d) time; no array is larger than (256, 4,096) or the pool.
    """
    labeled = asked.rows[asked.is_labeled & (asked.weights > 0)]
    _, first, unit = np.unique(group, return_index=True, return_inverse=True)
    has_label = np.zeros(len(first), dtype=np.bool_)
    has_label[unit[labeled]] = True
    if not 0 < has_label.sum() < len(first):
        return []
    Z = X[first]  # (u, d)
    shape = topology.clusters(Z, rng)
    piece = _pieces(Z, has_label, rng)
    cell = np.where(piece >= 0, piece * len(shape.size) + shape.label, -1)  # (u,)
    _take_whole(cell, shape, has_label)
    foreign = _foreign(shape, unit, asked.answered)
    cell[np.isin(shape.label, foreign)] = -1
    rows = [np.flatnonzero(cell[unit] == one) for one in np.unique(cell[cell >= 0])]
    rows = [some for some in rows if _is_low(some, labeled, len(X))]
    rows += [np.flatnonzero(shape.label[unit] == one) for one in foreign]
    away = _away(X, labeled)
    found = [_region(some, labeled, asked.answered, shape.density[unit], away) for some in rows]
    return sorted(found, key=lambda region: (-len(region.rows), region.rows[0]))


def _region(rows: IntArray, labeled: IntArray, answered: Asked, density: FloatArray, away: FloatArray) -> Region:
    inside = np.isin(answered.rows, rows)
    by_density = rows[np.argsort(-density[rows], kind="stable")]
    return Region(
        rows=rows,
        n_labeled=int(np.isin(labeled, rows).sum()),
        expected=len(labeled) * len(rows) / len(away),
        n_answered=int(inside.sum()),
        n_rejected=int((answered.labels[inside] < 0).sum()),
        shown=by_density[np.unique(np.linspace(0, len(rows), _SHOWN, endpoint=False).astype(np.int64))],
        distance=float(np.median(away[rows])),
    )


def _away(X: Float32Array, labeled: IntArray) -> FloatArray:
    """Return the distance of each record to the nearest labeled one over the median of those without, shape (n,)."""
    mark = labeled[topology.nearest(X, X[labeled])]
    distance = np.sqrt(((X - X[mark]).astype(np.float64) ** 2).sum(axis=1))
    usual = np.median(np.delete(distance, labeled)) if len(labeled) < len(X) else 0.0
    return np.asarray(distance / (usual if usual > 0 else 1.0))


def _is_low(rows: IntArray, labeled: IntArray, n: int) -> bool:
    """Whether records hold few labels also where copies count: where most labels went to copies, others look empty."""
    return bool(stats.hypergeom.cdf(np.isin(labeled, rows).sum(), n, len(labeled), len(rows)) <= LEVEL)


def _take_whole(cell: IntArray, shape: Clusters, has_label: BoolArray) -> None:
    """Make each cluster with too few labels one cell, unless a smaller part of it says where they are missing."""
    n_labeled = np.bincount(shape.label[has_label], minlength=len(shape.size))
    low = stats.hypergeom.cdf(n_labeled, len(cell), has_label.sum(), shape.size) * len(shape.size) <= LEVEL
    top = cell.max() + 1
    for one in np.flatnonzero(low):
        inside = shape.label == one
        covered = np.mean(cell[inside] >= 0)
        if covered == 0 or covered > 0.5:
            cell[inside] = top + one


def _foreign(shape: Clusters, unit: IntArray, answered: Asked) -> IntArray:
    """Return the clusters in which more of the answers than elsewhere say "cannot be labeled", and half at least."""
    at, rejected = shape.label[unit[answered.rows]], answered.labels < 0
    n_answered = np.bincount(at, minlength=len(shape.size))
    n_rejected = np.bincount(at[rejected], minlength=len(shape.size))
    chance = stats.hypergeom.sf(n_rejected - 1, len(at), rejected.sum(), n_answered)
    return np.flatnonzero((chance * len(shape.size) <= LEVEL) & (2 * n_rejected >= n_answered))


def _pieces(Z: Float32Array, has_label: BoolArray, rng: np.random.Generator) -> IntArray:
    """Return the number of the connected piece with too few labels that each row lies in, shape (u,); -1: in none.

    Of large pools rows with and without labels are drawn, and the others go with the nearest of those.
    """
    some = [rng.permutation(np.flatnonzero(has_label == value))[:_OF_EACH] for value in (False, True)]
    seen = np.sort(np.concatenate(some))  # (m,)
    piece = _scan(Z[seen], has_label[seen], rng)
    return piece if len(seen) == len(Z) else piece[topology.nearest(Z, Z[seen])]


def _scan(Z: Float32Array, has_label: BoolArray, rng: np.random.Generator) -> IntArray:
    """Return which piece of overlapping balls with too few labels each row lies in, shape (m,); -1: in none."""
    m = len(Z)
    sizes = _sizes(m, int(has_label.sum()))  # (j,)
    if not len(sizes):
        return _joined([], m)
    centres = Z[rng.permutation(m)[:_CENTRES]]
    order = np.argsort(squared_distances(centres, Z), axis=1, kind="stable")  # (c, m)
    rings = _rings(order, sizes)
    labeled = np.flatnonzero(has_label)
    counts = np.arange(min(sizes[-1], len(labeled)) + 1)
    each = stats.hypergeom.logpmf(counts[None, :], m, len(labeled), sizes[:, None])
    table = np.logaddexp.accumulate(each, axis=1)  # (j, counts): logarithm of the chance of so few labels
    own = _unlikely(rings[labeled], table)  # (c, j)
    limit = _limit(own.min(), lambda: float(_unlikely(rings[rng.permutation(m)[: len(labeled)]], table).min()))
    low = np.argsort(own.min(axis=1), kind="stable")[: int((own.min(axis=1) < limit).sum())]
    balls = [order[ball, : sizes[own[ball].argmin()]] for ball in low]
    return _joined(_adding(balls, has_label), m)


def _rings(order: IntArray, sizes: IntArray) -> IntArray:
    """Return between which balls around each centre each row lies, shape (m, c), numbered on from centre to centre."""
    ring = np.searchsorted(sizes, np.arange(order.shape[1]), side="right")  # (m,)
    rings = np.empty(order.shape[::-1], dtype=np.int64)
    rings[order, np.arange(len(order))[:, None]] = ring + (len(sizes) + 1) * np.arange(len(order))[:, None]
    return rings


def _adding(balls: list[IntArray], has_label: BoolArray) -> list[IntArray]:
    """Return those balls, the most unlikely first, that lack labels also where no earlier one lies."""
    is_new, kept = np.ones(len(has_label), dtype=np.bool_), []
    for ball in balls:
        rest = ball[is_new[ball]]
        if stats.hypergeom.cdf(has_label[rest].sum(), len(has_label), has_label.sum(), len(rest)) <= _GUARD:
            is_new[ball] = False
            kept.append(ball)
    return kept


def _joined(balls: list[IntArray], m: int) -> IntArray:
    """Return which piece of overlapping balls each row lies in, shape (m,); -1: in none."""
    if not balls:
        return np.full(m, -1, dtype=np.int64)
    n, member = len(balls), np.concatenate(balls)
    links = (np.repeat(np.arange(n), [len(ball) for ball in balls]), n + member)
    graph = sparse.csr_array((np.ones(len(member)), links), shape=(n + m, n + m))
    piece = csgraph.connected_components(graph, directed=False)[1][n:].astype(np.int64)
    return np.where(np.isin(np.arange(m), member), piece, -1)


def _sizes(m: int, n_labeled: int) -> IntArray:
    """Return the sizes of balls worth looking at: from where no label in it is unlikely, up to half of the rows."""
    all_sizes = np.unique((_STEP ** np.arange(np.log(m) / np.log(_STEP))).astype(np.int64))
    sizes = all_sizes[all_sizes <= m // 2]
    return sizes[stats.hypergeom.cdf(0, m, n_labeled, sizes) <= _GUARD]


def _unlikely(rings: IntArray, table: FloatArray) -> FloatArray:
    """Return the logarithm of the chance of so few labels in each ball, shape (c, j), from the rings they lie in."""
    n_sizes, c = len(table), rings.shape[1]
    counts = np.bincount(rings.ravel(), minlength=c * (n_sizes + 1)).reshape(c, -1)[:, :n_sizes].cumsum(axis=1)
    return np.asarray(table[np.arange(n_sizes), counts])


def _limit(own: float, deal: Callable[[], float]) -> float:
    """Return what balls must be more unlikely than; -infinity once chance has done as well as the best too often."""
    allowed = int(LEVEL * (_DEALS + 1))
    if own > np.log(LEVEL):
        return -np.inf
    least = [0.0] * allowed  # of all deals, rising
    for _ in range(_DEALS):
        least = sorted([*least, deal()])[:allowed]
        if least[-1] <= own:
            return -np.inf
    return least[-1]

"""From a clean pool to the one customers have: near copies, foreign rows, damaged rows and wrong answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.selection.pools import N_POOL, Clean
from curation.core.arrays import Float32Array, FloatArray, IntArray

UNIQUE, COPY, FOREIGN, DAMAGED = 0, 1, 2, 3
N_ANCHOR = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """Shares of the pool that are near copies, foreign, damaged; share of answers that are wrong, and how.

    ``junk`` names what the foreign rows are: of another kind ("foreign"), or one of `JUNK`.
    """

    copies: float = 0.0
    foreign: float = 0.0
    damaged: float = 0.0
    wrong: float = 0.0
    wrong_by_class: bool = False
    junk: str = "foreign"


USUAL = {
    "clean": Setting(),
    "dirty": Setting(0.30, 0.15, 0.05, 0.10),
    "foreign40": Setting(0.25, 0.40, 0.05, 0.10),
    "foreign60": Setting(0.15, 0.60, 0.05, 0.10),
    "noise25": Setting(0.30, 0.15, 0.05, 0.25, wrong_by_class=True),
}
OTHER_JUNK = {
    "mixtures20": Setting(0.15, 0.20, 0.05, 0.10, junk="mixtures"),
    "mixtures50": Setting(0.15, 0.50, 0.05, 0.10, junk="mixtures"),
    "shuffled50": Setting(0.15, 0.50, 0.05, 0.10, junk="shuffled"),
    "wide50": Setting(0.15, 0.50, 0.05, 0.10, junk="wide"),
    "saturated50": Setting(0.15, 0.50, 0.05, 0.10, junk="saturated"),
    "far_cluster50": Setting(0.15, 0.50, 0.05, 0.10, junk="far_cluster"),
    "blank50": Setting(0.15, 0.50, 0.05, 0.10, junk="blank"),
}
SETTINGS = USUAL | OTHER_JUNK


@dataclass(frozen=True, eq=False)
class Messy:
    """A pool with what annotators would answer (-1: cannot be labeled) and why, an anchor, and clean data."""

    X: Float32Array
    answer: IntArray
    kind: IntArray
    n_classes: int
    anchor: Float32Array
    X_test: Float32Array
    y_test: IntArray
    X_full: Float32Array
    y_full: IntArray


def make(clean: Clean, setting: Setting, seed: int) -> Messy:
    """Return the pool of one seed; the same seed gives the same records, whatever the setting's label noise."""
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(clean.X))
    n = min(N_POOL, len(order) - N_ANCHOR)
    anchor, X, y = clean.X[order[n : n + N_ANCHOR]], clean.X[order[:n]], clean.y[order[:n]]
    n_copies, n_foreign, n_damaged = (int(share * n) for share in (setting.copies, setting.foreign, setting.damaged))
    n_unique = n - n_copies - n_foreign - n_damaged
    source = _heavy_tailed(n_unique, n_copies, rng)
    copies = X[source] + rng.normal(size=(n_copies, X.shape[1])) * X.std(axis=0) * 0.05
    foreign = _foreign(clean, n_foreign, rng) if setting.junk == "foreign" else JUNK[setting.junk](X, n_foreign, rng)
    broken = n_unique + rng.choice(n - n_unique, n_damaged, replace=False)
    damaged = _damaged(X[broken], X.std(axis=0), rng)
    lost = rng.random(n_damaged) < 0.5
    guesses = np.where(lost, -1, rng.integers(0, clean.n_classes, n_damaged))
    answer = np.concatenate([y[:n_unique], y[source], np.full(n_foreign, -1), guesses])
    kind = np.repeat([UNIQUE, COPY, FOREIGN, DAMAGED], [n_unique, n_copies, n_foreign, n_damaged])
    mixed = rng.permutation(n)
    return Messy(
        np.concatenate([X[:n_unique], copies, foreign, damaged]).astype(np.float32)[mixed],
        _wrong(answer, setting, clean.n_classes, rng)[mixed],
        kind[mixed],
        clean.n_classes,
        anchor,
        clean.X_test,
        clean.y_test,
        X[:n_unique],
        y[:n_unique],
    )


def _heavy_tailed(n_sources: int, n_copies: int, rng: np.random.Generator) -> IntArray:
    weight = np.arange(1, n_sources + 1) ** -0.8
    return np.asarray(rng.choice(n_sources, n_copies, p=weight / weight.sum()))


def _foreign(clean: Clean, n: int, rng: np.random.Generator) -> Float32Array:
    outside = clean.outside if clean.outside is not None else _columns_shuffled(clean.X, rng)
    return outside[rng.choice(len(outside), n, replace=len(outside) < n)]


def _columns_shuffled(X: Float32Array, rng: np.random.Generator) -> Float32Array:
    return np.stack([rng.permutation(column) for column in X.T], axis=1)


def _shuffled(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return rows whose columns come from different records: every feature is usual, no row is."""
    return np.asarray(_columns_shuffled(X[rng.integers(0, len(X), n)], rng), dtype=np.float64)


def _mixtures(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return the means of two records each: two things in one record, in the middle of the pool."""
    return np.asarray((X[rng.integers(0, len(X), n)] + X[rng.integers(0, len(X), n)]) / 2, dtype=np.float64)


def _wide(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return Gaussian noise three times as wide as the pool in every feature."""
    return np.asarray(X.mean(axis=0) + rng.normal(size=(n, X.shape[1])) * 3 * X.std(axis=0))


def _saturated(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return records with each feature at its highest in the pool with a chance of a half."""
    return np.where(rng.random((n, X.shape[1])) < 0.5, X.max(axis=0), X[rng.integers(0, len(X), n)])


def _far_cluster(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return one dense cluster, four standard deviations off in every feature."""
    spread = X.std(axis=0)
    return np.asarray(
        X.mean(axis=0)
        + spread
        * (rng.choice([-4.0, 4.0], X.shape[1]) + 0.3 * rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, X.shape[1])))
    )


def _blank(X: Float32Array, n: int, rng: np.random.Generator) -> FloatArray:
    """Return one and the same record over and over, with the noise of its sensor: a lens cap."""
    return np.asarray(X.min(axis=0) + rng.normal(size=(n, X.shape[1])) * 0.02 * X.std(axis=0))


JUNK: dict[str, Callable[[Float32Array, int, np.random.Generator], FloatArray]] = {
    "mixtures": _mixtures,
    "shuffled": _shuffled,
    "wide": _wide,
    "saturated": _saturated,
    "far_cluster": _far_cluster,
    "blank": _blank,
}


def _damaged(X: Float32Array, spread: FloatArray, rng: np.random.Generator) -> FloatArray:
    hit = rng.random(X.shape) < 0.4
    return np.where(hit, X + rng.normal(size=X.shape) * 6 * spread, X)


def _wrong(answer: IntArray, setting: Setting, n_classes: int, rng: np.random.Generator) -> IntArray:
    """Return answers with mistakes: to any other class, or by class at .4 to .1, each to one fixed confuser."""
    known = answer >= 0
    rates: FloatArray = np.full(n_classes, setting.wrong, dtype=np.float64)
    shift: IntArray = rng.integers(1, n_classes, len(answer))
    if setting.wrong_by_class:
        rates *= np.linspace(1.6, 0.4, n_classes)
        shift = np.ones(len(answer), dtype=np.int64)
    slips = known & (rng.random(len(answer)) < rates[np.maximum(answer, 0)])
    return np.where(slips, (answer + shift) % n_classes, answer)

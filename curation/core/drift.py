"""Drift: whether batches that come in later are still of the make of a reference, with false alarms kept rare.

Every batch is looked at in up to four ways: the features one by one, how the parts of the pool are shared out, how many
records are unlike anything known, and what a model says. Each way is a test of two samples whose level is a share of
one false alarm in four hundred batches, however long the watch goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy import special, stats
from sklearn.cluster import KMeans

from curation.core.arrays import (
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    check_features,
    check_proba,
    nearest_squared,
)

LEVEL: Final = 0.0025
"""Chance of a false alarm per batch, all tests together: two in a hundred batches then happen in one watch of forty."""
LEAST_REFERENCE, LEAST_BATCH = 100, 10
_MOST_DIRECTIONS, _MOST_PARTS, _MOST_KNOWN = 16, 12, 4096
_LEAST_EXPECTED = 5.0
_FAR: Final = (0.005, 0.05)
_SHOWN = 3
_LEAST_MOVE = 0.1
_WINDOWS = 2
"""A batch alone, and together with the one before: a small shift shows in the second."""


class Way(StrEnum):
    """In which way a batch differs."""

    FEATURES = "features"
    MIXTURE = "mixture"
    NOVELTY = "novelty"
    OUTPUTS = "outputs"


@dataclass(frozen=True, eq=False)
class Records:
    """Records of one time: features, shape (n, d), and what a model said of them, shape (n, k), where it is known."""

    X: Float32Array
    proba: FloatArray | None = None

    def __post_init__(self) -> None:
        check_features(self.X)
        if self.proba is not None:
            check_proba(self.proba, len(self.X), self.proba.shape[1])

    def __len__(self) -> int:
        return len(self.X)

    def joined(self, other: "Records") -> "Records":
        """Return the records of both."""
        proba = None if self.proba is None or other.proba is None else np.concatenate([self.proba, other.proba])
        return Records(np.concatenate([self.X, other.X]), proba)


@dataclass(frozen=True, slots=True)
class Difference:
    """A way in which a batch differs, how unlikely that is by chance (all tests of the batch counted in), in words."""

    way: Way
    p: float
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch is: as usual, of a known season (``season``), or drifted; and all differences from the usual."""

    differences: tuple[Difference, ...]
    season: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether somebody has to look."""
        return bool(self.differences) and not self.season


class Reference:
    """Records of a time when all was well.

    One half, drawn at random, says where to look: scale, principal directions, parts, what is known. The other half is
    what batches are compared with, so that both are strangers to those choices and the tests keep their level.

    Parameters
    ----------
    records
        At least 100.
    rng
        Draws the halves and starts the clustering.

    Raises
    ------
    ValueError
        When there are fewer records.

    Notes
    -----
    O(n d^2) time; a batch then costs O(n 4096 d). Never n x n.
    """

    def __init__(self, records: Records, rng: np.random.Generator) -> None:
        if len(records) < LEAST_REFERENCE:
            raise ValueError(f"a reference needs at least {LEAST_REFERENCE} records, got {len(records)}")
        order = rng.permutation(len(records))
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        self._scale = Scaler.of(records.X[first])
        shown = self._scale(records.X[first])
        self._known = shown[:_MOST_KNOWN]
        _, _, directions = np.linalg.svd(shown - shown.mean(axis=0), full_matrices=False)
        self._directions = directions[:_MOST_DIRECTIONS].T  # (d, <= 16)
        n_parts = min(_MOST_PARTS, len(np.unique(self._known, axis=0)))
        seed = int(rng.integers(2**31))
        self._parts = KMeans(n_parts, n_init=3, random_state=seed).fit(self._known)
        self._usual = self._view(Records(records.X[second], None if records.proba is None else records.proba[second]))

    def _view(self, records: Records) -> "_View":
        if records.X.shape[1] != len(self._scale.mean):
            raise ValueError(f"a batch has {records.X.shape[1]} features, the reference {len(self._scale.mean)}")
        X = self._scale(records.X)
        return _View(
            records.X,
            X @ self._directions,
            self._parts.predict(X).astype(np.int64),
            np.asarray(nearest_squared(X, self._known), dtype=np.float64),
            records.proba,
        )

    def differences(self, batch: Records, before: Records | None = None) -> tuple[Difference, ...]:
        """Return how a batch differs, surest first; nothing is as usual.

        Parameters
        ----------
        batch
            At least 10 records.
        before
            The batch before, unless that one differed itself: both together show a shift too small for one.

        Raises
        ------
        ValueError
            When the batch is too small, or its features or outputs have another shape than the reference's.
        """
        if len(batch) < LEAST_BATCH:
            raise ValueError(f"a batch needs at least {LEAST_BATCH} records, got {len(batch)}")
        windows = [batch] if before is None else [batch, batch.joined(before)]
        found: dict[Way, Difference] = {}
        for window in windows:
            for one in _tested(self._usual, self._view(window)):
                if one.way not in found or one.p < found[one.way].p:
                    found[one.way] = one
        n_tests = _WINDOWS * len(found)
        corrected = [Difference(one.way, min(1.0, one.p * n_tests), one.words) for one in found.values()]
        return tuple(sorted((one for one in corrected if one.p < LEVEL), key=lambda one: one.p))


@dataclass(frozen=True, eq=False)
class _View:
    """Records as the tests see them: raw, along directions, by part, squared distance to what is known, outputs."""

    raw: Float32Array
    along: Float32Array
    part: IntArray
    distance: FloatArray
    proba: FloatArray | None


def watch(
    usual: Reference, batch: Records, before: Records | None = None, seasons: Mapping[str, Reference] | None = None
) -> Verdict:
    """Return what a batch is. One that differs from the usual and from no season that is known is of that season.

    Of several such seasons the first counts. The level holds for each reference on its own: a batch of a known season
    raises a false alarm no oftener than one of the usual kind.
    """
    found = usual.differences(batch, before)
    if found:
        for name, season in (seasons or {}).items():
            if not season.differences(batch):
                return Verdict(found, name)
    return Verdict(found)


def _tested(usual: _View, now: _View) -> list[Difference]:
    """Return every test with its p-value, not corrected for the others."""
    tests = [_features(usual, now), _mixture(usual, now), _novelty(usual, now)]
    if (usual.proba is None) != (now.proba is None):
        raise ValueError("give probabilities with the reference and with every batch, or with none")
    if usual.proba is not None and now.proba is not None:
        tests.append(_outputs(usual.proba, now.proba))
    return tests


def _features(usual: _View, now: _View) -> Difference:
    """Two-sample Kolmogorov-Smirnov tests along principal directions; words name the raw features that moved most."""
    p = _smirnov(usual.along, now.along)
    spread = usual.raw.std(axis=0) + 1e-12
    moved = (now.raw.mean(axis=0) - usual.raw.mean(axis=0)) / spread  # (d,)
    most = [at for at in np.argsort(-np.abs(moved), kind="stable")[:_SHOWN] if abs(moved[at]) >= _LEAST_MOVE]
    told = ", ".join(f"feature {at} by {moved[at]:+.1f}" for at in most)
    words = f"Features have moved, in standard deviations: {told}." if told else "Features are spread otherwise."
    return Difference(Way.FEATURES, p, words)


def _smirnov(usual: Float32Array, now: Float32Array) -> float:
    """Return the smallest p-value over the columns times their number."""
    p = [stats.ks_2samp(a, b, method="asymp").pvalue for a, b in zip(usual.T, now.T, strict=True)]
    return min(1.0, float(min(p)) * len(p))


def _mixture(usual: _View, now: _View) -> Difference:
    """Chi-squared test of how records are shared out over the parts of the reference."""
    n_parts = int(max(usual.part.max(), now.part.max())) + 1
    before, after = (np.bincount(view.part, minlength=n_parts) for view in (usual, now))
    change = after / after.sum() - before / before.sum()
    at = int(np.abs(change).argmax())
    share = f"{before[at] / before.sum():.0%} of records before, {after[at] / after.sum():.0%} now"
    return Difference(Way.MIXTURE, _chi_squared(before, after), f"One kind of record made up {share}.")


def _novelty(usual: _View, now: _View) -> Difference:
    """How many records lie farther from all that is known than the k-th farthest of the usual ones, for two k; exact.

    Alike, they are beta-binomial: what lies beyond an order statistic of a sample is beta distributed.
    """
    m, n = len(usual.distance), len(now.distance)
    far = np.sort(usual.distance)[::-1]
    p, shares = [], []
    for share in _FAR:
        k = max(1, round(share * m))
        n_beyond = int((now.distance > far[k - 1]).sum())
        p.append(float(stats.betabinom.sf(n_beyond - 1, n, k, m + 1 - k)))
        shares.append((n_beyond / n, k / m))
    beyond, expected = shares[int(np.argmin(p))]
    words = f"{beyond:.1%} of records are farther from those known than {expected:.1%} were before."
    return Difference(Way.NOVELTY, min(1.0, len(p) * min(p)), words)


def _outputs(usual: FloatArray, now: FloatArray) -> Difference:
    """Classes predicted, by chi-squared test, and how sure the model is, by Kolmogorov-Smirnov test."""
    n_classes = usual.shape[1]
    if now.shape[1] != n_classes:
        raise ValueError(f"a batch has probabilities of {now.shape[1]} classes, the reference of {n_classes}")
    before, after = (np.bincount(proba.argmax(axis=1), minlength=n_classes) for proba in (usual, now))
    p_classes = _chi_squared(before, after)
    p_sure = float(stats.ks_2samp(usual.max(axis=1), now.max(axis=1), method="asymp").pvalue)
    p = min(1.0, 2 * min(p_classes, p_sure))
    if p_classes > p_sure:
        mean = f"{usual.max(axis=1).mean():.0%} on average before, {now.max(axis=1).mean():.0%} now"
        return Difference(Way.OUTPUTS, p, f"The model is as sure as {mean}.")
    change = after / after.sum() - before / before.sum()
    at = int(np.abs(change).argmax())
    share = f"{before[at] / before.sum():.0%} of records before, {after[at] / after.sum():.0%} now"
    return Difference(Way.OUTPUTS, p, f"The model finds class {at} in {share}.")


def _chi_squared(before: IntArray, after: IntArray) -> float:
    """Return the p-value that two rows of counts are drawn alike; cells that expect fewer than five are joined."""
    total = before + after
    expected = total * (min(before.sum(), after.sum()) / total.sum())
    rare = expected < _LEAST_EXPECTED
    table = np.column_stack([np.stack([before, after])[:, ~rare], [before[rare].sum(), after[rare].sum()]])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    whole = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return float(special.chdtrc(table.shape[1] - 1, ((table - whole) ** 2 / whole).sum()))

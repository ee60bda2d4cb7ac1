"""Filtering: which new records are worth keeping, told one by one from what became of records before.

Curation is dynamic: it asks, learns, asks again, and its memory grows. A filter is the other half: learned once from
past outcomes, it scores any record alone, without pool, state or order, as records stream in.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special
from sklearn.linear_model import LogisticRegression

from curation.core.arrays import (
    BoolArray,
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    check_features,
    squared_distances,
)

LEAST_OF_EACH: Final = 10
"""Useful and useless records from which on a filter can be learned."""
_INVERSE_PENALTIES: Final = (0.1, 1.0, 10.0, 100.0)
_N_FOLDS = 5
_MAX_ITERATIONS = 500
_MOST_LANDMARKS = 256


@dataclass(frozen=True, eq=False)
class Filter:
    """Scores records by the probability that they turn out useful; the same record always gets the same score.

    Attributes
    ----------
    scale, landmarks, width
        How features are seen: scaled, and by their likeness to records of the past, shape (l, d).
    weights, offset
        Of the linear score of those, shape (d + l,).
    slope, shift
        Platt's calibration of the score, learned on records that the score had not seen.
    """

    scale: Scaler
    landmarks: Float32Array
    width: float
    weights: FloatArray
    offset: float
    slope: float
    shift: float

    def proba(self, X: Float32Array) -> FloatArray:
        """Return the calibrated probability that each record is useful, shape (n,).

        Raises
        ------
        ValueError
            When features are not finite, or not as many as those the filter was learned on.

        Notes
        -----
        O(n l d) time, and nothing is kept: a record's score does not depend on which others come with it.
        """
        score = _seen(self.scale(_checked(X)), self.landmarks, self.width) @ self.weights + self.offset
        return np.asarray(special.expit(self.slope * score + self.shift), dtype=np.float64)


def learn(X: Float32Array, is_useful: BoolArray, rng: np.random.Generator) -> Filter:
    """Learn a filter from records whose outcome is known.

    Parameters
    ----------
    X
        Features, shape (n, d).
    is_useful
        What became of each, shape (n,): labeled and of use, or not (could not be labeled, out of scope, judged useless
        after training).
    rng
        Draws the landmarks.

    Raises
    ------
    ValueError
        When lengths differ, or there are fewer than ten of either kind.

    Notes
    -----
    Logistic regression on scaled features and on their likeness to 256 landmarks, so that junk among the good is seen
    too; its penalty is the one that predicts left-out fifths best, and Platt's calibration is learned on those
    predictions. O(n l d) time, O(n l) memory; deterministic for a given generator.

    References
    ----------
    Platt (1999), Probabilistic Outputs for Support Vector Machines; Niculescu-Mizil, Caruana (2005), Predicting Good
    Probabilities with Supervised Learning.
    """
    _checked(X)
    is_useful = np.asarray(is_useful, dtype=np.bool_)
    if is_useful.shape != (len(X),):
        raise ValueError(f"{len(X)} records, outcomes of shape {is_useful.shape}")
    n_useful = int(is_useful.sum())
    if min(n_useful, len(X) - n_useful) < LEAST_OF_EACH:
        raise ValueError(
            f"a filter takes {LEAST_OF_EACH} useful and {LEAST_OF_EACH} useless records, got {n_useful} and "
            f"{len(X) - n_useful}"
        )
    scale = Scaler.of(X)
    scaled = scale(X)
    landmarks = scaled[np.sort(rng.choice(len(X), min(_MOST_LANDMARKS, len(X)), replace=False))]
    width = float(np.median(squared_distances(landmarks, landmarks))) or 1.0
    seen = _seen(scaled, landmarks, width)
    fold = np.empty(len(X), dtype=np.int64)
    for outcome in (False, True):  # each fold has its share of either
        rows = np.flatnonzero(is_useful == outcome)
        fold[rows] = np.arange(len(rows)) % _N_FOLDS
    tried = [_out_of_fold(seen, is_useful, fold, penalty) for penalty in _INVERSE_PENALTIES]
    calibrated = [_platt(scores, is_useful) for scores in tried]
    losses = [
        _loss(scores * slope + shift, is_useful) for scores, (slope, shift) in zip(tried, calibrated, strict=True)
    ]
    best = int(np.argmin(losses))
    weights, offset = _fit(seen, is_useful, _INVERSE_PENALTIES[best])
    return Filter(scale, landmarks, width, weights, offset, *calibrated[best])


def _checked(X: Float32Array) -> Float32Array:
    check_features(X)
    return X


def _seen(scaled: Float32Array, landmarks: Float32Array, width: float) -> FloatArray:
    """Return features and likeness to each landmark, shape (n, d + l)."""
    likeness = np.exp(-2 * squared_distances(scaled, landmarks) / width)
    return np.hstack([scaled, likeness]).astype(np.float64)


def _fit(seen: FloatArray, is_useful: BoolArray, inverse_penalty: float) -> tuple[FloatArray, float]:
    model = LogisticRegression(C=inverse_penalty, max_iter=_MAX_ITERATIONS, tol=1e-3).fit(seen, is_useful)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _out_of_fold(seen: FloatArray, is_useful: BoolArray, fold: IntArray, inverse_penalty: float) -> FloatArray:
    scores = np.empty(len(seen))
    for number in range(_N_FOLDS):
        out = fold == number
        weights, offset = _fit(seen[~out], is_useful[~out], inverse_penalty)
        scores[out] = seen[out] @ weights + offset
    return scores


def _platt(scores: FloatArray, is_useful: BoolArray) -> tuple[float, float]:
    """Return slope and shift of the logistic curve through scores and outcomes."""
    model = LogisticRegression(C=1e3, max_iter=_MAX_ITERATIONS).fit(scores[:, None], is_useful)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _loss(logit: FloatArray, is_useful: BoolArray) -> float:
    return float(np.logaddexp(0, np.where(is_useful, -logit, logit)).mean())

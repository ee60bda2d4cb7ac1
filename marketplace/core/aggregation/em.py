"""Expectation maximisation shared by the methods that model annotators."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.rows import Rows

TOLERANCE = 1e-4
"""EM stops when the mean over records of the summed change of the posterior falls below this."""
MAX_STEPS = 40
PSEUDO_SHARE = 0.1
"""Share of the records that are spread evenly over the classes before the class prior is learnt."""

MStep = Callable[[FloatArray], tuple[Rows, FloatArray]]


@dataclass(frozen=True, eq=False)
class Fit:
    """One fitted model: error rows, class prior (n_classes,), log-likelihood and posterior (n_tasks, n_classes)."""

    rows: Rows
    class_prior: FloatArray
    log_likelihood: FloatArray
    posterior: FloatArray


def normalise(log_weights: FloatArray) -> FloatArray:
    """Return rows proportional to exp(log_weights), summing to 1.

    >>> normalise(np.array([[0.0, np.log(3.0)], [-900.0, -900.0]])).round(2).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights)


def start(answers: Answers, known: Known) -> FloatArray:
    """Return the vote shares, one pseudo-vote of the classifier added, as the first posterior."""
    shares = answers.votes + 0.01
    if known.prior is not None:
        shares += np.nan_to_num(known.prior)
    return known.clamp(shares / shares.sum(axis=1, keepdims=True))


def run(
    answers: Answers,
    known: Known,
    posterior: FloatArray,
    m_step: MStep,
    *,
    max_steps: int = MAX_STEPS,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Alternate ``m_step`` and the posterior until it settles.

    Parameters
    ----------
    posterior
        Where to start, shape (n_tasks, n_classes); not changed.
    m_step
        From a posterior to error rows and class prior.
    max_steps
        At least 1.
    tolerance
        Stop below this mean change of a record's posterior.

    Returns
    -------
    Fit
        Its posterior belongs to its rows: one more E step would not change it.

    Notes
    -----
    O(steps x answers x classes). Gold records stay clamped throughout.
    """
    for _ in range(max_steps):
        rows, class_prior = m_step(posterior)
        log_likelihood = rows.log_likelihood(answers)  # (n_tasks, n_classes)
        updated = known.clamp(normalise(known.log_prior(class_prior) + log_likelihood))
        change = np.abs(updated - posterior).sum() / max(answers.n_tasks, 1)
        posterior = updated
        if change < tolerance:
            break
    return Fit(rows, class_prior, log_likelihood, posterior)


def class_shares(posterior: FloatArray, known: Known, pseudo_share: float) -> FloatArray:
    """Return the class prior learnt from the taught records.

    Smoothed by one pseudo-record a class and by ``pseudo_share`` of the records spread evenly, so that a rare class
    is never explained away.
    """
    taught = posterior[known.is_taught]
    counts = taught.sum(axis=0) + 1 + pseudo_share * len(taught) / posterior.shape[1]
    return np.asarray(counts / counts.sum())


def taught_counts(answers: Answers, known: Known, posterior: FloatArray) -> FloatArray:
    """Return soft counts at [annotator, given, true] over the taught records."""
    weighted = posterior * known.is_taught[:, np.newaxis]
    counts = answers.design.T @ weighted  # (n_annotators * n_classes, n_classes)
    return np.asarray(counts.reshape(answers.n_annotators, answers.n_classes, answers.n_classes))


def agreement(answers: Answers, known: Known, posterior: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return per annotator the summed probability of being right on taught records, and the weight of those answers."""
    counts = known.is_taught[answers.task] * answers.weights
    right = posterior[answers.task, answers.label] * counts
    size = answers.n_annotators
    return (
        sum_by(answers.annotator, right, size),
        sum_by(answers.annotator, counts, size),
    )

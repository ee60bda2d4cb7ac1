"""Answers that carry no information: independent of the truth, constant, or copied."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, special

from marketplace.core.aggregation import Aggregation, Answers
from marketplace.core.aggregation.answers import FloatArray

SPAM_PRIOR = 0.1
"""Share of annotators assumed to answer independently of the truth before anything is seen."""
ODD_PRIOR = 0.02
"""Share of annotators assumed to be informative in a way of their own, e.g. always inverting; the rest is skilled."""
ROW_PSEUDO_COUNT = 0.5
"""Dirichlet pseudo-count per cell of a free row (Jeffreys)."""
SKILLED_ROW = (8.0, 2.0)
"""Dirichlet pseudo-counts of a skilled annotator's row: on the right class, and spread over the others."""


def _log_evidence(counts: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return the log Dirichlet-multinomial evidence over the last axis."""
    cells = special.gammaln(counts + alpha) - special.gammaln(alpha)
    size = alpha.sum(axis=-1)
    return np.asarray(cells.sum(axis=-1) + special.gammaln(size) - special.gammaln(counts.sum(axis=-1) + size))


def spam_probability(counts: FloatArray) -> FloatArray:
    """Return the probability that answers are independent of the truth, from a confusion table of counts.

    Parameters
    ----------
    counts
        (Soft) counts at [..., true, given], >= 0, any number of leading axes. Without the annotator's own influence on
        the truth: gold, or records with at least two other answers.

    Returns
    -------
    numpy.ndarray
        Shape of the leading axes, in (0, 1): posterior of "all rows equal" against "skilled" and "rows free".

    Notes
    -----
    An annotator who always inverts is informative and scores near 0; no evidence gives the prior of 0.1.

    Examples
    --------
    >>> tables = np.array([[[40.0, 40.0], [40.0, 40.0]], [[1.0, 9.0], [9.0, 1.0]]])
    >>> spam_probability(tables).round(1).tolist()
    [0.8, 0.0]
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim < 2 or table.shape[-1] != table.shape[-2] or np.any(table < 0):
        raise ValueError(f"counts must be non-negative with square last axes, got shape {table.shape}")
    size = table.shape[-1]
    free = np.full(size, ROW_PSEUDO_COUNT)
    skilled = np.full((size, size), SKILLED_ROW[1] / max(size - 1, 1))
    np.fill_diagonal(skilled, SKILLED_ROW[0])
    odds = np.stack(
        [
            np.log(SPAM_PRIOR) + _log_evidence(table.sum(axis=-2), free),
            np.log(ODD_PRIOR) + _log_evidence(table, free).sum(axis=-1),
            np.log(1 - SPAM_PRIOR - ODD_PRIOR) + _log_evidence(table, skilled).sum(axis=-1),
        ]
    )
    return np.asarray(special.softmax(odds, axis=0)[0])


def spam_by_chance(right: FloatArray, judged: FloatArray, chance: float) -> FloatArray:
    """Return the probability that answers that are no classes are right only by chance.

    Parameters
    ----------
    right, judged
        Expected right answers and answers judged, shape (n_annotators,).
    chance
        Share of right answers that someone who does not look would reach, in (0, 1).

    Returns
    -------
    numpy.ndarray
        Shape (n_annotators,), in (0, 1): "by chance" against "skilled" and "any rate"; no evidence gives 0.1.

    Examples
    --------
    >>> spam_by_chance(np.array([0.0, 9.0]), np.array([10.0, 10.0]), 0.2).round(2).tolist()
    [0.85, 0.0]
    """
    wrong = np.maximum(judged - right, 0.0)
    strength = 10.0
    shapes = [(strength * chance, strength * (1 - chance)), SKILLED_ROW, (ROW_PSEUDO_COUNT, ROW_PSEUDO_COUNT)]
    priors = [SPAM_PRIOR, 1 - SPAM_PRIOR - ODD_PRIOR, ODD_PRIOR]
    odds = np.stack(
        [
            np.log(prior) + special.betaln(a + right, b + wrong) - special.betaln(a, b)
            for prior, (a, b) in zip(priors, shapes, strict=True)
        ]
    )
    return np.asarray(special.softmax(odds, axis=0)[0])


def is_constant(labels: npt.ArrayLike, class_prior: FloatArray, *, chance: float = 1e-3, least: int = 8) -> bool:
    """Return whether someone gives one and the same answer although the classes vary.

    Parameters
    ----------
    labels
        Class indices of one annotator's answers.
    class_prior
        Class shares of the job, shape (n_classes,).
    chance
        Flag when so many equal answers would happen by chance less often than this.
    least
        Never flag fewer answers.

    Examples
    --------
    >>> is_constant([1] * 12, np.array([0.5, 0.5])), is_constant([1] * 12, np.array([0.02, 0.98]))
    (True, False)
    """
    given = np.unique(np.asarray(labels), return_counts=True)
    if len(given[0]) != 1 or given[1][0] < least:
        return False
    return bool(given[1][0] * np.log(max(class_prior[given[0][0]], 1e-9)) < np.log(chance))


@dataclass(frozen=True, slots=True)
class Copy:
    """Two annotators with equal answers on all ``n_shared`` records; ``chance`` of that if they worked alone."""

    first: int
    second: int
    n_shared: int
    chance: float


def _equal_answers(answers: Answers) -> sparse.csr_array:
    """Return the number of equal answers of each pair of annotators, shape (n_annotators, n_annotators)."""
    by_label = answers.design.T.tocsr()  # (J * K, n_tasks)
    total = sparse.csr_array((answers.n_annotators, answers.n_annotators))
    for label in range(answers.n_classes):
        gave = by_label[label :: answers.n_classes]  # (J, n_tasks)
        total = total + gave @ gave.T
    return total.tocsr()


def copies(answers: Answers, result: Aggregation, *, chance: float = 1e-4, least: int = 10) -> list[Copy]:
    """Return pairs of annotators that agree on every shared record too often to have worked alone.

    Notes
    -----
    Two careful annotators agree often, and equal answers on easy records prove nothing: the chance is taken from both
    confusion matrices and the believed truth, so mostly shared *mistakes* tell. Two sparse products, then O(shared
    records) for each pair without a difference.
    """
    confusion = result.confusion  # (J, true, given)
    shape = (answers.n_annotators, answers.n_tasks)
    holds = sparse.csr_array((np.ones(len(answers)), (answers.annotator, answers.task)), shape=shape)
    shared = sparse.triu(holds @ holds.T, k=1).tocoo()  # (J, J)
    often = shared.data >= least
    first_of, second_of = shared.row[often], shared.col[often]
    if not len(first_of):
        return []
    is_same = shared.data[often] == _equal_answers(answers)[first_of, second_of]
    found = []
    for first, second in zip(first_of[is_same], second_of[is_same], strict=True):
        tasks = np.intersect1d(holds[[first]].indices, holds[[second]].indices)
        agree = (confusion[first] * confusion[second]).sum(axis=1)  # (true,)
        probability = float(np.exp(np.log(result.posterior[tasks] @ agree).sum()))
        if probability < chance:
            found.append(Copy(int(first), int(second), len(tasks), probability))
    return sorted(found, key=lambda copy: copy.chance)

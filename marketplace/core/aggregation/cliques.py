"""Annotators who copy each other or one source: found by agreement beyond what their skills explain.

Two annotators share a record of true class k; by their matrices they agree with probability sum_l P_a(l|k) P_b(l|k).
Pairs that agree so much more often that most of their expected disagreements are missing are joined to cliques; on each
record the answers of a clique count as one. A hard record that misleads everybody alike makes no clique: agreement then
rises a little in all pairs, not nearly to the full in some.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from marketplace.core.aggregation.answers import Answers, FloatArray, IntArray

LEAST_SHARED = 10
"""Records that two annotators must share to be compared."""
LEAST_COPIED = 0.5
"""Share of their expected disagreements that must have turned into agreements."""
EXCESS_ALONE, EXCESS_TOGETHER = 4.0, 2.0
"""Standard errors by which a pair must agree more often than expected: alone, or where a third agrees so with both."""
MOST_ANNOTATORS, MOST_PAIRS = 4_000, 20_000_000
"""Annotators, and pairs of answers on one record, beyond which a job is not searched."""
MOST_CELLS = 1_000_000_000
"""The same for answers on a record times annotators squared."""
CHUNK = 16_384
"""Pairs of annotators compared at a time: bounds the memory."""


def _pairs(answers: Answers) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the positions of each two answers on one record, some at a time.

    The answers stand in the order of record and annotator, so a pair is a distance in that order.
    """
    start = np.flatnonzero(answers.task[1:] == answers.task[:-1]).astype(np.int32)
    distance = 1
    while len(start):
        yield start, start + np.int32(distance)
        distance += 1
        start = start[start + distance < len(answers)]
        start = start[answers.task[start + distance] == answers.task[start]]


def _compared(answers: Answers) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return the pairs of annotators that share enough records: first, second, records shared, agreements."""
    size = answers.n_annotators
    row = np.arange(size)
    offset = (row * (2 * size - row - 3) // 2 - 1).astype(np.int32)  # upper triangle without the diagonal, row by row
    n_pairs = size * (size - 1) // 2
    shared, agreed = np.zeros(n_pairs, dtype=np.int32), np.zeros(n_pairs, dtype=np.int32)
    for one, other in _pairs(answers):
        key = offset[answers.annotator[one]] + answers.annotator[other]
        shared += np.bincount(key, minlength=n_pairs).astype(np.int32)
        agreed += np.bincount(key[answers.label[one] == answers.label[other]], minlength=n_pairs).astype(np.int32)
    enough = np.flatnonzero(shared >= LEAST_SHARED)
    first = np.searchsorted(offset[:-1] + row[1:], enough, side="right") - 1
    second = enough - offset[first]
    counts = shared[enough].astype(np.float64), agreed[enough].astype(np.float64)
    return first.astype(np.int32), second.astype(np.int32), *counts


def _is_searched(answers: Answers) -> bool:
    n_pairs = (answers.per_task.astype(np.int64) * (answers.per_task - 1)).sum() // 2
    n_cells = int(answers.per_task.max(initial=0)) * answers.n_annotators**2
    return 0 < n_pairs <= MOST_PAIRS and answers.n_annotators <= MOST_ANNOTATORS and n_cells <= MOST_CELLS


def groups(answers: Answers, label: IntArray, confusion: FloatArray) -> IntArray:
    """Return the clique of each annotator, shape (n_annotators,); who copies nobody has a number of their own.

    Parameters
    ----------
    label
        Class believed of each record, shape (n_tasks,).
    confusion
        P(given | true) at [annotator, true, given].

    Notes
    -----
    O(sum over records of answers squared) plus O(pairs x classes squared) for pairs with enough shared records; nobody
    is joined in jobs beyond :data:`MOST_ANNOTATORS` or :data:`MOST_PAIRS`. The beliefs contain the pair's own answers,
    which raises the expected agreement: the test errs to the safe side.
    """
    alone = np.arange(answers.n_annotators, dtype=np.int32)
    if not _is_searched(answers):
        return alone
    first, second, shared, agreed = _compared(answers)
    if not len(first):
        return alone
    shares = np.bincount(label[answers.task], minlength=answers.n_classes) / len(answers)
    flat = (confusion * np.sqrt(shares)[:, np.newaxis]).reshape(answers.n_annotators, -1)
    chance = np.concatenate(
        [
            np.einsum("pl,pl->p", flat[first[at : at + CHUNK]], flat[second[at : at + CHUNK]])
            for at in range(0, len(first), CHUNK)
        ]
    )
    excess = agreed - shared * chance
    error = np.sqrt(shared * chance * (1 - chance) + 1)
    score = np.where(excess > LEAST_COPIED * shared * (1 - chance), excess / error, 0.0)
    return _joined(first, second, score, alone)


def _joined(first: IntArray, second: IntArray, score: FloatArray, alone: IntArray) -> IntArray:
    """Return the connected groups of pairs that are evident alone, or by a third who agrees with both."""
    is_likely = score > EXCESS_TOGETHER
    if not is_likely.any():
        return alone
    likely = _graph(first[is_likely], second[is_likely], len(alone))
    thirds = (likely + likely.T) @ (likely + likely.T)
    has_third = np.asarray(thirds[first, second]).ravel() > 0
    kept = (score > EXCESS_ALONE) | (is_likely & has_third)
    edges = _graph(first[kept], second[kept], len(alone))
    return np.asarray(csgraph.connected_components(edges, directed=False)[1], dtype=np.int32)


def _graph(first: IntArray, second: IntArray, size: int) -> "sparse.csr_array":
    return sparse.coo_array((np.ones(len(first)), (first, second)), shape=(size, size)).tocsr()


def share_one_answer(answers: Answers, group: IntArray) -> FloatArray:
    """Return the weight of each answer, shape (n,): one over the answers of its clique on the record.

    >>> answers = Answers([0, 0, 0], [0, 1, 2], [1, 1, 0], 1, 3, 2)
    >>> share_one_answer(answers, np.array([0, 0, 1])).tolist()
    [0.5, 0.5, 1.0]
    """
    key = answers.task.astype(np.int64) * (int(group.max(initial=0)) + 1) + group[answers.annotator]
    _, where, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(1 / count[where])

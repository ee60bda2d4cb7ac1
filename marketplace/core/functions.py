"""Labeling functions: rules and other weak sources that vote on records, or abstain, for nothing.

What people say is inferred from people alone; each function is then measured against it and adds to the belief about a
record. So a function can neither earn trust from another function nor touch what is believed of an annotator.

References
----------
A. Ratner et al., "Data programming: creating large training sets, quickly", 2016, for the idea; here the error model is
learnt against people's answers instead of against the functions' agreement with each other.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, special
from scipy.sparse import csgraph

from marketplace.core.aggregation import Answers, cliques, em, evidence
from marketplace.core.aggregation.answers import BoolArray, FloatArray, IntArray, sum_by
from marketplace.core.aggregation.skill import CORRELATION

PSEUDO_VOTES = 4.0
"""Votes at the rate of chance that every function starts with: one that nobody measured tells nothing."""
ALIKE, LEAST_ALIKE = 0.98, 20
"""Agreement, over so many records both vote on, from which two functions count as one whatever their accuracy."""


@dataclass(frozen=True, eq=False)
class Functions:
    """What is known of each function; all but ``confusion`` of shape (n_functions,).

    Attributes
    ----------
    accuracy, low, high
        Share of right votes with the central 90 % interval; NaN where no voted record has people's answers.
    n_judged
        Votes on records that people answered.
    coverage
        Share of the records on which it votes.
    overlap, conflict
        Share of the records on which another one votes too, and on which another one votes something else.
    clique
        Functions with one number count as one where they vote on the same record.
    confusion
        P(vote | true) at [function, true, vote], shape (n_functions, n_classes, n_classes).
    """

    accuracy: FloatArray
    low: FloatArray
    high: FloatArray
    n_judged: IntArray
    coverage: FloatArray
    overlap: FloatArray
    conflict: FloatArray
    clique: IntArray
    confusion: FloatArray


def measure(votes: Answers, people: FloatArray, is_answered: BoolArray) -> Functions:
    """Return what is known of functions by what people say.

    Parameters
    ----------
    votes
        Functions in the place of annotators; abstaining is having no vote.
    people
        Posterior from people's answers and gold alone, shape (n_tasks, n_classes).
    is_answered
        Whether people's answers (or gold) are behind it, shape (n_tasks,).

    Raises
    ------
    ValueError
        When the shapes do not fit.

    Notes
    -----
    Posteriors count as they are, in part for each class. The accuracy is what is left when people's own doubt is taken
    out; ``confusion``, on which beliefs rest, is not mended so: where people err, a function tells less. O(votes x
    classes).

    Examples
    --------
    >>> votes = Answers([0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 0, 1], 5, 1, 2)
    >>> sure = np.array([[1.0, 0], [0, 1.0], [1.0, 0], [1.0, 0], [0.5, 0.5]])
    >>> found = measure(votes, sure, np.array([True, True, True, True, False]))
    >>> found.accuracy.tolist(), found.coverage.tolist(), found.n_judged.tolist()
    ([0.75], [0.8], [4])
    """
    if people.shape != (votes.n_tasks, votes.n_classes) or is_answered.shape != (votes.n_tasks,):
        raise ValueError(f"people {people.shape}, is_answered {is_answered.shape} for {votes.n_tasks} records")
    judged = is_answered[votes.task]
    size, n_classes = votes.n_annotators, votes.n_classes
    counts = np.zeros((size, n_classes, n_classes))  # (F, given, true)
    np.add.at(counts, (votes.annotator[judged], votes.label[judged]), people[votes.task[judged]])
    counts = counts.transpose(0, 2, 1)  # (F, true, given)
    n_judged, right = counts.sum(axis=(1, 2)), np.trace(counts, axis1=1, axis2=2)
    sure = sum_by(votes.annotator[judged], people[votes.task[judged]].max(axis=1), size)
    accuracy, low, high = _shares(right, n_judged, sure, n_classes)
    confusion = _confusion(counts, right, n_judged)
    others, dissent = _company(votes)
    n_votes = np.maximum(votes.per_annotator, 1)
    return Functions(
        accuracy,
        low,
        high,
        np.round(n_judged).astype(np.int32),
        votes.per_annotator / max(votes.n_tasks, 1),
        sum_by(votes.annotator, others.astype(np.float64), size) / n_votes,
        sum_by(votes.annotator, dissent.astype(np.float64), size) / n_votes,
        _cliques(votes, people, is_answered, confusion),
        confusion,
    )


def _shares(
    right: FloatArray, n: FloatArray, sure: FloatArray, n_classes: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shares with intervals on the effective number of votes; NaN without any.

    Where people are right with probability r, a function of accuracy a agrees with them in a r + (1 - a)(1 - r)/(K - 1)
    of the votes: that is solved for a, people's confidence being their r.
    """
    is_known = n > 0
    counted = np.maximum(n, 1e-9)
    observed, r = right / counted, np.where(is_known, sure / counted, 1.0)
    chance = (1 - r) / max(n_classes - 1, 1)
    effective = n / (1 + CORRELATION * n)
    alpha, beta = observed * effective + 0.5, (1 - observed) * effective + 0.5
    ends = [observed, special.betaincinv(alpha, beta, 0.05), special.betaincinv(alpha, beta, 0.95)]
    mean, low, high = (np.clip((end - chance) / np.maximum(r - chance, 0.2), 0, 1) for end in ends)
    low, high = np.minimum(low, mean), np.maximum(high, mean)
    return np.where(is_known, mean, np.nan), np.where(is_known, low, np.nan), np.where(is_known, high, np.nan)


def _confusion(counts: FloatArray, right: FloatArray, n_judged: FloatArray) -> FloatArray:
    """Return rows shrunk to the function's own one-coin row, and that to chance."""
    n_classes = counts.shape[1]
    own = (right + PSEUDO_VOTES / n_classes) / (n_judged + PSEUDO_VOTES)  # (F,)
    off = (1 - own) / max(n_classes - 1, 1)
    coin = np.broadcast_to(off[:, np.newaxis, np.newaxis], counts.shape).copy()
    coin[:, np.arange(n_classes), np.arange(n_classes)] = own[:, np.newaxis]
    return np.asarray((counts + PSEUDO_VOTES * coin) / (counts.sum(axis=2, keepdims=True) + PSEUDO_VOTES))


def _company(votes: Answers) -> tuple[BoolArray, BoolArray]:
    """Return of each vote whether others voted on the record, and whether one voted something else, shape (n,)."""
    total = votes.per_task[votes.task]
    same = votes.by_class(np.ones(len(votes)))[votes.task, votes.label]
    return total > 1, total > same


def _cliques(votes: Answers, people: FloatArray, is_answered: BoolArray, confusion: FloatArray) -> IntArray:
    """Return the clique of each function: alike nearly everywhere, or beyond what their accuracies explain."""
    kept = is_answered[votes.task]
    known = replace(
        votes, task=votes.task[kept], annotator=votes.annotator[kept], label=votes.label[kept], at=None, weight=None
    )
    found = cliques.groups(known, people.argmax(axis=1).astype(np.int32), confusion)
    size = votes.n_annotators
    voted = sparse.csr_array((np.ones(len(votes)), (votes.annotator, votes.task)), shape=(size, votes.n_tasks))
    said = votes.task.astype(np.int64) * votes.n_classes + votes.label
    named = sparse.csr_array(
        (np.ones(len(votes)), (votes.annotator, said)), shape=(size, votes.n_tasks * votes.n_classes)
    )
    shared, agreed = (voted @ voted.T).toarray(), (named @ named.T).toarray()
    alike = (shared >= LEAST_ALIKE) & (agreed >= ALIKE * shared)
    joined = alike | (found[:, np.newaxis] == found[np.newaxis])
    return np.asarray(csgraph.connected_components(joined, directed=False)[1], dtype=np.int32)


def combined(votes: Answers, people: FloatArray, known: Functions) -> FloatArray:
    """Return the belief from people and functions together, shape (n_tasks, n_classes), rows sum to 1.

    Notes
    -----
    The votes of a clique on a record share one vote. All votes on a record together are tempered by the evidence in
    them, as answers are: twenty functions that fail alike on a hard record do not make it certain. A record on which
    people are certain (gold) stays as it is.
    """
    weighted = replace(votes, weight=cliques.share_one_answer(votes, known.clique))
    shares = np.clip(people.mean(axis=0), 1e-6, None) if len(people) else np.full(votes.n_classes, 1.0)
    information = evidence.information(known.confusion, shares / shares.sum())
    power = evidence.exponent(evidence.per_task(weighted, information), evidence.default_threshold(votes.n_classes))
    said = np.log(known.confusion).transpose(0, 2, 1)[weighted.annotator, weighted.label]  # (n, n_classes)
    spoken = np.zeros_like(people)
    np.add.at(spoken, weighted.task, said * weighted.weights[:, np.newaxis])
    with np.errstate(divide="ignore"):
        logs = np.log(people)
    return em.normalise(logs + power[:, np.newaxis] * spoken)

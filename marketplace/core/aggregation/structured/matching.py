"""Which of several annotators' items are the same object: one-to-one matching by overlap, clusters, quorum."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from marketplace.core.aggregation.answers import FloatArray

Item = Mapping[str, Any]
Overlap = Callable[[Sequence[Item], Sequence[Item]], FloatArray]
Cluster = list[tuple[int, Item]]
"""(annotator, item) of one object."""

LEAST_OVERLAP = 0.5
"""Intersection over union from which two items may be the same object."""
QUORUM = 0.5
"""Share of the annotators' weight that must see an object (more than this)."""


def pairs(overlap: FloatArray, least: float = LEAST_OVERLAP) -> list[tuple[int, int]]:
    """Return the best one-to-one matching of rows to columns in which each pair overlaps enough.

    >>> pairs(np.array([[0.9, 0.6], [0.8, 0.1]]))
    [(0, 1), (1, 0)]
    """
    if not overlap.size:
        return []
    gain = np.where(overlap >= least, overlap, 0.0)
    rows, columns = linear_sum_assignment(-gain)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if gain[i, j] > 0]


def clusters(
    answers: Sequence[Sequence[Item]],
    share: FloatArray,
    overlap: Overlap,
    centre: Callable[[Cluster], Item],
    least: float = LEAST_OVERLAP,
) -> list[Cluster]:
    """Return the objects of one record, each with who saw it and how.

    Parameters
    ----------
    answers
        Per annotator the items; an empty list says that there is nothing.
    share
        The annotators' weights, shape (n_annotators,).
    overlap
        Intersection over union of two lists of items, shape (n_first, n_second).
    centre
        The item that stands for a cluster.

    Notes
    -----
    Clusters grow by matching each annotator's items (the most skilled first, among equals who agrees most with the
    others) to the present centres. So the order of the answers matters only where two annotators tie in both.
    """
    found: list[Cluster] = []
    central = [sum(mean_overlap(mine, other, overlap) for other in answers) for mine in answers]
    for person in np.lexsort((-np.round(central, 9), -share)):
        items = answers[person]
        matched = pairs(overlap([centre(cluster) for cluster in found], items), least) if found and items else []
        for cluster, index in matched:
            found[cluster].append((int(person), items[index]))
        taken = {index for _, index in matched}
        found += [[(int(person), item)] for index, item in enumerate(items) if index not in taken]
    return found


def elected(cluster: Cluster, share: FloatArray) -> tuple[int, float, float]:
    """Return the class with most weight, the weight of who saw the object, and the share of it that names the class."""
    votes: dict[int, float] = {}
    for person, item in cluster:
        votes[item["class"]] = votes.get(item["class"], 0.0) + float(share[person])
    best = max(sorted(votes), key=lambda index: votes[index])
    seen = sum(votes.values())
    return best, seen, votes[best] / seen


def mean_overlap(first: Sequence[Item], second: Sequence[Item], overlap: Overlap) -> float:
    """Return agreement of two annotators on a record: summed overlap of matched items over the number of objects.

    1 when both see nothing; unmatched items count as 0. Classes are not compared.
    """
    if not first and not second:
        return 1.0
    if not first or not second:
        return 0.0
    table = overlap(first, second)
    matched = pairs(table, least=1e-9)
    return sum(float(table[i, j]) for i, j in matched) / (len(first) + len(second) - len(matched))

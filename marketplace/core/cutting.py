"""Cutting ordered records into chunks: hard ones apart, so that they can go to those who are good at hard ones."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

HARD: Final = 0.6
"""Difficulty from which a record counts as hard."""


def is_hard(difficulty: float | None) -> bool:
    """Return whether a record counts as hard; one whose difficulty nobody knows does not."""
    return difficulty is not None and difficulty >= HARD


def cut(difficulty: Sequence[float | None], batch_size: int) -> list[list[int]]:
    """Cut records into chunks of at most ``batch_size``, hard records apart from the rest where that is worth it.

    Parameters
    ----------
    difficulty
        One for each record in the order of the customer, 0 (trivial) to 1, or None where it is not known.
    batch_size
        Most records of a chunk, >= 1.

    Returns
    -------
    list of list of int
        Positions, each once, in the given order within a chunk; chunks of hard records first. Chunks of one kind
        differ by one record at most, so that no vendor's minimum is missed by a leftover.

    Raises
    ------
    ValueError
        When the batch size is below 1.

    Notes
    -----
    Hard records stay among the others when either kind would not fill half a batch: offers of a handful of records
    cost vendors more than the right hands gain. O(n).

    Examples
    --------
    >>> cut([None, 0.9, 0.1, 0.8], 2)
    [[1, 3], [0, 2]]
    >>> cut([None] * 5, 3)
    [[0, 1, 2], [3, 4]]
    """
    if batch_size < 1:
        raise ValueError(f"a batch holds at least 1 record, got {batch_size}")
    hard = [i for i, value in enumerate(difficulty) if is_hard(value)]
    rest = [i for i, value in enumerate(difficulty) if not is_hard(value)]
    if 2 * min(len(hard), len(rest)) < batch_size:
        return _evenly(range(len(difficulty)), batch_size)
    return _evenly(hard, batch_size) + _evenly(rest, batch_size)


def _evenly(positions: Sequence[int], batch_size: int) -> list[list[int]]:
    n_chunks = -(-len(positions) // batch_size)
    if n_chunks == 0:
        return []
    size, n_larger = divmod(len(positions), n_chunks)
    starts = [i * size + min(i, n_larger) for i in range(n_chunks + 1)]
    return [list(positions[start:end]) for start, end in pairwise(starts)]


def hard_ratio(difficulty: Sequence[float | None]) -> float | None:
    """Return the share of hard records among those whose difficulty is known, or None when none is.

    >>> hard_ratio([None, 0.9, 0.1]), hard_ratio([None])
    (0.5, None)
    """
    known = [is_hard(value) for value in difficulty if value is not None]
    return sum(known) / len(known) if known else None

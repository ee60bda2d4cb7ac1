"""Transcription: the answer nearest to all others, by skill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.structured import weights


@dataclass(frozen=True, slots=True)
class ConsensusText:
    """The chosen answer, its position, and its weighted mean similarity to the others in 0..1 (1 for a lone one)."""

    text: str
    position: int
    agreement: float


def distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the least number of insertions, deletions and substitutions that turn one sequence into the other.

    Notes
    -----
    O(len(first)) vector steps of len(second); Levenshtein's recurrence with the insertions resolved by a running
    minimum.

    References
    ----------
    V. I. Levenshtein (1966), Binary codes capable of correcting deletions, insertions, and reversals.

    Examples
    --------
    >>> distance("kitten", "sitting"), distance("the cat sat".split(), "the dog sat".split())
    (3, 1)
    """
    if not second:
        return len(first)
    known = {token: index for index, token in enumerate(dict.fromkeys([*first, *second]))}
    other = np.array([known[token] for token in second])
    steps = np.arange(len(second) + 1)
    row = steps.copy()
    for token in first:
        kept = np.minimum(row[1:] + 1, row[:-1] + (other != known[token]))
        shifted = np.concatenate([[row[0] + 1], kept]) - steps
        row = np.minimum.accumulate(shifted) + steps
    return int(row[-1])


def word_error(first: str, second: str) -> float:
    """Return the distance in words over the longer text's words, in 0..1; 0 for two empty texts."""
    one, two = first.split(), second.split()
    return distance(one, two) / max(len(one), len(two), 1)


def consensus(texts: Sequence[str], skills: Sequence[float] | None = None) -> ConsensusText:
    """Return the medoid: the text with the least weighted word error to the others, then least character distance.

    Notes
    -----
    O(n squared) distances. The first of equal texts is returned.
    """
    share = weights.of_skills(skills, len(texts))
    errors = np.zeros((len(texts), len(texts)))
    finer = np.zeros_like(errors)
    for one, text in enumerate(texts):
        for two in range(one):
            errors[one, two] = errors[two, one] = word_error(text, texts[two])
            length = max(len(text), len(texts[two]), 1)
            finer[one, two] = finer[two, one] = distance(text, texts[two]) / length
    total = errors @ share + 1e-3 * (finer @ share)
    best = int(np.argmin(np.round(total, 12)))
    rest = 1 - share[best]
    agreement = 1.0 if rest <= 0 else 1 - float(errors[best] @ share) / rest
    return ConsensusText(texts[best], best, agreement)

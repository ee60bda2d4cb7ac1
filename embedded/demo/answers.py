"""What a simulated annotator answers: the truth, or one of the mistakes people make with handwritten digits."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CANNOT_LABEL: Final = -1
REASONS: Final = ("out_of_scope", "corrupted", "unreadable")
_LOOKALIKES: Final = {
    0: (6, 8, 9),
    1: (7, 4, 8),
    2: (7, 3, 1),
    3: (8, 5, 9),
    4: (9, 1, 7),
    5: (3, 6, 9),
    6: (0, 8, 5),
    7: (1, 2, 9),
    8: (3, 9, 1),
    9: (4, 7, 8),
}
_LOOKALIKE_RATIO: Final = 0.75
_GIVES_UP_RATIO: Final = 0.05


@dataclass(frozen=True, slots=True)
class Truth:
    """What a record really shows: a class index, or -1 with the reason why it has none."""

    label: int
    reason: str = ""


def answer(truth: Truth, error_ratio: float, n_classes: int, rng: random.Random) -> Truth:
    """Return an annotator's answer: wrong in the given share of cases, and then mostly a lookalike of the truth.

    >>> answer(Truth(4), 0.0, 10, random.Random(0))
    Truth(label=4, reason='')
    """
    if rng.random() >= error_ratio:
        return truth
    if truth.label == CANNOT_LABEL:
        return Truth(rng.randrange(n_classes))
    if rng.random() < _GIVES_UP_RATIO:
        return Truth(CANNOT_LABEL, "unreadable")
    lookalikes = [label for label in _LOOKALIKES.get(truth.label, ()) if label < n_classes]
    if lookalikes and rng.random() < _LOOKALIKE_RATIO:
        return Truth(rng.choice(lookalikes))
    return Truth(rng.choice([label for label in range(n_classes) if label != truth.label]))


def spam(n_classes: int, rng: random.Random) -> Truth:
    """Return an answer given without a look at the record."""
    return Truth(rng.randrange(n_classes))


def as_answer(given: Truth, classes: Sequence[str]) -> dict[str, str]:
    """Return an answer as the API takes it.

    >>> as_answer(Truth(1), "ab"), as_answer(Truth(-1, "corrupted"), "ab")
    ({'label': 'b'}, {'cannot_label': 'corrupted'})
    """
    if given.label == CANNOT_LABEL:
        return {"cannot_label": given.reason or "other"}
    return {"label": classes[given.label]}

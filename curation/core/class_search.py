"""Classes of the schema that no label shows yet: part of a batch is drawn at random until each has turned up.

Herding asks what stands for much and what the model hesitates about. A class that has no label is neither when its
records lie scattered, or behind junk in the middle of the pool; chance meets a class that holds a share p of the pool
once in 1 / p draws, wherever it lies. With few labels some classes lack one by chance alone: what counts is how many
more do (measured: docs/decisions/0005-selection.md).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from curation.core.arrays import Asked, IntArray

_LABELS_PER_CLASS: Final = 10
"""Labels, over the classes, after which a class that has not turned up is taken for rare, and left to the rest."""
_FEW_USABLE: Final = 0.25
"""Share of answers with a label below which what is asked is mostly junk: too few labels then excuse no class."""
_SHOWN: Final = 3
_LONGEST: Final = 40


def known(asked: Asked, anchor_labels: IntArray | None) -> IntArray:
    """Return answers so far (-1 = could not be labeled) and classes of anchors, shape (a,); none before an answer."""
    answers = asked.answered.labels
    if anchor_labels is None or not len(answers):
        return answers
    return np.concatenate([answers, anchor_labels[anchor_labels >= 0]])


def n_to_draw(labels: IntArray, n_classes: int, n_picks: int) -> int:
    """Return how many of a batch are drawn at random to find classes without a label: half of it at most.

    As great a share as there are more of these classes than as many labels would leave out of classes of even size;
    all of them count while less than a quarter of the answers could be labeled.

    Parameters
    ----------
    labels
        From :func:`known`. Where there are none the batch is chosen by coverage alone.

    Examples
    --------
    >>> n_to_draw(np.array([0, 0, 1, 1, 0, 0]), 3, 10), n_to_draw(np.array([0, 0, 1, 2]), 3, 10)
    (3, 0)
    """
    known = labels[labels >= 0]
    missing = 1 - len(np.unique(known)) / n_classes
    if not len(labels) or not missing or len(known) >= _LABELS_PER_CLASS * n_classes:
        return 0
    if len(known) >= _FEW_USABLE * len(labels):
        missing -= (1 - 1 / n_classes) ** len(known)
    return min(math.ceil(n_picks * max(missing, 0.0) - 1e-9), n_picks // 2)


def words(labels: IntArray, n_classes: int, names: Sequence[str]) -> str:
    """Return what a record drawn so is for.

    >>> words(np.array([0, 1, -1]), 3, ["ant", "bee", "cow"])
    "Drawn at random to find 'cow', of which there is no label yet"
    """
    missing = np.setdiff1d(np.arange(n_classes), labels)
    if len(missing) > _SHOWN or len(names) < n_classes:
        return f"Drawn at random to find {len(missing)} of {n_classes} classes, of which there is no label yet"
    told = [f"{names[at][:_LONGEST]!r}" for at in missing]
    return f"Drawn at random to find {' and '.join(told)}, of which there is no label yet"

"""Truth inference: from several answers per record to one vetted label with a calibrated confidence.

``aggregate`` runs a registered method (default: ``guarded``) over :class:`Answers`; :mod:`incremental` adds single
answers to its frozen tables.
"""

from collections.abc import Mapping

import numpy.typing as npt

from marketplace.core.aggregation import (  # importing a method registers it
    bwa,
    dawid_skene,
    ebcc,
    glad,
    guarded,
    ibcc,
    incremental,
    known,
    mace,
    majority,
    one_coin,
    registry,
    wawa,
)
from marketplace.core.aggregation.answers import Answers
from marketplace.core.aggregation.encoding import Encoded, encode
from marketplace.core.aggregation.result import Aggregation

__all__ = [
    "DEFAULT",
    "Aggregation",
    "Answers",
    "Encoded",
    "aggregate",
    "bwa",
    "dawid_skene",
    "ebcc",
    "encode",
    "glad",
    "guarded",
    "ibcc",
    "incremental",
    "mace",
    "majority",
    "one_coin",
    "registry",
    "wawa",
]

DEFAULT = "guarded"


def aggregate(
    answers: Answers,
    *,
    method: str = DEFAULT,
    gold: Mapping[int, int] | None = None,
    prior: npt.ArrayLike | None = None,
) -> Aggregation:
    """Return vetted labels, confidences and annotator skills.

    Parameters
    ----------
    answers
        All answers of the job.
    method
        A name of :func:`registry.names`.
    gold
        Record index -> true class index; clamped, and the evidence of skill even where the answer is alone.
    prior
        A classifier's class probabilities, shape (n_tasks, n_classes); a row of NaN where it has no opinion.

    Returns
    -------
    Aggregation
        See there; arrays in the order of the indices in ``answers``.

    Raises
    ------
    ValueError
        When the method is unknown, gold names a record or class outside the job, or the prior is malformed.

    Notes
    -----
    Deterministic: the same answers in any order give bit-equal results. Lone answers never feed their author's skill.

    Examples
    --------
    >>> answers = Answers([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 1, 1], 4, 2, 2)
    >>> result = aggregate(answers)
    >>> result.label[:3].tolist(), bool(result.confidence[3] < result.confidence[2])
    ([0, 1, 1], True)
    """
    return registry.get(method)(answers, known.check(answers, gold, prior))

"""How often each annotator is right, with an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.em import agreement
from marketplace.core.aggregation.known import Known

ASSUMED_SKILL = 0.75
"""Accuracy assumed of a crowd of which nothing is known, clipped to at least chance."""
ASSUMED_WEIGHT = 8.0
"""Answers that the assumption is worth: it fades on any real job."""
CORRELATION = 0.01
"""Answers lose weight as 1 / (1 + CORRELATION n): errors on one job are not independent."""


@dataclass(frozen=True, eq=False)
class Skills:
    """Per annotator, shape (n_annotators,): mean, ends of the central 90 % interval, answers it rests on."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    n_evidence: FloatArray


def crowd_skill(right: FloatArray, n_evidence: FloatArray, n_classes: int) -> float:
    """Return the crowd's overall accuracy from summed evidence, kept in [chance, 0.98]."""
    assumed = max(ASSUMED_SKILL, 1 / n_classes)
    share = (right.sum() + ASSUMED_WEIGHT * assumed) / (n_evidence.sum() + ASSUMED_WEIGHT)
    return float(np.clip(share, 1 / n_classes, 0.98))


def estimate(answers: Answers, known: Known, posterior: FloatArray) -> Skills:
    """Return every annotator's skill under the final posterior.

    Notes
    -----
    Lone answers are no evidence. An annotator without evidence has the crowd's mean and a wide interval.
    """
    right, n_evidence = agreement(answers, known, posterior)
    mean = (right + crowd_skill(right, n_evidence, answers.n_classes)) / (n_evidence + 1)
    n_effective = n_evidence / (1 + CORRELATION * n_evidence)
    alpha, beta = mean * n_effective + 0.5, (1 - mean) * n_effective + 0.5
    low = np.minimum(special.betaincinv(alpha, beta, 0.05), mean)
    high = np.maximum(special.betaincinv(alpha, beta, 0.95), mean)
    return Skills(mean, low, high, n_evidence)

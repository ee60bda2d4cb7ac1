"""How often each annotator is right, with an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.em import agreement
from marketplace.core.aggregation.known import Known

ASSUMED_SKILL = 0.75
"""Accuracy assumed of a crowd of which nothing is known, clipped to at least chance."""
ASSUMED_WEIGHT = 8.0
"""Answers that the assumption is worth: it fades on any real job."""
CROWD_WEIGHT = 2.0
"""Answers that the crowd's mean is worth in an interval."""
CORRELATION = 0.01
"""Answers lose weight as 1 / (1 + CORRELATION n): errors on one job are not independent."""


@dataclass(frozen=True, eq=False)
class Skills:
    """Per annotator, shape (n_annotators,): mean, ends of the central 90 % interval, answers it rests on."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    n_evidence: FloatArray

    def first(self, n: int) -> "Skills":
        """Return the skills of the first n annotators."""
        return Skills(self.mean[:n], self.low[:n], self.high[:n], self.n_evidence[:n])


def crowd_skill(right: FloatArray, n_evidence: FloatArray, n_classes: int) -> float:
    """Return the crowd's overall accuracy from summed evidence, kept in [chance, 0.98]."""
    assumed = max(ASSUMED_SKILL, 1 / n_classes)
    share = (right.sum() + ASSUMED_WEIGHT * assumed) / (n_evidence.sum() + ASSUMED_WEIGHT)
    return float(np.clip(share, 1 / n_classes, 0.98))


def _effective(answers: Answers, known: Known, posterior: FloatArray, mean: FloatArray, n: FloatArray) -> FloatArray:
    """Return how many answers of known truth the evidence is worth, by the missing information principle."""
    right = posterior[answers.task, answers.label]
    counts = known.is_taught[answers.task] * answers.weights
    doubt = sum_by(answers.annotator, right * (1 - right) * counts, answers.n_annotators)
    lost = np.clip(doubt / np.maximum(n * mean * (1 - mean), 1e-9), 0, 1)
    n_known = np.minimum(n * (1 - lost) + CROWD_WEIGHT, np.maximum(n, CROWD_WEIGHT))
    return np.asarray(n_known / (1 + CORRELATION * n_known))


def estimate(answers: Answers, known: Known, posterior: FloatArray) -> Skills:
    """Return every annotator's skill under the final posterior.

    Notes
    -----
    Lone answers are no evidence, and an answer on a record in doubt is little. An annotator without evidence has the
    crowd's mean and a wide interval.

    References
    ----------
    T. Orchard, M. A. Woodbury (1972), A missing information principle, section 2.
    """
    right, n_evidence = agreement(answers, known, posterior)
    mean = (right + crowd_skill(right, n_evidence, answers.n_classes)) / (n_evidence + 1)
    n_effective = _effective(answers, known, posterior, mean, n_evidence)
    alpha, beta = mean * n_effective + 0.5, (1 - mean) * n_effective + 0.5
    low = np.minimum(special.betaincinv(alpha, beta, 0.05), mean)
    high = np.maximum(special.betaincinv(alpha, beta, 0.95), mean)
    return Skills(mean, low, high, n_evidence)

"""Evidence cap: what a record's answers may claim, however many they are.

Answers on one record are not independent (a hard record fools everyone), so the likelihood is tempered after the fit by
the amount of evidence in it: an exponent 1 / sqrt(1 + (J / J0)^2), where J is the expected log-odds that the answers
give the truth over its rivals. Tempering inside the fit would collapse it into the class prior.
"""

import numpy as np

from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by

BASE_NATS = 3.0
"""J0 for two classes."""
NATS_PER_RIVALS = 0.75
"""How much J0 grows with the logarithm of the number of rivals."""


def default_threshold(n_classes: int) -> float:
    """Return J0 in nats: 3 for two classes, more for many, because each rival takes its own share of belief.

    >>> default_threshold(2), round(default_threshold(10), 2)
    (3.0, 4.65)
    """
    return BASE_NATS + NATS_PER_RIVALS * float(np.log(max(n_classes - 1, 1)))


def information(confusion: FloatArray, class_prior: FloatArray) -> FloatArray:
    """Return the expected log-odds that one answer of each annotator gives the truth over its rivals.

    Parameters
    ----------
    confusion
        P(given | true) at [annotator, true, given], shape (n_annotators, n_classes, n_classes), all > 0.
    class_prior
        Shape (n_classes,), sums to 1.

    Returns
    -------
    numpy.ndarray
        Shape (n_annotators,), nats, >= 0: the mean of the divergence to the nearest rival and to the average rival.
    """
    n_classes = len(class_prior)
    if n_classes == 1 or not len(confusion):
        return np.zeros(len(confusion))
    logs = np.log(confusion)
    own = (confusion * logs).sum(axis=2)  # (J, K)
    divergence = own[:, :, np.newaxis] - confusion @ logs.transpose(0, 2, 1)  # (J, K, K)
    divergence = np.maximum(divergence, 0.0)
    average = divergence.sum(axis=2) / (n_classes - 1)
    divergence[:, np.arange(n_classes), np.arange(n_classes)] = np.inf
    nearest = divergence.min(axis=2)
    return np.asarray(0.5 * (nearest + average) @ class_prior)


def exponent(total_information: FloatArray | float, threshold: float) -> FloatArray:
    """Return the exponent in (0, 1] for records whose answers carry this much information."""
    return np.asarray(1 / np.sqrt(1 + (np.asarray(total_information) / threshold) ** 2))


def per_task(answers: Answers, annotator_information: FloatArray) -> FloatArray:
    """Return the information of each record's answers, shape (n_tasks,)."""
    return sum_by(answers.task, answers.weights * annotator_information[answers.annotator], answers.n_tasks)

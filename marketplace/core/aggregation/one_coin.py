"""One-coin model: one accuracy per annotator, errors spread evenly.

References
----------
Y. Zhang, X. Chen, D. Zhou, M. I. Jordan (2016), Spectral methods meet EM, section 4 (the one-coin model).
"""

import numpy as np

from marketplace.core.aggregation import em, registry, skill
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member
from marketplace.core.aggregation.rows import OneCoinRows

PSEUDO_ANSWERS = 4.0
"""Weight of the crowd's accuracy in each annotator's own; 2 to 16 measure alike."""


def accuracies(right: FloatArray, n_evidence: FloatArray, n_classes: int) -> tuple[FloatArray, float]:
    """Return each annotator's shrunken accuracy, in (0, 1), and the crowd's, from summed evidence (n_annotators,)."""
    crowd = skill.crowd_skill(right, n_evidence, n_classes)
    own = (right + PSEUDO_ANSWERS * crowd) / (n_evidence + PSEUDO_ANSWERS)
    return np.clip(own, 1e-4, 1 - 1e-4), crowd


def m_step(answers: Answers, known: Known, posterior: FloatArray) -> tuple[OneCoinRows, FloatArray]:
    """Return accuracies under a posterior, and the uniform class prior: a learnt one makes this model collapse."""
    n_classes = answers.n_classes
    own, crowd = accuracies(*em.agreement(answers, known, posterior), n_classes)
    return OneCoinRows(own, min(crowd, 1 - 1e-4), n_classes), np.full(n_classes, 1 / n_classes)


def fit(answers: Answers, known: Known) -> em.Fit:
    """Return the fitted model, started at the votes."""
    return em.run(answers, known, em.start(answers, known), lambda q: m_step(answers, known, q))


@registry.register("one_coin")
def one_coin(answers: Answers, known: Known) -> Aggregation:
    """Return the one-coin posterior; robust with few answers and many classes, blind to biased annotators."""
    fitted = fit(answers, known)
    unused = np.zeros(answers.n_annotators)
    return Aggregation(
        method="one_coin",
        posterior=fitted.posterior,
        n_answers=answers.per_task,
        class_prior=fitted.class_prior,
        skills=skill.estimate(answers, known, fitted.posterior),
        members=(Member(fitted.rows, fitted.class_prior, unused, 0.0, 1.0),),
        prior=known.prior,
    )

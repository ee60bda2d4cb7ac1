"""GLAD: an answer is right with probability sigmoid(ability x ease): one ability per annotator, one ease per record.

References
----------
J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma, J. Movellan (2009), Whose vote should count more, equations 1 to 6.
"""

import numpy as np
from scipy import special

from marketplace.core.aggregation import described, em, registry
from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation

PRIOR_MEAN = 1.0
"""Mean of the Gaussian priors, of variance 1, on ability and on the logarithm of the ease."""
SCORING_STEPS = 3
"""Fisher steps for each M step; more measure alike."""
LARGEST_STEP = 1.0
MAX_STEPS = 60


def updated(
    answers: Answers, right: FloatArray, counts: FloatArray, ability: FloatArray, log_ease: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ability and log ease after Fisher scoring, each with the other held.

    Parameters
    ----------
    right
        Probability that each answer is right, shape (n,).
    counts
        1 where an answer teaches its author's ability, else 0, shape (n,).
    """
    for _ in range(SCORING_STEPS):
        ease = np.exp(log_ease)[answers.task]
        chance = special.expit(ability[answers.annotator] * ease)
        slope = sum_by(answers.annotator, counts * (right - chance) * ease, len(ability)) - (ability - PRIOR_MEAN)
        bend = sum_by(answers.annotator, counts * chance * (1 - chance) * ease**2, len(ability)) + 1
        ability = ability + np.clip(slope / bend, -LARGEST_STEP, LARGEST_STEP)
        logit = ability[answers.annotator] * ease
        chance = special.expit(logit)
        slope = sum_by(answers.task, (right - chance) * logit, len(log_ease)) - (log_ease - PRIOR_MEAN)
        bend = sum_by(answers.task, chance * (1 - chance) * logit**2, len(log_ease)) + 1
        log_ease = log_ease + np.clip(slope / bend, -LARGEST_STEP, LARGEST_STEP)
    return ability, log_ease


def belief(answers: Answers, known: Known, ability: FloatArray, log_ease: FloatArray) -> FloatArray:
    """Return the posterior under a uniform class prior, errors spread evenly, shape (n_tasks, n_classes)."""
    n_classes = answers.n_classes
    logit = ability[answers.annotator] * np.exp(log_ease)[answers.task]
    log_wrong = special.log_expit(-logit) - np.log(max(n_classes - 1, 1))
    gain = special.log_expit(logit) - log_wrong
    wrong = sum_by(answers.task, log_wrong, answers.n_tasks)
    log_likelihood = answers.by_class(gain) + wrong[:, np.newaxis]
    log_prior = known.log_prior(np.full(n_classes, 1 / n_classes))
    return known.clamp(em.normalise(log_prior + log_likelihood))


@registry.register("glad")
def glad(answers: Answers, known: Known) -> Aggregation:
    """Return the GLAD posterior, started at the votes; the ease of each record is fitted to its own answers."""
    posterior = em.start(answers, known)
    counts = known.is_taught[answers.task].astype(np.float64)
    ability: FloatArray = np.full(answers.n_annotators, PRIOR_MEAN)
    log_ease: FloatArray = np.full(answers.n_tasks, PRIOR_MEAN)
    for _ in range(MAX_STEPS):
        right = posterior[answers.task, answers.label]
        ability, log_ease = updated(answers, right, counts, ability, log_ease)
        before, posterior = posterior, belief(answers, known, ability, log_ease)
        if np.abs(posterior - before).sum() < em.TOLERANCE * answers.n_tasks:
            break
    return described.described("glad", answers, known, posterior)

"""What several models trained on resampled labels disagree about.

References
----------
Houlsby et al. (2011), Bayesian Active Learning for Classification and Preference Learning (BALD).
Dagan, Engelson (1995), Committee-based Sampling for Training Probabilistic Classifiers (vote entropy).
"""

import numpy as np

from curation.core import proxy
from curation.core.arrays import BoolArray, FloatArray
from curation.core.problem import Problem
from curation.core.strategies.picking import top
from curation.core.strategies.registry import Scored, register
from curation.core.strategies.uncertain import normalised_entropy

N_MEMBERS = 5


def members(problem: Problem, rng: np.random.Generator) -> list[proxy.Model]:
    """Return models fitted on bootstrap samples of the labels, each sample holding every class that has one."""
    X, y, weights = problem.training_set
    used = np.flatnonzero(weights > 0)
    fitted = []
    for _ in range(N_MEMBERS):
        first = [rng.choice(used[y[used] == label]) for label in np.unique(y[used])]
        rows = np.concatenate([first, rng.choice(used, len(used) - len(first))]).astype(np.int64)
        fitted.append(proxy.fit(X[rows], y[rows], weights[rows], problem.n_classes))
    return fitted


@register(
    "bald", needs_model=True, why="Models trained on resampled labels contradict each other (information {score:.0%})"
)
def bald(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Mutual information between the label and which of the models is right."""
    return top(mutual_information(_beliefs(problem, rng)), allowed, problem.group, n_picks, rng)


@register(
    "committee", needs_model=True, why="Models trained on resampled labels vote for different classes ({score:.0%})"
)
def committee(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Entropy of the models' votes; where votes tie, of their mean belief."""
    beliefs = _beliefs(problem, rng)
    votes = np.mean([np.eye(problem.n_classes)[belief.argmax(axis=1)] for belief in beliefs], axis=0)
    mean = np.mean(beliefs, axis=0)
    return top(normalised_entropy(votes) + 1e-3 * normalised_entropy(mean), allowed, problem.group, n_picks, rng)


def _beliefs(problem: Problem, rng: np.random.Generator) -> list[FloatArray]:
    return [model.proba(problem.scaled) for model in members(problem, rng)]


def mutual_information(beliefs: list[FloatArray]) -> FloatArray:
    """Return the entropy of the mean belief less the mean entropy, normalised, shape (n,), in [0, 1].

    >>> mutual_information([np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])]).round(6).tolist()
    [1.0]
    >>> mutual_information([np.array([[0.5, 0.5]])] * 2).tolist()
    [0.0]
    """
    whole = normalised_entropy(np.mean(beliefs, axis=0))
    own = np.mean([normalised_entropy(belief) for belief in beliefs], axis=0)
    return np.asarray(np.maximum(whole - own, 0.0))

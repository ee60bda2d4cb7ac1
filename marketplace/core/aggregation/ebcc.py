"""EBCC (enhanced Bayesian classifier combination), variational: subtypes within a class explain shared errors.

A record of true class k belongs to a subtype; each annotator has a row per class and subtype. Subtype m of class k is
started as "is k, looks like m": the votes say which, so that no random start is needed and renaming changes nothing.

References
----------
Y. Li, B. I. P. Rubinstein, T. Cohn (2019), Exploiting worker correlation for label aggregation in crowdsourcing,
section 4 (ours: as many subtypes as classes, a start from the votes).
"""

import numpy as np

from marketplace.core.aggregation import described, em, ibcc, registry
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation
from marketplace.core.aggregation.rows import LARGEST_CONFUSION

SUBTYPE_PRIOR = 0.1
"""Dirichlet parameter of the subtype shares: small, so that unneeded subtypes empty themselves."""
MAX_STEPS = 100


def check_size(answers: Answers) -> None:
    """Raise ValueError when the rows of this job would not fit."""
    n_entries = max(answers.n_annotators * answers.n_classes, answers.n_tasks) * answers.n_classes**2
    if n_entries > LARGEST_CONFUSION:
        raise ValueError(
            f"{n_entries} entries of subtypes exceed {LARGEST_CONFUSION}: use method ibcc or guarded for this job"
        )


def started(answers: Answers, known: Known) -> FloatArray:
    """Return the first belief in class and subtype, shape (n_tasks, n_classes, n_classes)."""
    belief = em.start(answers, known)
    looks = answers.votes + 0.5
    looks /= looks.sum(axis=1, keepdims=True)
    return np.asarray(belief[:, :, np.newaxis] * looks[:, np.newaxis, :])


def step(answers: Answers, known: Known, joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the next joint belief (n_tasks, n_classes, n_classes) and the class shares (n_classes,)."""
    n_classes = answers.n_classes
    taught = (joint * known.is_taught[:, np.newaxis, np.newaxis]).reshape(answers.n_tasks, n_classes**2)
    counts = (answers.design.T @ taught).reshape(answers.n_annotators, n_classes, n_classes, n_classes)
    prior = ibcc.row_prior(n_classes)[np.newaxis, :, :, np.newaxis]  # (1, given, true, 1)
    table = ibcc.expected_log(counts + prior, axis=1).reshape(-1, n_classes**2)
    by_subtype = taught.sum(axis=0).reshape(n_classes, n_classes)
    log_subtype = ibcc.expected_log(by_subtype + SUBTYPE_PRIOR, axis=1)  # (true, subtype)
    log_shares = ibcc.expected_log(by_subtype.sum(axis=1) + ibcc.SHARE_PRIOR, axis=0)
    shares = em.normalise(log_shares[np.newaxis])[0]
    scores = (answers.design @ table).reshape(answers.n_tasks, n_classes, n_classes) + log_subtype
    scores += known.log_prior(shares)[:, :, np.newaxis]
    gold = np.flatnonzero(known.gold >= 0)
    excluded = np.arange(n_classes) != known.gold[gold, np.newaxis]  # (n_gold, true)
    scores[gold] = np.where(excluded[:, :, np.newaxis], -np.inf, scores[gold])
    return em.normalise(scores.reshape(answers.n_tasks, n_classes**2)).reshape(scores.shape), shares


@registry.register("ebcc")
def ebcc(answers: Answers, known: Known) -> Aggregation:
    """Return the variational posterior of the classes, subtypes summed out."""
    check_size(answers)
    joint = started(answers, known)
    posterior = joint.sum(axis=2)
    shares: FloatArray = np.full(answers.n_classes, 1 / answers.n_classes)
    for _ in range(MAX_STEPS):
        joint, shares = step(answers, known, joint)
        before, posterior = posterior, joint.sum(axis=2)
        if np.abs(posterior - before).sum() < em.TOLERANCE * answers.n_tasks:
            break
    return described.described("ebcc", answers, known, described.fill_unanswered(answers, known, posterior, shares))

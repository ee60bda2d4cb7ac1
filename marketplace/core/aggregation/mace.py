"""MACE: an annotator either knows and says the truth, or answers blindly after a strategy of their own.

References
----------
D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy (2013), Learning whom to trust with MACE, figure 1 and section 3.
"""

from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation import em, registry, skill
from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member
from marketplace.core.aggregation.rows import ConfusionRows, check_size

KNOWING_PRIOR = 0.5
"""Pseudo-answers for knowing and for not knowing."""
STRATEGY_PRIOR = 10.0
"""Pseudo-answers of each blind strategy, spread over the classes."""
MAX_STEPS, TOLERANCE = 200, 1e-5
"""It creeps where the strategies explain little: more and finer steps than the others need."""


@dataclass(frozen=True, eq=False)
class Spam:
    """Chance that each annotator knows (n_annotators,), shares of their blind answers (n_annotators, n_classes)."""

    knows: FloatArray
    strategy: FloatArray

    def rows(self) -> ConfusionRows:
        """Return the confusion matrices this makes."""
        n_classes = self.strategy.shape[1]
        blind = (1 - self.knows)[:, np.newaxis] * self.strategy  # (J, given)
        table = blind[:, :, np.newaxis] + self.knows[:, np.newaxis, np.newaxis] * np.eye(n_classes)
        mean = float(self.knows.mean()) if len(self.knows) else 0.5
        pooled = (1 - mean) / n_classes + mean * np.eye(n_classes)
        return ConfusionRows(np.log(table).reshape(-1, n_classes), np.log(pooled))


def updated(answers: Answers, known: Known, posterior: FloatArray, spam: Spam) -> Spam:
    """Return the most probable parameters given which answers were probably known."""
    shape = (answers.n_annotators, answers.n_classes)
    counts = known.is_taught[answers.task].astype(np.float64)
    knows = spam.knows[answers.annotator]
    blind = (1 - knows) * spam.strategy[answers.annotator, answers.label]
    known_right = counts * posterior[answers.task, answers.label] * knows / (knows + blind)  # (n,)
    blind_count = counts - known_right
    knowing = sum_by(answers.annotator, known_right, shape[0])
    cell = answers.annotator.astype(np.int64) * shape[1] + answers.label
    strategy = sum_by(cell, blind_count, shape[0] * shape[1]).reshape(shape) + STRATEGY_PRIOR / shape[1]
    total = knowing + sum_by(answers.annotator, blind_count, shape[0])
    return Spam((knowing + KNOWING_PRIOR) / (total + 2 * KNOWING_PRIOR), strategy / strategy.sum(axis=1, keepdims=True))


@registry.register("mace")
def mace(answers: Answers, known: Known) -> Aggregation:
    """Return the MACE posterior under a uniform class prior, started at the votes (no random restarts)."""
    check_size(answers)
    n_classes = answers.n_classes
    spam = Spam(np.full(answers.n_annotators, 0.5), np.full((answers.n_annotators, n_classes), 1 / n_classes))
    even = np.full(n_classes, 1 / n_classes)

    def m_step(posterior: FloatArray) -> tuple[ConfusionRows, FloatArray]:
        nonlocal spam
        spam = updated(answers, known, posterior, spam)
        return spam.rows(), even

    fit = em.run(answers, known, em.start(answers, known), m_step, max_steps=MAX_STEPS, tolerance=TOLERANCE)
    return Aggregation(
        method="mace",
        posterior=fit.posterior,
        n_answers=answers.per_task,
        class_prior=even,
        skills=skill.estimate(answers, known, fit.posterior),
        members=(Member(fit.rows, even, np.zeros(answers.n_annotators), 0.0, 1.0),),
        prior=known.prior,
    )

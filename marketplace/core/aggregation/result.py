"""What an aggregation returns."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from marketplace.core.aggregation.answers import BoolArray, FloatArray, IntArray
from marketplace.core.aggregation.drift import Change
from marketplace.core.aggregation.rows import Rows
from marketplace.core.aggregation.skill import Skills

TIE = 1e-7
"""Posteriors closer than this are equal."""


@dataclass(frozen=True, eq=False)
class Member:
    """One fitted model with its say in the result: all that a later answer needs (the frozen tables).

    Attributes
    ----------
    information
        Nats that one answer of each annotator carries, shape (n_annotators,).
    pooled_information
        The same for an annotator never seen.
    weight
        Share in the mixture; shares of a result sum to 1.
    is_prior_capped
        Whether the class prior is tempered along with the likelihood (where no classifier speaks).
    """

    rows: Rows
    class_prior: FloatArray
    information: FloatArray
    pooled_information: float
    weight: float
    is_prior_capped: bool = False


@dataclass(frozen=True, eq=False)
class Aggregation:
    """Vetted labels and what was learnt about the annotators.

    Attributes
    ----------
    method
        Name in the registry.
    posterior
        Belief about the true class, shape (n_tasks, n_classes), rows sum to 1. Certain on gold, the prior on records
        nobody answered.
    n_answers
        Shape (n_tasks,).
    class_prior
        Learnt class shares, shape (n_classes,).
    skills
        Mean accuracy of each annotator with its 90 % interval.
    members
        Frozen tables; their weighted confusion matrices make :attr:`confusion`.
    threshold
        Evidence cap J0 in nats; infinite for methods that cap nothing.
    prior
        The classifier's rows, where given.
    is_incremental
        Whether :mod:`incremental` can add an answer to this result.
    clique
        Shape (n_annotators,): annotators with the same number copy each other, so that their answers on a record count
        as one; None where nobody does.
    changes
        Annotators who changed over time; skills and tables hold what they are now.
    """

    method: str
    posterior: FloatArray
    n_answers: IntArray
    class_prior: FloatArray
    skills: Skills
    members: tuple[Member, ...]
    threshold: float = np.inf
    prior: FloatArray | None = field(default=None, repr=False)
    is_incremental: bool = True
    clique: IntArray | None = None
    changes: tuple[Change, ...] = ()

    @cached_property
    def confidence(self) -> FloatArray:
        """Posterior of the label, shape (n_tasks,)."""
        return np.asarray(self.posterior.max(axis=1))

    @cached_property
    def label(self) -> IntArray:
        """Most probable class, the lowest index among ties, shape (n_tasks,)."""
        is_best = self.posterior >= self.confidence[:, np.newaxis] - TIE  # (n_tasks, n_classes)
        return np.asarray(np.argmax(is_best, axis=1), dtype=np.int32)

    @cached_property
    def is_tied(self) -> BoolArray:
        """Whether another class is as probable as the label, shape (n_tasks,)."""
        return np.asarray((self.posterior >= self.confidence[:, np.newaxis] - TIE).sum(axis=1) > 1)

    @cached_property
    def confusion(self) -> FloatArray:
        """P(given | true) at [annotator, true, given], rows sum to 1."""
        parts = [member.weight * member.rows.confusion()[: len(self.skill)] for member in self.members]
        return np.asarray(sum(parts[1:], start=parts[0]))

    @cached_property
    def pooled_confusion(self) -> FloatArray:
        """P(given | true) of an annotator never seen, at [true, given]."""
        return np.asarray(sum(member.weight * member.rows.pooled() for member in self.members))

    @property
    def skill(self) -> FloatArray:
        """Mean accuracy, shape (n_annotators,)."""
        return self.skills.mean

    @property
    def skill_low(self) -> FloatArray:
        """Lower end of the 90 % interval, shape (n_annotators,)."""
        return self.skills.low

    @property
    def skill_high(self) -> FloatArray:
        """Upper end of the 90 % interval, shape (n_annotators,)."""
        return self.skills.high

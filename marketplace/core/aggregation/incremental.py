"""One record's posterior after each new answer, with frozen tables: O(classes) an answer, nothing refitted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from marketplace.core.aggregation import em, evidence
from marketplace.core.aggregation.answers import BoolArray, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation

__all__ = ["RecordState", "start"]


@dataclass(frozen=True, eq=False)
class _Said:
    """What one clique has said of the record: summed log-likelihoods and information, and by how many answers."""

    log_likelihood: FloatArray
    information: FloatArray
    n: int = 0

    def and_also(self, log_likelihood: FloatArray, information: FloatArray) -> "_Said":
        return _Said(self.log_likelihood + log_likelihood, self.information + information, self.n + 1)

    def as_one(self) -> tuple[FloatArray, FloatArray]:
        """Return the mean: copies count as one answer together."""
        return self.log_likelihood / max(self.n, 1), self.information / max(self.n, 1)


@dataclass(frozen=True, eq=False)
class RecordState:
    """What one record's answers have said so far.

    Attributes
    ----------
    tables
        The aggregation whose members are frozen; only its members, prior, cliques and cap are used.
    log_prior
        Per member, shape (n_members, n_classes).
    is_prior_capped
        Per member, shape (n_members,).
    log_likelihood
        Per member, shape (n_members, n_classes).
    information
        Nats so far per member, shape (n_members,).
    said
        What each clique that copies has said, by its number.
    n_answers
        Answers so far.
    """

    tables: Aggregation
    log_prior: FloatArray
    is_prior_capped: BoolArray
    log_likelihood: FloatArray
    information: FloatArray
    said: Mapping[int, _Said] = field(default_factory=dict)
    n_answers: int = 0

    def add(self, annotator: int | None, label: int) -> "RecordState":
        """Return the state after one more answer; ``annotator`` None for one the tables do not know.

        Raises
        ------
        ValueError
            When the label or the annotator is outside the tables.
        """
        n_annotators, n_classes = len(self.tables.skill), self.log_likelihood.shape[1]
        if not 0 <= label < n_classes:
            raise ValueError(f"label {label} is outside 0..{n_classes - 1}")
        if annotator is not None and not 0 <= annotator < n_annotators:
            raise ValueError(f"annotator {annotator} is outside 0..{n_annotators - 1}; pass None for a new one")
        members = self.tables.members
        added = np.array([member.rows.log_row(annotator, label) for member in members])
        nats = np.array(
            [member.pooled_information if annotator is None else member.information[annotator] for member in members]
        )
        said = dict(self.said)
        if annotator is not None and self.tables.clique is not None:
            number = int(self.tables.clique[annotator])
            before = said.get(number, _Said(np.zeros_like(added), np.zeros_like(nats)))
            said[number] = before.and_also(added, nats)
            (new, new_nats), (old, old_nats) = said[number].as_one(), before.as_one()
            added, nats = new - old, new_nats - old_nats
        return replace(
            self,
            log_likelihood=self.log_likelihood + added,
            information=self.information + nats,
            said=said,
            n_answers=self.n_answers + 1,
        )

    def posterior(self) -> FloatArray:
        """Return the belief about the true class, shape (n_classes,); equals the batch result of the same answers."""
        power = evidence.exponent(self.information, self.tables.threshold)[:, np.newaxis]
        prior = np.where(self.is_prior_capped[:, np.newaxis], power, 1.0) * self.log_prior
        beliefs = em.normalise(prior + power * self.log_likelihood)  # (n_members, n_classes)
        weights = np.array([member.weight for member in self.tables.members])
        if self.n_answers == 0:
            return np.asarray(weights @ beliefs)
        return np.asarray(em.normalise((weights @ np.log(beliefs))[np.newaxis])[0])


def start(tables: Aggregation, prior: FloatArray | None = None) -> RecordState:
    """Return the state of a record nobody answered yet.

    Parameters
    ----------
    tables
        A finished aggregation of the job.
    prior
        The classifier's belief about this record, shape (n_classes,); None for the job's class shares.

    Raises
    ------
    ValueError
        When the method keeps no tables (majority vote) or the prior has the wrong shape.
    """
    if not tables.is_incremental:
        raise ValueError(f"method {tables.method!r} keeps no tables to update from")
    n_classes = len(tables.class_prior)
    if prior is not None and np.shape(prior) != (n_classes,):
        raise ValueError(f"prior has shape {np.shape(prior)}, the job has {n_classes} classes")
    rows = None if prior is None else np.asarray(prior, dtype=np.float64)[np.newaxis]
    known = Known(np.full(1, -1, dtype=np.int32), rows, np.zeros(1, dtype=np.bool_))
    log_prior = np.vstack([known.log_prior(member.class_prior) for member in tables.members])
    is_capped = np.array([member.is_prior_capped and prior is None for member in tables.members])
    return RecordState(tables, log_prior, is_capped, np.zeros_like(log_prior), np.zeros(len(log_prior)))

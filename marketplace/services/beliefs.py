"""What is believed of a job's records and of the answers on them, whatever the task type."""

import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core.acceptance import Conduct, Equal, constant, copied, too_fast, with_conduct
from marketplace.core.aggregation import Aggregation
from marketplace.core.open_truth import OpenTruth
from marketplace.services.readings import CANNOT_LABEL

PEERS_TO_JUDGE = 2
"""Answers that a record needs before it tells anything about those who gave them."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that counts."""

    annotation_id: uuid.UUID
    assignment_id: uuid.UUID
    record_id: uuid.UUID | None
    gold_id: uuid.UUID | None
    annotator: int
    vendor_id: uuid.UUID
    label: int
    value: Any
    reason: str
    seconds: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the answers on a record say together: class index or value, both None when it cannot be labeled."""

    label: int | None
    value: Any
    confidence: float
    posterior: list[float] | None

    @property
    def is_unlabelable(self) -> bool:
        """Whether the answers say that it cannot be labeled."""
        return self.label is None and self.value is None


@dataclass(frozen=True, slots=True)
class Seen:
    """How the work was done: shortest plausible time, who always says the same, who copies whom."""

    shortest_s: float | None
    constant: frozenset[int]
    copied: Mapping[int, Equal]

    def of(self, given: Sequence[Given]) -> list[Conduct]:
        """Return what is to be said of an assignment's answers; an annotator who gave most of them stands for it."""
        (annotator, count), *_ = Counter(g.annotator for g in given).most_common(1)
        found = [too_fast([g.seconds for g in given], self.shortest_s)]
        if annotator in self.constant:
            found.append(constant(count))
        if annotator in self.copied:
            found.append(copied(self.copied[annotator].n_equal, self.copied[annotator].n_shared))
        return [conduct for conduct in found if conduct is not None]


@dataclass(frozen=True, eq=False)
class Evidence(ABC):
    """Answers with what truth inference makes of them.

    Attributes
    ----------
    given
        The answers, in order of arrival.
    task_of
        Record or gold record -> its place in the arrays.
    n_answers_of
        Shape (n_tasks,).
    spam
        Probability that an annotator answers independently of the truth, shape (n_annotators,).
    is_proven
        Whether an annotator proven on gold answered a record, shape (n_tasks,).
    seen
        How the work was done.
    """

    given: list[Given]
    task_of: dict[uuid.UUID, int]
    n_answers_of: npt.NDArray[np.int32]
    spam: npt.NDArray[np.float64]
    is_proven: npt.NDArray[np.bool_]
    seen: Seen

    def n_answers(self, record_id: uuid.UUID) -> int:
        """Return how many answers a record has."""
        return int(self.n_answers_of[self.task_of[record_id]])

    def has_proven_answer(self, record_id: uuid.UUID) -> bool:
        """Return whether an annotator proven on gold answered a record, so that one answer may be enough."""
        return bool(self.is_proven[self.task_of[record_id]])

    def proba_right(self, given: Given) -> float:
        """Return the probability that an answer on a record is right; NaN when nobody else answered it."""
        if given.record_id is None:
            raise ValueError("gold answers are right or wrong, not probable")
        if self.n_answers(given.record_id) < PEERS_TO_JUDGE:
            return float("nan")
        return self._proba(given)

    def spam_of(self, given: Sequence[Given], conduct: Sequence[Conduct]) -> float:
        """Return the probability that an assignment's answers carry no information, conduct counted in."""
        return with_conduct(float(max(self.spam[g.annotator] for g in given)), conduct)

    def main_reason(self, record_id: uuid.UUID) -> str:
        """Return why a record cannot be labeled, by most answers (the first given of equals)."""
        reasons = Counter(g.reason for g in self.given if g.record_id == record_id and g.label == CANNOT_LABEL)
        return reasons.most_common(1)[0][0] if reasons else ""

    @abstractmethod
    def posterior(self, record_id: uuid.UUID) -> npt.NDArray[np.float64]:
        """Return the belief about a record, sums to 1; the consensus has its largest part or, in doubt, less."""

    @abstractmethod
    def consensus(self, record_id: uuid.UUID) -> Consensus:
        """Return the label of an answered record."""

    @abstractmethod
    def certainty(self, record_id: uuid.UUID) -> float:
        """Return how sure people's answers alone make of a record's label: what refusing an answer needs."""

    @abstractmethod
    def is_gold_correct(self, given: Given) -> bool:
        """Return whether an answer on a gold record is right."""

    @abstractmethod
    def agrees(self, given: Given) -> bool:
        """Return whether an answer on a record says what the consensus says."""

    @abstractmethod
    def _proba(self, given: Given) -> float: ...


@dataclass(frozen=True, eq=False)
class ClassEvidence(Evidence):
    """Of a classification; class ``n_classes - 1`` is "cannot label".

    ``result`` is what people say: skill, pay and conduct rest on it alone. ``belief``, shape (n_tasks, n_classes), has
    labeling functions counted in.
    """

    gold_label: dict[uuid.UUID, int]
    result: Aggregation
    n_classes: int
    belief: npt.NDArray[np.float64]

    def of_people(self, record_id: uuid.UUID) -> npt.NDArray[np.float64]:
        """Return the belief from people's answers alone."""
        return self.result.posterior[self.task_of[record_id]]

    def class_of(self, label: int) -> int:
        """Return the class index of a stored label (-1 = "cannot label" comes last)."""
        return label if label >= 0 else self.n_classes - 1

    def posterior(self, record_id: uuid.UUID) -> npt.NDArray[np.float64]:
        """Over the classes."""
        return self.belief[self.task_of[record_id]]

    def certainty(self, record_id: uuid.UUID) -> float:
        """The posterior of the most probable class."""
        return float(self.of_people(record_id).max())

    def consensus(self, record_id: uuid.UUID) -> Consensus:
        """The most probable class."""
        posterior = self.posterior(record_id)
        best = int(posterior.argmax())
        label = None if best == self.n_classes - 1 else best
        return Consensus(label, None, float(posterior[best]), [float(p) for p in posterior])

    def is_gold_correct(self, given: Given) -> bool:
        """The same class."""
        return given.gold_id is not None and self.gold_label[given.gold_id] == given.label

    def agrees(self, given: Given) -> bool:
        """The most probable class."""
        return given.record_id is not None and self.class_of(given.label) == self.of_people(given.record_id).argmax()

    def _proba(self, given: Given) -> float:
        return float(self.of_people(given.record_id)[self.class_of(given.label)]) if given.record_id else float("nan")


@dataclass(frozen=True, eq=False)
class ValueEvidence(Evidence):
    """Of every other task type; ``place`` leads from an annotation to its entry in the truth's arrays."""

    truth: OpenTruth
    place: dict[uuid.UUID, int]

    def posterior(self, record_id: uuid.UUID) -> npt.NDArray[np.float64]:
        """The consensus against everything else."""
        confidence = float(self.truth.confidence[self.task_of[record_id]])
        return np.array([confidence, 1 - confidence])

    def certainty(self, record_id: uuid.UUID) -> float:
        """The confidence of the merged value."""
        return float(self.truth.confidence[self.task_of[record_id]])

    def consensus(self, record_id: uuid.UUID) -> Consensus:
        """The merged value of those who agree."""
        task = self.task_of[record_id]
        return Consensus(None, self.truth.value[task], float(self.truth.confidence[task]), None)

    def is_gold_correct(self, given: Given) -> bool:
        """Similar enough for the task type."""
        return given.gold_id is not None and bool(self._proba(given) > 0.5)

    def agrees(self, given: Given) -> bool:
        """Similar enough to the consensus."""
        task = self.task_of[given.record_id or given.gold_id]  # type: ignore[index]
        return bool(self.truth.cluster[self.place[given.annotation_id]] == self.truth.best[task])

    def _proba(self, given: Given) -> float:
        return float(self.truth.proba_right[self.place[given.annotation_id]])

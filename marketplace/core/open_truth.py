"""Truth inference for answers that are no classes: boxes, spans, texts, orders.

Within a record, answers that say the same form a cluster; the truth is one of the clusters or none of them. Each
annotator is right with one probability, and two who err say the same with the kind's ``chance``. The posterior is
tempered by the evidence in it, as that of classes is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation import evidence, one_coin
from marketplace.core.aggregation.answers import FloatArray, IntArray, sum_by
from marketplace.core.checks import Rules
from marketplace.core.kinds import Kind

PASSES = 2
"""Times that clusters are formed anew with the skills learnt; more change nothing that matters."""
STEPS = 20
FIRST_SKILL = 0.8
SKILL_RANGE = (0.02, 0.98)
CAP = 3.0
"""Nats of evidence above which answers on one record count as dependent (as for two classes)."""


NOBODY, CANNOT, AGREED = -2, -1, 0
"""Clusters with a meaning: no answer, "cannot be labeled", in line with the record's consensus (or gold)."""


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer: record and annotator by index, canonical value, None for "cannot be labeled"."""

    task: int
    annotator: int
    value: Any


@dataclass(frozen=True, eq=False)
class OpenTruth:
    """What is believed.

    Attributes
    ----------
    value
        Per record the consensus; None where it cannot be labeled or nobody answered.
    confidence
        Shape (n_tasks,): probability that the consensus is right; 0 without an answer.
    proba_right
        Shape (n_answers,): probability that each answer is right, in the order given.
    cluster
        Shape (n_answers,): equal within a record for answers that say the same; -1 for "cannot be labeled".
    best
        Shape (n_tasks,): the cluster believed; -2 where nobody answered.
    n_answers
        Shape (n_tasks,).
    skill
        Shape (n_annotators,): probability of being right.
    right, judged
        Shape (n_annotators,): expected right answers, and the answers that could be judged, gold included.
    """

    value: list[Any]
    confidence: FloatArray
    proba_right: FloatArray
    cluster: IntArray
    best: IntArray
    n_answers: IntArray
    skill: FloatArray
    right: FloatArray
    judged: FloatArray


def infer(
    answers: Sequence[OpenAnswer],
    kind: Kind,
    rules: Sequence[Rules],
    *,
    n_annotators: int,
    gold: Mapping[int, Any] | None = None,
    merged: Mapping[int, tuple[Any, float]] | None = None,
) -> OpenTruth:
    """Return what the answers say together.

    Parameters
    ----------
    answers
        At most one of each annotator on each record.
    rules
        Per record, shape (n_tasks,).
    gold
        Record index -> its known value (None = cannot be labeled). Gold teaches skill, also where the answer is alone.
    merged
        Record index -> what its answers say together, where that is inferred over all records at once, and how sure
        that is. It is the truth even where more answers agree on something else: with that confidence then, which is
        not needed where they agree on it. Lone answers stand for themselves.

    Returns
    -------
    OpenTruth

    Notes
    -----
    O(answers) similarities, besides those among the answers of a record that contradict its consensus. A lone answer
    never feeds its author's skill. Deterministic; ties go to the answers that come first.
    """
    by_task: list[list[int]] = [[] for _ in rules]
    for number, answer in enumerate(answers):
        by_task[answer.task].append(number)
    crowd = _Crowd(answers, kind, rules, by_task, dict(gold or {}), dict(merged or {}), n_annotators)
    skill: FloatArray = np.full(n_annotators, FIRST_SKILL)
    for _ in range(PASSES):
        cluster = crowd.clusters(skill)
        fit = crowd.fitted(cluster, skill)
        skill = fit.skill
    return crowd.finished(cluster, fit)


@dataclass(frozen=True, eq=False)
class _Fit:
    skill: FloatArray
    proba: FloatArray
    right: FloatArray
    judged: FloatArray


@dataclass(frozen=True, eq=False)
class _Crowd:
    answers: Sequence[OpenAnswer]
    kind: Kind
    rules: Sequence[Rules]
    by_task: list[list[int]]
    gold: Mapping[int, Any]
    merged: Mapping[int, tuple[Any, float]]
    n_annotators: int

    def clusters(self, skill: FloatArray) -> IntArray:
        """Return the cluster of each answer."""
        cluster = np.full(len(self.answers), CANNOT, dtype=np.int32)
        for task, members in enumerate(self.by_task):
            given = [n for n in members if self.answers[n].value is not None]
            if given:
                cluster[given] = self._clusters_of(task, given, skill)
        return cluster

    def _clusters_of(self, task: int, given: list[int], skill: FloatArray) -> list[int]:
        """Return 0 for what agrees with the consensus; the rest joins the first answer that says the same."""
        known = self.gold.get(task)
        leaders = {AGREED: self._merged(task, given, skill) if known is None else known}
        found = []
        for number in given:
            value = self.answers[number].value
            own = next(
                (c for c, leader in leaders.items() if self.kind.is_right(leader, value, self.rules[task])), None
            )
            if own is None:
                own = max(leaders) + 1
                leaders[own] = value
            found.append(own)
        return found

    def _merged(self, task: int, given: list[int], skill: FloatArray) -> Any:
        values = [self.answers[n].value for n in given]
        if len(values) == 1:
            return values[0]
        is_all = len(given) == sum(self.answers[n].value is not None for n in self.by_task[task])
        if is_all and task in self.merged:
            return self.merged[task][0]
        return self.kind.consensus(values, [float(skill[self.answers[n].annotator]) for n in given], self.rules[task])

    def fitted(self, cluster: IntArray, skill: FloatArray) -> _Fit:
        """Alternate beliefs and skills until they settle."""
        task = np.array([answer.task for answer in self.answers], dtype=np.int64)
        annotator = np.array([answer.annotator for answer in self.answers], dtype=np.int64)
        n_answers = np.bincount(task, minlength=len(self.by_task))
        chance = np.array([self.kind.chance(rules) for rules in self.rules])
        groups = Groups.of(task, cluster, chance)
        is_gold = np.isin(task, list(self.gold))
        is_right = cluster == [CANNOT if self.gold.get(t, 0) is None else AGREED for t in task]
        is_taught = (n_answers[task] > 1) | is_gold
        judged = sum_by(annotator, is_taught.astype(np.float64), self.n_annotators)
        for _ in range(STEPS):
            proba = np.where(is_gold, is_right, groups.proba(skill[annotator]))
            right = sum_by(annotator, proba * is_taught, self.n_annotators)
            updated = np.clip(one_coin.accuracies(right, judged, 2)[0], *SKILL_RANGE)
            change = float(np.abs(updated - skill).max(initial=0.0))
            skill = updated
            if change < 1e-4:
                break
        return _Fit(skill, np.where(is_gold, is_right, groups.proba(skill[annotator])), right, judged)

    def finished(self, cluster: IntArray, fit: _Fit) -> OpenTruth:
        """Return the consensus of each record's most probable cluster."""
        n_tasks = len(self.by_task)
        value: list[Any] = [None] * n_tasks
        confidence, best = np.zeros(n_tasks), np.full(n_tasks, NOBODY, dtype=np.int32)
        proba = fit.proba.copy()
        for task, members in enumerate(self.by_task):
            if not members:
                continue
            top = max(members, key=lambda n: (round(float(fit.proba[n]), 9), -cluster[n], -n))
            best[task], confidence[task] = cluster[top], proba[top]
            if cluster[top] > AGREED and task in self.merged:
                best[task], confidence[task] = AGREED, self.merged[task][1]
                agreed = np.array(members)[cluster[members] == AGREED]
                proba[members] = np.minimum(proba[members], 1 - confidence[task])
                proba[agreed] = confidence[task]
            # Answers beside the consensus still help to place it; a rival of the consensus stands for itself.
            heard = [n for n in members if cluster[n] == best[task] or (best[task] == AGREED and cluster[n] > AGREED)]
            if best[task] >= AGREED:
                value[task] = self._merged(task, heard, fit.skill)
        n_answers = np.array([len(members) for members in self.by_task], dtype=np.int32)
        return OpenTruth(value, confidence, proba, cluster, best, n_answers, fit.skill, fit.right, fit.judged)


@dataclass(frozen=True, eq=False)
class Groups:
    """The clusters of many records: whose they are and how large; all of shape (n_groups,) but ``group`` (n_answers,).

    ``chance`` is that of the record of each group.
    """

    group: IntArray
    task: IntArray
    size: FloatArray
    chance: FloatArray
    n_tasks: int

    @classmethod
    def of(cls, task: npt.NDArray[np.int64], cluster: IntArray, chance: FloatArray) -> "Groups":
        """Return the groups of answers on the same record with the same cluster."""
        pairs = np.column_stack([task, cluster]).reshape(-1, 2)
        distinct, group = np.unique(pairs, axis=0, return_inverse=True)
        owner = distinct[:, 0].astype(np.int32)
        size = np.bincount(group.ravel(), minlength=len(distinct)).astype(np.float64)
        return cls(group.ravel().astype(np.int32), owner, size, chance[owner], len(chance))

    def proba(self, skill: FloatArray) -> FloatArray:
        """Return the probability that each answer is right, from its annotator's skill, shape (n_answers,).

        Examples
        --------
        >>> groups = Groups.of(np.zeros(3, dtype=int), np.array([0, 0, 1]), np.array([0.1]))
        >>> groups.proba(np.full(3, 0.8)).round(2).tolist()
        [0.84, 0.84, 0.11]
        """
        right, wrong = np.log(skill), np.log1p(-skill)
        as_wrong = self._per_group(wrong) + (self.size - 1) * np.log(self.chance)
        gain = right - wrong - 0.5 * np.log(self.chance[self.group])
        owner = self.task[self.group]
        information = sum_by(owner, ((2 * skill - 1) * gain).clip(0), self.n_tasks)
        power = evidence.exponent(information, CAP)  # (n_tasks,)
        odds = power[self.task] * (self._per_group(right) - as_wrong)  # against "none of them"
        highest = np.maximum(0.0, _max_by(self.task, odds, self.n_tasks))
        weight = np.exp(odds - highest[self.task])
        total = sum_by(self.task, weight, self.n_tasks) + np.exp(-highest)
        return np.asarray((weight / total[self.task])[self.group])

    def _per_group(self, values: FloatArray) -> FloatArray:
        return sum_by(self.group, values, len(self.size))


def _max_by(index: IntArray, values: FloatArray, size: int) -> FloatArray:
    highest = np.full(size, -np.inf)
    np.maximum.at(highest, index, values)
    return highest

"""Truth inference answer by answer: a posterior at once from frozen tables, a full estimate now and then.

Two promises. Between full estimates a record's posterior is that of the batch method with its tables frozen, O(classes)
an answer. After :meth:`Live.settle` everything is bit-equal to the batch result of the same answers, because it is it.
The service keeps its state in the database instead; this is for streams held in memory, and for the benchmark.
"""

from collections.abc import Callable, Mapping

import numpy as np

from marketplace.core.aggregation import guarded, incremental, known
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.result import Aggregation

REFIT_SHARE = 0.02
"""Share of new answers from which the tables are estimated anew."""
LEAST_NEW = 20
"""New answers below which they are not, however few there are."""

Estimate = Callable[[Answers, known.Known], Aggregation]


class Live:
    """A job whose answers arrive one by one.

    Parameters
    ----------
    n_classes
        At least 1.
    gold
        Record -> true class, for records of any index.
    estimate
        A registered method that keeps tables; the default one unless given.

    Examples
    --------
    >>> job = Live(2)
    >>> for task, annotator, label in [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)]:
    ...     belief = job.add(task, annotator, label)
    >>> bool(belief[0] > 0.7), job.settle().label.tolist()
    (True, [1, 0])
    """

    def __init__(
        self, n_classes: int, *, gold: Mapping[int, int] | None = None, estimate: Estimate = guarded.guarded
    ) -> None:
        self.n_classes = n_classes
        self.gold = dict(gold or {})
        self._estimate = estimate
        self._answers: dict[int, dict[int, tuple[int, float | None]]] = {}
        self._states: dict[int, incremental.RecordState] = {}
        self._n_annotators = self._n_answers = self._n_new = 0
        self._tables = self._estimated(Answers([], [], [], 0, 0, n_classes), {})  # type: ignore[arg-type]

    def add(self, task: int, annotator: int, label: int, *, at: float | None = None) -> FloatArray:
        """Enter an answer (the last of an annotator counts) and return the record's posterior, shape (n_classes,).

        Raises
        ------
        ValueError
            When an index is negative or the label is no class.
        """
        if task < 0 or annotator < 0 or not 0 <= label < self.n_classes:
            raise ValueError(
                f"need task, annotator >= 0 and label in 0..{self.n_classes - 1}, got {task}, {annotator}, {label}"
            )
        said = self._answers.setdefault(task, {})
        is_again = annotator in said
        said[annotator] = (label, at)
        self._n_annotators = max(self._n_annotators, annotator + 1)
        self._n_answers += not is_again
        self._n_new += 1
        if self._n_new >= max(LEAST_NEW, REFIT_SHARE * self._n_answers):
            self.settle()
        elif is_again:
            self._states.pop(task, None)
        elif task in self._states:
            self._states[task] = self._states[task].add(self._known(annotator), label)
        return self.posterior(task)

    def posterior(self, task: int) -> FloatArray:
        """Return the belief about a record, shape (n_classes,); certain on gold."""
        if task in self.gold:
            return np.asarray(np.eye(self.n_classes)[self.gold[task]])
        if task not in self._states:
            state = incremental.start(self._tables)
            for annotator, (label, _) in sorted(self._answers.get(task, {}).items()):
                state = state.add(self._known(annotator), label)
            self._states[task] = state
        return self._states[task].posterior()

    def settle(self) -> Aggregation:
        """Estimate everything anew and return it: the batch result of all answers so far."""
        answers, gold = self.answers(), {task: label for task, label in self.gold.items() if task in self._answers}
        self._tables = self._estimated(answers, gold)
        self._states.clear()
        self._n_new = 0
        return self._tables

    def answers(self) -> Answers:
        """Return all answers so far; with times where each answer has one."""
        rows = [(task, who, *said) for task, by in self._answers.items() for who, said in by.items()]
        task, annotator, label, at = zip(*rows, strict=True) if rows else ((), (), (), ())
        times = np.array(at, dtype=np.float64) if rows and None not in at else None
        n_tasks = max(self._answers, default=-1) + 1
        return Answers(
            np.array(task, dtype=np.int32),
            np.array(annotator, dtype=np.int32),
            np.array(label, dtype=np.int32),
            n_tasks,
            self._n_annotators,
            self.n_classes,
            at=times,
        )

    def _known(self, annotator: int) -> int | None:
        """Return the annotator as the tables know them."""
        return annotator if annotator < len(self._tables.skill) else None

    def _estimated(self, answers: Answers, gold: Mapping[int, int]) -> Aggregation:
        return self._estimate(answers, known.check(answers, gold, None))

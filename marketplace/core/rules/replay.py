"""Rules run over answers in the order they were given: the dry run and the live run are this one function."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from marketplace.core.rules.definition import Rule

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History:
    """The answers of one annotator or vendor, oldest first; all arrays of shape (n,), NaN where it does not apply.

    Attributes
    ----------
    at
        Seconds since the epoch, ascending.
    label
        Class index, -1 for "cannot label".
    gold_right, agrees, copied
        1 or 0: right on gold; equal to the decided label; wrong answer that the annotator most alike gave too.
    seconds
        Time the answer took.
    """

    at: FloatArray
    label: FloatArray
    gold_right: FloatArray
    agrees: FloatArray
    copied: FloatArray
    seconds: FloatArray

    def __post_init__(self) -> None:
        sizes = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"all columns must have one length, got {sizes}")
        if np.any(np.diff(self.at) < 0):
            raise ValueError("answers must come oldest first")

    def __len__(self) -> int:
        return len(self.at)


def join(histories: Iterable[History]) -> History:
    """Return the answers of several histories as one, oldest first; of equal times the first given first."""
    parts = list(histories)
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(History)}
    order = np.argsort(columns["at"], kind="stable")
    return History(**{name: column[order] for name, column in columns.items()})


@dataclass(frozen=True, slots=True)
class Hit:
    """The answer (its position) at which a rule's condition came true, with the figure and the answers behind it."""

    position: int
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """An effect that is there already: answers up to ``until`` (seconds) do not count again."""

    until: float


def _column(rule: Rule, history: History) -> FloatArray:
    """Return the value of each answer for the rule's collector, shape (n,), NaN where it tells nothing."""
    if rule.collector == "cannot_label_share":
        return np.asarray(np.where(np.isnan(history.label), np.nan, history.label < 0), dtype=np.float64)
    columns = {
        "gold_accuracy": history.gold_right,
        "consensus_agreement": history.agrees,
        "seconds_per_answer": history.seconds,
        "constant_share": history.label,
        "copy_share": history.copied,
        "n_answers": history.at,
    }
    return columns[rule.collector]


def _figure(rule: Rule, window: FloatArray) -> float:
    if rule.collector == "n_answers":
        return float(len(window))
    if rule.collector == "seconds_per_answer":
        return float(np.median(window))
    if rule.collector == "constant_share":
        return float(np.unique(window, return_counts=True)[1].max() / len(window))
    return float(window.mean())


def hits(rule: Rule, history: History, *, earlier: Earlier | None = None, armed_at: float = -np.inf) -> list[Hit]:
    """Return where a rule hits a history, first to last.

    Parameters
    ----------
    rule
        A rule without findings.
    history
        The subject's answers.
    earlier
        The newest effect of this rule on this subject; its answers are used up.
    armed_at
        Only an answer given at or after this time (seconds) can set the rule off; earlier ones still count as evidence.

    Returns
    -------
    list of Hit
        After a hit its evidence is used up, and answers given while the action would hold are passed over: what the
        rule would have prevented cannot set it off again. An action without end hits once, a warning again on new
        evidence.

    Notes
    -----
    O(n * window) time. Deterministic.

    Examples
    --------
    >>> blank = np.full(4, np.nan)
    >>> wrong = History(np.arange(4.0), np.zeros(4), np.array([1.0, 0, 0, 0]), blank, blank, blank)
    >>> hits(Rule("annotator", "gold_accuracy", "<", 0.5, 3, "warn"), wrong)
    [Hit(position=2, value=0.3333333333333333, n=3)]
    """
    column = _column(rule, history)
    telling = np.flatnonzero(~np.isnan(column))  # positions
    at, value = history.at[telling], column[telling]
    start = int(np.searchsorted(at, earlier.until, side="right")) if earlier is not None else 0
    found, place = [], start
    while place < len(telling):
        first = max(start, _window_start(rule, at, place))
        n = place + 1 - first
        figure = _figure(rule, value[first : place + 1]) if n >= rule.min_n and at[place] >= armed_at else None
        if figure is None or not rule.holds(figure):
            place += 1
            continue
        found.append(Hit(int(telling[place]), figure, n))
        if rule.action == "ban_annotator":
            break
        start = place = max(place + 1, int(np.searchsorted(at, at[place] + (rule.duration_s or 0), side="right")))
    return found


def _window_start(rule: Rule, at: FloatArray, place: int) -> int:
    first = 0
    if rule.window_answers is not None:
        first = max(first, place + 1 - rule.window_answers)
    if rule.window_s is not None:
        first = max(first, int(np.searchsorted(at, at[place] - rule.window_s, side="right")))
    return first

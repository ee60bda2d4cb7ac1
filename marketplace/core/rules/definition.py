"""What a rule says, and what no rule can say: every finding names its field and the way out."""

import math
from dataclasses import dataclass
from typing import Final

SUBJECTS: Final = ("annotator", "vendor")
_A: Final = {"annotator": "an annotator", "vendor": "a vendor"}
COMPARATORS: Final = ("<", "<=", ">", ">=")
MAX_WINDOW_ANSWERS: Final = 10_000
MAX_WINDOW_S: Final = 365 * 24 * 3600
MAX_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Collector:
    """A figure taken over answers: what it means, and the least and greatest value it can have."""

    words: str
    least: float
    most: float

    @property
    def is_ratio(self) -> bool:
        """Whether the figure is a share of answers."""
        return self.most == 1.0


COLLECTORS: Final[dict[str, Collector]] = {
    "gold_accuracy": Collector("share of gold answers that are right", 0.0, 1.0),
    "consensus_agreement": Collector("share of answers that agree with the decided label", 0.0, 1.0),
    "seconds_per_answer": Collector("median seconds an answer took", 0.0, MAX_SECONDS),
    "constant_share": Collector("share of the most frequent answer", 0.0, 1.0),
    "copy_share": Collector("share of wrong answers that one and the same other annotator gave as well", 0.0, 1.0),
    "cannot_label_share": Collector("share of records said to be impossible to label", 0.0, 1.0),
    "n_answers": Collector("answers given", 0.0, float(MAX_WINDOW_ANSWERS)),
}


@dataclass(frozen=True, slots=True)
class Action:
    """What follows a hit: on whom it can be laid, and whether it runs for a time."""

    words: str
    subjects: tuple[str, ...]
    needs_duration: bool


ACTIONS: Final[dict[str, Action]] = {
    "warn": Action("tell the vendor", SUBJECTS, needs_duration=False),
    "extra_overlap": Action("ask one more opinion on the records answered", SUBJECTS, needs_duration=True),
    "review": Action("send the newest records answered to review", SUBJECTS, needs_duration=False),
    "pause_annotator": Action("take no answers of the annotator for a while", ("annotator",), needs_duration=True),
    "ban_annotator": Action("take no more answers of the annotator", ("annotator",), needs_duration=False),
    "pause_vendor": Action("make the vendor no offers for a while", ("vendor",), needs_duration=True),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """When ``collector`` over the window ``comparator`` ``threshold``, do ``action``.

    Attributes
    ----------
    subject
        Whose answers are put together: one annotator's, or all of a vendor's.
    min_n
        Answers that tell something, below which the figure is not judged; >= 1.
    window_answers, window_s
        Only the last so many answers, only the last so many seconds; None: all of them.
    duration_s
        How long the action holds; None for those that do not end.
    """

    subject: str
    collector: str
    comparator: str
    threshold: float
    min_n: int
    action: str
    window_answers: int | None = None
    window_s: int | None = None
    duration_s: int | None = None

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        return (
            f"When the {COLLECTORS[self.collector].words} of {_A[self.subject]}{self._window_words} "
            f"is {self.comparator} {self._shown(self.threshold)} ({self.min_n} answers at least): "
            f"{ACTIONS[self.action].words}{self._duration_words}."
        )

    def explain(self, value: float, n: int) -> str:
        """Return why a rule hit, with its numbers."""
        found = f"The {COLLECTORS[self.collector].words} is {self._shown(value)} over {n} answers"
        return f"{found}; the rule is {self.comparator} {self._shown(self.threshold)}."

    def holds(self, value: float) -> bool:
        """Return whether a figure fulfils the condition."""
        return {
            "<": value < self.threshold,
            "<=": value <= self.threshold,
            ">": value > self.threshold,
            ">=": value >= self.threshold,
        }[self.comparator]

    def _shown(self, value: float) -> str:
        return f"{value:.1%}" if COLLECTORS[self.collector].is_ratio else f"{value:g}"

    @property
    def _window_words(self) -> str:
        last = f" over the last {self.window_answers} answers" if self.window_answers is not None else ""
        return last + (f" within {self.window_s} s" if self.window_s is not None else "")

    @property
    def _duration_words(self) -> str:
        return f" ({self.duration_s} s)" if self.duration_s is not None else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a rule."""

    field: str
    code: str
    detail: str


def check(rule: Rule) -> list[Finding]:
    """Return what is wrong with a rule, field by field; empty for a rule that can be used.

    Examples
    --------
    >>> odd = Rule("annotator", "gold_accuracy", "<", 1.5, 0, "warn", window_answers=0)
    >>> [(finding.field, finding.code) for finding in check(odd)]
    [('threshold', 'out_of_range'), ('min_n', 'out_of_range'), ('window_answers', 'out_of_range')]
    """
    found = _unknown(rule)
    return found or [*_threshold(rule), *_window(rule), *_action(rule)]


def _unknown(rule: Rule) -> list[Finding]:
    named = (
        ("subject", rule.subject, SUBJECTS),
        ("collector", rule.collector, tuple(COLLECTORS)),
        ("comparator", rule.comparator, COMPARATORS),
        ("action", rule.action, tuple(ACTIONS)),
    )
    return [
        Finding(field, "unknown", f"{value[:60]!r} is unknown. Give one of {', '.join(known)}.")
        for field, value, known in named
        if value not in known
    ]


def _threshold(rule: Rule) -> list[Finding]:
    collector = COLLECTORS[rule.collector]
    if not (math.isfinite(rule.threshold) and collector.least <= rule.threshold <= collector.most):
        detail = f"{rule.collector} lies between {collector.least:g} and {collector.most:g}; got {rule.threshold:g}."
        return [Finding("threshold", "out_of_range", detail)]
    never = (rule.comparator == "<" and rule.threshold == collector.least) or (
        rule.comparator == ">" and rule.threshold == collector.most
    )
    always = (rule.comparator == ">=" and rule.threshold == collector.least) or (
        rule.comparator == "<=" and rule.threshold == collector.most
    )
    if never or always:
        fate = "never true" if never else "always true"
        detail = f"{rule.collector} {rule.comparator} {rule.threshold:g} is {fate}; move the threshold inwards."
        return [Finding("threshold", "contradiction", detail)]
    return []


def _window(rule: Rule) -> list[Finding]:
    found = []
    if not 1 <= rule.min_n <= MAX_WINDOW_ANSWERS:
        found.append(Finding("min_n", "out_of_range", f"Give 1 to {MAX_WINDOW_ANSWERS} answers; got {rule.min_n}."))
    if rule.window_answers is not None and not 1 <= rule.window_answers <= MAX_WINDOW_ANSWERS:
        detail = f"Give 1 to {MAX_WINDOW_ANSWERS} answers, or leave it out for all; got {rule.window_answers}."
        found.append(Finding("window_answers", "out_of_range", detail))
    if rule.window_s is not None and not 1 <= rule.window_s <= MAX_WINDOW_S:
        detail = f"Give 1 to {MAX_WINDOW_S} seconds, or leave it out for all time; got {rule.window_s}."
        found.append(Finding("window_s", "out_of_range", detail))
    if found:
        return found
    if rule.window_answers is not None and rule.min_n > rule.window_answers:
        detail = f"A window of {rule.window_answers} answers never holds {rule.min_n}; lower min_n or widen the window."
        found.append(Finding("min_n", "contradiction", detail))
    if rule.collector == "n_answers":
        found += _counting(rule)
    return found


def _counting(rule: Rule) -> list[Finding]:
    if rule.window_s is None or rule.window_answers is not None:
        detail = "Counting answers needs a window in seconds, and none in answers: give window_s only."
        return [Finding("window_s", "required", detail)]
    if rule.comparator in {"<", "<="}:
        detail = "A count grows from zero, so few answers say nothing yet; use > or >=."
        return [Finding("comparator", "contradiction", detail)]
    return []


def _action(rule: Rule) -> list[Finding]:
    action = ACTIONS[rule.action]
    found = []
    if rule.subject not in action.subjects:
        detail = f"{rule.action} is laid on a {action.subjects[0]}; set subject to {action.subjects[0]!r}."
        found.append(Finding("action", "contradiction", detail))
    if action.needs_duration and rule.duration_s is None:
        found.append(Finding("duration_s", "required", f"Say for how many seconds {rule.action} holds."))
    if not action.needs_duration and rule.duration_s is not None:
        found.append(Finding("duration_s", "contradiction", f"{rule.action} has no duration; leave it out."))
    if rule.duration_s is not None and not 1 <= rule.duration_s <= MAX_WINDOW_S:
        detail = f"Give 1 to {MAX_WINDOW_S} seconds; got {rule.duration_s}."
        found.append(Finding("duration_s", "out_of_range", detail))
    return found

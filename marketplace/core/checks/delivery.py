"""A whole delivery: each annotation on its own, then keys unknown, repeated or already answered."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.core.checks.model import Annotation, Finding, Outcome, Rules
from marketplace.core.checks.registry import check


@dataclass(frozen=True, slots=True)
class Delivery:
    """Outcomes in the order of the annotations, and the expected keys still without a usable answer."""

    outcomes: tuple[Outcome, ...]
    missing: tuple[str, ...]


def check_delivery(
    annotations: Sequence[Annotation],
    rules: Rules | Callable[[str], Rules],
    *,
    expected: Collection[str],
    earlier: Mapping[str, Any] | None = None,
) -> Delivery:
    """Check what a vendor sends for one assignment.

    Parameters
    ----------
    annotations
        In order of arrival.
    rules
        The job's rules, or a function of the record key where records differ (image size, text).
    expected
        Keys of the assignment's records.
    earlier
        Key -> canonical value of answers already kept for this assignment.

    Returns
    -------
    Delivery
        Codes besides those of the task type: ``unknown_record`` (rejected), ``duplicate_key`` (the key repeats within
        the delivery: all of its entries are rejected, which one was meant is unknowable), ``replaces_earlier``
        (accepted, last wins), ``unchanged`` (accepted, the same value again).

    Notes
    -----
    O(annotations) besides the checks; idempotent: the same delivery again changes nothing.
    """
    keys = set(expected)
    repeats = Counter(annotation.key for annotation in annotations)
    outcomes = []
    for annotation in annotations:
        if annotation.key not in keys:
            finding = Finding("unknown_record", f"{str(annotation.key)[:60]!r} is not in this assignment.", "key")
            outcomes.append(Outcome(annotation.key, "rejected", None, (finding,)))
        elif repeats[annotation.key] > 1:
            detail = f"The key occurs {repeats[annotation.key]} times in this delivery."
            outcomes.append(Outcome(annotation.key, "rejected", None, (Finding("duplicate_key", detail, "key"),)))
        else:
            own = rules(annotation.key) if callable(rules) else rules
            outcomes.append(_against_earlier(check(annotation, own), earlier or {}))
    usable = {outcome.key for outcome in outcomes if outcome.status == "accepted"} | set(earlier or {})
    return Delivery(tuple(outcomes), tuple(key for key in expected if key not in usable))


def _against_earlier(outcome: Outcome, earlier: Mapping[str, Any]) -> Outcome:
    if outcome.status == "rejected" or outcome.key not in earlier:
        return outcome
    if outcome.value == earlier[outcome.key]:
        finding = Finding("unchanged", "The same answer is kept already.")
    else:
        finding = Finding("replaces_earlier", "This answer replaces the earlier one.")
    return Outcome(outcome.key, outcome.status, outcome.value, (*outcome.findings, finding))

"""Qualification: a blind gold set judged by the lower bound of what the answers prove, not by the raw mean."""

from dataclasses import dataclass
from typing import Final

from vendors.core.posteriors import Ratio

INTERVAL_LEVEL: Final = 0.9
MAX_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class QualificationResult:
    """Outcome of one attempt: the 90 % Beta bounds of accuracy against the floor."""

    n_records: int
    n_correct: int
    lower_bound: float
    upper_bound: float
    floor: float

    @property
    def is_passed(self) -> bool:
        """Whether the lower bound clears the floor."""
        return self.lower_bound >= self.floor


def judge(n_correct: int, n_records: int, floor: float) -> QualificationResult:
    """Judge an attempt by the central 90 % interval of Beta(1/2 + correct, 1/2 + wrong).

    Parameters
    ----------
    n_correct, n_records
        Answers equal to the gold label, and answers asked for; ``0 <= n_correct <= n_records``, n_records > 0.
    floor
        Accuracy to prove, in (0, 1).

    Raises
    ------
    ValueError
        When the counts or the floor are out of range.

    Examples
    --------
    >>> judge(39, 40, 0.85).is_passed, judge(34, 40, 0.85).is_passed
    (True, False)
    """
    if n_records <= 0 or not 0 <= n_correct <= n_records:
        raise ValueError(f"{n_correct} correct of {n_records} records is impossible")
    if not 0 < floor < 1:
        raise ValueError(f"the floor must lie between 0 and 1, got {floor}")
    belief = Ratio(n_correct + 0.5, n_records - n_correct + 0.5)
    return QualificationResult(n_records, n_correct, belief.lower(INTERVAL_LEVEL), belief.upper(INTERVAL_LEVEL), floor)

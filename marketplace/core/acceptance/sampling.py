"""Single sampling by attributes: ISO 2859-1, normal inspection, general inspection level II.

References
----------
ISO 2859-1:1999, Sampling procedures for inspection by attributes, part 1: table 1 (code letters, level II) and
table 2-A (single sampling plans for normal inspection), columns 0.010 to 10 percent nonconforming. The older
MIL-STD-105E and ANSI/ASQ Z1.4 have the same figures.
"""

import bisect
from dataclasses import dataclass
from typing import Final

import numpy as np

from marketplace.core.acceptance.verdict import Evidence, Plan, Reason, Verdict, decide

LETTERS: Final = "ABCDEFGHJKLMNPQR"
LOT_SIZES: Final = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
"""Largest lot of each letter from A to P; larger ones are Q. No lot of level II reaches R but by an arrow."""
SAMPLE_SIZES: Final = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
AQLS: Final = (0.010, 0.015, 0.025, 0.040, 0.065, 0.10, 0.15, 0.25, 0.40, 0.65, 1.0, 1.5, 2.5, 4.0, 6.5, 10.0)
"""Acceptance quality limits, percent nonconforming."""
_STEPS: Final = (0, None, None, 1, 2, 3, 5, 7, 10, 14, 21)
"""Acceptance numbers down a column, from the plan that accepts none: then an arrow up, an arrow down, and the rest.

In every column the same: it starts one letter earlier for each larger limit (Q for 0.010, A for 6.5).
"""


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How many to inspect, and how many of them may be wrong."""

    letter: str
    sample_size: int
    accept: int


def plan_for(lot_size: int, aql: float) -> SamplingPlan:
    """Return the plan for a lot; where it asks for more than the lot has, the whole lot is inspected.

    Parameters
    ----------
    lot_size
        At least 1 (the standard starts at 2).
    aql
        One of :data:`AQLS`, percent.

    Raises
    ------
    ValueError
        When the lot is empty or the limit is none of the table's.

    Examples
    --------
    >>> plan_for(1000, 1.0)
    SamplingPlan(letter='J', sample_size=80, accept=2)
    >>> plan_for(100, 2.5), plan_for(40, 1.0)
    (SamplingPlan(letter='F', sample_size=20, accept=1), SamplingPlan(letter='E', sample_size=13, accept=0))
    """
    if lot_size < 1:
        raise ValueError(f"a lot has at least 1 answer, got {lot_size}")
    if aql not in AQLS:
        raise ValueError(f"aql must be one of {', '.join(f'{limit:g}' for limit in AQLS)}, got {aql:g}")
    letter = _along_arrows(bisect.bisect_left(LOT_SIZES, lot_size), len(LETTERS) - 2 - AQLS.index(aql))
    accept = _STEPS[letter - (len(LETTERS) - 2 - AQLS.index(aql))]
    if accept is None:
        raise LookupError(f"no plan for a lot of {lot_size} at {aql:g}")
    return SamplingPlan(LETTERS[letter], min(SAMPLE_SIZES[letter], lot_size), accept)


def _along_arrows(letter: int, start: int) -> int:
    """Return the letter whose plan is used; ``start`` is that of the plan that accepts none, -1 when it is before A."""
    step = letter - start
    if step < 0:
        return start
    if step >= len(_STEPS):
        return start + len(_STEPS) - 1
    if _STEPS[step] is not None:
        return letter
    is_up = (step == 1 and start >= 0) or start + 3 >= len(LETTERS)
    return start if is_up else start + 3


def decide_by_sampling(
    evidence: Evidence, aql: float, rng: np.random.Generator, plan: Plan | None = None, *, is_final: bool = True
) -> Verdict:
    """Return the verdict on an assignment by the plan for its size: a random sample, so many wrong at most.

    Parameters
    ----------
    evidence
        As for :func:`decide`; an answer counts as wrong where its posterior is below a half, or its gold says so.
    aql
        One of :data:`AQLS`, percent.
    rng
        Draws the sample.
    plan
        For the search for spam, and for lots too little of which can be judged.
    is_final
        False: while fewer answers can be judged than the sample needs, the verdict is open. True: the sequential test
        decides then, and a reason says so.

    Returns
    -------
    Verdict
        Accepted, or sent back: with the contradicted answers named where they are few, whole where they are not.

    Notes
    -----
    The estimate of the error is that of the sequential test. Spam is refused whatever the sample says.
    """
    plan = plan or Plan()
    sequential = decide(evidence, plan, is_final=is_final)
    if evidence.spam_probability >= plan.spam_above:
        return sequential
    judged = evidence.proba_right[~np.isnan(evidence.proba_right)]
    wrong = np.concatenate([judged < 0.5, np.arange(evidence.gold_hits) >= evidence.gold_correct])
    sampling = plan_for(max(len(evidence.keys) + evidence.gold_hits, 1), aql)
    facts = {"aql": aql, "sample_size": float(sampling.sample_size), "accept": float(sampling.accept)}
    if len(wrong) < sampling.sample_size:
        detail = f"The plan inspects {sampling.sample_size} answers; {len(wrong)} can be judged"
        rest = ", so the sequential test decides." if is_final else ": inspect more."
        reason = Reason("sample_too_small", detail + rest, facts)
        return _with(sequential, sequential.decision if is_final else "escalated", reason, sequential.rework_keys)
    n_wrong = int(wrong[rng.choice(len(wrong), sampling.sample_size, replace=False)].sum())
    detail = (
        f"ISO 2859-1, letter {sampling.letter}, AQL {aql:g} %: {n_wrong} of {sampling.sample_size} sampled answers are "
        f"wrong; {sampling.accept} are accepted."
    )
    facts |= {"n_wrong": float(n_wrong)}
    if n_wrong <= sampling.accept:
        return _with(sequential, "accepted", Reason("sample_accepted", detail, facts), ())
    named = tuple(key for key, p in zip(evidence.keys, evidence.proba_right, strict=True) if p < plan.suspect_below)
    is_few = 0 < len(named) <= plan.max_rework_ratio * len(evidence.keys)
    decision = "rework" if is_few else "rejected"
    return _with(sequential, decision, Reason("sample_refused", detail, facts), named if is_few else ())


def _with(found: Verdict, decision: str, reason: Reason, named: tuple[str, ...]) -> Verdict:
    kept = (reason, *found.reasons[1:])
    return Verdict(decision, found.error, found.error_low, found.error_high, named, kept)  # type: ignore[arg-type]

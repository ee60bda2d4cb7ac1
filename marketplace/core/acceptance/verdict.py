"""The verdict on one assignment: a sequential test on gold and peer evidence with the vendor's history as prior."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

Decision = Literal["accepted", "rework", "rejected", "escalated"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a machine-readable code, a sentence, and the figures in it."""

    code: str
    detail: str
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job accepts.

    Attributes
    ----------
    max_error
        Largest tolerated share of wrong answers, in (0, 1).
    level
        Credibility of the bounds compared with ``max_error``, in (0, 1).
    peer_weight
        Gold-equivalents of one answer judged by its peers, in [0, 1]; below 1 because peers err together.
    history_cap
        Most answers the vendor's history may count for: it must not wash out a bad assignment.
    suspect_below
        Posterior of the given answer under which a record is named for rework.
    max_rework_ratio
        Largest share of records sent back singly; above it the whole assignment is rejected.
    spam_above
        Probability of answering independently of the truth from which an assignment is rejected.
    """

    max_error: float = 0.1
    level: float = 0.9
    peer_weight: float = 0.5
    history_cap: float = 20.0
    suspect_below: float = 0.3
    max_rework_ratio: float = 0.4
    spam_above: float = 0.95

    def __post_init__(self) -> None:
        if not (0 < self.max_error < 1 and 0 < self.level < 1):
            raise ValueError(f"max_error and level must be in (0, 1), got {self.max_error} and {self.level}")
        if not (0 <= self.peer_weight <= 1 and self.history_cap >= 0):
            raise ValueError(f"need peer_weight in 0..1 and history_cap >= 0: {self.peer_weight}, {self.history_cap}")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one assignment.

    Attributes
    ----------
    keys
        Record keys of the answers, in order; gold records left out.
    proba_right
        Posterior probability of the given answer, shape (n,); NaN where no other annotator answered the record.
    gold_hits, gold_correct
        Blind gold in this assignment.
    prior_right, prior_wrong
        The vendor's history as Beta pseudo-counts, > 0. Default: ten answers' worth of 90 %.
    spam_probability
        From :func:`marketplace.core.acceptance.spam_probability`; 0 when not computed.
    conduct
        What was seen of how the work was done (already counted in ``spam_probability``), told with every verdict.
    """

    keys: Sequence[str]
    proba_right: npt.NDArray[np.float64]
    gold_hits: int = 0
    gold_correct: int = 0
    prior_right: float = 9.0
    prior_wrong: float = 1.0
    spam_probability: float = 0.0
    conduct: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.proba_right):
            raise ValueError(f"{len(self.keys)} keys, {len(self.proba_right)} probabilities")
        if not 0 <= self.gold_correct <= self.gold_hits:
            raise ValueError(f"{self.gold_correct} correct of {self.gold_hits} gold answers")
        if not (self.prior_right > 0 and self.prior_wrong > 0):
            raise ValueError(f"the prior needs positive counts, got {self.prior_right} and {self.prior_wrong}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with its error estimate, the central interval around it, the named records and the reasons."""

    decision: Decision
    error: float
    error_low: float
    error_high: float
    rework_keys: tuple[str, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Estimate:
    """Mean error, the central interval around it, and the mean without history (NaN without evidence)."""

    error: float
    low: float
    high: float
    own_error: float

    def facts(self, plan: Plan) -> dict[str, float]:
        return {"error": self.error, "error_low": self.low, "error_high": self.high, "max_error": plan.max_error}


def _estimate(evidence: Evidence, plan: Plan) -> _Estimate:
    """Return the belief about the error: capped history, gold, discounted peers."""
    history = min(1.0, plan.history_cap / (evidence.prior_right + evidence.prior_wrong))
    judged = evidence.proba_right[~np.isnan(evidence.proba_right)]
    own_right = evidence.gold_correct + plan.peer_weight * float(judged.sum())
    own_wrong = evidence.gold_hits - evidence.gold_correct + plan.peer_weight * float((1 - judged).sum())
    own_error = own_wrong / (own_right + own_wrong) if own_right + own_wrong > 0 else float("nan")
    right, wrong = own_right + history * evidence.prior_right, own_wrong + history * evidence.prior_wrong
    tail = (1 - plan.level) / 2
    low, high = (float(special.betaincinv(wrong, right, point)) for point in (tail, 1 - tail))
    return _Estimate(wrong / (right + wrong), low, high, own_error)


def _suspects(evidence: Evidence, plan: Plan) -> tuple[str, ...]:
    with np.errstate(invalid="ignore"):
        is_suspect = evidence.proba_right < plan.suspect_below
    return tuple(key for key, suspect in zip(evidence.keys, is_suspect, strict=True) if suspect)


def _rest_error(evidence: Evidence, plan: Plan) -> float:
    """Return the expected error of the judged records that are not named."""
    judged = evidence.proba_right[~np.isnan(evidence.proba_right)]
    rest = judged[judged >= plan.suspect_below]
    return float((1 - rest).mean()) if len(rest) else 0.0


def decide(evidence: Evidence, plan: Plan | None = None, *, is_final: bool = True) -> Verdict:
    """Return the verdict on an assignment.

    Parameters
    ----------
    evidence
        Gold, peers and history.
    plan
        What the job accepts; None for the defaults.
    is_final
        False: an undecided assignment is ``escalated`` (inspect more, then ask again). True: it is decided now.

    Returns
    -------
    Verdict
        ``rework`` always names records. Payment follows the decision and is reproducible from the same evidence.

    Notes
    -----
    In order: spam is rejected; upper error bound within the limit is accepted; few named records without which the rest
    keeps the limit are sent back; lower bound above the limit is rejected; the undecided go by the mean, but history
    alone rejects nobody.

    Examples
    --------
    >>> decide(Evidence(["a"] * 40, np.full(40, 0.97), gold_hits=5, gold_correct=5)).decision
    'accepted'
    """
    plan = plan or Plan()
    estimate = _estimate(evidence, plan)
    suspects = _suspects(evidence, plan)
    decision, reason = _choose(evidence, plan, estimate, suspects) or _undecided(plan, estimate, suspects, is_final)
    return Verdict(
        decision,
        estimate.error,
        estimate.low,
        estimate.high,
        suspects if decision == "rework" else (),
        (reason, *_observations(evidence, suspects)),
    )


def _choose(
    evidence: Evidence, plan: Plan, estimate: _Estimate, suspects: tuple[str, ...]
) -> tuple[Decision, Reason] | None:
    """Return the decision that the bounds allow, or None."""
    limit, facts = f"the limit of {plan.max_error:.1%}", estimate.facts(plan)
    if evidence.spam_probability >= plan.spam_above:
        detail = (
            f"The answers say nothing of their own about the records, with probability {evidence.spam_probability:.1%}."
        )
        return "rejected", Reason("spam", detail, {"spam_probability": evidence.spam_probability})
    if estimate.high <= plan.max_error:
        return "accepted", Reason("error_within_limit", f"The error is at most {estimate.high:.1%}: {limit}.", facts)
    is_repairable = len(suspects) <= plan.max_rework_ratio * len(evidence.keys) and _gold_allows(evidence, plan)
    if suspects and is_repairable and _rest_error(evidence, plan) <= plan.max_error:
        detail = f"{len(suspects)} of {len(evidence.keys)} answers contradict their peers; the rest keeps {limit}."
        return "rework", Reason("records_contradicted", detail, facts | {"n_named": len(suspects)})
    if estimate.low > plan.max_error and estimate.own_error > plan.max_error:
        return "rejected", Reason(
            "error_above_limit", f"The error is at least {estimate.low:.1%}, above {limit}.", facts
        )
    return None


def _undecided(plan: Plan, estimate: _Estimate, suspects: tuple[str, ...], is_final: bool) -> tuple[Decision, Reason]:
    """Return what becomes of an assignment whose bounds lie around the limit."""
    limit, facts = f"the limit of {plan.max_error:.1%}", estimate.facts(plan)
    if not is_final:
        detail = f"The error lies between {estimate.low:.1%} and {estimate.high:.1%}, around {limit}: inspect more."
        return "escalated", Reason("undecided", detail, facts)
    if estimate.error <= plan.max_error:
        return "accepted", Reason("mean_within_limit", f"The expected error {estimate.error:.1%}: {limit}.", facts)
    if suspects:
        detail = f"The expected error {estimate.error:.1%} is above {limit}; {len(suspects)} answers are contradicted."
        return "rework", Reason("records_contradicted", detail, facts | {"n_named": len(suspects)})
    if not estimate.own_error > plan.max_error:
        detail = "Nothing in the assignment itself speaks against it; history alone rejects nobody."
        return "accepted", Reason("not_contradicted", detail, facts)
    return "rejected", Reason("mean_above_limit", f"The expected error {estimate.error:.1%} is above {limit}.", facts)


def _gold_allows(evidence: Evidence, plan: Plan) -> bool:
    """Return whether gold alone leaves the limit possible: rework of named records can't repair hidden errors."""
    wrong = evidence.gold_hits - evidence.gold_correct
    lower = special.betaincinv(wrong + 0.5, evidence.gold_correct + 0.5, (1 - plan.level) / 2)
    return bool(lower <= plan.max_error)


def _observations(evidence: Evidence, suspects: tuple[str, ...]) -> list[Reason]:
    n_judged = int(np.sum(~np.isnan(evidence.proba_right)))
    facts = {"gold_hits": float(evidence.gold_hits), "gold_correct": float(evidence.gold_correct)}
    found = [Reason("gold", f"{evidence.gold_correct} of {evidence.gold_hits} gold records are right.", facts)]
    detail = f"{n_judged} of {len(evidence.keys)} answers could be compared; {len(suspects)} are contradicted."
    found += evidence.conduct
    return [*found, Reason("peers", detail, {"n_judged": float(n_judged), "n_contradicted": float(len(suspects))})]


def inspections_needed(right: float, wrong: float, plan: Plan | None = None, *, limit: int = 2000) -> int:
    """Return how many more inspections, all passed, would accept an assignment of this belief.

    Parameters
    ----------
    right, wrong
        Pseudo-counts so far, > 0.
    limit
        Returned when even that many would not do.

    Examples
    --------
    >>> inspections_needed(4.0, 1.0)
    25
    """
    plan = plan or Plan()
    counts = np.arange(limit + 1)
    highs = special.betaincinv(wrong, right + counts, (1 + plan.level) / 2)
    enough = np.flatnonzero(highs <= plan.max_error)
    return int(enough[0]) if len(enough) else limit

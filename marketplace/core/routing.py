"""Ranking of candidates: hard limits as filters, then an index on absolute scales, each part told in words."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

VERSION: Final = "index-2"
PRIORITIES: Final = ("cost", "speed", "accuracy")
OWN_WEIGHT: Final = 0.7
_CAPACITY_PENALTY: Final = 0.1
_MIN_P_ACCEPT: Final = 0.02
EXPLORED: Final = 20
"""One batch in so many goes to a newcomer first, where price matters most and the data are public."""
_WANTED: Final = "First because its answer on these records is expected to tell most for its price. "
_NEWCOMER: Final = f"First as a newcomer: one batch in {EXPLORED} is kept for somebody new. "


@dataclass(frozen=True, slots=True)
class Weights:
    """What matters to the customer; each >= 0, together 1."""

    cost: float
    speed: float
    accuracy: float

    def __post_init__(self) -> None:
        parts = (self.cost, self.speed, self.accuracy)
        if min(parts) < 0 or abs(sum(parts) - 1) > 1e-6:
            raise ValueError(f"weights must be >= 0 and sum to 1, got {parts} (sum {sum(parts):g})")

    @classmethod
    def of(cls, priority: str) -> "Weights":
        """Return the weights of a stated priority: 0.7 for it, 0.15 for each other.

        >>> Weights.of("speed")
        Weights(cost=0.15, speed=0.7, accuracy=0.15)
        """
        if priority not in PRIORITIES:
            raise ValueError(f"the priority must be one of {', '.join(PRIORITIES)}, got {priority!r}")
        rest = (1 - OWN_WEIGHT) / 2
        return cls(**{name: OWN_WEIGHT if name == priority else round(rest, 10) for name in PRIORITIES})

    @property
    def priority(self) -> str:
        """The name of the largest weight (the first of equals)."""
        return max(PRIORITIES, key=lambda name: getattr(self, name))


@dataclass(frozen=True, slots=True)
class Reference:
    """Frozen scales of a task type: what a label usually costs, takes, and how often it is wrong."""

    price_micro: int
    label_s: float
    error: float


REFERENCES: Final[dict[str, Reference]] = {
    "classification": Reference(50_000, 10.0, 0.05),
    "multilabel": Reference(80_000, 20.0, 0.08),
    "bbox": Reference(100_000, 30.0, 0.10),
    "polygon": Reference(400_000, 90.0, 0.10),
    "mask": Reference(500_000, 120.0, 0.10),
    "spans": Reference(120_000, 40.0, 0.10),
    "transcription": Reference(150_000, 45.0, 0.10),
    "ranking": Reference(60_000, 15.0, 0.10),
    "keypoints": Reference(200_000, 60.0, 0.10),
    "cuboid": Reference(900_000, 180.0, 0.10),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits of a job; None means no limit."""

    max_price_micro: int | None = None
    min_accuracy: float | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """One vendor as the index sees it; durations in seconds, probabilities in (0, 1]."""

    vendor_id: uuid.UUID
    exclusion: str | None
    price_micro: int | None
    currency: str
    min_batch: int
    accuracy_mean: float
    accuracy_low: float
    p_accept: float
    p_complete: float
    response_s: float
    label_s: float
    base_s: float
    start_window_s: float
    load: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place (0 = first; None = excluded), its score parts and the reason in words."""

    vendor_id: uuid.UUID
    sequence: int | None
    is_pinned: bool
    exclusion: str
    index: float | None
    parts: dict[str, float]
    words: str


def rank(
    candidates: Sequence[CandidateFacts],
    *,
    weights: Weights,
    reference: Reference,
    limits: Limits,
    n_records: int,
    pinned: Sequence[uuid.UUID] = (),
    manual_only: bool = False,
    newcomers: Collection[uuid.UUID] = (),
    wanted: uuid.UUID | None = None,
) -> list[Ranked]:
    """Order the candidates for a batch; lower index is better.

    Parameters
    ----------
    candidates
        Each vendor once, in any order; the order breaks ties of equals, so pass the least recently offered first.
    weights, reference, limits
        What matters, the frozen scales of the task type, and the hard limits.
    n_records
        Size of the batch, >= 1.
    pinned
        Vendors the customer put first, honoured verbatim in that order (hard limits still apply).
    manual_only
        Offer to pinned vendors only ("I choose" mode).
    newcomers
        Vendors of which the best comes right after the pinned ones: whom nobody asks, nobody gets to know. Empty but
        for the batches kept for them (:func:`is_explored`).
    wanted
        The vendor whose answer on these very records tells most; it comes right after the pinned ones, before any
        newcomer.

    Returns
    -------
    list of Ranked
        Eligible candidates in offer order, then the excluded ones with their reason.

    Notes
    -----
    ``loss = w_cost price/ref + w_speed (work + p_fail start_window)/ref + w_accuracy error/ref`` and
    ``index = loss + w_speed response/ref/p_accept + capacity``. The scales are absolute, so adding a vendor never
    reorders the others. Index order is optimal for one offer at a time with independent answers.
    O(n log n) time, O(n) memory; deterministic.

    References
    ----------
    Weitzman (1979), Optimal search for the best alternative, rule for a constant reservation index.
    """
    if n_records < 1:
        raise ValueError(f"a batch holds at least 1 record, got {n_records}")
    place = {vendor_id: position for position, vendor_id in enumerate(pinned)}
    scored = []
    excluded = []
    for candidate in candidates:
        reason = candidate.exclusion or exclusion_by(candidate, limits, n_records)
        if reason is None and manual_only and candidate.vendor_id not in place:
            reason = "The customer chose other vendors by hand."
        if reason is not None:
            excluded.append(Ranked(candidate.vendor_id, None, candidate.vendor_id in place, reason, None, {}, reason))
            continue
        parts = _parts(candidate, weights, reference, n_records)
        scored.append((place.get(candidate.vendor_id, len(place)), sum(parts.values()), candidate, parts))
    # Rounded: who differs by less than the sums are exact to is equal; then the facts decide, then the order given.
    scored.sort(key=lambda row: (row[0], round(row[1], 9), _merits(row[2])))
    favoured, head = (newcomers, _NEWCOMER) if wanted is None else ({wanted}, _WANTED)
    first = next((row for row in scored if row[0] == len(place) and row[2].vendor_id in favoured), None)
    if first is not None:
        scored.remove(first)
        scored.insert(sum(pin < len(place) for pin, *_ in scored), first)
    ordered = [
        Ranked(c.vendor_id, sequence, pin < len(place), "", index, parts, _words(c, parts, pin < len(place), reference))
        for sequence, (pin, index, c, parts) in enumerate(scored)
    ]
    if first is not None:
        ordered = [replace(r, words=head + r.words) if r.vendor_id == first[2].vendor_id else r for r in ordered]
    return ordered + excluded


def is_explored(weights: Weights, data_class: str, drawn: int) -> bool:
    """Return whether a batch is one of those kept for newcomers: cheap work on public data, one in ``EXPLORED``.

    ``drawn`` is any number that is spread evenly over batches and stays the same for one.
    """
    return weights.priority == "cost" and data_class == "public" and drawn % EXPLORED == 0


def exclusion_by(candidate: CandidateFacts, limits: Limits, n_records: int) -> str | None:
    """Return which hard limit keeps a candidate out, in words, or None."""
    price = candidate.price_micro
    if price is None:
        return "The vendor has no price in force."
    if candidate.currency != limits.currency:
        return f"The vendor's price is in {candidate.currency}, the job's currency is {limits.currency}."
    if limits.max_price_micro is not None and price > limits.max_price_micro:
        return f"Price {price / 1e6:.4f} is above the limit {limits.max_price_micro / 1e6:.4f}."
    if limits.min_accuracy is not None and candidate.accuracy_low < limits.min_accuracy:
        return f"Accuracy is proven to {candidate.accuracy_low:.1%} only; the job asks for {limits.min_accuracy:.1%}."
    if n_records < candidate.min_batch:
        return f"The batch has {n_records} records; the vendor takes {candidate.min_batch} at least."
    return None


def _merits(c: CandidateFacts) -> tuple[float, ...]:
    """Return the facts, smaller is better: who is nowhere worse is first whatever the weights make of the sums."""
    return (
        c.price_micro or 0,
        -c.accuracy_mean,
        c.label_s,
        c.base_s,
        -c.p_complete,
        -c.p_accept,
        c.response_s,
        c.start_window_s,
        c.load,
    )


def _parts(c: CandidateFacts, weights: Weights, reference: Reference, n_records: int) -> dict[str, float]:
    price = c.price_micro or 0
    ref_time_s = reference.label_s * n_records
    work_s = c.base_s + c.label_s * n_records
    return {
        "cost": weights.cost * price / reference.price_micro,
        "work_time": weights.speed * work_s / ref_time_s,
        "failure_risk": weights.speed * (1 - c.p_complete) * c.start_window_s / ref_time_s,
        "error": weights.accuracy * (1 - c.accuracy_mean) / reference.error,
        "response": weights.speed * c.response_s / ref_time_s / max(c.p_accept, _MIN_P_ACCEPT),
        "load": _CAPACITY_PENALTY * c.load,
    }


def _words(c: CandidateFacts, parts: dict[str, float], is_pinned: bool, reference: Reference) -> str:
    head = "Put here by the customer. " if is_pinned else ""
    price = c.price_micro or 0
    return (
        f"{head}{price / 1e6:.3f} {c.currency} a label ({price / reference.price_micro:.0%} of the usual price), "
        f"expected accuracy {c.accuracy_mean:.1%} (at least {c.accuracy_low:.1%}), accepts {c.p_accept:.0%} of offers, "
        f"answers in about {c.response_s:.0f} s, {c.label_s:.1f} s a label, finishes {c.p_complete:.0%}. "
        f"Index {sum(parts.values()):.3f}, mostly {max(parts, key=lambda k: parts[k]).replace('_', ' ')}."
    )

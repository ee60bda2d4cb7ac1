"""Whether a job can be filled at all, and if not, the nearest change that would do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from marketplace.core.routing import CandidateFacts, Limits, exclusion_by


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A limit that alone stands in the way: its field, what is wrong, and the value that would let someone through."""

    field: str
    detail: str
    nearest: float | str


def obstacles(candidates: Sequence[CandidateFacts], limits: Limits, n_records: int) -> list[Obstacle]:
    """Return what keeps every available vendor out; empty when somebody is eligible, or nobody is available anyway.

    Parameters
    ----------
    candidates
        All vendors of the kind of work; those excluded for their own reasons are left aside.
    limits
        The job's hard limits.
    n_records
        Size of a batch, >= 1.

    Returns
    -------
    list of Obstacle
        One for each limit whose change alone would let a vendor through, nearest value first named. When no single
        change would do, one obstacle that says so.

    Examples
    --------
    >>> obstacles([], Limits(), 20)
    []
    """
    available = [c for c in candidates if c.exclusion is None and c.price_micro is not None]
    if not available or any(exclusion_by(c, limits, n_records) is None for c in available):
        return []
    found = [_price(available, limits, n_records), _accuracy(available, limits, n_records)]
    found += [_batch(available, limits, n_records), _currency(available, limits, n_records)]
    single = [obstacle for obstacle in found if obstacle is not None]
    if single:
        return single
    detail = "No single change lets a vendor through; loosen price, accuracy and batch size together."
    return [Obstacle("limits", detail, "several")]


def _passing(available: Sequence[CandidateFacts], limits: Limits, n_records: int) -> list[CandidateFacts]:
    return [c for c in available if exclusion_by(c, limits, n_records) is None]


def _price(available: Sequence[CandidateFacts], limits: Limits, n_records: int) -> Obstacle | None:
    passing = _passing(available, replace(limits, max_price_micro=None), n_records)
    if limits.max_price_micro is None or not passing:
        return None
    nearest = min(c.price_micro or 0 for c in passing)
    detail = f"Nobody works for {limits.max_price_micro / 1e6:.4f} a label; from {nearest / 1e6:.4f} on somebody does."
    return Obstacle("max_price_micro", detail, nearest)


def _accuracy(available: Sequence[CandidateFacts], limits: Limits, n_records: int) -> Obstacle | None:
    passing = _passing(available, replace(limits, min_accuracy=None), n_records)
    if limits.min_accuracy is None or not passing:
        return None
    nearest = max(c.accuracy_low for c in passing)
    detail = f"Nobody has proven {limits.min_accuracy:.1%}; the best within the other limits has proven {nearest:.1%}."
    return Obstacle("min_accuracy", detail, nearest)


def _batch(available: Sequence[CandidateFacts], limits: Limits, n_records: int) -> Obstacle | None:
    nearest = min((c.min_batch for c in available if not exclusion_by(c, limits, c.min_batch)), default=0)
    if nearest <= n_records:
        return None
    detail = f"Nobody takes batches of {n_records}; with {nearest} records to a batch somebody does."
    return Obstacle("batch_size", detail, nearest)


def _currency(available: Sequence[CandidateFacts], limits: Limits, n_records: int) -> Obstacle | None:
    others = {c.currency for c in available if not exclusion_by(c, replace(limits, currency=c.currency), n_records)}
    if not others:
        return None
    nearest = min(others)
    return Obstacle("currency", f"Nobody has a price in {limits.currency}; somebody has one in {nearest}.", nearest)

"""What happens to an offer: the same for every router that makes it, whatever else it does."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy import special

from benchmarks.routing.world import N_ATTEMPTS, Order, Vendor, World

RESPONSE_SPREAD: Final = 0.7
START_SPREAD: Final = 0.6
WORK_SPREAD: Final = 0.2
START_WINDOW_S: Final = 2700.0
WINDOW_S: Final = {"cost": 1800.0, "speed": 900.0, "accuracy": 1800.0}
GOLD_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Fate:
    """The course of one offer; times are counted from the offer, seconds.

    ``answer`` is accepted, declined or silent; an accepted offer ends ``delivered``, ``not_started`` or ``past_due``.
    """

    answer: str
    answered_s: float
    ending: str
    ended_s: float
    label_s: float
    done_share: float
    error: float


def fate_of(world: World, order_number: int, vendor_number: int, attempt: int, at_s: float) -> Fate:
    """Return what an offer made at a time will come to."""
    order, vendor = world.orders[order_number], world.vendors[vendor_number]
    luck = world.luck[order_number, vendor_number, attempt % N_ATTEMPTS].tolist()
    traits = vendor.traits(at_s)
    window_s = WINDOW_S[order.weights.priority]
    waited_s = vendor.back_at(at_s) - at_s + traits.response_s * _spread(luck[1], RESPONSE_SPREAD)
    answers = luck[0] < traits.p_accept or luck[2] >= traits.p_silent
    if waited_s >= window_s or not answers:
        return Fate("silent", window_s, "", window_s, 0.0, 0.0, 0.0)
    if luck[0] >= traits.p_accept:
        return Fate("declined", waited_s, "", waited_s, 0.0, 0.0, 0.0)
    ending, worked_s, label_s, share = _work(vendor, order, luck, at_s)
    return Fate("accepted", waited_s, ending, waited_s + worked_s, label_s, share, traits.error)


def _work(vendor: Vendor, order: Order, luck: Sequence[float], at_s: float) -> tuple[str, float, float, float]:
    """Return how accepted work ends, how long it took, seconds a label, and the share of labels delivered."""
    traits = vendor.traits(at_s)
    start_s = traits.start_s * _spread(luck[4], START_SPREAD)
    if luck[3] < traits.p_stall or start_s >= START_WINDOW_S:
        return "not_started", START_WINDOW_S, 0.0, 0.0
    label_s = traits.label_s * _spread(luck[5], WORK_SPREAD)
    due_s = due_after(vendor, order)
    share = min((due_s - start_s) / (label_s * order.n_records), 1.0)
    if luck[6] < traits.p_quit:
        share = min(share, luck[6] / traits.p_quit)
    if share < 1.0:
        return "past_due", due_s, label_s, int(share * order.n_records) / order.n_records
    return "delivered", start_s + label_s * order.n_records, label_s, 1.0


def due_after(vendor: Vendor, order: Order) -> float:
    """Return the work deadline of the agreement, counted from the accept: start window plus what was promised."""
    return START_WINDOW_S + vendor.claims.start_s + vendor.claims.label_s * order.n_records


def _spread(uniform: float, sigma: float) -> float:
    """Return a log-normal factor of median 1."""
    return math.exp(sigma * float(special.ndtri(uniform)))

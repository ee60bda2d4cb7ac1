"""A vendor as the ranker would see it if every parameter were known."""

import math
import uuid

from scipy import special

from benchmarks.routing.fates import RESPONSE_SPREAD, START_SPREAD, START_WINDOW_S, WINDOW_S, WORK_SPREAD
from benchmarks.routing.world import Order, Vendor
from marketplace.core.routing import CandidateFacts


def facts(vendor: Vendor, number: int, now_s: float, order: Order, in_flight: int) -> CandidateFacts:
    """Return the true parameters now; being silent is known as a long-run share only."""
    traits = vendor.traits(now_s)
    window_s = WINDOW_S[order.weights.priority]
    p_prompt = _within(window_s / traits.response_s, RESPONSE_SPREAD)
    p_start = _within(START_WINDOW_S / traits.start_s, START_SPREAD)
    return CandidateFacts(
        vendor_id=uuid.UUID(int=number),
        exclusion=None,
        price_micro=vendor.price_micro,
        currency="USD",
        min_batch=1,
        accuracy_mean=1 - traits.error,
        accuracy_low=1 - traits.error,
        p_accept=traits.p_accept * p_prompt,
        p_complete=(1 - traits.p_stall) * (1 - traits.p_quit) * p_start,
        response_s=traits.response_s * math.exp(RESPONSE_SPREAD**2 / 2),
        label_s=traits.label_s * math.exp(WORK_SPREAD**2 / 2),
        base_s=traits.start_s * math.exp(START_SPREAD**2 / 2),
        start_window_s=START_WINDOW_S,
        load=in_flight / vendor.slots,
    )


def _within(ratio: float, sigma: float) -> float:
    """Return the chance that a log-normal of median 1 stays below a ratio."""
    return float(special.ndtr(math.log(ratio) / sigma))

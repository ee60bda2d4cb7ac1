"""Random markets for the ranking, as hypothesis strategies."""

import uuid
from collections.abc import Sequence

from hypothesis import strategies as st

from marketplace.core.routing import REFERENCES, CandidateFacts, Limits, Ranked, Reference, Weights, rank

REFERENCE = REFERENCES["bbox"]
N_RECORDS = 40


@st.composite
def candidates(draw: st.DrawFn, **fixed: object) -> CandidateFacts:
    """Draw one vendor within all limits; ``fixed`` names what is not left to chance."""
    accuracy = draw(st.floats(0.5, 0.999))
    facts: dict[str, object] = {
        "vendor_id": draw(st.uuids()),
        "exclusion": None,
        "price_micro": draw(st.integers(1, 10**7)),
        "currency": "USD",
        "min_batch": 1,
        "accuracy_mean": accuracy,
        "accuracy_low": draw(st.floats(0, accuracy)),
        "p_accept": draw(st.floats(0.001, 1)),
        "p_complete": draw(st.floats(0.01, 1)),
        "response_s": draw(st.floats(0.1, 10_000)),
        "label_s": draw(st.floats(0.1, 1000)),
        "base_s": draw(st.floats(0, 10_000)),
        "start_window_s": draw(st.floats(60, 20_000)),
        "load": draw(st.floats(0, 1)),
    }
    return CandidateFacts(**(facts | fixed))


def markets(min_size: int = 1, max_size: int = 8) -> st.SearchStrategy[list[CandidateFacts]]:
    """Draw vendors, each once."""
    return st.lists(candidates(), min_size=min_size, max_size=max_size, unique_by=lambda c: c.vendor_id)


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    """Draw weights, the corners included."""
    parts = [draw(st.floats(0, 1)) for _ in range(3)]
    total = sum(parts)
    return Weights(*(part / total for part in parts)) if total > 1e-3 else Weights(1.0, 0.0, 0.0)


def ranked(
    vendors: Sequence[CandidateFacts],
    how: Weights,
    limits: Limits | None = None,
    *,
    reference: Reference = REFERENCE,
    n_records: int = N_RECORDS,
    pinned: Sequence[uuid.UUID] = (),
    manual_only: bool = False,
    newcomers: Sequence[uuid.UUID] = (),
) -> list[Ranked]:
    """Rank with the usual scales."""
    return rank(
        vendors,
        weights=how,
        reference=reference,
        limits=limits or Limits(),
        n_records=n_records,
        pinned=pinned,
        manual_only=manual_only,
        newcomers=newcomers,
    )


def order_of(rows: Sequence[Ranked]) -> list[uuid.UUID]:
    """Return who is offered the batch, in order."""
    return [row.vendor_id for row in rows if row.sequence is not None]

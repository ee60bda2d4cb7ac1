"""What a ranking promises, on thousands of random markets."""

import dataclasses
import itertools
import random
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.routing import PRIORITIES, REFERENCES, CandidateFacts, Limits, Ranked, Weights, rank

REFERENCE = REFERENCES["classification"]


def candidate(rng: random.Random) -> CandidateFacts:
    accuracy = rng.uniform(0.6, 0.99)
    return CandidateFacts(
        vendor_id=uuid.UUID(int=rng.getrandbits(128)),
        exclusion=None,
        price_micro=rng.randint(1_000, 200_000),
        currency="USD",
        min_batch=rng.choice([1, 1, 1, 30]),
        accuracy_mean=accuracy,
        accuracy_low=accuracy - rng.uniform(0, 0.2),
        p_accept=rng.uniform(0.05, 1),
        p_complete=rng.uniform(0.5, 1),
        response_s=rng.uniform(1, 900),
        label_s=rng.uniform(1, 40),
        base_s=rng.uniform(0, 600),
        load=rng.random(),
    )


def market(seed: int, size: int = 8) -> list[CandidateFacts]:
    rng = random.Random(seed)
    return [candidate(rng) for _ in range(size)]


def weights(seed: int) -> Weights:
    rng = random.Random(seed)
    parts = [rng.random() + 1e-3 for _ in PRIORITIES]
    return Weights(*(part / sum(parts) for part in parts))


def ranked(candidates, how: Weights, limits: Limits | None = None, **more) -> list[Ranked]:
    limits = limits or Limits()
    return rank(candidates, weights=how, reference=REFERENCE, limits=limits, n_records=20, **more)


def place_of(rows: list[Ranked], vendor_id: uuid.UUID) -> int:
    return next(row.sequence for row in rows if row.vendor_id == vendor_id)


IMPROVEMENTS = {
    "price_micro": lambda v: v // 2 + 1,
    "accuracy_mean": lambda v: v + (1 - v) / 2,
    "p_accept": lambda v: v + (1 - v) / 2,
    "p_complete": lambda v: v + (1 - v) / 2,
    "response_s": lambda v: v / 2,
    "label_s": lambda v: v / 2,
    "load": lambda v: v / 2,
}


@settings(max_examples=1500, deadline=None)
@given(seed=st.integers(0, 10**9), field=st.sampled_from(sorted(IMPROVEMENTS)))
def test_whoever_gets_better_in_one_respect_never_ranks_worse(seed, field):
    candidates = [dataclasses.replace(c, min_batch=1) for c in market(seed)]
    how = weights(seed)
    who = candidates[seed % len(candidates)]
    better = dataclasses.replace(who, **{field: IMPROVEMENTS[field](getattr(who, field))})
    before = place_of(ranked(candidates, how), who.vendor_id)
    after = place_of(ranked([better if c is who else c for c in candidates], how), who.vendor_id)
    assert after <= before


AXES = {
    "cost": {"price_micro": 1_000},
    "speed": {"label_s": 0.5, "base_s": 0.0, "response_s": 0.5, "p_complete": 1.0, "p_accept": 1.0},
    "accuracy": {"accuracy_mean": 0.995},
}


def test_raising_a_weight_never_lowers_who_is_better_on_that_axis_alone():
    for seed in range(10_000):
        rng = random.Random(seed)
        one = dataclasses.replace(candidate(rng), min_batch=1)
        axis = PRIORITIES[seed % 3]
        other = dataclasses.replace(one, vendor_id=uuid.UUID(int=rng.getrandbits(128)), **AXES[axis])
        low = weights(seed)
        share = (1 - getattr(low, axis)) * rng.random()
        rest = 1 - getattr(low, axis)
        high = Weights(
            **{
                name: getattr(low, name) + share if name == axis else getattr(low, name) * (rest - share) / rest
                for name in PRIORITIES
            }
        )
        before = place_of(ranked([one, other], low), other.vendor_id)
        assert place_of(ranked([one, other], high), other.vendor_id) <= before


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_newcomer_never_reorders_the_others(seed):
    candidates = market(seed)
    newcomer = candidate(random.Random(seed + 1))
    before = [row.vendor_id for row in ranked(candidates, weights(seed))]
    after = [row.vendor_id for row in ranked([*candidates, newcomer], weights(seed))]
    after.remove(newcomer.vendor_id)
    assert after == before


def test_pins_come_first_in_their_order_but_keep_to_the_limits():
    candidates = [dataclasses.replace(c, min_batch=1) for c in market(3)]
    dear = max(candidates, key=lambda c: c.price_micro)
    others = [c.vendor_id for c in candidates if c is not dear]
    pins = [others[4], others[1], dear.vendor_id]
    rows = ranked(candidates, Weights.of("cost"), Limits(max_price_micro=dear.price_micro - 1), pinned=pins)
    assert [row.vendor_id for row in rows[:2]] == pins[:2]
    assert all(row.words.startswith("Put here by the customer.") for row in rows[:2])
    last = rows[-1]
    assert (last.vendor_id, last.sequence) == (dear.vendor_id, None)
    assert "above the limit" in last.exclusion


def test_by_hand_only_the_chosen_are_offered_anything():
    candidates = [dataclasses.replace(c, min_batch=1) for c in market(4)]
    pins = [candidates[5].vendor_id, candidates[2].vendor_id]
    rows = ranked(candidates, Weights.of("cost"), pinned=pins, manual_only=True)
    assert [row.vendor_id for row in rows if row.sequence is not None] == pins


@pytest.mark.parametrize(
    ("change", "limits", "words"),
    [
        ({"price_micro": None}, Limits(), "no price in force"),
        ({"currency": "EUR"}, Limits(), "price is in EUR, the job's currency is USD"),
        ({"price_micro": 9_000}, Limits(max_price_micro=8_000), "0.0090 is above the limit 0.0080"),
        ({"accuracy_low": 0.8}, Limits(min_accuracy=0.9), "proven to 80.0% only; the job asks for 90.0%"),
        ({"min_batch": 50}, Limits(), "The batch has 20 records; the vendor takes 50 at least."),
        ({"exclusion": "The vendor is suspended."}, Limits(), "The vendor is suspended."),
    ],
)
def test_every_limit_excludes_with_its_reason(change, limits, words):
    who = dataclasses.replace(market(5)[0], **({"min_batch": 1} | change))
    (row,) = ranked([who], Weights.of("cost"), limits)
    assert row.sequence is None
    assert words in row.exclusion


def expected_loss(order, how: Weights, missed: float) -> float:
    """Return an order's expected loss: waiting on the way, then the taker's own, or ``missed`` if nobody takes it."""
    total, reach = 0.0, 1.0
    for row, p_accept in order:
        waiting = row.parts["response"] * p_accept
        own = sum(row.parts.values()) - row.parts["response"]
        total += reach * (waiting + p_accept * own)
        reach *= 1 - p_accept
    return total + reach * missed


def test_index_order_is_the_best_order_of_one_at_a_time_offers():
    for seed in range(200):
        candidates = [dataclasses.replace(c, min_batch=1) for c in market(seed, 5)]
        p_accept = {c.vendor_id: c.p_accept for c in candidates}
        how = weights(seed)
        rows = [(row, p_accept[row.vendor_id]) for row in ranked(candidates, how)]
        missed = max(row.index for row, _ in rows) + 1.0
        best = min(expected_loss(order, how, missed) for order in itertools.permutations(rows))
        assert expected_loss(rows, how, missed) == pytest.approx(best)


@pytest.mark.parametrize("parts", [(0.5, 0.5, 0.5), (-0.1, 0.6, 0.5), (0, 0, 0)])
def test_weights_that_do_not_sum_to_one_are_refused_with_their_sum(parts):
    with pytest.raises(ValueError, match=r"sum (1\.5|1|0)\b"):
        Weights(*parts)


def test_five_hundred_candidates_are_ranked_with_explanation_in_milliseconds():
    candidates = market(7, 500)
    best = min(_seconds(candidates) for _ in range(7))
    assert best < 0.02  # the target is 5 ms on a quiet core; the factor is for a loaded one


def _seconds(candidates) -> float:
    started = time.process_time()
    ranked(candidates, Weights.of("cost"))
    return time.process_time() - started

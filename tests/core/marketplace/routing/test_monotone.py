"""Who gets better never ranks worse (invariant 14), and a weight helps whoever is better on its axis."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.routing import PRIORITIES, CandidateFacts, Weights
from tests.core.marketplace.routing.worlds import candidates, markets, order_of, ranked, weights

TOWARDS = {
    "price_micro": 1,
    "accuracy_mean": 1.0,
    "p_accept": 1.0,
    "p_complete": 1.0,
    "response_s": 0.0,
    "label_s": 0.0,
    "base_s": 0.0,
    "load": 0.0,
}
AXES = {
    "cost": ("price_micro",),
    "speed": ("label_s", "base_s", "response_s", "p_complete", "p_accept"),
    "accuracy": ("accuracy_mean",),
}
N_STEPS = 40


def improved(vendor: CandidateFacts, field: str, share: float) -> CandidateFacts:
    """Return the vendor, a share of the way nearer to the best value of one field."""
    old = getattr(vendor, field)
    new = old + (TOWARDS[field] - old) * share
    return dataclasses.replace(vendor, **{field: int(new) if field == "price_micro" else new})


@settings(max_examples=250, deadline=None)
@given(vendors=markets(2), how=weights(), data=st.data())
def test_whoever_gets_better_in_one_respect_never_ranks_worse(vendors, how, data):
    before = order_of(ranked(vendors, how))
    for field in TOWARDS:
        who = data.draw(st.sampled_from(vendors))
        better = improved(who, field, data.draw(st.floats(0, 1)))
        after = order_of(ranked([better if v is who else v for v in vendors], how))
        assert after.index(who.vendor_id) <= before.index(who.vendor_id)
        assert [v for v in after if v != who.vendor_id] == [v for v in before if v != who.vendor_id]


@settings(max_examples=250, deadline=None)
@given(
    candidates(),
    st.uuids(),
    weights(),
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
    st.sampled_from(sorted(AXES)),
)
def test_raising_a_weight_never_lowers_who_is_better_on_that_axis_alone(vendor, rival, low, shares, axis):
    """250 examples of forty rising weights each: 10,000 cases."""
    other = dataclasses.replace(vendor, vendor_id=rival)
    for field, share in zip(AXES[axis], shares, strict=False):
        other = improved(other, field, share)
    rising = [raised(low, axis, step / N_STEPS) for step in range(N_STEPS + 1)]
    places = [order_of(ranked([vendor, other], how)).index(rival) for how in rising]
    assert places == sorted(places, reverse=True)


def raised(low: Weights, axis: str, share: float) -> Weights:
    """Return the weights with a share of what the other axes hold moved to one, those in proportion."""
    own = getattr(low, axis)
    moved = {name: getattr(low, name) * (1 - share) for name in PRIORITIES}
    return Weights(**(moved | {axis: own + share * (1 - own)}))

"""The forecast of a round's compute: rather too much than too little, and growing with the labels."""

import numpy as np
import pytest

from curation.core.compute import forecast


def test_before_a_round_was_measured_nothing_is_forecast():
    assert forecast([], [], 40) is None


def test_after_one_round_the_cost_grows_with_the_records():
    assert forecast([40], [2.0], 80) == 4.0


@pytest.mark.parametrize("seed", range(20))
def test_the_forecast_never_falls_with_more_records_and_covers_every_line(seed):
    rng = np.random.default_rng(seed)
    asked = np.cumsum(rng.integers(1, 50, size=6))
    costs = 0.5 + 0.01 * asked + rng.random(6)
    at = [forecast(asked, costs, int(asked[-1]) + more) for more in (0, 10, 100)]
    assert at == sorted(at)
    assert at[0] >= costs[-1] - 1e-9
    exact = 0.5 + 0.01 * asked
    assert forecast(asked, exact, 1000) == pytest.approx(10.5)


def test_costs_that_fall_are_not_forecast_to_go_on_falling():
    assert forecast([10, 20, 30], [3.0, 2.0, 1.0], 40) >= 2.0


@pytest.mark.parametrize(
    ("asked", "costs", "at", "words"),
    [
        ([10], [1.0, 2.0], 20, "1 numbers of records, 2 costs"),
        ([10, 10], [1.0, 2.0], 20, "rising"),
        ([0], [1.0], 20, "positive"),
        ([10], [1.0], 9, "up to the round in question"),
        ([10], [-1.0], 20, "not negative"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, costs, at, words):
    with pytest.raises(ValueError, match=words):
        forecast(asked, costs, at)

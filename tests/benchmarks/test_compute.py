"""Compute: caps replayed against rounds whose cost is known."""

import json

import pytest

from benchmarks.compute import caps
from benchmarks.compute.caps import Turn
from benchmarks.compute.page import page
from benchmarks.pages import FOLDER

STEADY = [Turn(100 * (at + 1), 1.0 + at) for at in range(4)]  # 1, 2, 3, 4 CPU seconds, forecast exactly
SUDDEN = [*STEADY[:3], Turn(400, 10.0)]


@pytest.mark.parametrize(("cap", "used"), [(1.0, 1.0), (2.99, 1.0), (3.0, 3.0), (5.99, 3.0), (9.99, 6.0), (10.0, 10.0)])
def test_a_run_ends_before_the_round_forecast_to_exceed_its_cap(cap, used):
    assert [one and round(one, 6) for one in caps.forecasts(STEADY)] == [None, 2.0, 3.0, 4.0]
    assert caps.used_under(STEADY, cap + 1e-9) == pytest.approx(used)


def test_caps_are_exceeded_only_where_a_round_costs_more_than_forecast():
    held = caps.replay([STEADY])
    assert (held.n_caps, held.n_exceeded, held.most_exceeded) == (180, 0, 0.0)
    exceeded = caps.replay([SUDDEN])  # caps of 10 to 16 CPU seconds allow the fourth round, which makes it 16
    assert exceeded.n_exceeded == pytest.approx(75, abs=1)
    assert exceeded.most_exceeded == pytest.approx(0.6, abs=0.01)


def test_the_page_is_what_the_kept_figures_say():
    figures = json.loads((FOLDER / "compute.json").read_text())
    assert (FOLDER / "compute.md").read_text() == page(figures)

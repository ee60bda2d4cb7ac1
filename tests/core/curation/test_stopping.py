"""When to stop and how often to train: costs near the optimum known only in hindsight, at several cost ratios."""

import numpy as np
import pytest

from curation.core import cadence, stopping
from curation.core.cadence import Setting
from curation.core.stopping import Terms

BATCH, ROUNDS = 20, 60


def curve(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A learning curve of random height and pace, true and as a test set of 1,500 records shows it."""
    n = BATCH * np.arange(1, ROUNDS + 1)
    floor, pace, start = rng.uniform(0.01, 0.2), rng.uniform(0.4, 1.1), rng.uniform(0.35, 0.7)
    error = floor + (start - floor) * (n / BATCH) ** -pace
    return 1 - error, rng.binomial(1500, 1 - error) / 1500


def excess(terms: Terms, n_curves: int = 150) -> np.ndarray:
    """Return the total cost (labels + missing accuracy) where the rule stops over the least there is, per curve."""
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(n_curves):
        truth, seen = curve(rng)
        n = BATCH * np.arange(1, ROUNDS + 1)
        total = 100 * (1 - truth) * terms.value_of_point + n * terms.price
        last = next((r for r in range(1, ROUNDS) if stopping.advise(n[:r], seen[:r], BATCH, terms).stops), ROUNDS)
        ratios.append(total[last - 1] / total.min())
    return np.array(ratios)


@pytest.mark.parametrize("value_of_point", [5.0, 20.0, 80.0])
def test_it_stops_within_ten_percent_of_the_optimum_in_hindsight(value_of_point):
    assert excess(Terms(value_of_point, 1.0)).mean() <= 1.10


def test_dear_accuracy_is_bought_longer():
    rng = np.random.default_rng(0)
    truth, _ = curve(rng)
    n = BATCH * np.arange(1, ROUNDS + 1)
    stops = [
        next((r for r in range(1, ROUNDS) if stopping.advise(n[:r], truth[:r], BATCH, Terms(v, 1.0)).stops), ROUNDS)
        for v in (1.0, 10.0, 100.0)
    ]
    assert stops == sorted(stops)
    assert stops[0] < stops[-1]


def test_a_model_that_still_changes_its_mind_goes_on_through_a_pause():
    seen = np.array([0.5, 0.6, 0.66, 0.69] + [0.7] * 6)
    n, terms = 20 * np.arange(1, 11), Terms(40.0, 1.0)
    settled, moving = (stopping.advise(n, seen, 20, terms, kappa) for kappa in (0.99, 0.6))
    assert settled.net_gain == moving.net_gain < 0
    assert (settled.stops, moving.stops) == (True, False)
    assert (settled.words[:4], moving.words[:5]) == ("Stop", "Go on")
    assert stopping.advise(n, np.full(10, 0.7), 20, Terms(0.1, 1.0), 0.6).stops  # all is lost: nothing to wait for


def test_nobody_is_stopped_before_three_rounds():
    assert not stopping.advise([20, 40], [0.9, 0.9], 20, Terms(0.01, 1.0)).stops


def test_forecasts_follow_a_known_law():
    n = 20.0 * np.arange(1, 11)
    law = lambda m: 1 - (0.05 + 2 * m**-0.8)  # noqa: E731
    assert stopping.forecast(n, law(n), np.array([400.0, 800.0])) == pytest.approx(
        law(np.array([400.0, 800.0])), abs=0.01
    )
    assert stopping.forecast(n, np.full(10, 0.8), np.array([800.0])) == pytest.approx([0.8], abs=1e-6)


def test_kappa_by_hand():
    assert stopping.kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 2) == 1
    assert stopping.kappa(np.zeros(5, dtype=int), np.zeros(5, dtype=int), 3) == 1
    assert stopping.kappa(np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0]), 2) == -1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Terms(0, 1), "positive value"),
        (lambda: stopping.forecast(np.arange(1), np.zeros(1), np.ones(1)), "at least 2 rounds"),
        (lambda: stopping.forecast(np.ones(4), np.zeros(4), np.ones(1)), "increasing"),
        (lambda: stopping.advise([], [], 0, Terms(1, 1)), "at least 1 record"),
        (lambda: stopping.kappa(np.zeros(2, int), np.zeros(3, int), 2), "2 predictions before, 3 now"),
        (lambda: Setting(100, 1, 1, 1, 1, least=5, most=4), "got 5 and 4"),
        (lambda: Setting(100, 0, 1, 1, 1), "must be positive"),
        (lambda: cadence.measured(0, 1, 1), "positive labels"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def total(setting: Setting, batch: int) -> float:
    _, _, cost, duration = cadence.plan_of(setting, batch)
    return cost + setting.value_of_day * duration / 86_400


def test_the_cadence_is_the_best_of_all_sizes():
    rng = np.random.default_rng(3)
    for _ in range(40):
        setting = Setting(
            n_labels=int(rng.integers(200, 4000)),
            price=rng.uniform(0.02, 2),
            round_cost=rng.uniform(0, 30),
            latency_s=rng.uniform(60, 90_000),
            rate=rng.uniform(0.01, 1),
            value_of_day=rng.choice([0, 10, 200]),
            most=2000,
        )
        best = min(total(setting, size) for size in range(10, 2001))
        assert total(setting, cadence.choose(setting).batch) <= 1.01 * best


def test_slow_vendors_and_dear_retraining_mean_larger_batches():
    usual = Setting(1000, 0.5, 1.0, 3600, 0.1, value_of_day=50)
    batch = cadence.choose(usual).batch
    slow = Setting(1000, 0.5, 1.0, 86_400, 0.1, value_of_day=50)
    dear = Setting(1000, 0.5, 100.0, 3600, 0.1, value_of_day=50)
    free = Setting(1000, 0.5, 0.0, 0.0, 0.1)
    assert cadence.choose(slow).batch > batch
    assert cadence.choose(dear).batch > batch
    assert cadence.choose(free).batch == 10


def test_a_deadline_is_kept_or_said_to_be_out_of_reach():
    setting = Setting(1000, 0.5, 0.0, 3600, 0.1, deadline_s=10_000 + 8 * 3600)
    kept = cadence.choose(setting)
    assert kept.is_in_time
    assert kept.duration_s <= setting.deadline_s
    assert cadence.choose(Setting(10, 0.5, 0.0, 3600, 0.1)).words.startswith("1 round of 10: rounds cost little")
    late = cadence.choose(Setting(1000, 0.5, 0.0, 3600, 0.1, deadline_s=60))
    assert not late.is_in_time
    assert late.words.startswith("The deadline cannot be kept")


def test_staleness_is_measured_between_bounds():
    assert cadence.measured(100, 130, 3) == pytest.approx(0.1)
    assert cadence.measured(100, 90, 2) == 0

"""The savings receipt over 1,000 simulated projects: intervals cover the truth, nothing is claimed for nothing."""

import numpy as np
import pytest

from curation.core.receipt import ControlRound, receipt


def project(rng: np.random.Generator, *, preference: float | None = None) -> tuple[list[ControlRound], int, float]:
    """Buy batches from a pool of random size and junk share; return rounds, pool size and the pool's usable share.

    The chooser prefers usable records by odds that it learns over the rounds; a share of each batch is control.
    """
    n_pool = int(rng.integers(1200, 6000))
    usable = rng.random(n_pool) < rng.uniform(0.3, 0.9)
    odds = rng.uniform(1, 12) if preference is None else preference
    batch, ratio, n_rounds = int(rng.integers(30, 80)), rng.uniform(0.05, 0.1), int(rng.integers(5, 14))
    open_ = np.ones(n_pool, dtype=bool)
    rounds = []
    for number in range(n_rounds):
        free = np.flatnonzero(open_)
        known = int(usable[~open_].sum())
        n_control = max(1, round(batch * ratio))
        control = rng.choice(free, n_control, replace=False)
        rest = np.setdiff1d(free, control)
        learnt = 1 + (odds - 1) * min(1.0, number / 3)
        chance = np.where(usable[rest], learnt, 1.0)
        chosen = rng.choice(rest, batch - n_control, replace=False, p=chance / chance.sum())
        bought = np.concatenate([control, chosen])
        rounds.append(
            ControlRound(len(free), known, n_control, int(usable[control].sum()), batch, int(usable[bought].sum()))
        )
        open_[bought] = False
    return rounds, n_pool, float(usable.mean())


def test_the_interval_covers_the_truth_in_95_percent_of_1000_projects():
    rng = np.random.default_rng(2026)
    covered, errors, costs = 0, [], []
    for _ in range(1000):
        rounds, n_pool, share = project(rng)
        told = receipt(rounds, n_pool=n_pool)
        truth = told.n_usable / share - told.n_bought
        covered += told.saved_low <= truth <= told.saved_high
        errors.append(told.usable_ratio - share)
        costs.append(told.control_cost_ratio)
    assert 930 <= covered <= 970
    assert abs(np.mean(errors)) < 0.005  # unbiased, though choosing empties the pool of usable records
    assert np.mean(costs) <= 0.03


def test_nothing_is_shown_where_choosing_saves_nothing():
    rng = np.random.default_rng(7)
    shown = sum(
        receipt(rounds, n_pool=n).is_shown for rounds, n, _ in (project(rng, preference=1.0) for _ in range(400))
    )
    assert shown <= 400 * 0.05


def test_large_savings_are_shown_in_words_with_their_interval():
    rounds = [ControlRound(5000 - 100 * t, 80 * t, 10, 4, 100, 84) for t in range(10)]
    told = receipt(rounds, n_pool=5000)
    assert told.is_shown
    assert 0 < told.saved_low < told.saved < told.saved_high
    assert f"{told.saved:.0f} records saved" in told.words
    assert told.ratio == pytest.approx(told.saved / (told.saved + 1000))


@pytest.mark.parametrize(
    "rounds",
    [[ControlRound(100, 0, 0, 0, 10, 5)], [ControlRound(100, 0, 5, 0, 10, 0)], [ControlRound(100, 0, 5, 0, 10, 5)]],
    ids=["no control", "nothing usable", "control finds nothing usable"],
)
def test_too_little_to_tell_shows_nothing(rounds):
    told = receipt(rounds, n_pool=100)
    if rounds[0].n_control_usable == rounds[0].n_usable or not rounds[0].n_control:
        assert not told.is_shown
        assert told.words.startswith("Not shown")
    else:
        assert told.saved_low <= told.saved


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ControlRound(100, 0, 5, 6, 10, 5), "do not fit"),
        (lambda: ControlRound(5, 0, 5, 5, 10, 5), "do not fit"),
        (lambda: receipt([], n_pool=1), "at least one round"),
        (lambda: receipt([ControlRound(100, 0, 5, 5, 10, 5)], n_pool=50), "the pool holds 50"),
    ],
)
def test_counts_that_cannot_be_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()

"""The bandit over strategies: chances that are known, rewards from the labels, regret that flattens out."""

import numpy as np
import pytest

from curation.core import circumstances, past_runs, portfolio, selection, strategies
from curation.core.arrays import Asked
from curation.core.portfolio import Arms, Reward, Turn
from curation.core.problem import Problem
from curation.core.strategies import drawing

K, D, N = 3, 5, 400
NOWHERE = np.empty(0, np.int64)


def pool(seed: int = 0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, N)
    return (rng.normal(size=(K, D))[y] * 2 + rng.normal(size=(N, D))).astype(np.float32), y


def arms(*expected: float, spread: float = 0.3) -> Arms:
    return Arms(tuple("abcdefgh"[: len(expected)]), np.array(expected), np.full(len(expected), spread))


def turn(arm: str, rate: float, growth: float = 0.3) -> Turn:
    return Turn(arm, 0.5, 0.0, NOWHERE, Reward(rate, growth))


def played(n_rounds: int, seed: int = 0, size: int = 10):
    """Play the strategy as the product does: each round from nothing but picks and answers."""
    X, y = pool()
    rounds, asked = [], Asked.nothing()
    for _ in range(n_rounds):
        p = Problem(X, asked, K, seed=seed, turns=drawing.turns_of(rounds))
        rounds.append(selection.select(p, name="portfolio", n_picks=size, control_ratio=0.1, seed=seed))
        rows = np.concatenate([asked.rows, [pick.row for pick in rounds[-1]]]).astype(np.int64)
        asked = Asked(rows, y[rows], np.ones(len(rows)))
    return rounds, Problem(X, asked, K, seed=seed, turns=drawing.turns_of(rounds))


def test_chances_sum_to_one_favour_what_paid_and_leave_none_out():
    rng = np.random.default_rng(0)
    before = portfolio.chances(arms(0, 0, 0), [], rng)
    after = portfolio.chances(arms(0, 0, 0), [turn("a", 0.2), turn("b", 0.9), turn("b", 0.8)], rng)
    assert before.sum() == pytest.approx(1)
    assert np.allclose(before, 1 / 3, atol=0.03)
    assert after.argmax() == 1
    assert after[1] > 2 * before[1]
    assert (after > 0).all()


def test_what_a_round_was_expected_to_bring_anyway_is_no_credit_to_its_arm():
    expected = Turn("b", 0.5, 0.6, NOWHERE, Reward(0.9, 0.3))
    surprising = Turn("b", 0.5, 0.0, NOWHERE, Reward(0.9, 0.3))
    common = [turn("a", 0.3)] * 3
    chances = [
        portfolio.chances(arms(0, 0), [*common, one], np.random.default_rng(0))[1] for one in (expected, surprising)
    ]
    assert chances[0] < chances[1]


def test_a_prior_that_knows_better_is_followed_until_rewards_speak_against_it():
    known = arms(0.0, -0.5, spread=0.2)
    assert portfolio.chances(known, [], np.random.default_rng(0))[0] > 0.95
    against = [turn("a", 0.1)] * 30 + [turn("b", 1.2)] * 30
    assert portfolio.chances(known, against, np.random.default_rng(0))[1] > 0.9


def simulated_regret(seed: int, n_rounds: int, noise: float = 0.25) -> np.ndarray:
    """Cumulative regret over five arms that differ by 0.3 and pay with noise, started cold."""
    rng = np.random.default_rng(seed)
    worth = rng.normal(size=5) * 0.3
    given, turns, regret = arms(0, 0, 0, 0, 0), [], []
    for _ in range(n_rounds):
        chances = portfolio.chances(given, turns, rng, noise=noise * 0.3)
        at = int(rng.choice(5, p=chances))
        turns.append(turn(given.names[at], 0.5 + worth[at] + noise * rng.normal()))
        regret.append(worth.max() - worth[at])
    return np.cumsum(regret)


def test_regret_grows_slower_than_the_rounds():
    regret = np.mean([simulated_regret(seed, 200) for seed in range(12)], axis=0)
    rounds = np.arange(20, 201)
    slope = np.polyfit(np.log(rounds), np.log(regret[rounds - 1]), 1)[0]
    assert slope < 0.8
    assert regret[199] - regret[99] < 0.75 * regret[99]


def test_a_turn_of_right_labels_pays_more_than_one_of_wrong_ones():
    X, y = pool()
    wrong = np.where(np.arange(N) >= 12, (y + 1 + np.arange(N) % 2) % K, y)

    def brought(labels) -> Reward:
        is_new = np.arange(72) >= 12
        return portfolio.reward(X[:72], labels[:72], np.ones(72), is_new, n_before=12, n_paid=60, n_classes=K)

    assert brought(y).growth == pytest.approx(np.log(6))
    assert brought(y).rate > 0.1 > brought(wrong).rate


def test_records_that_cost_and_taught_nothing_lower_the_rate():
    X, y = pool()
    is_new = np.arange(60) >= 30
    args = X[:60], y[:60], np.ones(60), is_new
    cheap = portfolio.reward(*args, n_before=30, n_paid=30, n_classes=K)
    dear = portfolio.reward(*args, n_before=30, n_paid=90, n_classes=K)
    assert 0 < dear.rate < cheap.rate
    assert dear.rate * dear.growth == pytest.approx(cheap.rate * cheap.growth)


def test_a_start_from_nothing_tells_nothing():
    X, y = pool()
    whole = portfolio.reward(X[:30], y[:30], np.ones(30), np.ones(30, bool), n_before=0, n_paid=30, n_classes=K)
    assert whole == Reward(0.0, 0.0)


def test_every_pick_keeps_its_arm_and_chance_and_no_record_comes_twice():
    rounds, problem = played(6)
    rows = [pick.row for picks in rounds for pick in picks]
    assert len(rows) == len(set(rows)) == 60
    for picks in rounds:
        drawn = [pick for pick in picks if pick.arm != "control"]
        assert len({(pick.arm, pick.parts[drawing.PROBABILITY]) for pick in drawn}) == 1
        assert drawn[0].arm in past_runs.SHIPPED.arms_known
        assert 0 < drawn[0].parts[drawing.PROBABILITY] <= 1
        assert all(pick.propensity is None and "drawn at a chance of" in pick.words for pick in drawn)
        assert all(pick.propensity and drawing.PROBABILITY not in pick.parts for pick in picks if pick.arm == "control")
    judged = drawing.judged(problem)
    assert len(judged) == 6
    assert judged[0].reward == Reward(0.0, 0.0)
    assert all(one.reward is not None and np.isfinite(one.reward.rate) for one in judged)


def test_a_round_chosen_again_is_the_same_and_kept_rewards_change_nothing():
    rounds, problem = played(4)
    again, _ = played(4)
    assert rounds == again
    kept = Problem(problem.X, problem.asked, K, seed=0, turns=drawing.judged(problem))
    picks = [selection.select(p, name="portfolio", n_picks=10, control_ratio=0.1, seed=0) for p in (problem, kept)]
    assert picks[0] == picks[1]


def test_drawn_arms_follow_the_chances_that_are_logged():
    X, _ = pool()
    problem = Problem(X, Asked.nothing(), K)
    free = np.ones(N, dtype=bool)
    cold = past_runs.Table(
        *past_runs.SHIPPED.__getstate__()[:2], (0.0,) * 7, (1.0,) * 7, (0.0,) * 5, ((0.0,) * 7,) * 5, (0.3,) * 5
    )
    drawn = [drawing.draw(problem, free, 1, np.random.default_rng(seed), cold) for seed in range(150)]
    names = [one.arm for one in drawn]
    expected = np.mean([one.kept[drawing.PROBABILITY] for one in drawn if one.arm == "auto"])
    assert names.count("auto") / 150 == pytest.approx(expected, abs=0.12)


def test_without_a_model_only_arms_that_need_none_are_drawn():
    X, _ = pool()
    able = drawing.arms_of(Problem(X, Asked.nothing(), K), past_runs.SHIPPED)
    assert not any(strategies.get(name).needs_model for name in able.names)


def test_the_table_is_of_this_version_and_prefers_the_engine_on_usual_pools():
    table = past_runs.SHIPPED
    assert table.features == circumstances.NAMES
    assert table.arms_known[0] == "auto"
    assert set(table.arms_known) <= set(strategies.names())
    assert table.arms(np.array(table.centre)).expected.argmax() == 0
    far = table.arms(np.array(table.centre) + 1000.0)
    assert np.abs(far.expected).max() < 5


def test_wrong_turns_and_arms_are_refused():
    X, _ = pool()
    with pytest.raises(ValueError, match="3 rows were drawn in turns"):
        Problem(X, Asked.nothing(), K, turns=[Turn("auto", 1.0, 0.0, np.arange(3))])
    with pytest.raises(ValueError, match="has no reward"):
        portfolio.chances(arms(0, 0), [Turn("a", 1.0, 0.0, NOWHERE)], np.random.default_rng(0))
    with pytest.raises(ValueError, match="spreads positive"):
        arms(0, 0, spread=0.0)
    with pytest.raises(ValueError, match="pays for at least 1"):
        portfolio.reward(X[:4], np.zeros(4, int), np.ones(4), np.ones(4, bool), n_before=0, n_paid=0, n_classes=K)

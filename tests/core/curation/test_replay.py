"""Tuning by replay: near the best of the grid at a fifth of its cost, and blind to what it is judged by."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from curation.core import replay
from curation.core.replay import Labeled, Setup, Spending
from curation.core.selection import Rule

N_SPLITS = 10
SPENDING = Spending(100, 5)
SETUPS = [Setup((Rule(name, 1.0),), batch) for name in ("margin", "k_center", "random") for batch in (10, 20, 30)]


def digits(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:n].astype(np.float32), y[:n].astype(np.int64)


def wines() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_wine(return_X_y=True)
    return X.astype(np.float32), y.astype(np.int64)


@pytest.mark.parametrize("data", [digits, wines])
def test_tuning_comes_within_two_percent_of_the_grid_at_a_fifth_of_its_cost(data):
    X, y = data()
    labeled = Labeled(X, y, int(y.max()) + 1, n_splits=N_SPLITS, seed=1)
    tuned = replay.tune(labeled, SETUPS, SPENDING)
    grid = {s: np.mean([replay.play(labeled, at, s, SPENDING) for at in range(N_SPLITS)]) for s in SETUPS}
    assert grid[tuned.chosen] >= 0.98 * max(grid.values())
    assert tuned.n_rounds_of_grid == N_SPLITS * sum(SPENDING.n_rounds(s.batch) for s in SETUPS)
    assert tuned.n_rounds <= 0.2 * tuned.n_rounds_of_grid
    assert {one.setup for one in tuned.standings} == set(SETUPS)
    assert tuned.standings[0].setup == tuned.chosen


def test_held_out_labels_never_change_what_is_asked(monkeypatch):
    """Spoil every label and feature that judges: scores change, what is chosen does not."""
    X, y = digits()
    asked: list[list[int]] = []
    mix = replay.selection.mix

    def watched(problem, **how):
        picks = mix(problem, **how)
        asked.append([pick.row for pick in picks])
        return picks

    monkeypatch.setattr(replay.selection, "mix", watched)
    labeled = Labeled(X, y, 10, n_splits=1, seed=0)
    held_out = labeled.splits[0].held_out
    score = replay.play(labeled, 0, SETUPS[1], SPENDING)
    clean, asked[:] = list(asked), []
    labeled.labels = y.copy()
    labeled.labels[held_out] = (y[held_out] + 1) % 10
    labeled.X = X.copy()
    labeled.X[held_out] += 1000
    assert replay.play(labeled, 0, SETUPS[1], SPENDING) < score
    assert asked == clean


def test_near_copies_stay_on_one_side_and_rejected_records_judge_nothing():
    X, y = digits(120)
    X = np.concatenate([X, X + 1e-4]).astype(np.float32)
    y = np.concatenate([y, y])
    y[[3, 123, 7, 127]] = -1
    labeled = Labeled(X, y, 10, n_splits=4, seed=0)
    for split in labeled.splits:
        assert not np.isin(split.held_out % 120, split.pool % 120).any()
        assert not np.intersect1d(split.pool, split.held_out).size
        assert (y[split.held_out] >= 0).all()
        assert 0.2 * 236 < len(split.held_out) < 0.4 * 236


def test_the_same_seed_gives_the_same_result_and_rejections_are_paid_for():
    X, y = digits(200)
    y[::5] = -1
    found = [
        replay.tune(Labeled(X, y, 10, n_splits=3, seed=4), SETUPS[:2], Spending(40), cost_ratio=1.0) for _ in range(2)
    ]
    assert found[0].chosen == found[1].chosen
    assert [one.scores.tolist() for one in found[0].standings] == [one.scores.tolist() for one in found[1].standings]


def test_dear_rounds_favour_large_batches():
    X, y = digits()
    labeled = Labeled(X, y, 10, n_splits=3, seed=0)
    setups = [Setup((Rule("margin", 1.0),), batch) for batch in (5, 40)]
    cheap = replay.tune(labeled, setups, Spending(120), cost_ratio=1.0)
    dear = replay.tune(labeled, setups, Spending(120, 20), cost_ratio=1.0)
    assert cheap.chosen.batch == 5
    assert dear.chosen.batch == 40


def test_mixes_and_the_portfolio_can_be_replayed():
    X, y = digits(150)
    labeled = Labeled(X, y, 10, n_splits=1, seed=0)
    for rules in ((Rule("auto", 0.8), Rule("margin", 0.2)), (Rule("portfolio", 1.0),)):
        assert 0.1 < replay.play(labeled, 0, Setup(rules, 10), Spending(40)) < 1
    assert Setup((Rule("auto", 0.8), Rule("margin", 0.2)), 10).name == "auto:0.8+margin:0.2 by 10"


def test_what_cannot_be_tuned_is_refused():
    X, y = digits(100)
    with pytest.raises(ValueError, match="30 records of 10 classes are labeled; replays need 40"):
        Labeled(X[:30], y[:30], 10, n_splits=2, seed=0)
    with pytest.raises(ValueError, match="of 1 classes are labeled"):
        Labeled(X, np.zeros(100, int), 10, n_splits=2, seed=0)
    labeled = Labeled(X, y, 10, n_splits=2, seed=0)
    with pytest.raises(ValueError, match="a budget of 500 is wanted; replays choose among"):
        replay.tune(labeled, SETUPS, Spending(500))
    with pytest.raises(ValueError, match="pays for no round of 30"):
        replay.tune(labeled, SETUPS, Spending(30, 5))
    with pytest.raises(ValueError, match="name each once"):
        replay.tune(labeled, [SETUPS[0], SETUPS[0]], SPENDING)
    with pytest.raises(ValueError, match="there is no strategy 'best'"):
        replay.tune(labeled, [Setup((Rule("best", 1.0),), 10)], Spending(50))

"""Drift: few false alarms in long watches, shifts of every kind caught within two batches, seasons known again."""

import numpy as np
import pytest

from curation.core.drift import Records, Reference, Way, watch

D, K, N_REFERENCE, N_BATCH = 10, 4, 1000, 100
USUAL = (0.4, 0.3, 0.2, 0.1)


class World:
    """Four kinds of records and the probabilities of a model that knows them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.centres = self.rng.normal(size=(K, D)) * 2

    def draw(self, n=N_BATCH, shares=USUAL, shift=0.0, new=0.0, doubt=1.0) -> Records:
        y = self.rng.choice(K, n, p=shares)
        X = self.centres[y] + self.rng.normal(size=(n, D))
        X[:, 2:5] += shift
        X[self.rng.random(n) < new] += 6
        logits = -((X[:, None] - self.centres) ** 2).sum(axis=2) / (8 * doubt)
        proba = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Records(X.astype(np.float32), proba / proba.sum(axis=1, keepdims=True))


CHANGES = {
    "mean": {"shift": 1.0},
    "new cluster": {"new": 0.1},
    "other shares of classes": {"shares": (0.15, 0.3, 0.2, 0.35)},
}
OUTPUTS_ALONE = {"a model less sure": {"doubt": 4.0}}


def caught(world: World, change: dict) -> bool:
    usual = Reference(world.draw(N_REFERENCE), world.rng)
    first, second = world.draw(**change), world.draw(**change)
    return watch(usual, first).is_alarm or watch(usual, second, first).is_alarm


def test_at_most_one_false_alarm_in_a_hundred_batches():
    n_alarms = n_batches = 0
    for seed in range(25):
        world = World(seed)
        usual, before = Reference(world.draw(N_REFERENCE), world.rng), None
        for _ in range(20):
            batch = world.draw()
            is_alarm = watch(usual, batch, before).is_alarm
            before = None if is_alarm else batch
            n_alarms, n_batches = n_alarms + is_alarm, n_batches + 1
    assert n_alarms <= n_batches / 100


@pytest.mark.parametrize("change", (CHANGES | OUTPUTS_ALONE).values(), ids=CHANGES | OUTPUTS_ALONE)
def test_a_shift_is_caught_within_two_batches(change):
    assert sum(caught(World(seed), change) for seed in range(20)) >= 19


def test_the_ways_are_named():
    world = World(0)
    usual = Reference(world.draw(N_REFERENCE), world.rng)
    ways = {
        name: {one.way for one in usual.differences(world.draw(**change))}
        for name, change in (CHANGES | OUTPUTS_ALONE).items()
    }
    assert Way.FEATURES in ways["mean"]
    assert Way.NOVELTY in ways["new cluster"]
    assert Way.MIXTURE in ways["other shares of classes"]
    assert ways["a model less sure"] == {Way.OUTPUTS}


def test_the_features_that_moved_are_named_with_how_far():
    world = World(1)
    found = Reference(world.draw(N_REFERENCE), world.rng).differences(world.draw(shift=3.0))
    words = next(one.words for one in found if one.way == Way.FEATURES)
    assert all(f"feature {at} by +" in words for at in (2, 3, 4))


def test_a_known_season_is_no_alarm_and_something_else_is():
    winter, wrong = {"shares": (0.1, 0.1, 0.3, 0.5), "shift": 0.5}, 0
    for seed in range(10):
        world = World(seed)
        usual = Reference(world.draw(N_REFERENCE), world.rng)
        seasons = {"winter": Reference(world.draw(N_REFERENCE, **winter), world.rng)}
        told = watch(usual, world.draw(**winter), seasons=seasons)
        wrong += told.season != "winter" or told.is_alarm or not told.differences
        wrong += not watch(usual, world.draw(shift=2.0), seasons=seasons).is_alarm
        wrong += bool(watch(usual, world.draw(), seasons=seasons).season)
    assert wrong <= 1


def test_outputs_are_optional_and_constant_features_harmless():
    world = World(2)
    plain = [Records(np.column_stack([world.draw(n).X, np.ones(n)]).astype(np.float32)) for n in (300, 50)]
    assert not watch(Reference(plain[0], world.rng), plain[1]).is_alarm
    same = Records(np.ones((200, 3), np.float32))
    assert not watch(Reference(same, world.rng), same).is_alarm


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (Records(np.zeros((5, D), np.float32), np.full((5, K), 1 / K)), "at least 10 records, got 5"),
        (Records(np.zeros((20, 3), np.float32), np.full((20, K), 1 / K)), "3 features, the reference 10"),
        (Records(np.zeros((20, D), np.float32)), "or with none"),
        (Records(np.zeros((20, D), np.float32), np.full((20, 2), 0.5)), "of 2 classes, the reference of 4"),
    ],
)
def test_what_does_not_fit_is_said(batch, words):
    world = World(3)
    with pytest.raises(ValueError, match=words):
        Reference(world.draw(N_REFERENCE), world.rng).differences(batch)
    with pytest.raises(ValueError, match="at least 100 records, got 50"):
        Reference(world.draw(50), world.rng)

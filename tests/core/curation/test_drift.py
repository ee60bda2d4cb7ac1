"""Drift: few false alarms in long watches, shifts of every kind caught within two batches, seasons known again."""

import numpy as np
import pytest

from benchmarks.drift.world import SHIFTS, WINTER, D, K, Make, World, verdicts
from curation.core.drift import Records, Reference, Way, watch


def caught(world: World, change: Make) -> bool:
    usual = world.reference()
    first, second = world.draw(change), world.draw(change)
    return watch(usual, first).is_alarm or watch(usual, second, first).is_alarm


def test_at_most_one_false_alarm_in_a_hundred_batches():
    n_alarms = n_batches = 0
    for seed in range(25):
        world = World(seed)
        told = [verdict.is_alarm for verdict in verdicts(world.reference(), (world.draw() for _ in range(20)))]
        n_alarms, n_batches = n_alarms + sum(told), n_batches + len(told)
    assert n_alarms <= n_batches / 100


@pytest.mark.parametrize("change", SHIFTS.values(), ids=SHIFTS)
def test_a_shift_is_caught_within_two_batches(change):
    assert sum(caught(World(seed), change) for seed in range(20)) >= 19


def test_the_ways_are_named():
    world = World(0)
    usual = world.reference()
    mean, shares, new, unsure, _ = (
        {one.way for one in usual.differences(world.draw(change))} for change in SHIFTS.values()
    )
    assert Way.FEATURES in mean
    assert Way.NOVELTY in new
    assert Way.MIXTURE in shares
    assert unsure == {Way.OUTPUTS}


def test_the_features_that_moved_are_named_with_how_far():
    world = World(1)
    found = world.reference().differences(world.draw(Make(shift=3.0)))
    words = next(one.words for one in found if one.way == Way.FEATURES)
    assert all(f"feature {at} by +" in words for at in (2, 3, 4))


def test_a_known_season_is_no_alarm_and_something_else_is():
    wrong = 0
    for seed in range(10):
        world = World(seed)
        usual, seasons = world.reference(), {"winter": world.reference(WINTER)}
        told = watch(usual, world.draw(WINTER), seasons=seasons)
        wrong += told.season != "winter" or told.is_alarm or not told.differences
        wrong += not watch(usual, world.draw(Make(shift=2.0)), seasons=seasons).is_alarm
        wrong += bool(watch(usual, world.draw(), seasons=seasons).season)
    assert wrong <= 1


def test_outputs_are_optional_and_constant_features_harmless():
    world = World(2)
    plain = [Records(np.column_stack([world.draw(n=n).X, np.ones(n)]).astype(np.float32)) for n in (300, 50)]
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
        world.reference().differences(batch)
    with pytest.raises(ValueError, match="at least 100 records, got 50"):
        Reference(world.draw(n=50), world.rng)

"""A filter learned from this week tells next week's useless records, with probabilities that hold, one by one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from curation.core import filtering

D, PER_WEEK = 12, 800


def week(number, rng, world):
    """Records of a week: useful ones of four kinds that wander a little, useless ones among and between them."""
    kinds, junk = world
    useful = rng.random(PER_WEEK) < 0.65
    drift = 0.2 * number * rng.normal(size=D)
    X = kinds[rng.integers(0, 4, PER_WEEK)] + rng.normal(size=(PER_WEEK, D))
    foreign = junk[rng.integers(0, 3, PER_WEEK)] + 1.2 * rng.normal(size=(PER_WEEK, D))
    faint = 0.3 * rng.normal(size=(PER_WEEK, D))
    useless = np.where((rng.random(PER_WEEK) < 0.3)[:, None], faint, foreign)
    told = useful ^ (rng.random(PER_WEEK) < 0.05)  # people err
    return (np.where(useful[:, None], X, useless) + drift).astype(np.float32), told


def world(seed):
    rng = np.random.default_rng(seed)
    kinds, junk = 1.5 * rng.normal(size=(4, D)), 1.5 * rng.normal(size=(3, D))
    return rng, (kinds, junk)


@pytest.mark.parametrize("seed", range(5))
def test_next_weeks_useless_records_are_told_with_probabilities_that_hold(seed):
    rng, made = world(seed)
    X, told = week(0, rng, made)
    learned = filtering.learn(X, told, np.random.default_rng(0))
    new, came = week(1, rng, made)
    proba = learned.proba(new)
    assert roc_auc_score(came, proba) >= 0.85
    part = np.digitize(proba, np.quantile(proba, np.linspace(0, 1, 11)[1:-1]))
    off = np.bincount(part, came - proba, minlength=10) / PER_WEEK
    assert np.abs(off).sum() < 0.08


def test_a_record_scores_the_same_alone_and_among_others():
    rng, made = world(0)
    X, told = week(0, rng, made)
    learned = filtering.learn(X, told, np.random.default_rng(0))
    whole = learned.proba(X)
    assert [float(learned.proba(X[at : at + 1])[0]) for at in range(20)] == pytest.approx(whole[:20], abs=1e-6)
    again = filtering.learn(X, told, np.random.default_rng(0))
    assert again.proba(X).tolist() == whole.tolist()


def test_outcomes_that_features_do_not_tell_are_no_more_than_their_share():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, D)).astype(np.float32)
    learned = filtering.learn(X, rng.random(1000) < 0.7, rng)
    proba = learned.proba(rng.normal(size=(1000, D)).astype(np.float32))
    assert np.abs(proba - 0.7).mean() < 0.1


def test_what_cannot_be_learned_from_is_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)).astype(np.float32)
    for features, outcomes, words in (
        (X, np.ones(50, bool), "10 useful and 10 useless records, got 50 and 0"),
        (X, np.ones(9, bool), "50 records"),
        (np.full_like(X, np.nan), np.arange(50) % 2 == 0, "hold NaN or infinity"),
    ):
        with pytest.raises(ValueError, match=words):
            filtering.learn(features, outcomes, rng)
    learned = filtering.learn(X, np.arange(50) % 2 == 0, rng)
    with pytest.raises(ValueError, match="2 features given"):
        learned.proba(X[:, :2])

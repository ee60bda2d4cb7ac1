"""A class of the schema without a label is sought at random, in part of the batch, for a while."""

import doctest
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from curation.core import class_search, large, selection, subpool
from curation.core.arrays import Asked
from curation.core.pool import Pool
from curation.core.problem import Problem
from tests.core.curation.test_large import N, features, history, task
from tests.core.curation.test_strategies import K, asked, choose, pool, proba, problem

__all__ = ["features"]
NAMES = ["ant", "bee", "{cow}"]
ONE_CLASS = asked([0, 3, 6], [0, 0, 0])


def searched(picks):
    return [pick for pick in picks if pick.arm == "class search"]


def test_the_examples_hold():
    assert doctest.testmod(class_search).failed == 0


@pytest.mark.parametrize(
    ("labels", "n_picks", "wanted"),
    [
        ([], 10, 0),
        ([0], 10, 0),  # of one label two classes cannot have one
        ([0, 1, 0], 10, 1),
        ([0, 1, 0, 1, 0, 1, 0, 1], 10, 3),
        ([0, 0, 0, 0, 0, 0], 10, 5),
        ([0, 0, 0, 0, 0, 0], 1, 0),
        ([0, 1, 2], 10, 0),
        ([-1, -1], 10, 5),
        ([0, -1, -1, -1], 10, 0),
        ([0, -1, -1, -1, -1], 10, 5),
        ([0, 1, -1, -1, -1, -1, -1, -1, -1], 10, 4),
    ],
)
def test_the_share_of_classes_without_a_label_beyond_chance_but_never_more_than_half(labels, n_picks, wanted):
    assert class_search.n_to_draw(np.array(labels, dtype=np.int64), K, n_picks) == wanted


def test_a_class_that_does_not_turn_up_is_given_up():
    labels = np.tile([0, 1], 5 * K)
    assert class_search.n_to_draw(labels[:-1], K, 10) == 4
    assert class_search.n_to_draw(labels, K, 10) == 0


def test_what_is_drawn_says_what_for_and_is_no_copy_of_anything():
    X = pool()
    X[60:] = X[:60]  # everything is there twice
    p = problem(X, known=ONE_CLASS, class_names=NAMES)
    picks = choose(p, "auto", control=0.0)
    found = searched(picks)
    assert len(found) == 4
    assert len({int(p.group[row]) for row in [*p.asked.rows, *(pick.row for pick in picks)]}) == 13
    assert all(pick.words.startswith("Drawn at random to find 'bee' and '{cow}', of which") for pick in found)
    assert {pick.propensity for pick in found} == {None}
    assert picks == choose(p, "auto", control=0.0)
    others = choose(p, "auto", control=0.0, seed=2)
    assert {pick.row for pick in searched(others)} != {pick.row for pick in found}


@pytest.mark.parametrize(
    "more",
    [
        {"known": asked([0, 1, 2], [0, 1, 2])},
        {"known": ONE_CLASS, "given_proba": proba()},
        {"known": ONE_CLASS, "utility": np.linspace(0, 1, 120)},
        {"known": ONE_CLASS, "anchor": pool()[:30], "anchor_labels": np.arange(30) % K},
    ],
)
def test_nothing_is_sought_where_every_class_is_known_or_the_customer_says_what_is_worth_labeling(more):
    assert searched(choose(problem(**more), "auto")) == []


def test_only_the_engine_searches():
    for name in ("margin", "uncertainty_herding", "coverage"):
        assert searched(choose(problem(known=ONE_CLASS), name)) == []


def test_a_class_that_lies_scattered_is_found_sooner():
    """A tenth of the pool is a class whose records lie far from each other, where none stands for any other."""
    found = {"auto": 0, "uncertainty_herding": 0}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = np.concatenate([pool(900, seed), rng.normal(size=(100, 5)) * 40]).astype(np.float32)
        answer = np.concatenate([np.arange(900) % 2, np.full(100, 2)])
        for name in found:
            known = asked()
            for _ in range(6):
                rows = [pick.row for pick in choose(problem(X, known=known), name, n=6, control=0.0)]
                rows = [*known.rows.tolist(), *rows]
                known = asked(rows, answer[rows])
            found[name] += 2 in known.labels
    assert found["auto"] >= 9
    assert found["uncertainty_herding"] <= 5


def test_large_pools_search_too(features):
    X, y = features
    known = history(features)
    few = replace(known, labels=np.where(y[known.rows] == 1, -1, np.minimum(y[known.rows], 2)).astype(np.int64))
    few = replace(few, rows=few.rows[:30], labels=few.labels[:30], weights=few.weights[:30])  # no label of two classes
    wanted = task(X, few)
    picks = large.select(wanted)
    assert len({pick.row for pick in picks}) == 60
    assert len(searched(picks)) == 27  # half of what is no control pick
    assert [pick.row for pick in picks] == [pick.row for pick in large.select(wanted)]
    assert all("find 2 of 4 classes, of which" in pick.words for pick in searched(picks))
    assert not {pick.row for pick in picks} & set(few.rows.tolist())
    assert searched(large.select(task(X, known))) == []


def test_in_large_pools_what_is_drawn_is_no_copy_of_what_was_asked(features):
    X, y = features
    X = X.copy()
    X[5000:] = X[np.arange(5000, N) % 100]  # nearly everything is a copy of what is asked
    rows = np.arange(100)
    known = asked(rows, np.where(y[rows] == 0, 0, -1))
    found = searched(large.select(task(X, known, control_ratio=0.0, n_picks=40)))
    seen = {X[row].tobytes() for row in rows}
    assert found
    assert not [pick for pick in found if X[pick.row].tobytes() in seen]


def behind_mixtures(seed, k=6, d=20, n=1500):
    """Return a pool of which half are means of two records each: the middle is junk, the classes lie around it."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    X = rng.normal(size=(k, d))[y] * 2 + rng.normal(size=(n, d))
    mixed = (X[rng.integers(0, n, n)] + X[rng.integers(0, n, n)]) / 2
    return np.concatenate([X, mixed]).astype(np.float32), np.concatenate([y, np.full(n, -1)])


def n_found(X, answer, k, choose_batch, n_rounds=6):
    """Return how many classes have a label after some batches of two a class."""
    known = asked()
    for _ in range(n_rounds):
        rows = np.concatenate([known.rows, [pick.row for pick in choose_batch(known)]])
        known = Asked(rows, answer[rows], np.ones(len(rows)))
    return len(np.unique(known.labels[known.labels >= 0])) / k


def test_classes_behind_junk_in_the_middle_of_the_pool_are_found():
    found = {"auto": [], "uncertainty_herding": [], "large": []}
    for seed, k in ((0, 6), (1, 8), (2, 6), (3, 8)):
        X, answer = behind_mixtures(seed, k)
        for name in ("auto", "uncertainty_herding"):
            batch = partial(mixed_batch, X, k, name)
            found[name].append(n_found(X, answer, k, batch))
        found["large"].append(n_found(X, answer, k, partial(large_batch, X, k)))
    assert np.mean(found["auto"]) > 0.85
    assert np.mean(found["large"]) > 0.85
    assert np.mean(found["uncertainty_herding"]) < 0.6


def mixed_batch(X, k, name, known):
    return selection.select(Problem(X, known, k), name=name, n_picks=2 * k, control_ratio=0.0, seed=0)


def large_batch(X, k, known):
    rules = [selection.Rule("auto", 1.0)]
    return large.select(subpool.Task(Pool.split(X), known, k, rules, n_picks=2 * k, control_ratio=0.0, seed=0))

"""Causes of confusion: planted ones are named, and nothing is said where nothing can be known."""

import numpy as np
import pytest

from benchmarks.causes import plant
from benchmarks.causes.__main__ import f1
from benchmarks.selection import pools
from curation.core import causes
from curation.core.arrays import Asked
from curation.core.causes import Cause
from curation.core.problem import Problem


def planted(name, seed, n_asked=400):
    problem, cause = plant.make(pools.load(name, seed, None), seed, n_asked)
    rows = np.flatnonzero((problem.uncertainty > causes.UNSURE) & (cause != plant.NONE))
    return problem, rows, cause[rows]


def test_planted_causes_are_named():
    """Fresh seeds of pools the weights were learnt on; how they do on others: docs/measurements/causes.md."""
    counts = np.zeros((6, 6), dtype=np.int64)
    for name in ("digits", "topics", "faces_of_dice"):
        problem, rows, cause = planted(name, seed=101)
        named = [list(Cause).index(one.cause) for one in causes.explain(problem, rows)]
        np.add.at(counts, (cause, named), 1)
    assert f1(counts).mean() > 0.7
    assert counts.sum(axis=1).min() > 20


def test_each_cause_says_so_in_words_with_neighbours_and_a_way_out():
    problem, rows, _ = planted("topics", seed=7)
    found = {one.cause: one for one in causes.explain(problem, rows)}
    assert set(found) == set(Cause)
    assert len({one.words.split(":")[0] for one in found.values()}) == 6
    assert len({one.action for one in found.values()}) == 6
    for one in found.values():
        assert len(one.neighbours) == 10
        assert one.row not in one.neighbours
        assert np.isin(one.neighbours, problem.asked.rows[problem.asked.is_labeled]).all()


def test_probabilities_sum_to_one():
    evidence = np.random.default_rng(0).normal(size=(50, 9)) * 100
    assert causes.probabilities(evidence).sum(axis=1) == pytest.approx(1)


def test_only_what_the_model_is_unsure_of_is_looked_at_and_near_copies_once():
    problem, _, _ = planted("digits", seed=3)
    rows = causes.most_confusing(problem, 100)
    assert len(rows) == 100
    assert problem.uncertainty[rows].min() >= causes.UNSURE
    assert (np.diff(problem.uncertainty[rows]) <= 0).all()
    assert len(np.unique(problem.group[rows])) == 100


@pytest.mark.parametrize("n_labels", [0, 5, causes.LEAST_LABELS - 1])
def test_with_few_labels_nothing_is_said(n_labels):
    X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    asked = Asked(np.arange(n_labels), np.arange(n_labels) % 2, np.ones(n_labels))
    assert causes.explain(Problem(X=X, asked=asked, n_classes=2), np.arange(50)) == []


@pytest.mark.parametrize("made", ["constant", "copies", "one class", "no answers", "tiny"])
def test_degenerate_pools_get_finite_answers(made):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300 if made != "tiny" else 22, 3)).astype(np.float32)
    labels, weights = np.arange(21) % 2, np.ones(21)
    proba = None
    if made == "constant":
        X[:] = 1
    elif made == "copies":
        X[:] = X[:1].repeat(len(X), axis=0) + np.arange(len(X))[:, None] % 2
    elif made == "one class":
        labels = np.zeros(21, dtype=np.int64)
        proba = rng.dirichlet([1, 1], len(X))
    elif made == "no answers":
        weights = np.zeros(21)
    problem = Problem(X=X, asked=Asked(np.arange(21), labels, weights), n_classes=2, given_proba=proba)
    found = causes.explain(problem, np.arange(20))
    assert len(found) == (0 if made == "no answers" else 20)
    assert all(np.isfinite(one.probability) and one.words.endswith(".") for one in found)


def test_asked_twice_the_same_is_said():
    problem, rows, _ = planted("digits", seed=2)
    again, _, _ = planted("digits", seed=2)
    assert [one.words for one in causes.explain(problem, rows)] == [one.words for one in causes.explain(again, rows)]

"""The contract every query strategy keeps; a new one is covered the moment it is registered."""

import numpy as np
import pytest

from curation.core import selection
from curation.core.arrays import Asked
from curation.core.selection import Problem

N, D, K = 120, 5, 3


def pool(n: int = N, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(K, D)) * 4
    return (centres[np.arange(n) % K] + rng.normal(size=(n, D))).astype(np.float32)


def asked(rows=(), labels=()) -> Asked:
    return Asked(np.array(rows, dtype=np.int64), np.array(labels, dtype=np.int64), np.ones(len(rows)))


def problem(X=None, known: Asked | None = None, **more) -> Problem:
    return Problem(pool() if X is None else X, known or Asked.nothing(), K, **more)


def choose(p: Problem, name: str, n: int = 10, control: float = 0.1, seed: int = 1) -> list[selection.Pick]:
    return selection.select(p, name=name, n_picks=n, control_ratio=control, seed=seed)


every_strategy = pytest.mark.parametrize("name", selection.names())
HISTORY = {
    "nothing asked": asked(),
    "one class so far": asked([0, 3, 6], [0, 0, 0]),
    "all rejected": asked([0, 1, 2, 3], [-1, -1, -1, -1]),
    "labels of all classes": asked([0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]),
    "labels and rejections": asked([0, 1, 2, 3, 4, 5], [0, 1, 2, -1, -1, 2]),
}


@every_strategy
@pytest.mark.parametrize("history", HISTORY.values(), ids=HISTORY)
def test_a_batch_is_full_new_unique_repeatable_and_explained(name, history):
    p = problem(known=history)
    picks = choose(p, name)
    rows = [pick.row for pick in picks]
    assert len(rows) == len(set(rows)) == 10
    assert not set(rows) & set(history.rows.tolist())
    assert rows == [pick.row for pick in choose(problem(known=history), name)]
    assert all(pick.words.endswith(".") and pick.parts for pick in picks)
    assert all(np.isfinite(pick.utility) for pick in picks)


@every_strategy
def test_inputs_are_left_as_they_were(name):
    X = pool()
    before = X.copy()
    history = asked([1, 2, 3], [0, 1, 2])
    choose(problem(X, history), name)
    assert np.array_equal(X, before)
    assert history.rows.tolist() == [1, 2, 3]


@every_strategy
def test_a_pool_smaller_than_the_batch_gives_all_of_it_once(name):
    rows = sorted(pick.row for pick in choose(problem(pool(7), asked([2], [0])), name, n=50, control=0.0))
    assert rows == [0, 1, 3, 4, 5, 6]


@every_strategy
@pytest.mark.parametrize("X", [np.ones((30, 4), np.float32), np.zeros((30, 1), np.float32)], ids=["constant", "zero"])
def test_constant_features_still_give_rows_never_the_same_twice(name, X):
    rows = [pick.row for pick in choose(Problem(X, Asked.nothing(), K), name, n=5)]
    assert len(rows) == len(set(rows)) >= 1


@every_strategy
def test_an_exhausted_pool_gives_nothing(name):
    history = asked(range(N), [i % K for i in range(N)])
    assert choose(problem(known=history), name) == []


def test_near_copies_of_what_was_asked_or_picked_are_never_picked_by_the_engine():
    rng = np.random.default_rng(3)
    X = pool(60)
    copies = (X[:30] + rng.normal(size=(30, D)) * 1e-4).astype(np.float32)
    p = Problem(np.concatenate([X, copies]), asked([0, 1, 2], [0, 1, 2]), K)
    assert p.group[0] == p.group[60]
    rows = [pick.row for pick in choose(p, "herding", n=40, control=0.0)]
    assert not {60, 61, 62} & set(rows)
    assert len({int(p.group[row]) for row in rows}) == len(rows)


def test_before_any_rejection_relevance_is_exactly_one():
    p = problem(known=asked([0, 1, 2], [0, 1, 2]))
    assert np.array_equal(p.relevance.proba, np.ones(N))


def test_rejections_lower_the_relevance_of_what_is_like_them_but_veto_nothing():
    rng = np.random.default_rng(5)
    foreign = (rng.normal(size=(60, D)) + 9).astype(np.float32)
    X = np.concatenate([pool(120), foreign])
    known = asked([0, 1, 2, 3, 120, 121, 122, 123], [0, 1, 2, 0, -1, -1, -1, -1])
    relevance = Problem(X, known, K).relevance
    assert relevance.proba[124:].mean() < 0.5 * relevance.proba[4:120].mean()
    assert relevance.multiplier.min() >= 0.25


def test_records_nobody_answered_are_no_rejections():
    waiting = Asked(np.arange(12), np.array([0, 1, 2] + [-1] * 9), np.array([1.0] * 3 + [0.0] * 9))
    assert np.array_equal(problem(known=waiting).relevance.proba, np.ones(N))
    refused = Asked(np.arange(13), np.append(waiting.labels, -1), np.append(waiting.weights, 1.0))
    alone = Asked(np.array([0, 1, 2, 12]), np.array([0, 1, 2, -1]), np.ones(4))
    assert np.array_equal(problem(known=refused).relevance.proba, problem(known=alone).relevance.proba)


def test_control_picks_are_uniform_with_their_propensity():
    counts = np.zeros(N)
    p = problem(known=asked([0, 1], [0, 1]))
    for seed in range(600):
        control = [pick for pick in choose(p, "random", n=10, control=0.2, seed=seed) if pick.arm == "control"]
        assert len(control) == 2
        assert control[0].propensity == pytest.approx(2 / (N - 2))
        counts[[pick.row for pick in control]] += 1
    assert counts[:2].sum() == 0
    expected = 600 * 2 / (N - 2)
    chi2 = ((counts[2:] - expected) ** 2 / expected).sum()
    assert chi2 < (N - 3) + 5 * np.sqrt(2 * (N - 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: problem(np.full((5, 2), np.nan, np.float32)), "first is row 0"),
        (lambda: problem(np.zeros((0, 3), np.float32)), r"got \(0, 3\)"),
        (lambda: problem(known=asked([500], [0])), "reach 500, the pool has 120"),
        (lambda: problem(known=asked([1], [7])), "label 7 is outside the 3"),
        (lambda: asked([1, 1], [0, 0]), "only 1 of them different"),
        (lambda: choose(problem(), "nonsense"), "there is no strategy 'nonsense'"),
        (lambda: choose(problem(), "random", n=0), "at least 1"),
        (lambda: choose(problem(anchor=np.zeros((30, 4), np.float32)), "herding"), "4 features given"),
    ],
)
def test_bad_input_is_refused_with_both_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()

"""Labeling functions: measured against people, never against each other; copies add nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core import functions
from marketplace.core.aggregation import Answers, aggregate

K = 3


def world(seed: int, accuracies, *, n: int = 600, n_answered: int = 300, coverage: float = 0.6):
    """Return truth, people's posterior, who is answered, and the votes of independent functions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, K, n)
    task = np.repeat(np.arange(n_answered), 2)
    person = np.concatenate([rng.choice(12, 2, replace=False) for _ in range(n_answered)])
    label = said(rng, truth[task], np.full(len(task), 0.85))
    people = aggregate(Answers(task, person, label, n, 12, K)).posterior
    rows = []
    for index, accuracy in enumerate(accuracies):
        voted = np.flatnonzero(rng.random(n) < coverage)
        votes = said(rng, truth[voted], np.full(len(voted), accuracy))
        rows.append((voted, np.full(len(voted), index), votes))
    return truth, people, np.arange(n) < n_answered, rows


def said(rng, truth, accuracy):
    wrong = (truth + rng.integers(1, K, len(truth))) % K
    return np.where(rng.random(len(truth)) < accuracy, truth, wrong)


def votes_of(rows, n=600) -> Answers:
    task, index, label = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Answers(task, index, label, n, len(rows), K)


def test_accuracy_is_learnt_within_its_interval():
    n_covered, errors = 0, []
    for seed in range(20):
        accuracies = [0.9, 0.7, 0.5, 0.1]
        _, people, answered, rows = world(seed, accuracies)
        found = functions.measure(votes_of(rows), people, answered)
        errors += list(np.abs(found.accuracy - accuracies))
        n_covered += sum(low <= a <= high for low, a, high in zip(found.low, accuracies, found.high, strict=True))
    assert np.mean(errors) < 0.05
    assert n_covered / 80 > 0.8


def test_functions_help_where_people_have_not_been():
    truth, people, answered, rows = world(1, [0.9, 0.85, 0.8])
    votes = votes_of(rows)
    known = functions.measure(votes, people, answered)
    belief = functions.combined(votes, people, known)
    voted = (votes.per_task > 0) & ~answered
    assert (belief.argmax(axis=1) == truth)[voted].mean() > 0.8
    assert (belief.argmax(axis=1) == truth)[answered].mean() > (people.argmax(axis=1) == truth)[answered].mean()
    np.testing.assert_allclose(belief.sum(axis=1), 1)
    np.testing.assert_allclose(belief[votes.per_task == 0], people[votes.per_task == 0])


@pytest.mark.parametrize("flipped", [0.0, 0.05], ids=["exact", "noisy"])
def test_copies_do_not_fake_certainty(flipped):
    rng = np.random.default_rng(4)
    _, people, answered, rows = world(2, [0.75], coverage=0.8)
    task, _, label = rows[0]
    copies = []
    for index in range(20):
        changed = np.where(rng.random(len(label)) < flipped, (label + 1) % K, label)
        copies.append((task, np.full(len(task), index), changed))
    one, many = votes_of(rows), votes_of(copies)
    alone = functions.combined(one, people, functions.measure(one, people, answered))
    known = functions.measure(many, people, answered)
    together = functions.combined(many, people, known)
    assert len(set(known.clique.tolist())) == 1
    np.testing.assert_allclose(together.max(axis=1).mean(), alone.max(axis=1).mean(), atol=0.02)
    independent = votes_of(world(2, [0.75] * 20, coverage=0.8)[3])
    apart = functions.measure(independent, people, answered)
    assert len(set(apart.clique.tolist())) > 15


def test_functions_that_agree_only_with_each_other_get_no_trust():
    _, people, answered, _ = world(3, [0.5])
    rng = np.random.default_rng(5)
    fixed = rng.integers(0, K, 600)  # all say the same nonsense
    rows = [(np.arange(600), np.full(600, index), fixed) for index in range(5)]
    votes = votes_of(rows)
    known = functions.measure(votes, people, answered)
    assert known.high.max() < 0.5
    belief = functions.combined(votes, people, known)
    assert belief[~answered].max() < 0.6
    assert (belief.argmax(axis=1) == people.argmax(axis=1))[answered].mean() > 0.95


def test_a_function_nobody_measured_tells_nothing():
    people = np.tile([0.5, 0.3, 0.2], (30, 1))
    votes = Answers(np.arange(30), np.zeros(30, int), np.zeros(30, int), 30, 1, K)
    known = functions.measure(votes, people, np.zeros(30, dtype=bool))
    assert np.isnan(known.accuracy[0])
    assert known.n_judged[0] == 0
    np.testing.assert_allclose(functions.combined(votes, people, known), people)


def test_gold_stays_certain_and_teaches():
    people = np.vstack([np.eye(K)[np.arange(60) % K], np.full((1, K), 1 / K)])
    votes = Answers(np.arange(61), np.zeros(61, int), np.append((np.arange(60) + 1) % K, 0), 61, 1, K)
    answered = np.arange(61) < 60
    known = functions.measure(votes, people, answered)
    belief = functions.combined(votes, people, known)
    np.testing.assert_array_equal(belief[:60], people[:60])
    assert belief[60].argmax() == 2  # it is always wrong in the same way, which tells as much


def test_conflicts_are_counted():
    votes = Answers([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0, 1, 2, 2, 0], 4, 2, K)
    found = functions.measure(votes, np.full((4, K), 1 / K), np.zeros(4, dtype=bool))
    assert found.coverage.tolist() == [0.75, 0.5]
    assert found.overlap.tolist() == pytest.approx([2 / 3, 1])
    assert found.conflict.tolist() == pytest.approx([1 / 3, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_votes_give_a_belief_that_no_order_of_functions_changes(data):
    n, size = 12, data.draw(st.integers(1, 5))
    cells = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, size - 1)), unique=True, max_size=40))
    labels = data.draw(st.lists(st.integers(0, K - 1), min_size=len(cells), max_size=len(cells)))
    people = np.random.default_rng(0).dirichlet(np.ones(K), n)
    answered = np.arange(n) % 2 == 0
    order = np.array(data.draw(st.permutations(range(size))))
    beliefs = []
    for index in (np.arange(size), order):
        task = np.array([t for t, _ in cells], dtype=np.int32)
        function = index[np.array([f for _, f in cells], dtype=np.int64)]
        votes = Answers(task, function.astype(np.int32), np.array(labels, dtype=np.int32), n, size, K)
        beliefs.append(functions.combined(votes, people, functions.measure(votes, people, answered)))
    np.testing.assert_allclose(beliefs[0], beliefs[1], atol=1e-12)
    assert np.isfinite(beliefs[0]).all()
    np.testing.assert_allclose(beliefs[0].sum(axis=1), 1)


def test_shapes_that_do_not_fit_are_refused():
    votes = Answers([0], [0], [0], 1, 1, K)
    with pytest.raises(ValueError, match="records"):
        functions.measure(votes, np.ones((2, K)), np.array([True]))

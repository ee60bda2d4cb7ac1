"""Annotators who copy, and annotators who change: found where planted, not found where absent."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.vetting import stress
from marketplace.core.aggregation import Answers, aggregate, cliques, drift, incremental, known
from tests.core.marketplace.vetting.crowds import crowd


def accuracy(result, truth):
    return (result.label == truth).mean()


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_found_and_share_one_answer(seed):
    planted = stress.clique(np.random.default_rng([seed, 2]))
    result = aggregate(planted.answers)
    sizes = np.bincount(result.clique, minlength=30)
    largest = result.clique == sizes.argmax()
    assert largest[:9].sum() >= 7  # nine of thirty copy
    assert largest[9:].sum() <= 1
    vote = aggregate(planted.answers, method="majority")
    skene = aggregate(planted.answers, method="dawid_skene")
    assert accuracy(result, planted.truth) > accuracy(vote, planted.truth) + 0.02
    assert accuracy(result, planted.truth) > accuracy(skene, planted.truth) + 0.05


@pytest.mark.parametrize("n_classes", [2, 4])
def test_fair_crowds_have_no_large_cliques(n_classes):
    answers, _, _ = crowd(np.random.default_rng(1), n_tasks=800, n_annotators=15, per_task=7, n_classes=n_classes)
    result = aggregate(answers)
    assert result.clique is None


def test_replay_equals_the_batch_where_annotators_copy():
    answers = stress.clique(np.random.default_rng(0)).answers
    result = aggregate(answers)
    assert result.clique is not None
    for task in range(60):
        state = incremental.start(result)
        for answer in np.random.default_rng(task).permutation(np.flatnonzero(answers.task == task)):
            state = state.add(int(answers.annotator[answer]), int(answers.label[answer]))
        np.testing.assert_allclose(state.posterior(), result.posterior[task], atol=1e-9)


def test_a_clique_counts_once_whatever_its_size():
    answers = Answers([0, 0, 0, 0], [0, 1, 2, 3], [1, 1, 1, 0], 1, 4, 2)
    weight = cliques.share_one_answer(answers, np.array([5, 5, 5, 2]))
    np.testing.assert_allclose(weight, [1 / 3, 1 / 3, 1 / 3, 1])
    np.testing.assert_allclose(replace(answers, weight=weight).votes, [[1, 1]])


def test_pairs_are_counted_as_by_hand():
    answers, _, _ = crowd(np.random.default_rng(9), n_tasks=120, n_annotators=7, per_task=5)
    said = [
        dict(zip(answers.task[mine], answers.label[mine], strict=True))
        for mine in (answers.annotator == person for person in range(7))
    ]
    found = {(int(a), int(b)): (n, same) for a, b, n, same in zip(*cliques._compared(answers), strict=True)}
    assert len(found) == 21
    for (one, other), counts in found.items():
        both = said[one].keys() & said[other].keys()
        assert counts == (len(both), sum(said[one][task] == said[other][task] for task in both))


def test_few_shared_records_prove_nothing():
    same = Answers(np.repeat(np.arange(9), 2), np.tile([0, 1], 9), np.repeat(np.arange(9) % 3, 2), 9, 2, 3)
    table = np.full((2, 3, 3), 1 / 3)
    assert cliques.groups(same, np.zeros(9, dtype=np.int32), table).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_change_is_found_and_pays(seed):
    planted = stress.drift(np.random.default_rng([seed, 6]))
    timed = aggregate(planted.answers)
    timeless = aggregate(replace(planted.answers, at=None))
    assert {change.annotator for change in timed.changes} >= set(range(8))
    assert len(timed.changes) <= 12
    assert abs(np.median([change.at for change in timed.changes]) - 750) < 50
    assert all(change.shift < -0.15 for change in timed.changes if change.annotator < 10)
    assert accuracy(timed, planted.truth) > accuracy(timeless, planted.truth) + 0.005
    assert timed.skill.shape == (20,)
    assert timed.confusion.shape == (20, 3, 3)
    assert timed.skill[:10].max() < timed.skill[10:].min()  # as they are now
    assert timeless.skill[:10].max() > timed.skill[:10].max()


def test_stationary_annotators_do_not_change():
    rng = np.random.default_rng(3)
    answers, _, _ = crowd(rng, n_tasks=1000, n_annotators=15, per_task=5)
    timed = replace(answers, at=rng.permutation(len(answers)).astype(float))
    result = aggregate(timed)
    assert len(result.changes) <= 1
    if not result.changes:
        assert result.posterior.tobytes() == aggregate(answers).posterior.tobytes()


def test_class_by_class_order_is_no_change():
    """Annotators who are bad at one class, met last, have not changed."""
    rng = np.random.default_rng(4)
    truth = np.repeat([0, 1], 300)
    task, annotator = np.divmod(np.arange(600 * 6), 6)
    chance = np.where(truth[task] == 0, 0.95, 0.7)
    label = np.where(rng.random(len(task)) < chance, truth[task], 1 - truth[task])
    result = aggregate(Answers(task, annotator, label, 600, 6, 2, at=task.astype(float)))
    assert len(result.changes) <= 1


def test_equal_times_are_never_cut():
    answers, truth, _ = crowd(np.random.default_rng(5), n_tasks=200)
    still = replace(answers, at=np.zeros(len(answers)))
    posterior = np.eye(3)[truth]
    assert drift.find(still, known.check(still, None, None), posterior) == []


def test_times_and_weights_follow_their_answers():
    answers = Answers([1, 0], [0, 0], [1, 0], 2, 1, 2, at=np.array([5.0, 3.0]), weight=np.array([0.5, 1.0]))
    assert answers.at.tolist() == [3.0, 5.0]
    assert answers.votes.tolist() == [[1, 0], [0, 0.5]]
    last = Answers.keep_last([0, 0], [0, 0], [1, 0], n_tasks=1, n_annotators=1, n_classes=2, at=[1.0, 2.0])
    assert (last.label.tolist(), last.at.tolist()) == ([0], [2.0])


@pytest.mark.parametrize(
    "wrong", [{"at": [1.0]}, {"at": [np.nan, 1.0]}, {"weight": [0.0, 1.0]}, {"weight": [[1.0, 1.0]]}]
)
def test_wrong_times_and_weights_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be 2 finite numbers|must be positive"):
        Answers([0, 1], [0, 0], [0, 0], 2, 1, 2, **{name: np.array(value) for name, value in wrong.items()})

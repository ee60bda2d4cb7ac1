"""What every registered truth-inference method promises; a new one is covered by being registered."""

import numpy as np
import pytest

from marketplace.core import aggregation
from marketplace.core.aggregation import Answers, aggregate, incremental, registry
from tests.core.marketplace.vetting.crowds import crowd

every_method = pytest.mark.parametrize("method", registry.names())


def assert_sound(result, answers):
    assert result.posterior.shape == (answers.n_tasks, answers.n_classes)
    assert np.isfinite(result.posterior).all()
    assert (result.posterior >= 0).all()
    np.testing.assert_allclose(result.posterior.sum(axis=1), 1)
    np.testing.assert_allclose(result.class_prior.sum(), 1)
    size = answers.n_classes
    assert result.confusion.shape == (answers.n_annotators, size, size)
    np.testing.assert_allclose(result.confusion.sum(axis=2), 1)
    np.testing.assert_allclose(result.pooled_confusion.sum(axis=1), 1)
    assert result.skill.shape == (answers.n_annotators,)
    assert (result.skill_low >= 0).all()
    assert (result.skill_low <= result.skill).all()
    assert (result.skill <= result.skill_high).all()
    assert (result.skill_high <= 1).all()
    np.testing.assert_array_equal(result.n_answers, answers.per_task)
    assert result.label.shape == result.confidence.shape == (answers.n_tasks,)
    np.testing.assert_array_equal(result.posterior[np.arange(answers.n_tasks), result.label] + 1e-6 > 1 / size, True)


@every_method
def test_finds_the_truth_of_an_easy_crowd(method):
    answers, truth, skill = crowd(np.random.default_rng(0), n_tasks=400, accuracy=(0.6, 0.95))
    result = aggregate(answers, method=method)
    assert_sound(result, answers)
    assert (result.label == truth).mean() > 0.93
    assert np.corrcoef(result.skill, skill)[0, 1] > 0.7


@every_method
def test_renaming_classes_changes_nothing(method):
    answers, _, _ = crowd(np.random.default_rng(1), n_classes=4)
    new_name = np.array([2, 0, 3, 1])
    renamed = Answers(answers.task, answers.annotator, new_name[answers.label], 200, 20, 4)
    before, after = aggregate(answers, method=method), aggregate(renamed, method=method)
    np.testing.assert_allclose(after.posterior[:, new_name], before.posterior, atol=1e-9)
    clear = ~before.is_tied
    np.testing.assert_array_equal(after.label[clear], new_name[before.label[clear]])


@every_method
def test_shuffling_records_and_annotators_changes_no_decision(method):
    rng = np.random.default_rng(2)
    answers, _, _ = crowd(rng)
    tasks, people = rng.permutation(200), rng.permutation(20)
    shuffled = Answers(tasks[answers.task], people[answers.annotator], answers.label, 200, 20, 3)
    before, after = aggregate(answers, method=method), aggregate(shuffled, method=method)
    np.testing.assert_array_equal(after.label[tasks], before.label)
    np.testing.assert_allclose(after.posterior[tasks], before.posterior, atol=1e-9)
    np.testing.assert_allclose(after.skill[people], before.skill, atol=1e-9)


@every_method
def test_order_of_arrival_is_bit_equal(method):
    rng = np.random.default_rng(3)
    answers, _, _ = crowd(rng)
    order = rng.permutation(len(answers))
    shuffled = Answers(answers.task[order], answers.annotator[order], answers.label[order], 200, 20, 3)
    before, after = aggregate(answers, method=method), aggregate(shuffled, method=method)
    assert before.posterior.tobytes() == after.posterior.tobytes()
    assert before.skill.tobytes() == after.skill.tobytes()


@every_method
@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(Answers([], [], [], 0, 0, 2), id="nothing at all"),
        pytest.param(Answers([], [], [], 3, 2, 2), id="no answers"),
        pytest.param(Answers([0, 1, 2], [0, 0, 0], [0, 1, 1], 3, 1, 2), id="one annotator"),
        pytest.param(Answers([0, 1, 2], [0, 1, 2], [0, 1, 1], 3, 3, 2), id="no overlap"),
        pytest.param(Answers([0, 0, 1], [0, 1, 0], [0, 0, 0], 2, 2, 1), id="one class"),
        pytest.param(Answers([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 1], 2, 2, 2), id="two by two"),
        pytest.param(Answers([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], 2, 2, 2), id="always disagree"),
        pytest.param(Answers([0, 0, 0], [0, 1, 2], [1, 1, 1], 2, 4, 5), id="one record answered, one class given"),
        pytest.param(crowd(np.random.default_rng(4), accuracy=(0.33, 0.34))[0], id="all spammers"),
    ],
)
def test_edges(method, answers):
    assert_sound(aggregate(answers, method=method), answers)
    if answers.n_tasks:
        prior = np.full((answers.n_tasks, answers.n_classes), 1 / answers.n_classes)
        assert_sound(aggregate(answers, method=method, prior=prior, gold={0: 0}), answers)


@every_method
def test_gold_is_certain_and_teaches(method):
    answers, truth, _ = crowd(np.random.default_rng(5), accuracy=(0.4, 0.8))
    gold = {int(task): int(truth[task]) for task in range(60)}
    result = aggregate(answers, method=method, gold=gold)
    assert_sound(result, answers)
    np.testing.assert_array_equal(result.label[:60], truth[:60])
    assert (result.confidence[:60] == 1).all()


@every_method
def test_record_without_answers_has_the_prior(method):
    answers = Answers([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], 4, 2, 2)
    prior = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9], [np.nan, np.nan]])
    result = aggregate(answers, method=method, prior=prior)
    np.testing.assert_allclose(result.posterior[2], [0.1, 0.9], atol=0.01)
    np.testing.assert_allclose(result.posterior[3], result.class_prior, atol=0.01)


@every_method
def test_classifier_prior_breaks_a_tie(method):
    answers = Answers([0, 0], [0, 1], [0, 1], 1, 2, 2)
    result = aggregate(answers, method=method, prior=[[0.1, 0.9]])
    assert result.label[0] == 1


@every_method
def test_lone_answers_do_not_feed_skill(method):
    pair = Answers([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], 2, 3, 2)
    lone = Answers([0, 0, 1, 1, *range(2, 52)], [0, 1, 0, 1, *[2] * 50], [0, 0, 1, 1, *[0] * 50], 52, 3, 2)
    without, with_lone = aggregate(pair, method=method), aggregate(lone, method=method)
    np.testing.assert_allclose(with_lone.skill, without.skill, atol=1e-3)  # EM stops within this
    assert with_lone.skill_high[2] - with_lone.skill_low[2] > 0.5
    assert with_lone.skills.n_evidence[2] == 0


@every_method
def test_replayed_answers_equal_the_batch(method):
    answers, _, _ = crowd(np.random.default_rng(6))
    result = aggregate(answers, method=method)
    if not result.is_incremental:
        with pytest.raises(ValueError, match="keeps no tables"):
            incremental.start(result)
        return
    for task in range(40):
        state = incremental.start(result)
        for answer in np.random.default_rng(task).permutation(np.flatnonzero(answers.task == task)):
            state = state.add(int(answers.annotator[answer]), int(answers.label[answer]))
        np.testing.assert_allclose(state.posterior(), result.posterior[task], atol=1e-9)


@every_method
def test_arguments_are_not_modified(method):
    answers, _, _ = crowd(np.random.default_rng(7), n_tasks=20)
    prior = np.full((20, 3), 2.0)
    votes = answers.votes.copy()
    aggregate(answers, method=method, prior=prior, gold={0: 1})
    assert (prior == 2.0).all()
    np.testing.assert_array_equal(answers.votes, votes)


def test_unknown_method_lists_the_known():
    with pytest.raises(ValueError, match="guarded"):
        aggregate(Answers([], [], [], 1, 1, 2), method="nope")


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="registered already"):
        registry.register(aggregation.DEFAULT)(registry.get(aggregation.DEFAULT))

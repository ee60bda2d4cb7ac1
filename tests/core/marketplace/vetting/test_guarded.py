"""The default method: calibrated, at least as right as the vote, guarded."""

import numpy as np
import pytest

from marketplace.core.aggregation import Answers, aggregate, evidence, incremental
from tests.core.marketplace.vetting.crowds import crowd


@pytest.mark.parametrize("per_task", [2, 3, 5, 9])
def test_beats_the_vote_at_any_overlap(per_task):
    gains = []
    for seed in range(3):
        answers, truth, _ = crowd(np.random.default_rng(seed), n_tasks=600, per_task=per_task, accuracy=(0.35, 0.95))
        vote = aggregate(answers, method="majority")
        gains.append((aggregate(answers).label == truth).mean() - (vote.label == truth).mean())
    assert np.mean(gains) > 0.01


def test_learns_biased_annotators():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=400)
    task, annotator = np.divmod(np.arange(400 * 5), 5)
    says_yes = np.where(truth[task] == 1, 0.98, np.where(annotator < 3, 0.6, 0.05))  # three see yes everywhere
    answers = Answers(task, annotator, (rng.random(2000) < says_yes).astype(int), 400, 5, 2)
    vote = aggregate(answers, method="majority")
    result = aggregate(answers)
    assert (result.label == truth).mean() > (vote.label == truth).mean() + 0.1
    assert result.confusion[0][0, 1] > 0.35
    assert result.confusion[0][1, 1] > result.confusion[0][0, 0] + 0.1


def test_claims_less_than_independent_answers_would():
    answers, _, _ = crowd(np.random.default_rng(1), per_task=15)
    capped, free = aggregate(answers), aggregate(answers, method="dawid_skene")
    assert (free.confidence > 0.999).mean() > 0.8
    assert (capped.confidence > 0.999).mean() < 0.1


def test_is_better_calibrated_when_answers_err_together():
    rng = np.random.default_rng(2)
    truth = rng.integers(2, size=1500)
    is_hard = rng.random(1500) < 0.25
    task, annotator = np.divmod(np.arange(1500 * 7), 7)
    chance = np.where(is_hard[task], 0.4, 0.92)
    answers = Answers(
        task, annotator, np.where(rng.random(len(task)) < chance, truth[task], 1 - truth[task]), 1500, 7, 2
    )

    def gap(result):
        return abs(result.confidence.mean() - (result.label == truth).mean())

    assert gap(aggregate(answers)) < 0.1
    assert gap(aggregate(answers)) < 0.6 * gap(aggregate(answers, method="dawid_skene"))


def test_gold_sets_the_cap():
    answers, truth, _ = crowd(np.random.default_rng(3), n_tasks=600, per_task=9, accuracy=(0.6, 0.7))
    gold = dict(enumerate(truth[:100].tolist()))
    default = evidence.default_threshold(3)
    assert aggregate(answers).threshold == default
    assert aggregate(answers, gold=dict(list(gold.items())[:7])).threshold == default
    assert aggregate(answers, gold=gold).threshold > default  # independent errors deserve more trust
    wrong = {task: (label + 1) % 3 for task, label in gold.items()}
    assert aggregate(answers, gold=wrong).threshold < default


def test_gold_decides_when_the_crowd_is_wrong_about_an_annotator():
    rng = np.random.default_rng(4)
    truth = rng.integers(2, size=100)
    answers = Answers(np.repeat(np.arange(100), 2), np.tile([0, 1], 100), np.c_[truth, 1 - truth].ravel(), 100, 2, 2)
    result = aggregate(answers, gold={task: int(truth[task]) for task in range(20)})
    assert result.skill[0] > 0.8
    assert result.skill[1] < 0.3
    assert (result.label == truth).all()


def test_unknown_annotator_counts_as_the_crowd():
    answers, _, _ = crowd(np.random.default_rng(5))
    result = aggregate(answers)
    once = incremental.start(result).add(None, 1).posterior()
    twice = incremental.start(result).add(None, 1).add(None, 1).posterior()
    assert result.class_prior[1] < once[1] < twice[1]
    with pytest.raises(ValueError, match=r"annotator 20 is outside 0..19"):
        incremental.start(result).add(20, 1)
    with pytest.raises(ValueError, match=r"label 3 is outside 0..2"):
        incremental.start(result).add(0, 3)


def test_many_classes_leave_the_one_coin_model_alone(monkeypatch):
    monkeypatch.setattr("marketplace.core.aggregation.guarded.LARGEST_CONFUSION", 100)
    answers, truth, _ = crowd(np.random.default_rng(6), n_tasks=400, accuracy=(0.6, 0.95))
    result = aggregate(answers)
    assert len(result.members) == 1
    assert (result.label == truth).mean() > 0.93


def test_information_is_zero_for_guessing_and_grows_with_accuracy():
    tables = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.7, 0.3], [0.3, 0.7]], [[0.9, 0.1], [0.1, 0.9]]])
    nats = evidence.information(tables, np.array([0.5, 0.5]))
    assert nats[0] == 0 < nats[1] < nats[2]

"""The default method under stress: near the best of the plain methods in each family, and honest about it."""

import time

import numpy as np
import pytest

from benchmarks.vetting import stress
from benchmarks.vetting.scores import score
from marketplace.core.aggregation import Answers, aggregate

PLAIN = ("majority", "dawid_skene", "one_coin")
CROWDS = {crowd.name: crowd for seed in range(2) for crowd in stress.families(seed)}


@pytest.mark.parametrize("name", CROWDS)
def test_is_near_the_best_plain_method_and_calibrated(name):
    crowd = CROWDS[name]
    ours = score(aggregate(crowd.answers).posterior, crowd.truth)
    plain = [score(aggregate(crowd.answers, method=method).posterior, crowd.truth) for method in PLAIN]
    assert ours.accuracy > max(other.accuracy for other in plain) - 2  # Dawid-Skene is at home with shared misreading
    assert ours.ece < 0.13
    assert ours.log_loss < max(other.log_loss for other in plain)


@pytest.mark.parametrize("family", ["clique", "drift", "spam"])
def test_beats_every_plain_vote_where_people_are_the_problem(family):
    gains = []
    for seed in range(2):
        crowd = CROWDS[f"{family}-{seed}"]
        vote = score(aggregate(crowd.answers, method="majority").posterior, crowd.truth).accuracy
        gains.append(score(aggregate(crowd.answers).posterior, crowd.truth).accuracy - vote)
    assert np.mean(gains) > 2


def test_gold_repairs_the_timid_confidence_of_easy_crowds():
    crowd = CROWDS["classes_easy-0"]
    gold = {task: int(crowd.truth[task]) for task in range(0, 2500, 20)}
    is_gold = np.isin(np.arange(2500), list(gold))
    free = score(aggregate(crowd.answers).posterior, crowd.truth)
    helped = score(aggregate(crowd.answers, gold=gold).posterior, crowd.truth, skip=is_gold)
    assert helped.ece < 0.5 * free.ece


def test_rare_class_is_neither_lost_nor_doubted():
    crowd = CROWDS["rare-0"]
    result = aggregate(crowd.answers)
    found = result.label[crowd.truth == 1]
    assert found.mean() > 0.5
    assert result.confidence[crowd.truth == 0].mean() > 0.93


def test_a_million_answers_with_two_a_record():
    rng = np.random.default_rng(0)
    n_tasks, n_annotators = 500_000, 3_000
    truth = rng.integers(4, size=n_tasks)
    task = np.repeat(np.arange(n_tasks), 2)
    annotator = (rng.integers(n_annotators, size=n_tasks)[task] + np.tile([0, 1], n_tasks) * 977) % n_annotators
    skill = rng.uniform(0.5, 0.95, n_annotators)
    label = np.where(rng.random(len(task)) < skill[annotator], truth[task], rng.integers(4, size=len(task)))
    answers = Answers(task, annotator, label, n_tasks, n_annotators, 4)
    started = time.process_time()
    result = aggregate(answers)
    assert time.process_time() - started < 40
    vote = aggregate(answers, method="majority")
    assert (result.label == truth).mean() > (vote.label == truth).mean() + 0.02
    assert abs(result.confidence.mean() - (result.label == truth).mean()) < 0.08
    assert np.corrcoef(result.skill, skill)[0, 1] > 0.8

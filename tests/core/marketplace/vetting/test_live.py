"""Answers one by one: equal to the batch, by definition and to the last bit."""

import numpy as np
import pytest

from marketplace.core.aggregation import aggregate, incremental, majority
from marketplace.core.aggregation.live import Live
from tests.core.marketplace.vetting.crowds import crowd


def replayed(answers, order, **options):
    job = Live(answers.n_classes, **options)
    for index in order:
        at = None if answers.at is None else float(answers.at[index])
        job.add(int(answers.task[index]), int(answers.annotator[index]), int(answers.label[index]), at=at)
    return job


@pytest.mark.parametrize("seed", range(2))
def test_replay_in_any_order_settles_to_the_batch_result_bit_by_bit(seed):
    rng = np.random.default_rng(seed)
    answers, truth, _ = crowd(rng, n_tasks=80)
    gold = {task: int(truth[task]) for task in range(10)}
    result = replayed(answers, rng.permutation(len(answers)), gold=gold).settle()
    batch = aggregate(answers, gold=gold)
    assert result.posterior.tobytes() == batch.posterior.tobytes()
    assert result.skill.tobytes() == batch.skill.tobytes()


def test_before_settling_it_is_near_the_batch_result():
    rng = np.random.default_rng(2)
    answers, _, _ = crowd(rng, n_tasks=300)
    job = replayed(answers, rng.permutation(len(answers)))
    live = np.array([job.posterior(task) for task in range(300)])
    batch = aggregate(answers).posterior
    assert np.abs(live - batch).mean() < 0.01
    assert (live.argmax(axis=1) == batch.argmax(axis=1)).mean() > 0.98


def test_between_estimates_it_is_the_batch_method_with_frozen_tables():
    answers, _, _ = crowd(np.random.default_rng(3), n_tasks=60)
    job = replayed(answers, range(len(answers)))
    tables = job.settle()
    added = job.add(7, 3, 1) if 3 not in answers.annotator[answers.task == 7] else job.add(7, 19, 1)
    state = incremental.start(tables)
    said = {
        int(a): int(k)
        for a, k in zip(answers.annotator[answers.task == 7], answers.label[answers.task == 7], strict=True)
    }
    said[3 if 3 not in said else 19] = 1
    for annotator, label in said.items():
        state = state.add(annotator, label)
    np.testing.assert_allclose(added, state.posterior(), atol=1e-12)


def test_times_are_kept_where_every_answer_has_one():
    job = Live(2)
    job.add(1, 0, 1, at=5.0)
    job.add(0, 0, 1, at=9.0)
    assert job.answers().at.tolist() == [9.0, 5.0]
    job.add(0, 1, 0)
    assert job.answers().at is None


def test_the_last_answer_counts_and_strangers_have_the_crowds_table():
    job = Live(2)
    job.add(0, 0, 1)
    job.add(0, 0, 0)
    assert len(job.answers()) == 1
    assert job.answers().label.tolist() == [0]
    assert job.posterior(0)[0] > 0.5
    assert job.posterior(99).tolist() == pytest.approx([0.5, 0.5])
    job.gold[5] = 1
    assert job.posterior(5).tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [(-1, 0, 0), (0, -1, 0), (0, 0, 2), (0, 0, -1)])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"label in 0..1"):
        Live(2).add(*wrong)


def test_a_method_without_tables_is_refused():
    job = Live(2, estimate=majority.majority)
    with pytest.raises(ValueError, match="keeps no tables"):
        job.add(0, 0, 1)

"""The named alternatives against crowd-kit's recorded answers, and against plain re-derivations of their equations."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from marketplace.core.aggregation import (
    Answers,
    aggregate,
    bwa,
    ebcc,
    em,
    glad,
    ibcc,
    known,
    mace,
    majority,
    registry,
    wawa,
)
from tests.core.marketplace.vetting.crowds import crowd

RECORDED = json.loads(Path(__file__).with_name("crowd_kit.json").read_text())
"""crowd-kit 1.4.2 on generated crowds: see ``benchmarks/vetting/record_oracle.py``."""
NAMED = {"majority", "wawa", "dawid_skene", "one_coin", "glad", "mace", "ibcc", "ebcc", "bwa", "guarded"}


def test_all_named_methods_are_there():
    assert set(registry.names()) >= NAMED


@pytest.mark.parametrize("record", RECORDED, ids=lambda record: f"{record['n_classes']} classes")
@pytest.mark.parametrize(
    ("method", "mean_gap", "skill_rank"),
    [
        ("wawa", 0.005, 0.85),  # they drop tied votes to one class, we share them
        ("dawid_skene", 0.005, 0.9),  # we smooth by a hundredth of an answer
        ("one_coin", 0.01, 0.95),  # we shrink accuracies, they learn a class prior
        ("glad", 0.01, 0.85),  # they stop the M step early
        ("mace", 0.01, 0.85),  # they restart at random and take digammas
    ],
)
def test_agrees_with_crowd_kit_where_definitions_do(record, method, mean_gap, skill_rank):
    task, annotator, label = np.array(record["answers"]).T
    proba = np.array(record["methods"][method]["proba"])
    skill = record["methods"][method]["skill"]
    result = aggregate(Answers(task, annotator, label, len(proba), 15, record["n_classes"]), method=method)
    clear = np.sort(proba, axis=1)[:, -1] - np.sort(proba, axis=1)[:, -2] > 0.2
    assert clear.mean() > 0.6
    assert (result.label[clear] == proba.argmax(axis=1)[clear]).mean() > 0.98
    assert np.abs(result.posterior - proba).mean() < mean_gap
    theirs = [skill[str(person)] for person in range(15)]
    assert stats.spearmanr(result.skill, theirs).statistic > skill_rank


@pytest.fixture
def small():
    """A small crowd with gold and what is known of it."""
    answers, truth, _ = crowd(np.random.default_rng(7), n_tasks=30, n_annotators=6, per_task=4)
    return answers, known.check(answers, {0: int(truth[0])}, None)


def test_wawa_by_hand():
    answers = Answers([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2, 1, 2], [0, 0, 1, 1, 1, 1, 0, 1], 3, 3, 2)
    weight, _ = wawa.agreement_weights(answers, known.check(answers, None, None))
    np.testing.assert_allclose(weight, [1, 2.5 / 3, 1.5 / 3])  # the tie of record 2 is half an agreement for both
    result = aggregate(answers, method="wawa")
    assert result.posterior[2, 0] == pytest.approx(2.5 / 4)
    np.testing.assert_allclose(result.posterior[1], [0, 1])


def test_glad_finds_the_maximum_of_its_penalised_likelihood(small):
    answers, given = small
    right = em.start(answers, given)[answers.task, answers.label]
    counts = np.ones(len(answers))
    ability, log_ease = np.ones(6), np.ones(30)
    for _ in range(60):
        ability, log_ease = glad.updated(answers, right, counts, ability, log_ease)

    def objective(ability, log_ease):
        logit = ability[answers.annotator] * np.exp(log_ease[answers.task])
        fit = right * special.log_expit(logit) + (1 - right) * special.log_expit(-logit)
        return fit.sum() - 0.5 * ((ability - 1) ** 2).sum() - 0.5 * ((log_ease - 1) ** 2).sum()

    best = objective(ability, log_ease)
    for index in range(6):
        for step in (-1e-3, 1e-3):
            assert objective(ability + step * (np.arange(6) == index), log_ease) < best
    for index in range(30):
        for step in (-1e-3, 1e-3):
            assert objective(ability, log_ease + step * (np.arange(30) == index)) < best


def mace_objective(answers, spam):
    """Log-likelihood and log prior, record by record."""
    shape = (answers.n_annotators, answers.n_classes)
    total = 0.0
    for task in range(answers.n_tasks):
        joint = np.full(answers.n_classes, 1 / answers.n_classes)
        for at in np.flatnonzero(answers.task == task):
            person, label = answers.annotator[at], answers.label[at]
            joint = joint * (1 - spam.knows[person]) * spam.strategy[person, label] + joint * spam.knows[person] * (
                np.arange(answers.n_classes) == label
            )
        total += np.log(joint.sum())
    total += 0.5 * np.log(spam.knows).sum() + 0.5 * np.log(1 - spam.knows).sum()
    return total + (mace.STRATEGY_PRIOR / shape[1]) * np.log(spam.strategy).sum()


def test_mace_never_lowers_its_objective(small):
    answers, _ = small
    given = known.check(answers, None, None)
    spam = mace.Spam(np.full(6, 0.5), np.full((6, 3), 1 / 3))
    heights = []
    for _ in range(15):
        likelihood = spam.rows().log_likelihood(answers)
        spam = mace.updated(answers, given, em.normalise(likelihood), spam)
        heights.append(mace_objective(answers, spam))
    assert np.all(np.diff(heights) > -1e-9)
    assert heights[-1] > heights[0] + 0.1


def test_ibcc_step_by_plain_loops(small):
    answers, given = small
    posterior = em.start(answers, given)
    counts = np.full((6, 3, 3), 1.0) + 3 * np.eye(3)  # (annotator, given, true)
    for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True):
        counts[person, label] += posterior[task]
    log_likelihood = np.zeros((30, 3))
    for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True):
        log_likelihood[task] += special.psi(counts[person, label]) - special.psi(counts[person].sum(axis=0))
    rows, shares = ibcc.m_step(answers, given, posterior)
    np.testing.assert_allclose(rows.log_likelihood(answers), log_likelihood)
    expected = np.exp(special.psi(posterior.sum(axis=0) + 1))
    np.testing.assert_allclose(shares, expected / expected.sum())


def test_ebcc_step_by_plain_loops(small):
    answers, given = small
    joint = ebcc.started(answers, given)
    counts = np.full((6, 3, 3, 3), 1.0) + 3 * np.eye(3)[np.newaxis, :, :, np.newaxis]  # (person, given, true, subtype)
    for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True):
        counts[person, label] += joint[task]
    by_subtype = joint.sum(axis=0)
    scores = np.tile(special.psi(by_subtype.sum(axis=1) + 1)[:, np.newaxis], (30, 1, 3))
    scores += special.psi(by_subtype + 0.1) - special.psi((by_subtype + 0.1).sum(axis=1, keepdims=True))
    for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True):
        scores[task] += special.psi(counts[person, label]) - special.psi(counts[person].sum(axis=0))
    expected = np.exp(scores)
    expected[0, np.arange(3) != given.gold[0]] = 0
    expected /= expected.sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(ebcc.step(answers, given, joint)[0], expected)


def test_ebcc_refuses_what_would_not_fit():
    answers = Answers([0], [0], [0], 60_000, 1, 30)
    with pytest.raises(ValueError, match="use method ibcc or guarded"):
        aggregate(answers, method="ebcc")


def test_bwa_by_plain_loops():
    answers, _, _ = crowd(np.random.default_rng(8), n_tasks=30, n_annotators=6, per_task=4, n_classes=2)
    given = known.check(answers, None, None)
    says = np.full((30, 6), np.nan)
    says[answers.task, answers.annotator] = answers.label
    value = np.nanmean(says, axis=1)
    rate = 15 * (4 * value * (1 - value)).sum() / 120 * 2
    for _ in range(300):
        precision = (15 + (~np.isnan(says)).sum(axis=0)) / (
            rate + np.nansum((says - value[:, np.newaxis]) ** 2, axis=0)
        )
        weight = np.where(np.isnan(says), 0, precision)
        value = (value.mean() + np.nansum(says * weight, axis=1)) / (1 + weight.sum(axis=1))
    found = bwa.of_class(answers, given, 1, majority.vote_shares(answers, given)[:, 1])
    np.testing.assert_allclose(found, value, atol=0.01)
    np.testing.assert_allclose(aggregate(answers, method="bwa").posterior[:, 1], value, atol=0.01)

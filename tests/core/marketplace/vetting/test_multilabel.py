"""Sets of classes inferred class by class: who overlooks one class is still believed in the others."""

import numpy as np

from marketplace.core import kinds
from marketplace.core.aggregation.structured import multilabel
from marketplace.core.checks import Rules
from marketplace.core.open_truth import OpenAnswer, infer

K = 4
RULES = Rules("multilabel", {"classes": ["a", "b", "c", "d"]}, {})


def crowd(seed: int, n: int = 300):
    """Return truth and answers: three of eight annotators seldom see class 0, two of them invent class 3."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, K)) < 0.4
    hit, invented = np.full((8, K), 0.93), np.full((8, K), 0.03)
    hit[:3, 0], invented[6:, 3] = 0.2, 0.35
    answers = []
    for task in range(n):
        for who in rng.choice(8, 3, replace=False):
            seen = np.where(truth[task], rng.random(K) < hit[who], rng.random(K) < invented[who])
            answers.append(OpenAnswer(task, int(who), np.flatnonzero(seen).tolist()))
    return truth, answers


def by_class(answers, n, gold=None):
    task, who, value = zip(*((a.task, a.annotator, a.value) for a in answers), strict=True)
    return multilabel.consensus(task, who, value, n_tasks=n, n_annotators=8, n_classes=K, gold=gold)


def share_right(found, truth) -> float:
    return float(
        np.mean([sorted(value) == np.flatnonzero(row).tolist() for value, row in zip(found, truth, strict=True)])
    )


def test_class_by_class_beats_the_vote_where_a_class_is_overlooked():
    kind = kinds.get("multilabel")
    gains = []
    for seed in range(4):
        truth, answers = crowd(seed)
        sets = by_class(answers, len(truth))
        merged = dict(enumerate(zip(sets.labels, sets.confidence.tolist(), strict=True)))
        voted = infer(answers, kind, [RULES] * len(truth), n_annotators=8)
        found = infer(answers, kind, [RULES] * len(truth), n_annotators=8, merged=merged)
        gains.append(share_right(found.value, truth) - share_right(voted.value, truth))
        assert np.all((found.confidence > 0) & (found.confidence <= 1))
    assert np.mean(gains) > 0.05


def test_gold_teaches_each_class():
    truth, answers = crowd(9, 200)
    gold = {task: np.flatnonzero(truth[task]).tolist() for task in range(40)}
    found = by_class(answers, len(truth), gold).labels
    assert [found[task] for task in gold] == list(gold.values())
    assert share_right(found, truth) >= share_right(by_class(answers, len(truth)).labels, truth)


def test_a_lone_answer_stands_for_itself():
    found = infer([OpenAnswer(0, 0, [1])], kinds.get("multilabel"), [RULES], n_annotators=1, merged={0: ([2], 0.9)})
    assert found.value == [[1]]

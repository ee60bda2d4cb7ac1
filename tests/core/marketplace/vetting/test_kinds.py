"""The contract of every task type: checks, likeness, consensus and outside form belong together."""

import copy

import numpy as np
import pytest

from marketplace.core import checks, kinds
from marketplace.core.checks import Rules
from marketplace.core.open_truth import OpenAnswer, infer
from marketplace.core.routing import REFERENCES
from tests.kinds import EXAMPLES

every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def rules_of(example) -> Rules:
    classes = {"classes": example.classes} if example.classes else {}
    return Rules(example.task_type, classes | example.rules, example.record)


def values_of(example, number: int = 1):
    """Return truth, near answer and wrong answer of a record in canonical form."""
    rules = rules_of(example)
    found = [kinds.canonical(say(number), rules) for say in (example.truth, example.near, example.wrong)]
    assert [findings for _, findings in found] == [[], [], []]
    return [value for value, _ in found]


def test_no_task_type_escapes():
    assert set(kinds.names()) == set(checks.task_types()) == set(EXAMPLES) == set(REFERENCES)


@every_type
def test_likeness_is_symmetric_one_with_itself_and_tells_near_from_wrong(example):
    kind, rules = kinds.get(example.task_type), rules_of(example)
    truth, near, wrong = values_of(example)
    for one in (truth, near, wrong):
        assert kind.similarity(one, one, rules) == pytest.approx(1)
        for two in (truth, near, wrong):
            assert 0 <= kind.similarity(one, two, rules) <= 1
            assert kind.similarity(one, two, rules) == pytest.approx(kind.similarity(two, one, rules))
    assert kind.is_right(truth, near, rules)
    assert not kind.is_right(truth, wrong, rules)
    assert kind.is_right(None, None, rules)
    assert not kind.is_right(truth, None, rules)
    assert 0 < kind.chance(rules) <= 1


@every_type
def test_the_outside_form_is_what_the_check_reads(example):
    kind, rules = kinds.get(example.task_type), rules_of(example)
    for value in values_of(example):
        again, findings = kinds.canonical(kind.public(value, rules), rules)
        assert (again, findings) == (value, [])
    shown, findings = kinds.canonical(kind.example(rules), rules)
    assert findings == []
    assert shown is not None


@every_type
def test_the_consensus_is_a_valid_value_near_the_truth_and_changes_no_answer(example):
    kind, rules = kinds.get(example.task_type), rules_of(example)
    truth, near, wrong = values_of(example)
    answers = [near, truth, wrong]
    before = copy.deepcopy(answers)
    merged = kind.consensus(answers, [0.9, 0.9, 0.5], rules)
    assert answers == before
    assert kind.is_right(truth, merged, rules)
    assert kinds.canonical(kind.public(merged, rules), rules) == (merged, [])
    assert kind.is_right(near, kind.consensus([near], [0.7], rules), rules)


@every_type
def test_every_bad_label_has_the_code_that_is_documented(example):
    for label, code in example.bad:
        _, findings = kinds.canonical(label, rules_of(example))
        assert code in {finding.code for finding in findings}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != kinds.CLASSIFICATION])
def test_the_truth_is_found_among_five_annotators_of_whom_two_err(name):
    example = EXAMPLES[name]
    kind, rules = kinds.get(example.task_type), rules_of(example)
    answers = []
    for task in range(8):
        truth, near, wrong = values_of(example, task % 4)
        answers += [OpenAnswer(task, who, (truth, near, near, wrong, None)[who]) for who in range(5)]
    found = infer(answers, kind, [rules] * 8, n_annotators=5)
    for task in range(8):
        assert kind.is_right(values_of(example, task % 4)[0], found.value[task], rules)
    assert found.confidence.min() > 0.8
    assert found.skill[:3].min() > 0.7
    assert found.skill[3:].max() < 0.5


def test_a_lone_answer_is_believed_as_far_as_its_author():
    kind, rules = kinds.get("bbox"), rules_of(EXAMPLES["bbox"])
    truth, _, wrong = values_of(EXAMPLES["bbox"])
    gold = dict.fromkeys(range(1, 21), truth)
    answers = [OpenAnswer(0, who, truth) for who in (0,)]
    answers += [OpenAnswer(task, 0, truth if task <= 18 else wrong) for task in gold]
    proven = infer(answers, kind, [rules] * 21, n_annotators=1, gold=gold)
    unknown = infer([OpenAnswer(0, 0, truth)], kind, [rules], n_annotators=1)
    assert unknown.confidence[0] < proven.confidence[0] < 0.95
    assert unknown.judged.tolist() == [0]
    assert proven.right[0] == pytest.approx(18)


def test_confidence_is_about_as_good_as_it_says():
    rng = np.random.default_rng(0)
    kind, rules = kinds.get("bbox"), Rules("bbox", {"classes": ["cat"]}, {})
    skill = rng.beta(8, 3, 30)
    answers, truth = [], []
    for task in range(400):
        corner = rng.uniform(0, 500, 2)
        truth.append([{"class": 0, "box": [*corner, 60.0, 60.0]}])
        for who in rng.choice(30, 3, replace=False):
            is_right = rng.random() < skill[who]
            off = rng.normal(0, 2, 4) if is_right else np.array([*rng.uniform(60, 300, 2), 0, 0])
            answers.append(
                OpenAnswer(task, int(who), [{"class": 0, "box": (np.array([*corner, 60, 60]) + off).tolist()}])
            )
    found = infer(answers, kind, [rules] * 400, n_annotators=30)
    is_right = np.array([kind.is_right(t, v, rules) for t, v in zip(truth, found.value, strict=True)])
    assert is_right.mean() > 0.85
    assert abs(found.confidence.mean() - is_right.mean()) < 0.1
    assert np.corrcoef(found.skill, skill)[0, 1] > 0.7

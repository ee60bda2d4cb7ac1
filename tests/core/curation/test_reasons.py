"""What is told of a pick holds: nothing of a model before there is one, coverage where nothing is uncertain."""

import numpy as np
import pytest

from curation.core import large, selection, subpool
from curation.core.pool import Pool
from curation.core.selection import Rule
from tests.core.curation.test_strategies import D, K, N, asked, choose, pool, problem

ONE_CLASS = asked([0, 3, 6], [0, 0, 0])
CERTAIN = np.eye(K)[np.arange(N) % K]


@pytest.mark.parametrize("known", [asked(), ONE_CLASS])
@pytest.mark.parametrize("name", ["auto", "margin", "coverage"])
def test_no_model_hesitates_before_there_is_one(known, name):
    for pick in choose(problem(known=known), name, control=0.0):
        assert "hesitates" not in pick.words
        assert "covered poorly" in pick.words or pick.arm == "class search"


def test_no_model_hesitates_in_a_large_pool_either():
    task = subpool.Task(
        pool=Pool.split(pool(400)), asked=asked(), n_classes=K, rules=[Rule("auto", 1.0)], n_picks=5, seed=0,
        control_ratio=0.0,
    )  # fmt: skip
    assert not [pick for pick in large.select(task) if "hesitates" in pick.words]


@pytest.mark.parametrize("more", [{"given_proba": CERTAIN}, {"utility": np.full(N, 3.0)}])
@pytest.mark.parametrize("name", ["auto", "herding", "uncertainty_herding"])
def test_where_nothing_is_uncertain_coverage_decides(more, name):
    rows = [pick.row for pick in choose(problem(**more), name, control=0.0)]
    by_coverage = [pick.row for pick in choose(problem(), "coverage", control=0.0)]
    assert rows == by_coverage


def test_where_few_are_uncertain_coverage_decides_on_the_rest():
    proba = CERTAIN.copy()
    proba[:2] = 1 / K
    X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
    rows = selection.select(problem(X, given_proba=proba), name="auto", n_picks=20, control_ratio=0.0, seed=0)
    assert {pick.row for pick in rows} != set(range(20))
    assert all(pick.utility > 0 for pick in rows)


def test_the_classes_in_question_are_named():
    proba = np.tile([0.1, 0.46, 0.44], (N, 1))
    named = problem(given_proba=proba, class_names=["ant", "bee", "cow"])
    assert all("between 'bee' and 'cow' (98%" in pick.words for pick in choose(named, "margin", control=0.0))
    assert all("between two classes" in pick.words for pick in choose(problem(given_proba=proba), "auto", control=0.0))

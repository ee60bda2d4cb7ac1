"""Single strategies against what can be worked out by hand or the long way."""

import numpy as np
import pytest

from curation.core import composition, selection, strategies
from curation.core.arrays import Asked
from curation.core.composition import CompositionError
from curation.core.problem import Problem
from curation.core.strategies import clustered, committees, covering, model_change
from tests.core.curation.test_strategies import K, asked, pool, proba, problem

ALL = np.ones(120, dtype=bool)
KNOWN = asked([0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2])


def rows_of(name: str, p: Problem, n: int = 8, allowed: np.ndarray = ALL) -> list[int]:
    return strategies.get(name).choose(p, allowed, n, np.random.default_rng(0)).rows.tolist()


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("least_confident", lambda p: 1 - p.max(axis=1)),
        ("entropy", lambda p: -(p * np.log(p)).sum(axis=1)),
        ("margin", lambda p: -(np.sort(p)[:, -1] - np.sort(p)[:, -2])),
    ],
)
def test_uncertainties_rank_as_their_formula(name, score):
    p = problem(given_proba=proba())
    assert rows_of(name, p) == np.argsort(-score(p.given_proba), kind="stable")[:8].tolist()


def test_k_center_is_the_farthest_first_traversal():
    p = problem(known=KNOWN)
    X, chosen, expected = p.scaled, KNOWN.rows.tolist(), []
    for _ in range(8):
        distance = ((X[:, None] - X[chosen][None]) ** 2).sum(axis=2).min(axis=1)
        distance[[row for row in range(120) if p.group[row] in p.group[expected]]] = -1
        expected.append(int(distance.argmax()))
        chosen.append(expected[-1])
    assert rows_of("k_center", p, allowed=p.allowed) == expected


def test_badge_spreads_as_if_the_gradients_were_written_out():
    p = problem(given_proba=proba())
    a = p.given_proba.copy()
    a[np.arange(120), a.argmax(axis=1)] -= 1
    z = np.column_stack([p.scaled, np.full(120, 1 / np.sqrt(p.scaled.shape[1]))])
    gradients = (a[:, :, None] * z[:, None, :]).reshape(120, -1)
    rng, nearest, expected = np.random.default_rng(0), (gradients**2).sum(axis=1), []
    free = np.ones(120, dtype=bool)
    while len(expected) < 8:
        weights = np.where(free, nearest, 0)
        row = int(weights.argmax()) if not expected else int(rng.choice(120, p=weights / weights.sum()))
        distance = ((gradients - gradients[row]) ** 2).sum(axis=1)
        nearest = distance if not expected else np.minimum(nearest, distance)
        expected.append(row)
        free &= p.group != p.group[row]
    assert rows_of("badge", p) == expected


def test_committee_and_bald_are_zero_where_members_agree():
    rng = np.random.default_rng(0)
    fitted = committees.members(problem(known=KNOWN), rng)
    assert len(fitted) == committees.N_MEMBERS
    assert all(model.seen.tolist() == [0, 1, 2] for model in fitted)
    one = proba(5)
    assert committees.mutual_information([one, one]) == pytest.approx(np.zeros(5), abs=1e-12)


def test_expected_model_change_agrees_with_the_sum_over_labels():
    p, X = proba(4), np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    slow = [
        sum(p[i, c] * np.linalg.norm(np.outer(p[i] - np.eye(K)[c], np.append(X[i], 1))) for c in range(K))
        for i in range(4)
    ]
    assert model_change.gradient_length(p, X) == pytest.approx(slow, rel=1e-6)


def test_typiclust_takes_one_of_each_blob_first():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(40, 2)) * 0.1 + centre for centre in ((0, 0), (9, 0), (0, 9))])
    p = Problem(X.astype(np.float32), Asked.nothing(), K)
    assert sorted(row // 40 for row in rows_of("typiclust", p, 3)) == [0, 1, 2]
    spread = clustered.typicality(p.scaled, np.arange(40), np.arange(40), rng)
    centre = np.linalg.norm(X[:40] - X[:40].mean(axis=0), axis=1)
    assert np.corrcoef(spread, centre)[0, 1] < -0.5


def test_probcover_covers_every_blob_and_never_counts_the_covered_again():
    rng = np.random.default_rng(0)
    X = np.concatenate(
        [rng.normal(size=(n, 2)) * 0.1 + centre for n, centre in ((70, (0, 0)), (35, (9, 0)), (15, (0, 9)))]
    )
    p = Problem(X.astype(np.float32), Asked.nothing(), K)
    assert covering.radius(p.scaled, K, rng) > 0.5
    assert [int(np.searchsorted([70, 105], row, side="right")) for row in rows_of("probcover", p, 3)] == [0, 1, 2]


def test_density_prefers_the_crowd_among_equally_unsure():
    X = np.concatenate([pool(119), np.full((1, 5), 40, np.float32)])
    even = np.full((120, K), 1 / K)
    assert 119 not in rows_of("density_weighted", Problem(X, Asked.nothing(), K, given_proba=even), 110)


def test_clue_goes_to_the_unsure_blob():
    sure = np.tile([0.98, 0.01, 0.01], (120, 1))
    sure[::3] = 1 / K
    picked = rows_of("clue", problem(given_proba=sure), 6)
    assert sum(row % 3 == 0 for row in picked) >= 3


def test_class_balanced_asks_for_the_rare_class():
    lopsided = asked([*range(0, 60, 3), 1, 2], [0] * 20 + [1, 2])
    given = np.full((120, K), 0.1)
    given[np.arange(120), np.arange(120) % 3] = 0.8
    p = problem(known=lopsided, given_proba=given)
    classes = np.array(rows_of("class_balanced", p, 20, p.allowed)) % 3
    assert np.bincount(classes, minlength=3)[0] <= 2


def compose(*parts: dict) -> composition.Composition:
    return composition.parse({"parts": list(parts)})


def test_metadata_can_leave_out_weigh_and_balance():
    city = np.array(["a"] * 100 + ["b"] * 20)
    sharp = np.linspace(0, 1, 120)
    wanted = compose(
        {"strategy": "threshold", "input": "metadata:sharp", "operation": ">", "value": 0.5},
        {"strategy": "balance", "input": "metadata:city", "strength": 5},
        {"strategy": "diversity", "input": "embeddings", "strength": 0.1},
    )
    p = problem(metadata={"city": city, "sharp": sharp}, composition=wanted)
    picked = rows_of("metadata_weighted", p, 10)
    assert all(sharp[row] > 0.5 for row in picked)
    assert sum(city[row] == "b" for row in picked) == 5
    weigh = problem(metadata={"sharp": sharp}, composition=compose({"strategy": "weights", "input": "metadata:sharp"}))
    assert rows_of("metadata_weighted", weigh, 3) == [119, 118, 117]


def test_balance_over_predictions_keeps_its_target():
    given = np.full((120, K), 0.1)
    given[np.arange(120), np.arange(120) % 3] = 0.8
    wanted = compose({"strategy": "balance", "input": "predictions", "target": {"x": 0.8, "y": 0.2}})
    p = problem(given_proba=given, composition=wanted, class_names=["x", "y", "z"])
    assert np.bincount(np.array(rows_of("metadata_weighted", p, 10)) % 3, minlength=3).tolist() == [8, 2, 0]


def test_utility_and_anchor_as_inputs():
    best = np.arange(120.0)
    p = problem(utility=best, composition=compose({"strategy": "weights", "input": "utility"}))
    assert rows_of("metadata_weighted", p, 2) == [119, 118]
    near = problem(anchor=pool()[5:6], composition=compose({"strategy": "similarity", "input": "anchor"}))
    assert rows_of("metadata_weighted", near, 1) == [5]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (None, "parts"),
        ({"parts": []}, "parts"),
        ({"parts": [{"strategy": "nope", "input": "x"}]}, "parts[0].strategy"),
        ({"parts": [{"strategy": "diversity", "input": "metadata:x"}]}, "parts[0].input"),
        ({"parts": [{"strategy": "weights", "input": "metadata:"}]}, "parts[0].input"),
        ({"parts": [{"strategy": "weights", "input": "margin", "strength": 0}]}, "parts[0].strength"),
        ({"parts": [{"strategy": "weights", "input": "margin", "strength": True}]}, "parts[0].strength"),
        ({"parts": [{"strategy": "weights", "input": "margin", "strenght": 1}]}, "parts[0].strenght"),
        ({"parts": [{"strategy": "weights", "input": "margin", "target": {"a": 1}}]}, "parts[0].target"),
        (
            {"parts": [{"strategy": "balance", "input": "predictions", "target": {"a": 0.9, "b": 0.9}}]},
            "parts[0].target",
        ),
        ({"parts": [{"strategy": "threshold", "input": "margin", "operation": "~", "value": 1}]}, "parts[0].operation"),
        (
            {"parts": [{"strategy": "threshold", "input": "margin", "operation": ">", "value": float("nan")}]},
            "parts[0].value",
        ),
        ({"parts": [{"strategy": "threshold", "input": "margin", "operation": ">", "value": 1}]}, "parts"),
        ({"parts": [{"strategy": "weights", "input": "margin"}], "n": 3}, "n"),
    ],
)
def test_a_composition_that_cannot_be_meant_names_the_field(given, path):
    with pytest.raises(CompositionError) as caught:
        composition.parse(given)
    assert path in [where for where, _ in caught.value.problems]


@pytest.mark.parametrize(
    ("part", "more", "words"),
    [
        ({"strategy": "weights", "input": "metadata:x"}, {}, "metadata 'x'; there are none"),
        ({"strategy": "weights", "input": "metadata:x"}, {"metadata": {"x": ["a"] * 120}}, "no numbers"),
        ({"strategy": "weights", "input": "metadata:x"}, {"metadata": {"x": [np.nan] * 120}}, "at row 0"),
        ({"strategy": "weights", "input": "utility"}, {}, "none was given"),
        ({"strategy": "similarity", "input": "anchor"}, {}, "there is no anchor"),
        ({"strategy": "balance", "input": "predictions", "target": {"q": 1}}, {}, "names none of 0, 1, 2"),
    ],
)
def test_a_composition_that_the_pool_cannot_serve_says_what_is_missing(part, more, words):
    with pytest.raises(ValueError, match=words):
        selection.select(
            problem(composition=compose(part), **more), name="metadata_weighted", n_picks=3, control_ratio=0.0, seed=0
        )

"""The contract every query strategy keeps; a new one is covered the moment it is registered."""

import tracemalloc

import numpy as np
import pytest

from curation.core import selection, strategies
from curation.core.arrays import Asked
from curation.core.selection import Problem, Rule

N, D, K = 120, 5, 3


def pool(n: int = N, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(K, D)) * 4
    return (centres[np.arange(n) % K] + rng.normal(size=(n, D))).astype(np.float32)


def asked(rows=(), labels=()) -> Asked:
    return Asked(np.array(rows, dtype=np.int64), np.array(labels, dtype=np.int64), np.ones(len(rows)))


def problem(X=None, known: Asked | None = None, **more) -> Problem:
    return Problem(pool() if X is None else X, known or Asked.nothing(), K, **more)


def proba(n: int = N, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(K), n)


def choose(p: Problem, name: str, n: int = 10, control: float = 0.1, seed: int = 1) -> list[selection.Pick]:
    return selection.select(p, name=name, n_picks=n, control_ratio=control, seed=seed)


def mixed(*rules: Rule) -> list[selection.Pick]:
    return selection.mix(problem(), rules=rules, n_picks=5, control_ratio=0.0, seed=0)


every_strategy = pytest.mark.parametrize("name", selection.names())
HISTORY = {
    "nothing asked": asked(),
    "one class so far": asked([0, 3, 6], [0, 0, 0]),
    "all rejected": asked([0, 1, 2, 3], [-1, -1, -1, -1]),
    "labels of all classes": asked([0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]),
    "labels and rejections": asked([0, 1, 2, 3, 4, 5], [0, 1, 2, -1, -1, 2]),
    "nobody answered": Asked(np.arange(4), np.full(4, -1), np.zeros(4)),
}
OLD_NAMES = {"random", "margin", "coverage", "herding"}
USUAL = {
    *("auto", "badge", "bald", "class_balanced", "clue", "committee", "density_weighted", "entropy"),
    *("expected_model_change", "k_center", "least_confident", "max_herding", "metadata_weighted", "probcover"),
    *("typiclust", "uncertainty_herding"),
}


def test_all_usual_strategies_are_there():
    assert set(selection.names()) >= OLD_NAMES | USUAL


@every_strategy
@pytest.mark.parametrize("history", HISTORY.values(), ids=HISTORY)
def test_a_batch_is_full_new_unique_repeatable_and_explained(name, history):
    p = problem(known=history)
    picks = choose(p, name)
    rows = [pick.row for pick in picks]
    assert len(rows) == len(set(rows)) == 10
    assert not set(rows) & set(history.rows.tolist())
    assert rows == [pick.row for pick in choose(problem(known=history), name)]
    assert all(pick.words.endswith(".") and pick.parts for pick in picks)
    assert all(np.isfinite(pick.utility) for pick in picks)


@every_strategy
def test_inputs_are_left_as_they_were(name):
    X = pool()
    before = X.copy()
    history = asked([1, 2, 3], [0, 1, 2])
    choose(problem(X, history), name)
    assert np.array_equal(X, before)
    assert history.rows.tolist() == [1, 2, 3]


@every_strategy
def test_a_pool_smaller_than_the_batch_gives_all_of_it_once(name):
    rows = sorted(pick.row for pick in choose(problem(pool(7), asked([2], [0])), name, n=50, control=0.0))
    assert rows == [0, 1, 3, 4, 5, 6]


@every_strategy
@pytest.mark.parametrize("X", [np.ones((30, 4), np.float32), np.zeros((30, 1), np.float32)], ids=["constant", "zero"])
@pytest.mark.parametrize("known", [asked(), asked([3, 4], [0, 1])], ids=["cold", "labeled"])
def test_duplicates_only_fill_the_batch_and_say_so(name, X, known):
    picks = choose(Problem(X, known, K), name, n=5, control=0.0)
    rows = [pick.row for pick in picks]
    assert len(rows) == len(set(rows)) == 5
    assert not set(rows) & set(known.rows.tolist())
    distinct = 5 if name == "random" else 1 - bool(len(known.rows))
    assert sum(pick.arm == "fill" for pick in picks) == 5 - distinct


@every_strategy
def test_near_copies_are_only_picked_when_nothing_else_is_left(name):
    rng = np.random.default_rng(3)
    X = pool(60)
    copies = (X[:30] + rng.normal(size=(30, D)) * 1e-4).astype(np.float32)
    p = problem(np.concatenate([X, copies]), asked([0, 1, 2], [0, 1, 2]))
    everything = choose(p, name, n=80, control=0.0)
    assert len(everything) == 80
    picks = [pick for pick in everything if pick.arm != "fill"]
    if name != "random":
        assert len({int(p.group[pick.row]) for pick in picks}) == len(picks) <= 57
        assert not {60, 61, 62} & {pick.row for pick in picks}


@every_strategy
def test_the_customers_own_probabilities_are_taken_without_any_label(name):
    picks = choose(problem(given_proba=proba()), name)
    assert len({pick.row for pick in picks}) == 10
    assert not any("No model yet" in pick.words for pick in picks)


@every_strategy
def test_another_seed_or_the_order_of_asking_never_repeats_a_record(name):
    known = asked()
    seen: set[int] = set()
    for number in range(4):
        rows = [pick.row for pick in choose(problem(known=known), name, n=20, seed=number)]
        assert not seen & set(rows)
        seen |= set(rows)
        known = asked(sorted(seen), [row % K for row in sorted(seen)])
    assert len(seen) == 80


@every_strategy
def test_classes_that_appear_later_and_one_row_pools(name):
    early = Problem(pool(), asked([0, 1], [0, 1]), 2)
    late = Problem(pool(), asked([0, 1, 2, 5], [0, 1, 4, 4]), 5)
    assert len(choose(early, name)) == len(choose(late, name)) == 10
    assert [pick.row for pick in choose(problem(pool(1)), name, n=1, control=0.0)] == [0]


@pytest.fixture(scope="module")
def large() -> Problem:
    p = problem(pool(30_000), asked(range(30), [i % K for i in range(30)]))
    _ = p.group, p.proba, p.relevance, p.median_distance
    return p


@every_strategy
def test_large_pools_never_need_n_times_n(name, large):
    tracemalloc.start()
    try:
        choose(large, name, n=10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30_000**2 * 0.6  # bytes: below even one bit-sized flag a pair, as NumPy stores it


@pytest.mark.parametrize("name", sorted(name for name in USUAL if strategies.get(name).needs_model))
def test_without_a_model_coverage_picks_and_says_so(name):
    cold = choose(problem(), name, control=0.0)
    assert [pick.row for pick in cold] == [pick.row for pick in choose(problem(), "coverage", control=0.0)]
    assert all(pick.words.startswith("No model yet, so by coverage.") and pick.arm == name for pick in cold)


def test_a_rule_based_mix_keeps_its_shares_and_names_who_chose():
    rules = [Rule("margin", 0.5), Rule("k_center", 0.3), Rule("random", 0.2)]
    picks = selection.mix(
        problem(known=HISTORY["labels of all classes"]), rules=rules, n_picks=20, control_ratio=0.1, seed=1
    )
    assert len({pick.row for pick in picks}) == 20
    arms = [pick.arm for pick in picks]
    assert [arms.count(arm) for arm in ("margin", "k_center", "random", "control")] == [9, 5, 4, 2]


def test_picks_by_hand_are_taken_as_they_are():
    p = problem(known=asked([0], [0]))
    assert [(pick.row, pick.arm) for pick in selection.by_hand(p, [7, 3])] == [(7, "manual"), (3, "manual")]
    for rows, words in (([], "at least one"), ([1, 1], "only 1 of them"), ([0], "asked before"), ([N], "of the 120")):
        with pytest.raises(ValueError, match=words):
            selection.by_hand(p, rows)


@every_strategy
def test_an_exhausted_pool_gives_nothing(name):
    history = asked(range(N), [i % K for i in range(N)])
    assert choose(problem(known=history), name) == []


def test_near_copies_of_what_was_asked_or_picked_are_never_picked_by_the_engine():
    rng = np.random.default_rng(3)
    X = pool(60)
    copies = (X[:30] + rng.normal(size=(30, D)) * 1e-4).astype(np.float32)
    p = Problem(np.concatenate([X, copies]), asked([0, 1, 2], [0, 1, 2]), K)
    assert p.group[0] == p.group[60]
    rows = [pick.row for pick in choose(p, "herding", n=40, control=0.0)]
    assert not {60, 61, 62} & set(rows)
    assert len({int(p.group[row]) for row in rows}) == len(rows)


def test_before_any_rejection_relevance_is_exactly_one():
    p = problem(known=asked([0, 1, 2], [0, 1, 2]))
    assert np.array_equal(p.relevance.proba, np.ones(N))


def test_rejections_lower_the_relevance_of_what_is_like_them_but_veto_nothing():
    rng = np.random.default_rng(5)
    foreign = (rng.normal(size=(60, D)) + 9).astype(np.float32)
    X = np.concatenate([pool(120), foreign])
    known = asked([0, 1, 2, 3, 120, 121, 122, 123], [0, 1, 2, 0, -1, -1, -1, -1])
    relevance = Problem(X, known, K).relevance
    assert relevance.proba[124:].mean() < 0.5 * relevance.proba[4:120].mean()
    assert relevance.multiplier.min() >= 0.25


def test_records_nobody_answered_are_no_rejections():
    waiting = Asked(np.arange(12), np.array([0, 1, 2] + [-1] * 9), np.array([1.0] * 3 + [0.0] * 9))
    assert np.array_equal(problem(known=waiting).relevance.proba, np.ones(N))
    refused = Asked(np.arange(13), np.append(waiting.labels, -1), np.append(waiting.weights, 1.0))
    alone = Asked(np.array([0, 1, 2, 12]), np.array([0, 1, 2, -1]), np.ones(4))
    assert np.array_equal(problem(known=refused).relevance.proba, problem(known=alone).relevance.proba)


def test_control_picks_are_uniform_with_their_propensity():
    counts = np.zeros(N)
    p = problem(known=asked([0, 1], [0, 1]))
    for seed in range(600):
        control = [pick for pick in choose(p, "random", n=10, control=0.2, seed=seed) if pick.arm == "control"]
        assert len(control) == 2
        assert control[0].propensity == pytest.approx(2 / (N - 2))
        counts[[pick.row for pick in control]] += 1
    assert counts[:2].sum() == 0
    expected = 600 * 2 / (N - 2)
    chi2 = ((counts[2:] - expected) ** 2 / expected).sum()
    assert chi2 < (N - 3) + 5 * np.sqrt(2 * (N - 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: problem(np.full((5, 2), np.nan, np.float32)), "first is row 0"),
        (lambda: problem(np.zeros((0, 3), np.float32)), r"got \(0, 3\)"),
        (lambda: problem(known=asked([500], [0])), "reach 500, the pool has 120"),
        (lambda: problem(known=asked([1], [7])), "label 7 is outside the 3"),
        (lambda: asked([1, 1], [0, 0]), "only 1 of them different"),
        (lambda: choose(problem(), "nonsense"), "there is no strategy 'nonsense'"),
        (lambda: choose(problem(), "random", n=0), "at least 1"),
        (lambda: problem(given_proba=proba() * 1.1), "120 rows of probabilities do not sum to one, the first is row 0"),
        (lambda: problem(given_proba=proba(50)), r"shape \(120, 3\), got \(50, 3\)"),
        (lambda: problem(given_proba=np.where(np.eye(N, K, dtype=bool), np.nan, proba())), "the first is row 0"),
        (lambda: problem(utility=np.zeros(5)), r"120 finite numbers, one per row, got shape \(5,\)"),
        (lambda: problem(metadata={"city": ["a"]}), "metadata 'city' has 1 values, the pool 120 rows"),
        (lambda: mixed(Rule("margin", 0.5)), "the shares sum to 0.5, not to 1"),
        (lambda: mixed(Rule("margin", 0.5), Rule("margin", 0.5)), "name each once"),
        (lambda: mixed(Rule("margin", 1.5)), r"must lie in \(0, 1\], got 1.5"),
        (mixed, "at least one rule"),
        (lambda: choose(problem(anchor=np.zeros((30, 4), np.float32)), "herding"), "4 features given"),
    ],
)
def test_bad_input_is_refused_with_both_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()

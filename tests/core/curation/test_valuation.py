"""What labels are worth: the axioms of Shapley, brute force over all sets, and wrong labels found."""

import itertools
import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from curation.core import proxy, valuation
from curation.core.arrays import Scaler
from curation.core.data_shapley import monte_carlo
from curation.core.valuation import knn_shapley


def records(n, m, seed=0, n_classes=3):
    rng = np.random.default_rng(seed)
    X, X_valid = (rng.normal(size=(size, 4)).astype(np.float32) for size in (n, m))
    return X, rng.integers(0, n_classes, n), X_valid, rng.integers(0, n_classes, m)


def neighbours_utility(X, y, X_valid, y_valid, n_neighbours):
    """The utility that the values are defined by, computed for one set at a time and nothing shared."""

    def utility(rows):
        total = 0
        for record, label in zip(X_valid, y_valid, strict=True):
            distance = ((X[rows].astype(float) - record) ** 2).sum(axis=1)
            nearest = rows[np.argsort(distance, kind="stable")[:n_neighbours]]
            total += int((y[nearest] == label).sum())
        return total / n_neighbours / len(X_valid)

    return utility


def brute_force(n, utility):
    """Shapley values by their definition, over all sets."""
    worth = {
        subset: utility(np.array(subset, dtype=np.int64))
        for size in range(n + 1)
        for subset in itertools.combinations(range(n), size)
    }
    values = np.zeros(n)
    for subset, before in worth.items():
        weight = (
            math.factorial(len(subset)) * math.factorial(n - len(subset) - 1) / math.factorial(n)
            if len(subset) < n
            else 0.0
        )
        for row in set(range(n)).difference(subset):
            values[row] += weight * (worth[tuple(sorted((*subset, row)))] - before)
    return values


@pytest.mark.parametrize("n_neighbours", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_the_definition(n_neighbours, seed):
    X, y, X_valid, y_valid = given = records(8, 3, seed)
    found = knn_shapley(X, y, X_valid, y_valid, n_neighbours=n_neighbours)
    utility = neighbours_utility(*given, n_neighbours)
    assert found.values == pytest.approx(brute_force(8, utility), abs=1e-12)
    assert found.whole == pytest.approx(utility(np.arange(8)), abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 50), (40_000, 500)])
def test_values_sum_to_what_all_records_are_worth(n, m):
    X, y, X_valid, y_valid = records(n, m)
    found = knn_shapley(X, y, X_valid, y_valid)
    assert abs(found.values.sum() - found.whole) <= 1e-6
    assert 0 <= found.whole <= 1


def test_records_that_are_alike_are_worth_the_same():
    X, y, X_valid, y_valid = records(60, 40)
    X[1], y[1] = X[0], y[0]
    values = knn_shapley(X, y, X_valid, y_valid).values
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_a_record_without_effect_is_worth_nothing():
    X, y, X_valid, y_valid = records(60, 40)
    X[7], y[7] = 1000.0, 9  # the farthest from everything, and of a class that nothing is judged by
    assert knn_shapley(X, y, X_valid, y_valid).values[7] == 0


def test_copies_at_the_very_place_of_a_judge_come_first():
    """Rounding may make a distance of zero negative, or a negative zero: both are the nearest."""
    X, y, _, _ = records(500, 1)
    X /= 10
    found = knn_shapley(X, y, X.copy(), y.copy(), n_neighbours=1)
    assert found.whole == 1.0


def test_blocks_change_nothing(monkeypatch):
    given = records(50, 20)
    whole = knn_shapley(*given)
    monkeypatch.setattr(valuation, "_BLOCK", 120)
    assert knn_shapley(*given).values == pytest.approx(whole.values, abs=1e-15)


def noisy_digits(seed, share=0.2):
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))[:1000]
    X = Scaler.of(X.astype(np.float32))(X.astype(np.float32))[order]
    y, given = y[order], y[order].copy()
    wrong = rng.permutation(600)[: int(share * 600)]
    given[wrong] = (given[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return X, y, given, wrong


def test_removing_the_worst_tenth_beats_removing_a_random_tenth_where_a_fifth_is_wrong():
    """Paired over seeds, on true labels that neither the values nor the model ever saw."""
    gains, caught = [], []
    for seed in range(12):
        X, y, given, wrong = noisy_digits(seed)
        values = knn_shapley(X[:600], given[:600], X[600:800], given[600:800]).values
        worst, random = np.argsort(values, kind="stable"), np.random.default_rng(seed).permutation(600)
        right = [
            (proxy.fit(X[kept], given[kept], np.ones(540), 10).proba(X[800:]).argmax(axis=1) == y[800:]).mean()
            for kept in (worst[60:], random[60:])
        ]
        gains.append(right[0] - right[1])
        caught.append(np.isin(worst[:60], wrong).mean())
    gains = np.array(gains)
    assert gains.mean() > 2 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert np.mean(caught) > 0.8


def test_every_label_gets_a_value_and_wrong_ones_the_lowest():
    X, _, given, wrong = noisy_digits(0)
    values = valuation.cross_valued(X[:600], given[:600], rng=np.random.default_rng(0))
    assert values.shape == (600,)
    assert np.isin(np.argsort(values)[:60], wrong).mean() > 0.8
    again = valuation.cross_valued(X[:600], given[:600], rng=np.random.default_rng(0))
    assert np.array_equal(values, again)


BAD = {
    "lengths": (lambda X, y, V, w: (X, y[:-1], V, w), "lengths differ: 9 and 4 rows, 8 and 4 labels"),
    "nothing": (lambda X, y, V, w: (X[:0], y[:0], V, w), "got 0 and 4"),
    "no judges": (lambda X, y, V, w: (X, y, V[:0], w[:0]), "got 9 and 0"),
    "features": (lambda X, y, V, w: (X, y, V[:, :2], w), r"got \(9, 4\) and \(4, 2\)"),
    "not finite": (lambda X, y, V, w: (np.where(np.arange(9)[:, None] == 3, np.nan, X), y, V, w), "row 3 of 9"),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_named(spoil, words):
    with pytest.raises(ValueError, match=words):
        knn_shapley(*spoil(*records(9, 4)))


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="n_neighbours must be at least 1, got 0"):
        knn_shapley(*records(9, 4), n_neighbours=0)
    with pytest.raises(ValueError, match="need 5 records and judges, got 4 and 1000"):
        valuation.cross_valued(*records(4, 1)[:2], rng=np.random.default_rng(0))


def test_monte_carlo_agrees_with_the_exact_values_within_its_errors():
    n = 30
    given = records(n, 12)
    exact = knn_shapley(*given, n_neighbours=3)
    found = monte_carlo(n, neighbours_utility(*given, 3), rng=np.random.default_rng(0), target_error=0.002, most=1000)
    assert found.is_settled
    assert found.errors.max() <= 0.002
    off = np.abs(found.values - exact.values) / found.errors
    assert off.max() < 4
    assert (off < 2).mean() > 0.85
    assert found.values.sum() == pytest.approx(exact.whole, abs=1e-9)


def test_truncation_spares_evaluations_and_leaves_out_no_more_than_the_tolerance():
    def counted(rows):
        counted.n += 1
        return 1 - 0.5 ** len(rows)

    counted.n = 0
    found = monte_carlo(40, counted, rng=np.random.default_rng(0), target_error=0.01, tolerance=0.05, most=3000)
    assert counted.n <= 2 + 5 * found.n_permutations
    assert found.whole - 0.05 <= found.values.sum() <= found.whole


def test_a_wanted_error_out_of_reach_is_told():
    rng = np.random.default_rng(1)
    found = monte_carlo(5, lambda rows: float(rng.normal()), rng=rng, target_error=1e-9, most=40)
    assert (found.n_permutations, found.is_settled) == (40, False)
    assert (found.errors > 1e-9).all()


def test_what_monte_carlo_cannot_use_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="1 to 2000 records, got 2001; value more by knn_shapley"):
        monte_carlo(2001, len, rng=rng, target_error=0.1)
    with pytest.raises(ValueError, match="target_error > 0"):
        monte_carlo(2, len, rng=rng, target_error=0.0)
    with pytest.raises(ValueError, match="the utility of 2 records is nan"):
        monte_carlo(2, lambda rows: math.nan, rng=rng, target_error=0.1)

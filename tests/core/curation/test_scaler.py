"""The pool's scale: one for all features that share a unit, one each for those that do not."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from curation.core.arrays import Scaler

rng = np.random.default_rng(0)
MIXED = np.exp(rng.normal(size=12) * 3)
"""Units of a table's columns."""
TABLE = ((rng.normal(size=(600, 12)) + rng.normal(size=(600, 1)) + 3) * MIXED).astype(np.float32)
PIXELS = rng.uniform(0, 255, size=(600, 20)).astype(np.float32) * np.linspace(0.2, 1, 20, dtype=np.float32)
DECAYING = np.exp(-np.arange(40) / 4)
SCORES = PCA(30).fit_transform(rng.normal(size=(600, 40)) * DECAYING @ rng.normal(size=(40, 40))).astype(np.float32)


def relative_spread(X):
    spread = Scaler.of(X)(X).std(axis=0)
    return spread.max() / spread.min()


@pytest.mark.parametrize("X", [TABLE, PIXELS, SCORES])
def test_squared_norms_are_about_one(X):
    assert (Scaler.of(X)(X) ** 2).sum(axis=1).mean() == pytest.approx(1, abs=0.02)


def test_units_of_their_own_are_taken_away():
    assert relative_spread(TABLE) == pytest.approx(1, abs=1e-3)


def test_a_feature_that_drowns_all_others_is_taken_down():
    X = rng.normal(size=(600, 50)).astype(np.float32) + rng.normal(size=(600, 1)).astype(np.float32)
    X[:, 7] *= 500
    assert relative_spread(X) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("X", [PIXELS, SCORES])
def test_variances_in_one_unit_are_kept(X):
    assert relative_spread(X) == pytest.approx(X.std(axis=0).max() / X.std(axis=0).min(), rel=1e-3)


def test_the_same_features_in_another_unit_come_out_the_same():
    for X in (TABLE, PIXELS, SCORES):
        assert np.allclose(Scaler.of(X * 1000)(X * 1000), Scaler.of(X)(X), atol=1e-4)


@pytest.mark.parametrize("X", [TABLE, PIXELS])
def test_a_value_counts_for_eight_standard_deviations_at_most(X):
    far = X.copy()
    far[0, 3] = 1e9
    scale = Scaler.of(X)
    assert scale(far)[0, 3] == pytest.approx(8 * scale(X)[:, 3].std(), rel=1e-3)


def test_constant_features_vanish_and_one_feature_will_do():
    X = np.column_stack([PIXELS, np.full(600, 3.0, np.float32)])
    assert (Scaler.of(X)(X)[:, -1] == 0).all()
    assert (Scaler.of(X[:, -1:])(X[:, -1:]) == 0).all()
    assert Scaler.of(X[:, :1])(X[:, :1]).std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("X", [TABLE, PIXELS])
def test_a_tiny_unit_takes_nothing_away(X):
    assert np.allclose(Scaler.of(X * 1e-20)(X * 1e-20), Scaler.of(X)(X), atol=1e-3)


@pytest.mark.parametrize("value", [0, 7.1, 1e-30, 3e38])
def test_constant_features_vanish(value):
    assert not Scaler.of(np.full((50, 3), value, np.float32))(np.full((50, 3), value, np.float32)).any()

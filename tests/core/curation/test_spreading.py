"""Evidence spread along neighbourhoods: exact on small graphs, along clusters and not across gaps."""

import numpy as np
import pytest

from curation.core import spreading


def two_moons(n: int = 300):
    """Return a pool of two curved clusters, and which of them each row is of."""
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, np.pi, n)
    of_second = np.arange(n) % 2 == 1
    X = np.column_stack([np.cos(angle), np.sin(angle)]) * np.where(of_second, -1, 1)[:, None]
    return (X + np.where(of_second[:, None], [1.0, 0.35], 0) + rng.normal(size=X.shape) * 0.05).astype(
        np.float32
    ), of_second


def test_a_graph_is_symmetric_and_nobody_is_their_own_neighbour():
    X, _ = two_moons()
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    assert abs(graph - graph.T).max() == 0
    assert graph.diagonal().max() == 0
    assert (graph.sum(axis=1) > 0).all()


def test_walks_end_where_the_equations_say():
    X, _ = two_moons(40)
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    asked, could, prior = np.array([3, 8, 11]), np.array([True, False, True]), np.full(40, 0.7)
    W = graph.toarray()
    ends = np.isin(np.arange(40), asked).astype(float)
    inverse = np.linalg.inv(np.diag(W.sum(axis=1) + ends + 0.05) - W)
    for_it, against = inverse[:, [3, 11]].sum(axis=1), inverse[:, 8]
    weight = 0.03 * np.median(for_it + against)
    expected = (for_it + weight * prior) / (for_it + against + weight)
    assert spreading.spread(graph, asked, could, prior) == pytest.approx(expected, abs=1e-3)


def test_one_answer_tells_of_its_whole_cluster_and_not_of_the_next():
    X, of_second = two_moons()
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    belief = spreading.spread(graph, np.array([0, 1]), np.array([True, False]), np.full(len(X), 0.5))
    assert np.mean((belief > 0.5) == ~of_second) > 0.97


@pytest.mark.parametrize("is_labeled", [True, False])
def test_answers_of_one_kind_alone_say_that_kind(is_labeled):
    X, _ = two_moons(50)
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    belief = spreading.spread(graph, np.arange(3), np.full(3, is_labeled), np.full(50, 0.5))
    assert ((belief > 0.5) == is_labeled).all()
    assert ((belief >= 0) & (belief <= 1)).all()


@pytest.mark.parametrize(
    "X", [np.zeros((1, 2), np.float32), np.zeros((2, 2), np.float32), np.zeros((50, 3), np.float32)]
)
def test_single_records_and_copies_only_are_no_trouble(X):
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    belief = spreading.spread(graph, np.array([0]), np.array([False]), np.full(len(X), 0.8))
    assert np.isfinite(belief).all()
    assert belief[0] < 0.8


def test_in_large_pools_neighbours_are_sought_among_a_sample():
    rng = np.random.default_rng(3)
    is_far = np.arange(6000) % 3 == 0
    X = (rng.normal(size=(6000, 4)) + np.where(is_far, 6, 0)[:, None]).astype(np.float32)
    graph = spreading.neighbourhood(X, np.random.default_rng(0))
    assert graph.nnz < 2 * 6000 * 10 + 1
    belief = spreading.spread(graph, np.array([0, 1, 2]), np.array([False, True, True]), np.full(6000, 0.5))
    assert np.mean((belief < 0.5) == is_far) > 0.99

"""Near-duplicate groups: of each only one record is ever picked."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from sklearn.neighbors import NearestNeighbors

from curation.core.arrays import Float32Array, IntArray, squared_distances

N_NEIGHBOURS = 5
_SHARE_OF_USUAL = 0.25
"""Distance, relative to the pool's usual nearest-neighbour distance, under which two records are the same thing."""
_SAMPLE, _LEAST = 2000, 100
_FEW, _MOST_SHARE = 50, 0.05
"""Records, and share of the pool, above which a group is looked at again."""
_DENSEST = 0.1
_NOISE = 2e-3
"""Distance that float32 arithmetic may put between equal rows, whose squared norms are about 1."""
MAX_FOR_NEIGHBOURS = 20_000
_TREE_FEATURES = 15


def radius(X: Float32Array, rng: np.random.Generator) -> float:
    """Return how near a record must be to one asked to be passed over as its copy, where no groups are looked for.

    At most half the distance within which the densest tenth of the records have a twentieth of all others: that many
    are no copies, but classes close together among scattered junk.
    """
    sample = _sample(X, rng)
    if len(sample) < 2:
        return _NOISE
    distances = squared_distances(sample, sample)  # (s, s), s <= 2,000 whatever the pool
    np.fill_diagonal(distances, np.inf)
    many = max(round(_MOST_SHARE * len(sample)), 1)
    near, far = np.sqrt(np.partition(distances, (0, many - 1), axis=1)[:, [0, many - 1]].T)  # (s,) each
    return max(_NOISE, float(min(_SHARE_OF_USUAL * np.quantile(near, 0.75), np.quantile(far, _DENSEST) / 2)))


def threshold(X: Float32Array, rng: np.random.Generator) -> float:
    """Return the distance below which two records of this pool count as copies.

    A quarter of the upper-quartile nearest-neighbour distance within a random sample: copies are rare in a sample, so
    its nearest neighbours are of different things even in a pool full of copies.
    """
    sample = _sample(X, rng)
    if len(sample) < 2:
        return 0.0
    distances, _ = NearestNeighbors(n_neighbors=2).fit(sample).kneighbors(sample)
    return float(_SHARE_OF_USUAL * np.quantile(distances[:, 1], 0.75))


def _sample(X: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return a quarter of the records, 100 at least and 2,000 at most, in their order; equal ones once."""
    size = min(_SAMPLE, max(len(X) // 4, _LEAST), len(X))
    sample = X[np.sort(rng.choice(len(X), size=size, replace=False))]
    return sample[np.sort(np.unique(sample, axis=0, return_index=True)[1])]


def _exact(X: Float32Array, rng: np.random.Generator) -> IntArray:
    """Return groups of equal rows, by two random projections each; O(n d) time."""
    directions = rng.normal(size=(X.shape[1], 2))
    codes = np.concatenate([X[start : start + 65_536] @ directions for start in range(0, len(X), 65_536)])  # (n, 2)
    return np.asarray(np.unique(codes[:, 0] + 1j * codes[:, 1], return_inverse=True)[1], dtype=np.int64)


def groups(X: Float32Array, rng: np.random.Generator) -> IntArray:
    """Return the near-duplicate group of each record, shape (n,); a record without copies is a group of its own.

    Notes
    -----
    Connected components of the graph of records nearer than `threshold`, among five nearest neighbours each:
    O(n log n) for few features, O(n^2 d) time in the worst case but never n x n memory. Above 20,000 rows of more than
    15 features only exact copies are grouped: the engine's coverage passes near ones over all the same.

    Junk that lies far apart makes all the rest look like one thing: a group of more than a twentieth of the records is
    therefore looked at again by its own distances, or one pick of it would keep all others from ever being asked.
    """
    n = len(X)
    if n < 2:
        return np.zeros(n, dtype=np.int64)
    if X.shape[1] > _TREE_FEATURES and n > MAX_FOR_NEIGHBOURS:
        return _exact(X, rng)
    found = _linked(X, rng)
    for group in np.flatnonzero(np.bincount(found) > max(_FEW, _MOST_SHARE * n)):
        members = np.flatnonzero(found == group)
        found[members] = found.max() + 1 + groups(X[members], rng) if len(members) < n else _exact(X, rng)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _linked(X: Float32Array, rng: np.random.Generator) -> IntArray:
    """Return the components of the graph of records nearer than the threshold of all of them, shape (n,)."""
    limit, n = threshold(X, rng), len(X)
    k = min(N_NEIGHBOURS + 1, n)
    distances, neighbours = NearestNeighbors(n_neighbors=k).fit(X).kneighbors(X)  # (n, k)
    source = np.repeat(np.arange(n), k)
    near = distances.ravel() <= limit
    graph = sparse.csr_array((np.ones(int(near.sum())), (source[near], neighbours.ravel()[near])), shape=(n, n))
    _, labels = csgraph.connected_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)

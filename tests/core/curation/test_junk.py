"""Junk that lies far apart or far off never makes the rest of a pool look like one thing that is asked once."""

import numpy as np
import pytest

from curation.core import duplicates, large, selection, subpool
from curation.core.arrays import Asked
from curation.core.pool import Pool
from curation.core.selection import Problem

N, D, K = 600, 8, 3


def pool(kind: str, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels (-1: junk) of three classes close together among junk."""
    rng = np.random.default_rng(0)
    label = np.arange(N) % K
    X = rng.normal(size=(N, D)) * 0.3 + np.eye(D)[label]
    junk = rng.random(N) < share
    X[junk] = {
        "scattered": rng.normal(size=(N, D)) * 4,
        "saturated": 6.0 * (rng.random((N, D)) < 0.5),
        "huge": rng.normal(size=(N, D)) * 1e6,
        "huge on one side": 1e6 * (1 + rng.random((N, D))),
    }[kind][junk]
    return X.astype(np.float32), np.where(junk, -1, label)


@pytest.mark.parametrize("kind", ["scattered", "saturated"])
def test_the_rest_is_not_one_group(kind):
    X, label = pool(kind)
    found = duplicates.groups(X, np.random.default_rng(0))
    assert np.bincount(found[label >= 0]).max() < 0.05 * N


def test_many_copies_of_one_record_stay_one_group():
    X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
    X[: N // 2] = X[0]
    found = duplicates.groups(X, np.random.default_rng(0))
    assert len(np.unique(found[: N // 2])) == 1
    assert len(np.unique(found)) == N // 2 + 1
    assert not duplicates.groups(np.ones((N, D), np.float32), np.random.default_rng(0)).any()


def small(X, asked):
    return selection.select(Problem(X, asked, K), name="auto", n_picks=15, control_ratio=0.0, seed=0)


def from_a_sketch(X, asked):
    return large.select(
        subpool.Task(Pool.split(X), asked, K, [selection.Rule("auto", 1.0)], n_picks=15, control_ratio=0.0, seed=0)
    )


@pytest.mark.parametrize("choose", [small, from_a_sketch])
@pytest.mark.parametrize(
    ("kind", "share"), [("scattered", 0.5), ("saturated", 0.5), ("huge", 0.3), ("huge on one side", 0.2)]
)
def test_the_engine_finds_its_way_out_of_the_junk(kind, share, choose):
    X, label = pool(kind, share)
    rows = np.empty(0, dtype=np.int64)
    usable = []
    for _ in range(6):
        asked = Asked(rows, label[rows].astype(np.int64), np.ones(len(rows)))
        new = np.array([pick.row for pick in choose(X, asked)])
        rows = np.concatenate([rows, new])
        usable.append((label[new] >= 0).mean())
    assert np.mean(usable[3:]) > 1 - share

"""What is measured: target models on chosen or random records, and what each record is worth to each model."""

from pathlib import Path

import numpy as np

from benchmarks.selection import mess, ours, pools
from benchmarks.selection.mess import FOREIGN, SETTINGS
from benchmarks.selection.play import Bench, Chooser
from benchmarks.transfer.models import MODELS, accuracy
from curation.core.arrays import Asked, BoolArray, FloatArray, IntArray

N_ROUNDS = 20
N_RECORDS, N_SUBSETS, N_TEST = 80, 480, 800


def chosen(bench: Bench, name: str) -> Asked:
    """Return what a strategy asked in 20 rounds and what came back; the loop is the selection benchmark's."""
    choose: Chooser = ours.chooser(name)
    asked = Asked.nothing()
    for number in range(N_ROUNDS):
        problem = bench.problem(asked, is_cleaned=True, has_anchor=False)
        rows = choose(problem, bench.batch, np.random.default_rng([bench.seed, number]))
        asked = Asked(
            np.concatenate([asked.rows, rows]),
            np.concatenate([asked.labels, bench.pool.answer[rows]]),
            np.ones(len(asked.rows) + len(rows)),
        )
    return asked


def gains(pool: str, setting: str, seed: int, folder: Path | None) -> dict[str, float]:
    """Return accuracy on chosen records minus accuracy on as many random ones, by target model, in points."""
    bench = Bench(mess.make(pools.load(pool, seed, folder), SETTINGS[setting], seed), seed)
    on: dict[str, dict[str, float]] = {}
    for strategy in ("auto", "random"):
        asked = chosen(bench, strategy)
        labeled = asked.labels >= 0
        X, y = bench.pool.X[asked.rows[labeled]], asked.labels[labeled]
        on[strategy] = {name: accuracy(name, X, y, bench.pool.X_test, bench.pool.y_test) for name in MODELS}
    return {name: 100 * (on["auto"][name] - on["random"][name]) for name in MODELS}


def usefulness(pool: str, seed: int, folder: Path | None) -> FloatArray:
    """Return what records are worth to each model, in two halves of the evidence, shape (2, models, records).

    Of 80 labeled records of a dirty pool: accuracy of models trained on random halves with a record minus without.

    References
    ----------
    Wang, Jia (2023), Data Banzhaf (the maximum-sample-reuse estimate).
    """
    messy = mess.make(pools.load(pool, seed, folder), SETTINGS["dirty"], seed)
    rng = np.random.default_rng([seed, 5])
    rows = rng.permutation(np.flatnonzero((messy.answer >= 0) & (messy.kind != FOREIGN)))[:N_RECORDS]
    X, y = messy.X[rows], messy.answer[rows]
    X_test, y_test = messy.X_test[:N_TEST], messy.y_test[:N_TEST]
    is_in = rng.random((N_SUBSETS, len(rows))) < 0.5
    scores = np.array([[accuracy(name, X[own], y[own], X_test, y_test) for own in is_in] for name in MODELS])
    return np.stack([_values(is_in[half::2], scores[:, half::2]) for half in (0, 1)])


def _values(is_in: BoolArray, scores: FloatArray) -> FloatArray:
    n_in = is_in.sum(axis=0)
    with_it, without = scores @ is_in / n_in, scores @ (~is_in) / (len(is_in) - n_in)  # (models, records)
    return np.asarray(with_it - without)


def ranks(values: FloatArray) -> IntArray:
    """Return ranks within the last axis."""
    return np.asarray(values.argsort(axis=-1).argsort(axis=-1))


def correlations(halves: FloatArray) -> FloatArray:
    """Return Spearman's correlation of usefulness between models, shape (models, models), each on another half.

    Two models trained on the same subsets share their accidents, so that one is looked at on one half of the evidence
    and the other on the other. On the diagonal: a model with itself, which the figures beside it seldom exceed.
    """
    n = halves.shape[1]
    across = np.corrcoef(ranks(halves).reshape(2 * n, -1))[:n, n:]
    return np.asarray((across + across.T) / 2)

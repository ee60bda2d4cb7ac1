"""Large pools: the same contract as small ones, the same batch however the work is shared out, and every bad case."""

from dataclasses import replace

import numpy as np
import pytest

from curation.core import large, selection, sketch
from curation.core.arrays import Asked
from curation.core.pool import Pool, ShardError
from curation.core.scoring import Linear, score, score_shard, score_some
from curation.services.shards import open_pool

N, D, K = 60_000, 12, 4


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(3 * K, D)) * 2
    which = rng.integers(0, 3 * K, N)
    X = (centres[which] + rng.normal(size=(N, D))).astype(np.float32)
    X[N // 2 : N // 2 + 5000] = X[:5000]  # copies
    return X, which % K


def history(features, n=200, n_rejected=0):
    rows = np.sort(np.random.default_rng(1).choice(N, n, replace=False))
    labels = features[1][rows].copy()
    labels[:n_rejected] = -1
    return Asked(rows, labels.astype(np.int64), np.ones(n))


def task(X, asked, name="herding", n_picks=60, control_ratio=0.1, seed=2, n_shards=1):
    shards = Pool(tuple(np.array_split(X, n_shards)))
    return large.Task(shards, asked, K, [selection.Rule(name, 1.0)], n_picks, control_ratio, seed)


@pytest.mark.parametrize("name", ["herding", "margin", "random", "badge", "coverage"])
@pytest.mark.parametrize("n_rejected", [0, 40])
def test_a_batch_is_full_new_unique_repeatable_and_explained(features, name, n_rejected):
    asked = history(features, n_rejected=n_rejected)
    picks = large.select(task(features[0], asked, name))
    rows = [pick.row for pick in picks]
    assert len(rows) == len(set(rows)) == 60
    assert not set(rows) & set(asked.rows.tolist())
    assert rows == [pick.row for pick in large.select(task(features[0], asked, name))]
    assert all(pick.words.endswith(".") and pick.parts for pick in picks)
    control = [pick for pick in picks if pick.arm == "control"]
    assert len(control) == 6
    assert {pick.propensity for pick in control} == {6 / (N - len(asked.rows))}


def test_nothing_asked_yet_still_gives_a_batch(features):
    picks = large.select(task(features[0], Asked.nothing()))
    assert len({pick.row for pick in picks}) == 60


def test_the_engine_asks_for_no_copy_of_what_it_asked_or_picks(features):
    X, _ = features
    asked = Asked(np.arange(0, 5000, 25), features[1][np.arange(0, 5000, 25)].astype(np.int64), np.ones(200))
    picks = [pick.row for pick in large.select(task(X, asked, control_ratio=0.0, n_picks=200))]
    seen = {X[row].tobytes() for row in asked.rows}
    chosen = [X[row].tobytes() for row in picks]
    assert len(set(chosen)) == 200
    assert not seen & set(chosen)


def foreign_share(picks, is_foreign):
    return float(np.mean([is_foreign[pick.row] for pick in picks]))


@pytest.mark.parametrize("n_asked", [0, 200])
def test_trusted_records_and_rejections_keep_a_foreign_majority_out(features, n_asked):
    X = features[0]
    is_foreign = X[:, 0] > np.quantile(X[:, 0], 0.35)
    inside = np.random.default_rng(4).permutation(np.flatnonzero(~is_foreign))
    asked = Asked.nothing()
    if n_asked:
        rows = np.sort(np.random.default_rng(1).choice(N, n_asked, replace=False))
        asked = Asked(rows, np.where(is_foreign[rows], -1, features[1][rows]).astype(np.int64), np.ones(n_asked))
    alone = task(X, asked, control_ratio=0.0)
    anchored = replace(alone, anchor=X[inside[:100]])
    usual = foreign_share(large.select(replace(alone, asked=Asked.nothing())), is_foreign)
    assert usual > 0.5
    assert foreign_share(large.select(anchored), is_foreign) < 0.75 * usual
    if n_asked:
        assert foreign_share(large.select(alone), is_foreign) < 0.85 * usual


def test_any_number_of_workers_in_any_order_choose_the_same(features):
    asked = history(features)
    here = task(features[0], asked, n_shards=7)

    def shared_out(model, rows, seed):
        parts = {}
        for shard in (3, 0, 6, 1, 5, 2, 4):
            worker = Pool(here.pool.shards)
            scores = score_shard(worker, shard, model)
            parts[shard] = sketch.draw(worker, shard, scores, rows, sketch.COLD, seed)
        return sketch.merge([parts[shard] for shard in range(7)], sketch.COLD)

    assert large.select(here) == large.select(here, shared_out)


@pytest.mark.parametrize("n_shards", [1, 4])
def test_the_batch_is_worth_what_a_small_pools_batch_is(features, n_shards):
    """Measured by the model: the engine's picks are far less certain than the pool, and far apart."""
    asked = history(features)
    picks = large.select(task(features[0], asked, n_shards=n_shards, control_ratio=0.0))
    chance = large.select(task(features[0], asked, "random", n_shards=n_shards, control_ratio=0.0))
    ours, theirs = (np.mean([p.parts["uncertainty"] for p in rows]) for rows in (picks, chance))
    assert ours > 1.5 * theirs


def test_float16_shards_of_a_file_choose_nearly_as_float32(features, tmp_path):
    names = []
    for number, part in enumerate(np.array_split(features[0], 3)):
        np.save(tmp_path / f"{number}.npy", part.astype(np.float16))
        names.append(str(tmp_path / f"{number}.npy"))
    pool = open_pool(names)
    assert len(pool) == N
    ids = np.array([0, N - 1, 25_000, 3])
    assert np.allclose(pool.rows(ids), features[0][ids], atol=1e-2)
    picks = large.select(
        task(features[0], history(features)).__class__(
            pool, history(features), K, [selection.Rule("herding", 1.0)], 60, 0.0, 2
        )
    )
    assert len({pick.row for pick in picks}) == 60


def test_a_later_round_scores_a_tenth_anew_and_leaves_the_rest(features):
    pool = Pool((features[0],))
    first = Linear(np.ones((D, 1), np.float32), np.zeros(1, np.float32))
    rng = np.random.default_rng(0)
    random = np.column_stack([rng.normal(size=(D, K)), np.ones(D)]).astype(np.float32)
    second = Linear(random, np.zeros(K + 1, np.float32))
    old = score(pool, first)
    new = score_some(pool, second, old, rng)
    changed = new != old
    assert 0.05 <= changed.mean() <= 0.25
    assert np.allclose(new[changed], score(pool, second)[changed])


def test_bad_pools_are_refused_with_the_place(features, tmp_path):
    whole = tmp_path / "whole.npy"
    np.save(whole, features[0][:100])
    cut = tmp_path / "cut.npy"
    cut.write_bytes(whole.read_bytes()[:-50])
    empty = tmp_path / "empty.npy"
    empty.write_bytes(b"")
    with pytest.raises(ShardError, match=r"gone\.npy is missing"):
        open_pool([str(whole), str(tmp_path / "gone.npy")])
    for file in (cut, empty):
        with pytest.raises(ShardError, match=rf"{file.stem}\.npy cannot be read, it may be cut short"):
            open_pool([str(whole), str(file)])
    with pytest.raises(ShardError, match="shard 1 is float32 of shape"):
        Pool((features[0][:5], features[0][:5, :3]))
    with pytest.raises(ShardError, match="shard 0 is int64"):
        Pool((np.zeros((3, 2), np.int64),))
    with pytest.raises(ShardError, match="at least one shard"):
        Pool(())
    with pytest.raises(ValueError, match="rows 0 to 7 asked for, the pool has 5"):
        Pool((features[0][:5],)).rows(np.array([0, 7]))


def test_a_row_that_is_not_finite_is_named_wherever_it_is(features):
    for value in (np.nan, np.inf):
        X = features[0].copy()
        X[47_113, 5] = value
        with pytest.raises(ValueError, match="the first is row 47113"):
            large.select(task(X, history(features), n_shards=3))
        with pytest.raises(ValueError, match="the first is row 47113"):
            large.select(task(X, Asked.nothing(), n_shards=3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_pool_of_one_record_repeated_gives_it_once_and_fills_the_rest(dtype):
    X = np.ones((large.LARGE + 10, 3), dtype)
    picks = large.select(task(X.astype(np.float32), Asked.nothing(), n_picks=5, control_ratio=0.0))
    assert len({pick.row for pick in picks}) == 5
    assert [pick.arm for pick in picks].count("herding") <= 1


def test_two_classes_score_as_the_model_itself_does(features):
    from curation.core import proxy
    from curation.core.arrays import Scaler

    X, y = features[0][:2000], (features[1][:2000] % 2).astype(np.int64)
    scaler = Scaler.of(X)
    for labels, n_classes in ((y, 2), (features[1][:2000].astype(np.int64), K)):
        model = proxy.fit(scaler(X), labels, np.ones(2000), n_classes)
        expected = proxy.margin_uncertainty(model.proba(scaler(X)))
        assert np.allclose(Linear.of(model, scaler).uncertainty(X), expected, atol=2e-3)

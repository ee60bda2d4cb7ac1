"""Large pools: the same contract as small ones, the same batch however the work is shared out, and every bad case."""

from dataclasses import replace

import numpy as np
import pytest

from curation.core import composition, herding, large, proxy, selection, sketch, subpool
from curation.core.arrays import Asked, Scaler
from curation.core.pool import Pool, ShardError
from curation.core.scoring import Linear, score, score_shard
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
    return subpool.Task(shards, asked, K, [selection.Rule(name, 1.0)], n_picks, control_ratio, seed)


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


def test_a_trusted_anchor_steers_where_most_of_the_pool_is_in_scope(features):
    X = features[0]
    is_foreign = X[:, 0] > np.quantile(X[:, 0], 0.75)
    anchor = X[np.random.default_rng(4).permutation(np.flatnonzero(~is_foreign))[:200]]
    usual = replace(task(X, Asked.nothing(), control_ratio=0.0), anchor=anchor)
    shares = [foreign_share(large.select(one), is_foreign) for one in (usual, replace(usual, trusts_anchor=True))]
    assert shares[1] < 0.7 * shares[0]


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
def test_the_batch_is_worth_nearly_what_exact_greedy_is(features, n_shards):
    X, asked = features[0], history(features)
    pool = Pool(tuple(np.array_split(X, n_shards)))
    ours = [pick.row for pick in large.select(task(X, asked, n_shards=n_shards, control_ratio=0.0))]
    scale = Scaler.of(pool.sample(np.random.default_rng(2)))
    S, A = scale(X), scale(X[asked.rows])
    model = Linear.of(proxy.fit_cleaned(A, asked.labels, asked.weights, K)[0], scale)
    some = np.sort(np.random.default_rng(5).choice(N, 12_000, replace=False))
    worth, width = model.uncertainty(X[some]), herding.kernel_width(A, np.arange(len(A)), 1.0)

    def gain(rows):
        before, after = (herding.coverage(S[some], rest, width) for rest in (A, np.concatenate([A, S[rows]])))
        return float((after - before) @ worth)

    exact = herding.herd(
        S[some],
        weights=worth.astype(np.float64),
        multiplier=np.ones(len(some)),
        covered_by=np.searchsorted(some, asked.rows[np.isin(asked.rows, some)]),
        allowed=~np.isin(some, asked.rows),
        group=np.arange(len(some)),
        width=width,
        n_picks=60,
        rng=np.random.default_rng(0),
    )
    chance = np.random.default_rng(6).choice(N, 60, replace=False)
    assert gain(ours) > 0.9 * gain(some[exact.rows])
    assert gain(chance) < 0.6 * gain(ours)


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


def linear(seed, shift=0.0):
    """A model of K classes by chance; shifted by a little where asked for."""
    rng = np.random.default_rng(seed)
    coef = rng.normal(size=(D, K)) + shift * np.random.default_rng(99).normal(size=(D, K))
    return Linear(np.column_stack([coef, np.ones(D)]).astype(np.float32), np.zeros(K + 1, np.float32))


def test_a_later_batch_scores_a_tenth_anew_and_leaves_the_rest(features):
    pool = Pool(tuple(np.array_split(features[0], 2)))
    old, model = score(pool, linear(1)), linear(1, shift=0.01)
    new = score(pool, model, old, [3])
    changed = new != old
    assert 0.05 <= changed.mean() <= 0.3
    assert np.array_equal(new[changed], score(pool, model)[changed])


def test_scores_of_a_model_that_is_too_far_off_are_not_kept(features):
    pool = Pool(tuple(np.array_split(features[0], 2)))
    assert np.array_equal(score(pool, linear(2), score(pool, linear(1)), [3]), score(pool, linear(2)))


def test_scores_left_from_the_batch_before_are_used_and_never_the_untrained_models(features):
    here = large.Here(task(features[0], Asked.nothing()).pool)
    large.select(task(features[0], Asked.nothing()), here)
    assert here.scores is None
    asked = history(features, 3000)
    large.select(task(features[0], asked), here)
    first = here.scores
    more = np.setdiff1d(np.arange(0, N, 1000), asked.rows)
    later = Asked(np.append(asked.rows, more), np.append(asked.labels, features[1][more]), np.ones(3000 + len(more)))
    picks = large.select(task(features[0], later), here)
    assert len({pick.row for pick in picks}) == 60
    assert 0 < np.mean(first != here.scores) < 0.5


def test_the_customers_own_numbers_say_what_is_worth_labeling(features):
    rng = np.random.default_rng(0)
    proba = np.tile([1.0, 0.0, 0.0, 0.0], (N, 1))
    unsure = rng.choice(N, 3000, replace=False)
    proba[unsure] = [0.5, 0.5, 0, 0]
    asked = history(features)
    usual = task(features[0], asked, control_ratio=0.0)
    for given in ({"given_proba": proba}, {"utility": np.isin(np.arange(N), unsure) * 7.0}):
        for rules in (usual.rules, [selection.Rule("margin", 1.0)]):
            picks = large.select(replace(usual, rules=rules, **given))
            assert np.mean(np.isin([pick.row for pick in picks], unsure)) > 0.7
            assert len({pick.row for pick in picks}) == 60
    with pytest.raises(ValueError, match=r"the first is row 7 with 0\.7"):
        replace(usual, given_proba=np.where(np.arange(N)[:, None] == 7, 0.175, proba))
    with pytest.raises(ValueError, match="utility must be"):
        replace(usual, utility=np.zeros(3))


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
    X, y = features[0][:2000], (features[1][:2000] % 2).astype(np.int64)
    scaler = Scaler.of(X)
    for labels, n_classes in ((y, 2), (features[1][:2000].astype(np.int64), K)):
        model = proxy.fit(scaler(X), labels, np.ones(2000), n_classes)
        expected = proxy.margin_uncertainty(model.proba(scaler(X)))
        assert np.allclose(Linear.of(model, scaler).uncertainty(X), expected, atol=2e-3)


def wishing(features, parts, **metadata):
    """A large task of the strategy that weighs wishes."""
    usual = task(features[0], history(features), "metadata_weighted", control_ratio=0.0)
    return replace(usual, composition=composition.parse({"parts": parts}), metadata=metadata)


DIVERSE = {"strategy": "diversity", "input": "embeddings"}


def test_wishes_find_the_few_rows_that_metadata_points_to(features):
    rare = np.random.default_rng(8).choice(N, 90, replace=False)
    is_rare = np.isin(np.arange(N), rare)

    def share_of_rare(part, **metadata):
        rows = [pick.row for pick in large.select(wishing(features, [DIVERSE, part], **metadata))]
        assert len(set(rows)) == 60
        return is_rare[rows].mean()

    sharp = {"strategy": "threshold", "input": "metadata:sharp", "operation": ">=", "value": 0.5}
    assert share_of_rare(sharp, sharp=is_rare * 1.0) == 1
    heavy = {"strategy": "weights", "input": "metadata:value", "strength": 9}
    assert share_of_rare(heavy, value=is_rare * 1.0) > 0.9
    balance = {"strategy": "balance", "input": "metadata:town", "strength": 9}  # of the 200 asked, none is of Lima
    assert share_of_rare(balance, town=np.where(is_rare, "Lima", "Oslo").astype(object)) > 0.9


def test_wishes_of_metadata_that_is_not_there_say_what_there_is(features):
    heavy = {"strategy": "weights", "input": "metadata:nope"}
    with pytest.raises(ValueError, match="reads metadata 'nope'; there are value"):
        large.select(wishing(features, [heavy], value=np.zeros(N)))

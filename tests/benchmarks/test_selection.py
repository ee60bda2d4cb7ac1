"""The selection benchmark: its mess is what it says, runs are paired and repeatable, an interrupted one goes on."""

import dataclasses

import numpy as np
import pytest

from benchmarks.selection import cells, mess, ours, play, player, pools, report, summary
from benchmarks.selection.cells import Cell
from benchmarks.selection.mess import COPY, DAMAGED, FOREIGN, SETTINGS, UNIQUE


@pytest.fixture(scope="module")
def small() -> play.Bench:
    return play.Bench(mess.make(pools.load("breast_cancer", 0, None), SETTINGS["dirty"], 0), 0)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_messy_pool_holds_the_shares_it_should(setting):
    pool = mess.make(pools.load("blobs", 3, None), SETTINGS[setting], 3)
    wanted, n = SETTINGS[setting], len(pool.X)
    for kind, share in ((COPY, wanted.copies), (FOREIGN, wanted.foreign), (DAMAGED, wanted.damaged)):
        assert (pool.kind == kind).sum() == int(share * n)
    assert (pool.answer[pool.kind == FOREIGN] == -1).all()
    good = np.isin(pool.kind, (UNIQUE, COPY))
    clean = mess.make(pools.load("blobs", 3, None), dataclasses.replace(wanted, wrong=0.0, wrong_by_class=False), 3)
    assert (pool.answer[good] != clean.answer[good]).mean() == pytest.approx(wanted.wrong, abs=0.12)
    assert len(pool.anchor) == mess.N_ANCHOR


@pytest.mark.parametrize("name", pools.DEFAULT)
def test_pools_are_drawn_anew_and_repeatable(name):
    one, again, other = (pools.load(name, seed, None) for seed in (1, 1, 2))
    assert np.array_equal(one.X, again.X)
    assert one.X.shape != other.X.shape or not np.array_equal(one.X, other.X)
    assert set(np.unique(one.y_test)) <= set(range(one.n_classes))


def test_runs_are_repeatable_and_cleaning_off_is_another_run(small):
    first = small.play(ours.chooser("auto"), is_cleaned=True)
    assert dataclasses.replace(small.play(ours.chooser("auto"), is_cleaned=True), cpu_s=first.cpu_s) == first
    assert small.play(ours.chooser("auto"), is_cleaned=False).accuracy != first.accuracy
    assert first.labels_to_reach % first.batch == 0
    assert 0 < first.aulc < 1.2


def test_the_ceiling_buys_no_junk_and_is_otherwise_the_reference(small):
    known = small.play(ours.all_knowing(small.pool), is_cleaned=True)
    assert known.junk == 0
    clean = play.Bench(mess.make(pools.load("breast_cancer", 0, None), SETTINGS["clean"], 0), 0)
    told = clean.play(ours.all_knowing(clean.pool), is_cleaned=True)
    usual = clean.play(ours.chooser(cells.REFERENCE), is_cleaned=True)
    assert told.accuracy == usual.accuracy


def test_a_chooser_that_repeats_itself_is_caught(small):
    with pytest.raises(ValueError, match="a second time"):
        small.play(lambda problem, n, rng: np.arange(n), is_cleaned=True)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    state = tmp_path / "state.jsonl"
    wanted = [Cell("breast_cancer", "dirty", 0, arm, True) for arm in ("random", "margin", "coverage")]
    for played in player.play(wanted[:2], None):
        cells.append(state, played)
    whole = state.read_bytes()
    state.write_bytes(whole[:-30])  # cut off in the middle of the second
    done = cells.read(state)
    assert [one.cell.arm for one in done] == ["random"]
    rest = cells.missing(iter(wanted), done)
    assert [cell.arm for cell in rest] == ["margin", "coverage"]
    for played in player.play(rest, None):
        cells.append(state, played)
    again = cells.read(state)
    assert [one.cell.arm for one in again] == ["random", "margin", "coverage"]
    report.write(again, tmp_path / "page", "a test")
    assert (tmp_path / "page.json").exists()


def test_differences_are_paired_by_place():
    def outcome(level: float) -> play.Outcome:
        return play.Outcome([level] * 4, 1.0, 10, 0.1, 0.0, 0, 0.0)

    played = [
        cells.Played(Cell("p", "dirty", seed, arm, True), outcome(level + seed / 10))
        for seed in range(4)
        for arm, level in (("auto", 0.52), ("uncertainty_herding", 0.5))
    ]
    pair = summary.paired(summary.tables(played, "dirty", is_cleaned=True), "auto")
    assert (pair.n, pair.difference, pair.error) == (4, pytest.approx(2), pytest.approx(0, abs=1e-9))
    assert summary.by_pool(summary.tables(played, "dirty", is_cleaned=True), "auto")["p"].difference == pytest.approx(2)

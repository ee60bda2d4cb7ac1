"""``manage.py select`` on pools too large to compare all rows: the same contract, from a sketch."""

import numpy as np
import pytest
from django.core.management import CommandError

from curation.core import large, strategies
from curation.offline import arrays, memory, pools
from tests.offline.files import read, write
from tests.offline.test_select import arrays as pool_of
from tests.offline.test_select import folder, keys, run  # noqa: F401 - a fixture

N = 200


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch):
    """Let the pool of two hundred be a large one, whose sample for the page leaves some out."""
    monkeypatch.setattr(large, "LARGE", 100)
    monkeypatch.setattr(large.sketch, "COLD", (120, 60))


def labeled(folder, n=40, n_rejected=4):  # noqa: F811
    rows = [(f"r{row}", "" if i < n_rejected else f"c{row % 3}", "blurred") for i, row in enumerate(range(0, 2 * n, 2))]
    return write(folder / "labels.csv", ("key", "label", "reason"), rows)


@pytest.mark.parametrize("name", strategies.names())
def test_every_strategy_gives_full_new_batches_round_by_round(folder, name):  # noqa: F811
    labels = labeled(folder)
    seen = set()
    for number in range(4):
        options = ("--labels", labels, "--state", folder / "s", "--strategy", name, "--control", 0.2)
        run(folder, *options, out=f"{number}.csv")
        picked = keys(folder, f"{number}.csv")
        assert len(set(picked)) == 10
        assert not seen & set(picked)
        assert not {f"r{row}" for row in range(0, 80, 2)} & set(picked)
        again = run(folder, *options, out=f"{number}.csv")
        assert "The same batch as before" in again
        assert keys(folder, f"{number}.csv") == picked
        seen |= set(picked)


def test_the_page_says_what_it_shows_and_picks_have_reasons(folder):  # noqa: F811
    said = run(folder, "--labels", labeled(folder))
    assert "10 records picked of 200" in said
    assert "sketch of this large pool" in said
    assert "Where the picks lie" in (folder / "picks.html").read_text()
    assert all(row["reason"].endswith(".") and float(row["utility"]) > 0 for row in read(folder / "picks.csv"))


def test_the_state_keeps_the_scores_and_nothing_as_large_as_the_pool(folder):  # noqa: F811
    run(folder, "--state", folder / "s")
    with np.load(folder / "s") as held:
        assert "scores_0" not in held.files, "there was no model to score with"
    run(folder, "--state", folder / "s", "--labels", labeled(folder), out="next.csv")
    with np.load(folder / "s") as held:
        assert held["scores_0"].shape == (N,)
        assert {name for name in held.files if held[name].ndim and len(held[name]) >= N} <= {"scores_0", "told"}


def test_a_later_batch_asks_for_the_smaller_sketch(folder, monkeypatch):  # noqa: F811
    sizes = []
    real = large.sketch.of_pool
    monkeypatch.setattr(large.sketch, "of_pool", lambda *args: sizes.append(args[3]) or real(*args))
    for number in range(2):
        run(folder, "--state", folder / "s", "--labels", labeled(folder), out=f"{number}.csv")
    assert sizes == [large.sketch.COLD, large.sketch.NEXT]


@pytest.mark.parametrize("given", ["proba", "utility"])
def test_the_customers_own_numbers_decide(folder, given):  # noqa: F811
    unsure = np.arange(N) % 10 == 7
    own = {"proba": np.where(unsure[:, None], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]), "utility": unsure * 3.0}
    np.savez(folder / "pool.npz", **pool_of(**{given: own[given]}))
    run(folder)
    assert {int(key[1:]) % 10 for key in keys(folder)} == {7}


def test_big_arrays_stay_on_disk_with_the_same_result(folder, monkeypatch):  # noqa: F811
    run(folder, out="read.csv")
    monkeypatch.setattr(arrays, "MAPPED_FROM", 0)
    assert isinstance(arrays.read_arrays(folder / "pool.npz")["X"], np.memmap)
    run(folder, out="mapped.csv")
    assert read(folder / "mapped.csv") == read(folder / "read.csv")
    content = bytearray((folder / "pool.npz").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "pool.npz").write_bytes(content)
    with pytest.raises(CommandError, match="checksum of array X is wrong"):
        run(folder, out="damaged.csv")
    assert not (folder / "damaged.csv").exists()


def test_bad_rows_are_named_or_left_out(folder):  # noqa: F811
    given = pool_of()
    given["X"][5, 1] = np.nan
    np.savez(folder / "pool.npz", **given)
    with pytest.raises(CommandError, match=r"row 6 \(key 'r5'\): X holds NaN"):
        run(folder)
    run(folder, "--skip-bad", size=199)
    assert set(keys(folder)) == {f"r{row}" for row in range(N)} - {"r5"}


def test_a_state_of_scores_that_does_not_fit_is_refused(folder):  # noqa: F811
    run(folder, "--state", folder / "s", "--labels", labeled(folder))
    known = memory.load(folder / "s", pools.load(folder / "pool.npz").fingerprint)
    known.arrays["scores_0"] = known.arrays["scores_0"][:-1]
    memory.save(folder / "s", known)
    with pytest.raises(CommandError, match="199 scores for 200 records"):
        run(folder, "--state", folder / "s", "--labels", labeled(folder), out="next.csv")


def test_regions_without_labels_are_told_of_the_sample(folder):  # noqa: F811
    labels = write(folder / "labels.csv", ("key", "label"), [(f"r{row}", f"c{row % 3}") for row in range(N) if row % 3])
    said = run(folder, "--labels", labels, size=30)
    assert "regions and causes of confusion show" in said
    assert "hold fewer labels than their share" in (folder / "picks.html").read_text()

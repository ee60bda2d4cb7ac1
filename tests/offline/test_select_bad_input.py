"""``manage.py select`` on input that cannot be used: a documented rule or a clear error with row numbers each."""

import numpy as np
import pytest
from django.core.management import CommandError

from tests.offline.files import read, write
from tests.offline.test_select import N, answered, arrays, folder, keys, label, run  # noqa: F401 - folder is a fixture


def spoiled(**more):
    return arrays() | more


def nan_rows():
    X = arrays()["X"].copy()
    X[3], X[7, 0] = np.nan, np.inf
    return X


BAD_POOLS = {
    "no X": ({"Y": np.ones((3, 2))}, "no array X; there are Y"),
    "flat": (spoiled(X=np.ones(N)), r"shape \(n, d\)"),
    "empty": (spoiled(X=np.ones((0, 4))), r"shape \(n, d\)"),
    "text": (spoiled(X=np.array([["a", "b"]] * N)), "X must be numbers"),
    "objects": (spoiled(key=np.array([object()] * N)), "holds Python objects"),
    "NaN": (spoiled(X=nan_rows()), r"row 4 \(key 'r3'\): X holds NaN or infinity\n.*row 8 .*\n2 bad rows; --skip-bad"),
    "keys too few": (spoiled(key=np.array(["a"])), r"key must have shape \(200,\)"),
    "key twice": (spoiled(key=np.array(["a"] * N)), "row 2: key 'a' is the same as in row 1"),
    "empty key": (spoiled(key=np.array(["a", " "] + [f"k{i}" for i in range(N - 2)])), "row 2: key is empty"),
    "proba sums": (spoiled(proba=np.full((N, 3), 0.4)), "row 1 .*proba sums to 1.2, not to one"),
    "proba negative": (spoiled(proba=np.tile([1.5, -0.5], (N, 1))), "row 1 .*proba is negative or NaN"),
    "proba shape": (spoiled(proba=np.ones((5, 2))), r"proba must be numbers of shape \(200, k\)"),
    "anchor shape": (spoiled(anchor=np.ones((5, 2))), r"anchor must be numbers of shape \(m, 6\)"),
    "anchor NaN": (spoiled(anchor=np.full((30, 6), np.nan)), "anchor row 1: NaN"),
    "utility": (spoiled(utility=np.append(np.ones(N - 1), np.nan)), "row 200 .*utility is not finite"),
    "classes": (spoiled(classes=np.array(["a", "a"])), "two or more different names"),
    "classes and proba": (spoiled(classes=np.array(["a", "b"]), proba=np.full((N, 4), 0.25)), "4 columns, classes 2"),
    "metadata": (spoiled(metadata_city=np.array(["x"])), "metadata_city must have shape"),
}


@pytest.mark.parametrize(("given", "words"), BAD_POOLS.values(), ids=BAD_POOLS)
def test_a_pool_that_cannot_be_used_is_explained_and_nothing_written(folder, given, words):  # noqa: F811
    np.savez(folder / "pool.npz", **given)
    with pytest.raises(CommandError, match=words):
        run(folder)
    assert not (folder / "picks.csv").exists()
    assert not (folder / "picks.html").exists()


def test_files_that_are_none(folder):  # noqa: F811
    with pytest.raises(CommandError, match="there is no such file"):
        run(folder, pool="nowhere.npz")
    for name in ("false.npz", "false.parquet"):
        (folder / name).write_bytes(b"PK\x03\x04 not really")
        with pytest.raises(CommandError, match="not a"):
            run(folder, pool=name)
    (folder / "cut.npz").write_bytes((folder / "pool.npz").read_bytes()[:-200])
    with pytest.raises(CommandError, match=r"neither an \.npz nor a Parquet"):
        run(folder, pool="cut.npz")


def test_skip_bad_leaves_rows_out_and_says_so(folder):  # noqa: F811
    np.savez(folder / "pool.npz", **spoiled(X=nan_rows()))
    said = run(folder, "--skip-bad", "--control", 0.5, size=198)
    assert "2 rows of the pool" in said
    assert not {"r3", "r7"} & set(keys(folder))
    assert len(keys(folder)) == 198
    assert "row 4 (key" in (folder / "picks.html").read_text()


BAD_LABELS = {
    "unknown key": ([("nobody", "a", "")], "row 2: key 'nobody' is not in the pool of 200"),
    "twice": ([("r1", "a", ""), ("r1", "b", "")], "row 3: key 'r1' was answered in an earlier row"),
    "neither": ([("r1", "", "")], "row 2: label is empty and there is no reason"),
    "no key": ([("", "a", "")], "row 2: key is empty"),
}


@pytest.mark.parametrize(("rows", "words"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_cannot_be_used_are_named_by_row(folder, rows, words):  # noqa: F811
    labels = label(folder, [*answered(["r50"]), *rows][::-1] if words.startswith("row 2: l") else rows)
    with pytest.raises(CommandError, match=words):
        run(folder, "--labels", labels)
    assert not (folder / "picks.csv").exists()
    label(folder, [*rows, *answered(["r50", "r51"])])
    assert "rows of labels were skipped" in run(folder, "--labels", labels, "--skip-bad")


def test_confidences_are_numbers_above_zero(folder):  # noqa: F811
    header = ("key", "label", "reason", "confidence")
    for value in ("high", "0", "1.5", "nan"):
        labels = write(folder / "labels.csv", header, [("r1", "a", "", value)])
        with pytest.raises(CommandError, match=f"row 2: confidence '{value}'"):
            run(folder, "--labels", labels)
    run(folder, "--labels", write(folder / "labels.csv", header, [("r1", "a", "", "0.7"), ("r2", "b", "", "")]))
    assert len(keys(folder)) == 10


@pytest.mark.parametrize("size", [201, 10_000])
def test_a_pool_smaller_than_the_batch_names_the_size_that_fits(folder, size):  # noqa: F811
    with pytest.raises(CommandError, match=r"200 records are left .*give --batch-size 200 or less"):
        run(folder, size=size)
    labels = label(folder, answered([f"r{row}" for row in range(N)]))
    with pytest.raises(CommandError, match="nothing is left to ask"):
        run(folder, "--labels", labels, size=1)


@pytest.mark.parametrize("X", [np.ones((N, 6)), np.zeros((N, 1))], ids=["constant", "one column"])
def test_duplicates_only_fill_the_batch_and_say_so(folder, X):  # noqa: F811
    np.savez(folder / "pool.npz", X=X)
    said = run(folder)
    assert len(set(keys(folder))) == 10
    assert "9 picks fill the batch" in said
    assert sum(row["reason"].startswith("Fills the batch") for row in read(folder / "picks.csv")) == 9


def test_one_class_all_rejected_and_classes_that_appear_later(folder):  # noqa: F811
    one = [(f"r{row}", "a", "") for row in range(9)]
    assert "no model yet" in run(folder, "--labels", label(folder, one))
    rejected = [(f"r{row}", "", "blurred") for row in range(9)]
    assert "Nothing could be labeled so far" in run(folder, "--labels", label(folder, rejected))
    later = [*answered([f"r{row}" for row in range(9)]), ("r30", "new class", "")]
    run(folder, "--labels", label(folder, later))
    assert len(set(keys(folder)) - {key for key, _, _ in later}) == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strategy", "nope"], "unknown strategy 'nope'; there are auto, badge"),
        (["--seed", "-1"], "must not be negative"),
        (["--control", "0.9"], "between 0 and 0.5"),
        (["--labels", "nowhere.csv"], "there is no such file"),
        (["--anchor", "nowhere.npz"], "there is no such file"),
    ],
)
def test_wrong_options_are_explained(folder, options, words):  # noqa: F811
    with pytest.raises(CommandError, match=words):
        run(folder, *options)


def test_wrong_sizes_and_places(folder):  # noqa: F811
    with pytest.raises(CommandError, match="at least 1"):
        run(folder, size=0)
    for out in (".", "picks.html"):
        with pytest.raises(CommandError, match="name of a CSV file"):
            run(folder, out=out)
    (folder / "file").write_text("in the way")
    with pytest.raises(CommandError, match="cannot write"):
        run(folder, out="file/picks.csv")

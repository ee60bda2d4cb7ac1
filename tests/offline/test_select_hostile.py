"""``manage.py select`` against odd files, names and neighbours: nothing lost, nothing twice, nothing unexplained."""

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError

from tests.offline.files import read
from tests.offline.test_select import N, answered, arrays, folder, keys, label, run  # noqa: F401 - folder is a fixture


@pytest.mark.parametrize(
    ("options", "out", "words"),
    [
        ([], "pool.npz", "--out would overwrite the pool"),
        (["--labels", "labels.csv"], "labels.csv", "--out would overwrite --labels"),
        (["--state", "picks.csv"], "picks.csv", "--state would overwrite --out"),
        (["--state", "picks.html"], "picks.csv", "--state would overwrite the page"),
        (["--state", "labels.csv", "--labels", "labels.csv"], "picks.csv", "--state would overwrite --labels"),
        (["--state", "link"], "picks.csv", "--state would overwrite the pool"),
    ],
)
def test_no_file_that_is_read_is_overwritten(folder, options, out, words):  # noqa: F811
    label(folder, answered(["r1", "r2"]))
    (folder / "link").symlink_to(folder / "pool.npz")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(CommandError, match=words):
        run(folder, *(folder / one if "." in one or one == "link" else one for one in options), out=out)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_calls_at_the_same_time_with_one_state_pick_different_records(folder):  # noqa: F811
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda at: run(folder, "--state", folder / "state", out=f"{at}.csv"), range(4)))
    picked = [key for at in range(4) for key in keys(folder, f"{at}.csv")]
    assert len(set(picked)) == len(picked) == 40
    assert not list(folder.glob(".*"))


def test_a_state_that_cannot_be_written_is_explained(folder):  # noqa: F811
    (folder / "file").write_text("in the way")
    with pytest.raises(CommandError, match=r"cannot write the state .*file/state"):
        run(folder, "--state", folder / "file" / "state")


def test_picks_without_answers_are_no_answers(folder):  # noqa: F811
    run(folder, "--state", folder / "state")
    said = run(folder, "--state", folder / "state", out="next.csv")
    assert "could be labeled" not in said
    assert "no model yet" not in said


def member(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def too_large():
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 8), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    ("content", "words"), [(b"no array", "X is no array"), (too_large(), "array X does not fit into memory")]
)
def test_members_of_an_archive_that_are_no_arrays(folder, content, words):  # noqa: F811
    member(folder / "odd.npz", "X.npy", content)
    with pytest.raises(CommandError, match=words):
        run(folder, pool="odd.npz")


def test_other_files_than_archives_are_named_without_bad_advice(folder):  # noqa: F811
    np.save(folder / "alone.npy", arrays()["X"])
    (folder / "text.npz").write_text("X,key\n")
    for name in ("alone.npy", "text.npz"):
        with pytest.raises(CommandError, match=r"\(not an archive, or cut short\)$"):
            run(folder, pool=name)


def test_lists_beside_the_features_of_a_parquet_file_are_left_alone(folder):  # noqa: F811
    columns = {"embedding": arrays()["X"].tolist(), "tags": [["a", "b"]] * N, "city": ["x"] * N}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "pool.parquet")
    assert "Arrays that were not used: tags." in run(folder, pool="pool.parquet")


def test_keys_of_every_kind_come_back_as_they_are(folder):  # noqa: F811
    odd = ['a,"b"', "new\nline", "cr\rx", "=1+1", "<b>&amp;", "e\u0301", "\u00e9", "01", "1", "x" * 9000]
    np.savez(folder / "pool.npz", X=arrays()["X"][: len(odd)], key=np.array(odd))
    run(folder, size=len(odd))
    assert sorted(keys(folder)) == sorted(odd)
    run(folder, "--labels", label(folder, [(key, "ab"[len(key) % 2], "") for key in odd[:-3]]), size=3)
    assert sorted(keys(folder)) == sorted(odd[-3:])


def test_keys_and_classes_may_be_bytes(folder):  # noqa: F811
    names = np.array([f"r{row}" for row in range(N)]).astype("S")
    np.savez(folder / "pool.npz", **arrays(key=names, classes=np.array([b"a", b"b", b"c"])))
    run(folder, "--labels", label(folder, answered(["r1", "r2", "r3"])))
    assert {key[0] for key in keys(folder)} == {"r"}


@pytest.mark.parametrize("name", ["\ud800", b"\xff"])
def test_keys_that_are_no_text_are_named(folder, name):  # noqa: F811
    named = np.array([name, *(f"r{row}" for row in range(1, N))]) if isinstance(name, str) else None
    given = np.array([name] + [b"r%d" % row for row in range(1, N)]) if named is None else named
    np.savez(folder / "pool.npz", **arrays(key=given))
    with pytest.raises(CommandError, match="row 1: key holds something that is no UTF-8 text"):
        run(folder)


def test_whole_numbers_may_have_got_decimals_on_their_way_through_a_table(folder):  # noqa: F811
    proba = np.full((N, 3), 1 / 3)
    np.savez(folder / "pool.npz", X=arrays()["X"], key=np.arange(N), proba=proba)
    run(folder, "--labels", label(folder, [("0", "0", ""), ("1.0", "1.0", ""), ("2.00", "", "blurred")]))
    assert not {"0", "1", "2"} & set(keys(folder))
    np.savez(folder / "pool.npz", X=arrays()["X"], classes=np.array(["1", "1.0"]))
    run(folder, "--labels", label(folder, [("0", "1", ""), ("1", "1.0", "")]))  # both are classes of their own


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("r1,a,\nr2,,blurred, dark\n", "line 3: 4 values, the header names 3; quote values that hold commas"),
        ("r1,,dark,0.5\n", "line 2: 4 values"),
        ('r1,"a,\nr2,b,\n', "unexpected end of data"),
    ],
)
def test_labels_that_are_cut_or_have_stray_commas_are_refused(folder, text, words):  # noqa: F811
    (folder / "labels.csv").write_text("key,label,reason\n" + text)
    with pytest.raises(CommandError, match=words):
        run(folder, "--labels", folder / "labels.csv")


def test_blank_rows_and_trailing_commas_of_a_spreadsheet_say_nothing(folder):  # noqa: F811
    (folder / "labels.csv").write_bytes(b"\xef\xbb\xbfkey,label,reason\r\nr1,a,,\r\n,,\r\n  \r\n\r\nr2,b,,,\r\n")
    run(folder, "--labels", folder / "labels.csv")
    assert not {"r1", "r2"} & set(keys(folder))


def test_probabilities_may_be_rounded_but_must_be_of_two_classes(folder):  # noqa: F811
    rng = np.random.default_rng(0)
    for proba in (rng.dirichlet(np.ones(10), N).round(3), rng.dirichlet(np.ones(3), N).astype(np.float16)):
        np.savez(folder / "pool.npz", **arrays(proba=proba))
        run(folder)
    for k in (0, 1):
        np.savez(folder / "pool.npz", **arrays(proba=np.ones((N, k))))
        with pytest.raises(CommandError, match=f"proba needs a column for each of two or more classes; it has {k}"):
            run(folder)


def test_a_parquet_file_of_labels_may_have_confidences_without_reasons(folder):  # noqa: F811
    columns = {"confidence": [0.4, 0.6], "label": ["a", None], "key": ["r1", "r2"]}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "labels.parquet")
    with pytest.raises(CommandError, match="row 2: label is empty and there is no reason"):
        run(folder, "--labels", folder / "labels.parquet")


def test_a_few_far_off_records_do_not_squash_the_map(folder):  # noqa: F811
    X = arrays()["X"]
    X[0] += 1e4
    np.savez(folder / "pool.npz", **arrays(X=X))
    run(folder)
    drawn = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="1.6"', (folder / "picks.html").read_text())
    for axis in zip(*drawn, strict=True):
        assert np.ptp(np.quantile([float(value) for value in axis], [0.1, 0.9])) > 100


def test_a_thousand_classes_are_folded_away_and_named_in_reasons(folder):  # noqa: F811
    labels = label(folder, [(f"r{row}", f"<b>{row % 90}", "") for row in range(180)])
    run(folder, "--labels", labels)
    page = (folder / "picks.html").read_text()
    assert "<details><summary>90 classes" in page
    assert "<b>7" not in page
    assert any("hesitates between '<b>" in row["reason"] for row in read(folder / "picks.csv"))

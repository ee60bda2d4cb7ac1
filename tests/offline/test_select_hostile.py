"""``manage.py select`` against odd files, names and neighbours: nothing lost, nothing twice, nothing unexplained."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError

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

"""``manage.py drift``: batches as files in, a verdict on each out."""

import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.offline.files import read


@pytest.fixture
def folder(tmp_path):
    """A reference, a season, and batches: usual, of the season, drifted."""
    rng = np.random.default_rng(0)
    shifts = {"usual": (600, 0.0), "cold": (600, 1.5), "monday": (80, 0.0), "january": (80, 1.5), "broken": (80, -3.0)}
    for name, (n, shift) in shifts.items():
        np.savez(tmp_path / f"{name}.npz", X=(rng.normal(size=(n, 5)) + shift).astype(np.float32))
    return tmp_path


def run(folder, *options, batches=("monday", "january", "broken")):
    said = io.StringIO()
    files = [str(folder / f"{name}.npz") for name in ("usual", *batches)]
    call_command("drift", *files, *map(str, options), stdout=said)
    return said.getvalue()


def test_each_batch_has_a_verdict_with_words(folder):
    said = run(folder, "--season", f"winter={folder / 'cold.npz'}", "--out", folder / "drift.csv")
    rows = read(folder / "drift.csv")
    assert [(row["batch"], row["verdict"], row["season"]) for row in rows] == [
        ("monday", "as usual", ""),
        ("january", "season", "winter"),
        ("broken", "drift", ""),
    ]
    assert "features" in rows[2]["ways"]
    assert float(rows[2]["p"]) < 0.0025
    assert all(row["words"] in said for row in rows)
    assert "january: season 'winter'." in said


def test_the_same_files_give_the_same_verdicts(folder):
    assert run(folder) == run(folder)
    assert "january: drift." in run(folder)


def test_what_cannot_be_used_is_named(folder):
    np.savez(folder / "narrow.npz", X=np.zeros((40, 2), np.float32))
    np.savez(folder / "few.npz", X=np.zeros((3, 5), np.float32))
    for batches, options, words in (
        (("narrow",), (), "narrow.npz: a batch has 2 features, the reference 5"),
        (("few",), (), "few.npz: a batch needs at least 10 records, got 3"),
        (("nowhere",), (), "there is no such file"),
        (("monday",), ("--season", "winter"), "NAME=FILE"),
        (("monday",), ("--season", f"short={folder / 'few.npz'}"), "few.npz: a reference needs at least 100"),
        (("monday",), ("--seed", -1), "must not be negative"),
    ):
        with pytest.raises(CommandError, match=words):
            run(folder, *options, "--out", folder / "out.csv", batches=batches)
    assert not (folder / "out.csv").exists()

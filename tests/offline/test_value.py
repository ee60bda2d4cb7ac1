"""``manage.py value``: pool and labels in; values, stored runs and a page out."""

import csv
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from curation.offline import value_page
from tests.offline.files import write

N = 300
FILES = ("value.csv", "removal.json", "value.html")


@pytest.fixture
def folder(tmp_path):
    """A folder with records of three kinds, 300 of 350 labeled, a fifth of the labels wrong, five rejected."""
    rng = np.random.default_rng(0)
    y = np.arange(350) % 3
    X = (rng.standard_normal((350, 8)) + 4 * np.eye(8)[y]).astype(np.float32)
    np.savez(tmp_path / "pool.npz", X=X, key=np.array([f"r{row}" for row in range(350)]))
    given = [(y[row] + (row % 5 == 0)) % 3 for row in range(N)]
    rows = [(f"r{row}", f"kind {label}", "") for row, label in enumerate(given)]
    write(
        tmp_path / "labels.csv",
        ("key", "label", "reason"),
        [*rows, *((f"r{n}", "", "blurred") for n in range(N, N + 5))],
    )
    return tmp_path


def run(folder, *options, out="out"):
    said, notes = io.StringIO(), io.StringIO()
    given = [str(folder / "pool.npz"), "--labels", str(folder / "labels.csv"), "--out", str(folder / out)]
    call_command("value", *given, *map(str, options), verbosity=0, stdout=said, stderr=notes)
    return said.getvalue() + notes.getvalue()


def test_values_runs_and_page_are_written(folder):
    said = run(folder, "--splits", 5)
    table = list(csv.DictReader((folder / "out" / "value.csv").open()))
    told = json.loads((folder / "out" / "removal.json").read_text())
    assert [int(row["rank"]) for row in table] == list(range(1, N + 1))
    assert {row["key"] for row in table} == {f"r{row}" for row in range(N)}
    assert {row["label"] for row in table} == {"kind 0", "kind 1", "kind 2"}
    values = [float(row["value"]) for row in table]
    assert values == sorted(values, reverse=True)
    worst = [int(row["key"][1:]) for row in table[-30:]]
    assert np.mean([row % 5 == 0 for row in worst]) > 0.8
    assert (told["records"], told["measured"], told["splits"], told["seed"], told["classes"]) == (N, N, 5, 0, 3)
    assert told["train"] + told["valid"] + told["test"] == N
    assert len(told["fingerprint"]) == 64
    assert np.shape(told["runs"]["worst"]) == (5, len(told["fractions"]))
    assert said.startswith("Harmful labels: ")
    assert "measured against the labels as given" in said


def test_the_page_is_made_of_the_stored_runs_alone(folder):
    run(folder, "--splits", 5)
    text = (folder / "out" / "value.html").read_text()
    told = json.loads((folder / "out" / "removal.json").read_text())
    assert text == value_page.page(told).decode()
    assert text.count("<svg") == 2
    assert text.count("<polygon") == 4
    assert "://" not in text
    assert "src=" not in text
    for name in ("harmful", "useless"):
        told[name]["is_shown"] = False
    assert value_page.page(told).decode().count("<dd>not shown</dd>") >= 2
    told["harmful"] = {"share": 0.2, "low": 0.1, "high": 0.3, "is_shown": True}
    assert "<dd>20% (95 %: 10% to 30%)</dd>" in value_page.page(told).decode()


def test_changes_are_those_of_the_stored_scores(folder):
    run(folder, "--splits", 5)
    told = json.loads((folder / "out" / "removal.json").read_text())
    runs = {name: np.array(scores) for name, scores in told["runs"].items()}
    gain = runs["worst"] - runs["whole"][:, None]
    assert [one["mean"] for one in told["change"]["worst"]] == pytest.approx(list(gain.mean(axis=0)))
    beaten = (runs["worst"] - runs["random"]).mean(axis=0)
    assert [one["mean"] for one in told["against_random"]["worst"]] == pytest.approx(list(beaten))


def test_the_same_call_gives_the_same_files_and_another_seed_others(folder):
    for out, seed in (("out", 1), ("again", 1), ("other", 2)):
        run(folder, "--splits", 5, "--seed", seed, out=out)
    assert all((folder / "out" / name).read_bytes() == (folder / "again" / name).read_bytes() for name in FILES)
    assert (folder / "out" / "removal.json").read_bytes() != (folder / "other" / "removal.json").read_bytes()


BAD = {
    "splits": (("--splits", "4"), "--splits must be at least 5, got 4"),
    "seed": (("--seed", "-1"), "--seed must be at least 0, got -1"),
    "margin": (("--margin", "0"), "--margin must lie between 0 and 100 points, got 0"),
    "margin that is no number": (("--margin", "nan"), "--margin must lie between 0 and 100 points"),
}


@pytest.mark.parametrize(("options", "words"), BAD.values(), ids=BAD)
def test_options_that_cannot_be_used_are_named_and_nothing_is_written(folder, options, words):
    with pytest.raises(CommandError, match=words):
        run(folder, *options)
    assert not (folder / "out").exists()


LABELS = {
    "none": ([], "no record is labeled; removal curves need 40"),
    "only rejected": ([("r1", "", "blurred")], "no record is labeled; removal curves need 40"),
    "few": ([(f"r{row}", "ab"[row % 2], "") for row in range(39)], "39 records are labeled; removal curves need 40"),
    "one class": ([(f"r{row}", "a", "") for row in range(60)], "all 60 labels are of one class"),
    "unknown key": ([("r1", "a", ""), ("nobody", "a", "")], "row 3: key 'nobody' is not in the pool of 350"),
    "twice": ([("r1", "a", ""), ("r1", "b", "")], "row 3: key 'r1' was answered in an earlier row already"),
}


@pytest.mark.parametrize(("rows", "words"), LABELS.values(), ids=LABELS)
def test_labels_that_cannot_be_used_are_named_and_nothing_is_written(folder, rows, words):
    write(folder / "labels.csv", ("key", "label", "reason"), rows)
    with pytest.raises(CommandError, match=words):
        run(folder)
    assert not (folder / "out").exists()


def test_a_place_that_cannot_be_written_is_named(folder):
    (folder / "taken").write_text("mine")
    with pytest.raises(CommandError, match="taken is a file; name a folder"):
        run(folder, out="taken")
    assert (folder / "taken").read_text() == "mine"
    with pytest.raises(CommandError, match="cannot write"):
        run(folder, "--splits", 5, out="taken/below")


def test_what_is_read_is_never_overwritten(folder):
    (folder / "labels.csv").rename(folder / "value.csv")
    before = (folder / "value.csv").read_bytes()
    given = [str(folder / "pool.npz"), "--labels", str(folder / "value.csv"), "--out", str(folder)]
    with pytest.raises(CommandError, match="would overwrite"):
        call_command("value", *given, verbosity=0)
    assert (folder / "value.csv").read_bytes() == before


def test_bad_rows_stop_the_command_or_are_left_out_and_counted(folder):
    with (folder / "labels.csv").open("a") as file:
        file.write("nobody,kind 1,\n")
    with pytest.raises(CommandError, match="--skip-bad leaves them out"):
        run(folder, "--splits", 5)
    assert "1 rows were skipped." in run(folder, "--splits", 5, "--skip-bad")

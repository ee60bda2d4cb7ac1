"""``manage.py select``: array files in, picks with reasons out; resumable, whole or not at all, no database."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from curation.core import duplicates, relevance, spreading, strategies
from curation.core.strategies import drawing
from curation.offline import memory, selecting
from tests.offline.files import read, write

N, D = 200, 6
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A folder with a pool of three blobs under text keys."""
    np.savez(tmp_path / "pool.npz", **arrays())
    return tmp_path


def arrays(**more):
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    X = ((rng.normal(size=(3, D)) * 4)[y] + rng.normal(size=(N, D))).astype(np.float32)
    return {"X": X, "key": np.array([f"r{row}" for row in range(N)])} | more


def run(folder, *options, pool="pool.npz", out="picks.csv", size=10):
    said, notes = io.StringIO(), io.StringIO()
    call_command(
        "select",
        str(folder / pool),
        "--batch-size",
        str(size),
        "--out",
        str(folder / out),
        *map(str, options),
        verbosity=0,
        stdout=said,
        stderr=notes,
    )
    return said.getvalue() + notes.getvalue()


def keys(folder, out="picks.csv"):
    return [row["key"] for row in read(folder / out)]


def label(folder, rows, name="labels.csv"):
    return write(folder / name, ("key", "label", "reason"), rows)


def answered(names):
    return [(name, "abc"[int(name[1:]) % 3], "") for name in names]


def test_writes_picks_and_a_page(folder):
    said = run(folder)
    rows = read(folder / "picks.csv")
    assert list(rows[0]) == ["rank", "key", "utility", "reason"]
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 11)]
    assert len({row["key"] for row in rows}) == 10
    assert all(row["reason"].endswith(".") and np.isfinite(float(row["utility"])) for row in rows)
    assert "10 records picked of 200" in said
    page = (folder / "picks.html").read_text()
    assert page.count("<circle") >= 10
    assert all(row["reason"].split(";")[0] in page for row in rows)
    assert sorted(path.name for path in folder.iterdir()) == ["picks.csv", "picks.html", "pool.npz"]


def test_rounds_with_growing_labels_never_repeat_a_record(folder):
    seen: list[str] = []
    for _ in range(4):
        run(folder, *(["--labels", label(folder, answered(seen))] if seen else []))
        assert not set(seen) & set(keys(folder))
        seen += keys(folder)
    assert len(seen) == 40


@pytest.mark.parametrize("name", strategies.names())
def test_every_strategy_by_name(folder, name):
    labels = label(folder, [*answered([f"r{row}" for row in range(12)]), ("r20", "", "corrupted")])
    run(folder, "--labels", labels, "--strategy", name)
    first = keys(folder)
    run(folder, "--labels", labels, "--strategy", name)
    assert first == keys(folder)
    assert len(set(first)) == 10
    assert not set(first) & {f"r{row}" for row in (*range(12), 20)}


def test_parquet_gives_the_same(folder):
    run(folder)
    expected = (folder / "picks.csv").read_bytes()
    given = arrays()
    table = pyarrow.table({"key": given["key"], "embedding": list(given["X"]), "city": ["x"] * N})
    pyarrow.parquet.write_table(table, folder / "pool.parquet")
    run(folder, pool="pool.parquet")
    assert (folder / "picks.csv").read_bytes() == expected


def test_own_probabilities_anchor_and_row_numbers_as_keys(folder):
    given = arrays()
    proba = np.tile([0.98, 0.01, 0.01], (N, 1))
    proba[50:70] = 1 / 3
    np.savez(folder / "own.npz", X=given["X"], proba=proba, anchor=given["X"][:60])
    labels = label(folder, [("0", "0", ""), ("1", "2", "")])
    run(folder, "--labels", labels, "--strategy", "margin", pool="own.npz")
    assert {int(key) for key in keys(folder)} <= set(range(50, 70))
    label(folder, [("0", "cat", "")])
    with pytest.raises(CommandError, match="label 'cat' is none of 0, 1, 2"):
        run(folder, "--labels", labels, pool="own.npz")


def test_a_utility_worked_out_elsewhere_ranks(folder):
    np.savez(folder / "pool.npz", **arrays(utility=np.arange(N)))
    run(folder, "--strategy", "utility")
    assert keys(folder) == [f"r{row}" for row in range(N - 1, N - 11, -1)]


def test_wishes_weigh_metadata(folder):
    np.savez(folder / "pool.npz", **arrays(metadata_sharp=np.arange(N)))
    (folder / "wishes.json").write_text(json.dumps({"parts": [{"strategy": "weights", "input": "metadata:sharp"}]}))
    run(folder, "--strategy", "metadata_weighted", "--wishes", folder / "wishes.json")
    assert keys(folder)[0] == f"r{N - 1}"
    (folder / "wishes.json").write_text(json.dumps({"parts": [{"strategy": "magic", "input": "x"}]}))
    with pytest.raises(CommandError, match=r"wishes.json, parts\[0\].strategy: choose one of"):
        run(folder, "--strategy", "metadata_weighted", "--wishes", folder / "wishes.json")
    with pytest.raises(CommandError, match="belong to"):
        run(folder, "--wishes", folder / "wishes.json")


def test_the_state_remembers_picks_without_answers(folder):
    state = folder / "state.npz"
    run(folder, "--state", state, out="one.csv")
    run(folder, "--state", state, out="two.csv")
    assert not set(keys(folder, "one.csv")) & set(keys(folder, "two.csv"))
    before = (folder / "one.csv").read_bytes()
    (folder / "one.csv").unlink()
    assert "same batch as before" in run(folder, "--state", state, out="one.csv")
    assert (folder / "one.csv").read_bytes() == before
    labels = label(folder, answered(keys(folder, "one.csv")))
    run(folder, "--state", state, "--labels", labels, out="one.csv")
    assert not set(keys(folder, "one.csv")) & set(keys(folder, "two.csv"))


def test_the_state_changes_no_result(folder):
    labels = label(folder, [*answered([f"r{row}" for row in range(12)]), ("r20", "", "corrupted")])
    run(folder, "--labels", labels)
    without = (folder / "picks.csv").read_bytes()
    run(folder, "--state", folder / "s.npz", out="other.csv")
    held = memory.load(folder / "s.npz", memory_of(folder))
    assert set(held.arrays) == {"group_0"}
    run(folder, "--state", folder / "t.npz", "--labels", labels)
    assert (folder / "picks.csv").read_bytes() == without


def test_a_later_round_works_nothing_out_anew_and_picks_the_same(folder, monkeypatch):
    state, first = folder / "s.npz", [*answered([f"r{row}" for row in range(12)]), ("r20", "", "foreign")]
    run(folder, "--state", state, "--labels", label(folder, first))
    further = label(folder, [*first, *answered(keys(folder)[:8]), (keys(folder)[8], "", "foreign")])
    run(folder, "--labels", further, out="without.csv")
    for module, name in ((duplicates, "groups"), (relevance, "atypicality"), (spreading, "neighbourhood")):
        monkeypatch.setattr(module, name, None)
    run(folder, "--state", state, "--labels", further, out="with.csv")
    assert set(keys(folder, "with.csv")) - set(keys(folder)) == set(keys(folder, "with.csv"))
    assert keys(folder, "with.csv")[:5] == [key for key in keys(folder, "without.csv") if key not in keys(folder)][:5]


def memory_of(folder):
    with np.load(folder / "s.npz") as archive:
        return json.loads(bytes(archive["told"]))["pool"]


def test_an_interrupted_run_is_resumed_with_the_same_result(folder):
    rng = np.random.default_rng(0)
    np.savez(folder / "big.npz", X=rng.normal(size=(6000, 20)).astype(np.float32))
    labels = write(folder / "labels.csv", ("key", "label", "reason"), [(r, r % 3 or "", "blur") for r in range(60)])
    command = [sys.executable, str(ROOT / "manage.py"), "select", str(folder / "big.npz"), "--batch-size", "30"]
    command += ["--labels", str(labels), "--verbosity", "0", "--out", str(folder / "picks.csv")]
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {"LABELYARD_HOME": str(folder / "home")}
    done = subprocess.run([*command, "--state", str(folder / "whole.npz")], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = (folder / "picks.csv").read_bytes()
    (folder / "picks.csv").unlink()
    state = folder / "cut.npz"
    started = subprocess.Popen(
        [*command, "--state", str(state)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert not [path for path in folder.iterdir() if path.name == "picks.csv" and path.read_bytes() != expected]
    again = subprocess.run([*command, "--state", str(state)], env=env, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    assert (folder / "picks.csv").read_bytes() == expected


@pytest.mark.parametrize("spoil", ["flip", "cut", "text", "other pool"])
def test_a_damaged_state_is_refused_with_the_way_out(folder, spoil):
    state = folder / "state.npz"
    run(folder, "--state", state)
    data = bytearray(state.read_bytes())
    if spoil == "flip":
        held = dict(np.load(state))
        held["group_0"][0] += 1
        np.savez(state, **held)
    elif spoil == "other pool":
        np.savez(folder / "pool.npz", **arrays(utility=np.ones(N)))
    else:
        state.write_bytes(data[:-50] if spoil == "cut" else b"not a state")
    with pytest.raises(CommandError, match="give another --state"):
        run(folder, "--state", state)


class _Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not any(name in {"src", "href"} for name, _ in attributes)


def test_names_from_files_cannot_inject_markup_and_the_page_needs_nothing_else(folder):
    names = [f"<script>alert({row})</script>" for row in range(N)]
    np.savez(folder / "pool.npz", **arrays(key=np.array(names)))
    run(folder)
    page = _Texts()
    page.feed((folder / "picks.html").read_text())
    assert "script" not in page.tags
    assert page.tags.count("svg") == 1


def test_near_copies_passed_over_are_told(folder):
    given = arrays()
    given["X"][100:] = given["X"][:100] + 1e-5
    np.savez(folder / "pool.npz", **given)
    run(folder, "--labels", label(folder, answered(["r0", "r1", "r2"])))
    page = (folder / "picks.html").read_text()
    assert "Near copies of a record that was asked before." in page
    assert "Near copies of a record in this batch." in page


def test_the_page_says_why_the_model_is_confused(folder):
    given = arrays()
    given["X"] = np.random.default_rng(3).normal(size=given["X"].shape).astype(np.float32)
    np.savez(folder / "pool.npz", **given)
    keys = [f"r{row}" for row in range(40)]
    run(folder, "--labels", label(folder, answered(keys)))
    page = (folder / "picks.html").read_text()
    assert "Why the model is confused" in page
    assert "labeled records" in page


def test_csv_quotes_what_needs_it(folder):
    np.savez(folder / "pool.npz", **arrays(key=np.array([f'a,"{row}"\n' for row in range(N)])))
    run(folder)
    with (folder / "picks.csv").open(newline="") as file:
        assert all(row["key"].startswith('a,"') for row in csv.DictReader(file))


def test_a_portfolio_remembers_its_turns_in_the_state(folder):
    state = folder / "pool.state"
    labeled = []
    for number in range(4):
        labels = ["--labels", label(folder, answered(labeled))] if labeled else []
        run(folder, *labels, "--state", state, "--strategy", "portfolio", "--control", 0.2, out=f"{number}.csv")
        assert not set(labeled) & set(keys(folder, f"{number}.csv"))
        labeled += keys(folder, f"{number}.csv")
    pool = selecting.pools.load(folder / "pool.npz")
    batches = memory.load(state, pool.fingerprint).batches
    turns = drawing.turns_of([selecting._again(batch, pool) for batch in batches])
    assert [len(turn.rows) for turn in turns] == [10] * 4
    assert all(0 < turn.probability <= 1 for turn in turns)
    assert sum("drawn at a chance of" in row["reason"] for row in read(folder / "3.csv")) == 8

"""``manage.py tune``: pool and labels in, the setup that would have served best out."""

import csv
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from sklearn.datasets import load_digits

from curation.core import strategies
from tests.offline.files import write

N = 150


@pytest.fixture
def folder(tmp_path):
    """A folder with scans, 150 of them labeled, every tenth of those as "cannot be labeled"."""
    X, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "pool.npz", X=X[:400].astype(np.float32), key=np.array([f"r{row}" for row in range(400)]))
    rows = [(f"r{row}", "" if row % 10 == 9 else y[row], "blurred" if row % 10 == 9 else "") for row in range(N)]
    write(tmp_path / "labels.csv", ("key", "label", "reason"), rows)
    return tmp_path


def run(folder, *options, out="tune.json"):
    said, notes = io.StringIO(), io.StringIO()
    given = [str(folder / "pool.npz"), "--labels", str(folder / "labels.csv"), "--out", str(folder / out)]
    call_command("tune", *given, *map(str, options), verbosity=0, stdout=said, stderr=notes)
    return said.getvalue() + notes.getvalue()


FEW = (
    "--strategies",
    "margin,random,auto:0.5+margin:0.5",
    "--batch-sizes",
    "10,20",
    "--budget",
    "40",
    "--repeats",
    "8",
)


def test_the_best_setup_is_named_with_how_all_stood(folder):
    said = run(folder, *FEW)
    found = json.loads((folder / "tune.json").read_text())
    table = list(csv.DictReader((folder / "tune.csv").open()))
    assert found["records"] == N
    assert found["cannot_be_labeled"] == 15
    assert found["chosen"]["rounds"] == 40 // found["chosen"]["batch_size"]
    assert sum(rule["share"] for rule in found["chosen"]["rules"]) == 1
    assert {rule["strategy"] for rule in found["chosen"]["rules"]} <= set(strategies.names())
    assert len(table) == len(found["setups"]) == 6
    assert table[0]["setup"] == found["setups"][0]["setup"]
    assert said.startswith(table[0]["setup"] + " served best of 6 setups")
    assert found["rounds_replayed"] <= 0.2 * found["rounds_of_the_grid"]
    assert "Replays choose among records that are labeled" in said
    assert float(table[0]["mean_accuracy"]) > 0.3


def test_the_same_call_gives_the_same_files(folder):
    run(folder, *FEW)
    run(folder, *FEW, out="again.json")
    assert (folder / "tune.json").read_bytes() == (folder / "again.json").read_bytes()
    assert (folder / "tune.csv").read_bytes() == (folder / "again.csv").read_bytes()


BAD = {
    "strategy": (("--strategies", "best"), "'best': there is no strategy 'best'; choose one of"),
    "share": (("--strategies", "auto:x+margin:0.2"), "the share 'x' in 'auto:x\\+margin:0.2' is no number"),
    "shares": (("--strategies", "auto:0.5+margin:0.2"), "'auto:0.5\\+margin:0.2': the shares sum to 0.7"),
    "no strategy": (("--strategies", ","), "0 setups were given"),
    "batch": (("--batch-sizes", "10,x"), "--batch-sizes must be whole numbers above 0"),
    "no batch": (("--batch-sizes", "0"), "--batch-sizes must be whole numbers above 0"),
    "budget": (("--budget", "4000"), "a budget of 4000 is wanted; replays choose among"),
    "no budget": (("--budget", "0"), "--budget must be at least 1, got 0"),
    "repeats": (("--repeats", "1"), "--repeats must be at least 2, got 1"),
    "cost": (("--cost", "0"), "--cost must lie above 0"),
    "round cost": (("--round-cost", "-1"), "--round-cost must be at least 0"),
    "seed": (("--seed", "-1"), "--seed must be at least 0"),
    "dear round": (("--round-cost", "100", "--budget", "40", "--batch-sizes", "10"), "pays for no round of 10"),
}


@pytest.mark.parametrize(("options", "words"), BAD.values(), ids=BAD)
def test_options_that_cannot_be_used_are_named_and_nothing_is_written(folder, options, words):
    with pytest.raises(CommandError, match=words):
        run(folder, *options)
    assert not (folder / "tune.json").exists()


def test_files_that_cannot_be_used_are_named(folder):
    with pytest.raises(CommandError, match="must be the name of a JSON file"):
        run(folder, out="tune.csv")
    write(folder / "labels.csv", ("key", "label", "reason"), [("r1", "a", ""), ("nobody", "a", "")])
    with pytest.raises(CommandError, match="row 3: key 'nobody' is not in the pool"):
        run(folder)
    write(folder / "labels.csv", ("key", "label", "reason"), [(f"r{row}", "ab"[row % 2], "") for row in range(12)])
    with pytest.raises(CommandError, match="12 records of 2 classes are labeled; replays need 40"):
        run(folder)

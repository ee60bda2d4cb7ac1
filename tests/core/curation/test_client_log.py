"""The writer of training logs: no id in any byte, whole shards only, numbers exact to half precision."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from scipy import special

from curation.client_log import COLUMNS, CurationLog, measures
from curation.core import utilities
from curation.offline import training_log

SECRET = b"a secret of the customer"
ROOT = Path(__file__).parents[3]


def shards(folder):
    return sorted(folder.glob("*.parquet"))


def test_numbers_are_those_of_the_softmax():
    logits = np.random.default_rng(0).normal(size=(50, 5)) * 30
    y = np.arange(50) % 5
    told = measures(logits, y)
    proba, rows = special.softmax(logits, axis=1), np.arange(50)
    ranked = np.sort(logits, axis=1)
    rival = np.where(logits.argmax(axis=1) == y, ranked[:, -2], ranked[:, -1])
    assert told["p_label"] == pytest.approx(proba[rows, y])
    assert told["loss"] == pytest.approx(special.logsumexp(logits, axis=1) - logits[rows, y])
    assert told["margin"] == pytest.approx(logits[rows, y] - rival)
    assert told["top1"].tolist() == logits.argmax(axis=1).tolist()
    assert told["top2"].tolist() == np.argsort(-logits, axis=1)[:, 1].tolist()
    assert told["top1_p"] == pytest.approx(proba.max(axis=1))
    assert told["top2_p"] == pytest.approx(np.sort(proba, axis=1)[:, -2])
    assert told["entropy"] == pytest.approx(special.entr(proba).sum(axis=1), abs=1e-9)
    assert told["logsumexp"] == pytest.approx(special.logsumexp(logits, axis=1))


def test_keys_are_keyed_and_no_id_is_in_any_byte(tmp_path):
    ids = [f"patient-{at}-maier" for at in range(300)]
    for place, secret in (("a", SECRET), ("b", b"another secret of theirs")):
        with CurationLog(tmp_path / place, secret=secret) as log:
            log.update(ids, np.zeros((300, 3)), np.zeros(300, int), epoch=0)
    kept = [b"".join(path.read_bytes() for path in (tmp_path / place).iterdir()) for place in "ab"]
    assert all(word not in data for data in kept for word in (b"patient", b"maier", SECRET))
    keys = [set(pyarrow.parquet.read_table(shards(tmp_path / place)[0])["record_key"].to_pylist()) for place in "ab"]
    assert len(keys[0]) == 300
    assert not keys[0] & keys[1]
    assert bytes.fromhex(CurationLog(tmp_path / "a", secret=SECRET).key(ids[7])) in keys[0]


def test_tensors_lists_and_extreme_scores_are_taken(tmp_path):
    with CurationLog(tmp_path, secret=SECRET) as log:
        scores = torch.tensor([[1e9, -1e9], [0.0, 1.0]], requires_grad=True)
        log.update(torch.tensor([7, 8]), scores.bfloat16(), torch.tensor([1, 1]), epoch=0)
        log.update(["7"], [[0.0, 0.0]], [1], epoch=1)
        log.update([], np.zeros((0, 2)), [], epoch=1)
    table = pyarrow.parquet.read_table(shards(tmp_path)[0])
    assert table.schema.names == list(COLUMNS)
    assert len(set(table["record_key"].to_pylist())) == 2
    assert np.isfinite(table["loss"].to_numpy()).all()
    assert [epoch for epoch, _ in training_log.load(tmp_path, "train").read()] == [0, 1]


def test_records_without_a_label_give_utilities(tmp_path):
    logits = np.random.default_rng(0).normal(size=(40, 3))
    with CurationLog(tmp_path, secret=SECRET) as log:
        log.update(range(40), -logits, epoch=0, split="pool")
        log.update(range(40), logits, epoch=1, split="pool")
        log.update(range(40), logits, np.zeros(40, int), epoch=1)
    said = training_log.last_said(training_log.load(tmp_path, "pool", is_labeled=False))
    place = [said.keys.index(log.key(at)) for at in range(40)]
    best = np.sort(special.softmax(logits, axis=1), axis=1)
    utility = utilities.from_log(said.top1_p, said.top2_p)
    assert utility[place] == pytest.approx(1 - best[:, -1] + best[:, -2], abs=2e-3)
    with pytest.raises(ValueError, match="above top1_p in 1 records"):
        utilities.from_log(np.array([0.4]), np.array([0.5]))


def test_memory_is_bounded_by_the_shard_and_an_entry_costs_about_20_bytes(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 5000)
    easy = 3 * rng.random((5000, 1)) * np.eye(10)[y]
    with CurationLog(tmp_path, secret=SECRET, rows_per_shard=20_000) as log:
        for epoch in range(20):
            for rows in np.array_split(rng.permutation(5000), 10):
                log.update(rows, (easy[rows] + rng.normal(size=(500, 10))) * epoch / 5, y[rows], epoch=epoch)
    tables = [pyarrow.parquet.read_metadata(path).num_rows for path in shards(tmp_path)]
    assert tables == [20_000] * 5
    assert sum(path.stat().st_size for path in shards(tmp_path)) / 100_000 < 24


KILLED = """
import sys, numpy as np
from curation.client_log import CurationLog
log = CurationLog(sys.argv[1], secret=b"a secret of the customer", rows_per_shard=400)
assert "django" not in sys.modules
for epoch in range(10**6):
    log.update(range(100), np.random.default_rng(epoch).normal(size=(100, 4)), np.zeros(100, int), epoch=epoch)
"""


def test_a_killed_process_leaves_readable_shards_and_needs_no_django(tmp_path):
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT) as writer:
        end = time.monotonic() + 60
        while len(shards(tmp_path)) < 5 and time.monotonic() < end and writer.poll() is None:
            time.sleep(0.01)
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    (tmp_path / f".{shards(tmp_path)[0].name}.part").write_bytes(b"PAR1 and no end")
    log = training_log.load(tmp_path, "train")
    assert log.bad == []
    assert log.epochs == list(range(4 * len(log.shards)))
    assert len(log.keys) == 100


def test_bad_calls_are_refused_and_change_nothing(tmp_path):
    for secret in (b"short", "text that is long enough", b"x" * 65):
        with pytest.raises(ValueError, match="16 to 64 bytes"):
            CurationLog(tmp_path, secret=secret)
    with pytest.raises(ValueError, match="rows_per_shard"):
        CurationLog(tmp_path, secret=SECRET, rows_per_shard=0)
    log = CurationLog(tmp_path, secret=SECRET)
    good = {"ids": [1, 2], "logits": np.zeros((2, 3)), "labels": [0, 1], "epoch": 0}
    for change, words in (
        ({"logits": np.zeros((2, 1))}, "two classes at least"),
        ({"labels": [0]}, "lengths differ"),
        ({"ids": [1]}, "lengths differ"),
        ({"labels": [0, 3]}, "below 3"),
        ({"labels": [0.0, 1.0]}, "class indices"),
        ({"logits": np.array([[0, 1, 2], [0, np.nan, 1]])}, "row 1"),
        ({"epoch": -1}, "counts from 0"),
        ({"split": ""}, "has a name"),
    ):
        with pytest.raises(ValueError, match=words):
            log.update(**good | change)
    log.close()
    log.close()
    assert shards(tmp_path) == []
    with pytest.raises(ValueError, match="closed"):
        log.update(**good)

"""``manage.py trajectories``: shards in, a line a record and a page out; bad shards named, nothing half done."""

import io
from html.parser import HTMLParser

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from curation.client_log import SCHEMA, CurationLog
from curation.core import utilities
from curation.offline import training_log
from tests.offline.files import read, write
from tests.trainings import follow, train

SECRET = b"a secret of the customer"
SMALL = 2500
"""Entries a shard, so that a log of 600 records has several, and no epoch ends with one."""


def log_of(folder, training, *, from_epoch=0, rows_per_shard=SMALL):
    log = CurationLog(folder, secret=SECRET, rows_per_shard=rows_per_shard)
    n = len(training.labels)
    for epoch in range(from_epoch, len(training.logits)):
        for rows in np.array_split(np.random.default_rng(epoch).permutation(n), 7):
            log.update(
                [f"img-{row}.png" for row in rows], training.logits[epoch][rows], training.labels[rows], epoch=epoch
            )
    log.close()
    return log


@pytest.fixture(scope="module")
def training():
    return train(0, forgotten=2, wrong_ratio=0.05)


@pytest.fixture
def folder(tmp_path, training):
    log_of(tmp_path / "log", training)
    return tmp_path


def run(folder, *options, log="log"):
    said, notes = io.StringIO(), io.StringIO()
    where = str(folder / log), "--out", str(folder / "out")
    call_command("trajectories", *where, *map(str, options), verbosity=0, stdout=said, stderr=notes)
    return said.getvalue() + notes.getvalue()


def shards(folder):
    return sorted((folder / "log").glob("*.parquet"))


def test_the_table_is_what_the_training_was(folder, training):
    said = run(folder)
    assert "600 records over 24 epochs, forgotten: '2'" in said
    found, log = follow(training)[0], CurationLog(folder / "log", secret=SECRET)
    rows = {row["record_key"]: row for row in read(folder / "out" / "trajectories.csv")}
    assert len(shards(folder)) > 4
    assert len(rows) == 600
    for at in range(600):
        row = rows[log.key(f"img-{at}.png")]
        assert row["label"] == str(training.labels[at])
        assert float(row["mean_p"]) == pytest.approx(found.mean_p[at], abs=1e-3)
        assert float(row["variance"]) == pytest.approx(found.variance[at], abs=1e-3)
        assert float(row["aum"]) == pytest.approx(found.aum[at], abs=0.01)
        assert float(row["el2n"]) == pytest.approx(found.el2n[at], abs=2e-3)
        assert int(row["n_forgotten"]) == found.n_forgotten[at]
        assert row["last_top1"] == str(found.last_top1[at])
    ranked = sorted(rows.values(), key=lambda row: int(row["rank"]))
    assert [int(row["rank"]) for row in ranked] == list(range(1, 601))
    aum = [float(row["aum"]) for row in ranked]
    assert aum == sorted(aum)


def test_the_page_names_the_forgotten_class_and_holds_nothing_from_outside(folder):
    run(folder)
    page = (folder / "out" / "trajectories.html").read_text()
    HTMLParser().feed(page)
    named = page.split("Classes the model forgot")[1].split("</ul>")[0]
    assert named.count("<b>") == 1
    assert "<b>2</b>" in named
    assert "polyline" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "img-" not in page


def test_the_same_log_gives_the_same_files_whatever_the_shards(folder, training):
    run(folder)
    first = [(folder / "out" / name).read_bytes() for name in ("trajectories.csv", "trajectories.html")]
    log_of(folder / "other", training, rows_per_shard=10**6)
    run(folder, log="other")
    assert [(folder / "out" / name).read_bytes() for name in ("trajectories.csv", "trajectories.html")] == first


def test_entries_logged_again_after_a_restart_count_once(folder, training):
    run(folder)
    first = (folder / "out" / "trajectories.csv").read_bytes()
    log_of(folder / "log", training, from_epoch=20)
    assert "2400 entries are of a record and epoch logged again" in run(folder)
    assert (folder / "out" / "trajectories.csv").read_bytes() == first


def test_a_shard_cut_short_is_named_or_left_out(folder):
    broken = shards(folder)[1]
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(CommandError, match=f"{broken.name}: cut short.*--skip-bad"):
        run(folder)
    assert not (folder / "out").exists()
    assert "1 shards were left out" in run(folder, "--skip-bad")
    assert broken.name in (folder / "out" / "trajectories.html").read_text()


def changed(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, values)


def bad_shards(table):
    n = len(table)
    numbers = pyarrow.array(np.full(n, 2.0))
    return {
        "no column margin, top2": table.drop_columns(["margin", "top2"]),
        r"column text \(string\) may hold content": table.append_column("text", [["hello"] * n]),
        r"column image \(binary\) may hold content": table.append_column("image", [[b"hello"] * n]),
        r"column aux \(string\) may hold content": table.append_column("aux", [["hello"] * n]),
        "p_label 2 is not a probability": changed(table, "p_label", numbers),
        "margin nan is not finite": changed(table, "margin", pyarrow.array(np.full(n, np.nan))),
        "column top1_p has": changed(table, "top1_p", pyarrow.nulls(n, pyarrow.float32())),
        "column loss must hold floating numbers, not string": changed(table, "loss", pyarrow.array(["1"] * n)),
        "column epoch must hold whole numbers, not double": changed(table, "epoch", numbers),
        "epoch -1 is below 0": changed(table, "epoch", pyarrow.array([-1] * n)),
        "a record_key of bytes must have 16": changed(table, "record_key", pyarrow.array([b"a"] * n)),
        "record_key is string, in the shards before": changed(table, "record_key", pyarrow.array(["a"] * n)),
        "column label must hold class names": changed(table, "label", numbers),
    }


def test_shards_with_wrong_columns_or_values_are_named(folder):
    place = shards(folder)[-1]
    for words, table in bad_shards(pyarrow.parquet.read_table(place)).items():
        pyarrow.parquet.write_table(table, place)
        with pytest.raises(CommandError, match=f"{place.name}: {words}"):
            run(folder)
    assert not (folder / "out").exists()


def test_levels_above_and_names_as_text_are_read(folder, training):
    """Logits and embeddings are no content; keys and classes may be text, even categorical."""
    for place in shards(folder):
        table = pyarrow.parquet.read_table(place)
        keys = pyarrow.array([key.hex() for key in table["record_key"].to_pylist()])
        table = changed(table, "record_key", keys)
        for name in ("label", "top1", "top2"):
            words = pyarrow.array([f"class {value}" for value in table[name].to_pylist()]).dictionary_encode()
            table = changed(table, name, words)
        table = table.append_column("logits", [[[0.5, 0.25]] * len(table)])
        pyarrow.parquet.write_table(table, place)
    assert "forgotten: 'class 2'" in run(folder)


def test_an_empty_log_and_a_split_that_is_not_there_are_told(folder):
    (folder / "empty").mkdir()
    with pytest.raises(CommandError, match="no shard of a training log"):
        run(folder, log="empty")
    with pytest.raises(CommandError, match="split 'val' has no labeled entries; there are train"):
        run(folder, "--split", "val")
    pyarrow.parquet.write_table(SCHEMA.empty_table(), folder / "empty" / "none.parquet")
    with pytest.raises(CommandError, match="has no labeled entries; there are none"):
        run(folder, log="empty")
    for place in shards(folder):
        place.write_bytes(b"PAR1")
    with pytest.raises(CommandError, match=r"all .* shards are bad, the first: "):
        run(folder, "--skip-bad")


def test_short_trainings_tell_of_records_but_not_of_forgetting(tmp_path):
    log_of(tmp_path / "log", train(0, n=60, n_epochs=3))
    assert "The log has 3 epochs" in run(tmp_path)
    assert len(read(tmp_path / "out" / "trajectories.csv")) == 60
    assert "Not told: it takes four epochs" in (tmp_path / "out" / "trajectories.html").read_text()


def test_slices_are_watched_as_classes_are(folder, training):
    log = CurationLog(folder / "log", secret=SECRET)
    camera = ["night" if label == 2 else "day" for label in training.labels]
    rows = [(log.key(f"img-{at}.png"), name) for at, name in enumerate(camera)][:-5]
    run(folder, "--slices", write(folder / "slices.csv", ("record_key", "slice"), rows))
    named = (folder / "out" / "trajectories.html").read_text().split("Slices the model forgot")[1].split("</ul>")[0]
    assert "<b>night</b>" in named
    assert "<b>day</b>" not in named
    write(folder / "slices.csv", ("record_key", "slice"), [("img-1.png", "night")])
    with pytest.raises(CommandError, match="none of its records is in the log"):
        run(folder, "--slices", folder / "slices.csv")


def test_a_log_of_the_pool_is_enough_to_select_by(tmp_path):
    training = train(0, n=120, n_epochs=2)
    log = CurationLog(tmp_path / "log", secret=SECRET)
    log.update(range(120), training.logits[-1], epoch=0, split="pool")
    log.close()
    said = training_log.last_said(training_log.load(tmp_path / "log", "pool", is_labeled=False))
    X = utilities.sketch(said.top1, said.top1_p, said.top2, said.top2_p, 10)
    np.savez(tmp_path / "pool.npz", X=X, key=said.keys, utility=utilities.from_log(said.top1_p, said.top2_p))
    out = tmp_path / "picks.csv"
    call_command("select", str(tmp_path / "pool.npz"), "--batch-size", "8", "--out", str(out), verbosity=0)
    assert {row["key"] for row in read(out)} < {log.key(row) for row in range(120)}

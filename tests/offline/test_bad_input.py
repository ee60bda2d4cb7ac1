"""``manage.py aggregate`` on input that cannot be trusted: a documented rule, a note or a clear error each."""

import io
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command
from django.utils.html import escape

from benchmarks.vetting import stress
from tests.offline.files import read, run, write


def said(folder, *options):
    """What the command notes beside the result."""
    notes = io.StringIO()
    call_command(
        "aggregate",
        str(folder / "answers.csv"),
        "--out",
        str(folder / "out"),
        *options,
        verbosity=0,
        stdout=io.StringIO(),
        stderr=notes,
    )
    report = (folder / "out/report.html").read_text()
    shown = [line.removeprefix("Note: ") for line in notes.getvalue().splitlines()]
    assert all(escape(line) in report for line in shown)
    return "\n".join(shown)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(f"t{task}", "w", "ab"[task % 2]) for task in range(9)], "One annotator only"),
        ([(f"t{task}", f"w{task % 3}", "ab"[task % 2]) for task in range(9)], "No record has two answers"),
        ([(f"t{task}", f"w{who}", "a") for task in range(9) for who in range(3)], "One class only"),
        (
            [
                (f"t{at // 4}", f"w{at % 4}", "abc"[guess])
                for at, guess in enumerate(np.random.default_rng(0).integers(3, size=240))
            ],
            "no better than chance",
        ),
    ],
)
def test_what_cannot_be_trusted_is_said(tmp_path, rows, words):
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    assert words in said(tmp_path)


def test_closed_list_of_records(market):
    folder, _, _ = market
    write(folder / "records.csv", ("task",), [(f"t{task}",) for task in range(1, 125)])
    with pytest.raises(CommandError, match=r"answers.csv, row 2: task 't0' is not one of the 124 records"):
        run(folder, "--records", str(folder / "records.csv"))
    assert not (folder / "out").exists()
    notes = said(folder, "--records", str(folder / "records.csv"), "--skip-bad")
    assert "5 records have no answers" in notes
    labels = {row["task"]: row for row in read(folder / "out/labels.csv")}
    assert list(labels) == [f"t{task}" for task in range(1, 125)]
    assert float(labels["t124"]["confidence"]) < 0.6
    write(folder / "records.csv", ("task",), [("t1",), ("t1",), ("",)])
    with pytest.raises(CommandError, match=r"row 3: task 't1' is listed twice\n.*row 4: task is (missing|empty)"):
        run(folder, "--records", str(folder / "records.csv"))


def test_gold_with_a_class_that_nobody_gave_is_pointed_out(market):
    folder, _, _ = market
    write(folder / "gold.csv", ("task", "label"), [("t0", "A")])
    assert "Gold names classes that nobody gave: A" in said(folder, "--gold", str(folder / "gold.csv"))
    with pytest.raises(CommandError, match=r"gold.csv, row 2: label 'A' is not one of the 3 classes"):
        run(folder, "--gold", str(folder / "gold.csv"), "--classes", "a,b,c")


@pytest.mark.parametrize("method", ["guarded", "dawid_skene", "glad", "ebcc"])
def test_contradicting_gold_lowers_confidence_not_the_run(market, method):
    folder, truth, _ = market
    wrong = [(f"t{task}", "abc"[("abc".index(truth[task]) + 1) % 3]) for task in range(30)]
    write(folder / "gold.csv", ("task", "label"), wrong)
    run(folder, "--gold", str(folder / "gold.csv"), "--method", method)
    labels = {row["task"]: row["label"] for row in read(folder / "out/labels.csv")}
    assert all(labels[task] == label for task, label in wrong)


def test_times_find_who_changed_and_copies_are_named(tmp_path):
    planted = stress.drift(np.random.default_rng([0, 6])).answers
    write(
        tmp_path / "answers.csv",
        ("task", "annotator", "label", "at"),
        [
            (f"t{task}", f"w{who}", "abc"[label], f"2026-01-{1 + int(at) // 60:02}T00:{int(at) % 60:02}:00Z")
            for task, who, label, at in zip(planted.task, planted.annotator, planted.label, planted.at, strict=True)
        ],
    )
    assert "changed over time: skills are as of now" in said(tmp_path)
    copied = stress.clique(np.random.default_rng([0, 2])).answers
    rows = [(f"t{t}", f"w{w}", "abcd"[k]) for t, w, k in zip(copied.task, copied.annotator, copied.label, strict=True)]
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    assert "copy each other: their answers count as one" in said(tmp_path)


def test_times_are_all_or_none_and_wrong_ones_bad_rows(market):
    folder, _, rows = market
    write(folder / "answers.csv", ("task", "annotator", "label", "at"), [(*rows[0], "noon"), (*rows[1], "nan")])
    with pytest.raises(
        CommandError, match=r"row 2: at 'noon' is neither a number nor an ISO 8601 time\n.*row 3: at 'nan'"
    ):
        run(folder)
    write(folder / "answers.csv", ("task", "annotator", "label", "at"), [(*row, n or "") for n, row in enumerate(rows)])
    assert "1 answers have no time: times were not used" in said(folder)


def test_parquet_with_times_is_read(market):
    folder, _, rows = market
    columns = dict(zip(("task", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True))
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(len(rows))]
    pyarrow.parquet.write_table(pyarrow.table(columns | {"at": moments}), folder / "answers.parquet")
    assert "600 answers" in run(folder, answers="answers.parquet")


def test_many_sparse_answers_stay_quick(tmp_path):
    """Two answers a record, 60,000 records: time grows with the answers, not faster."""
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(120_000) < 0.8, 1, rng.integers(4, size=120_000))
    rows = [(task // 2, (task * 7919 + task % 2) % 501, label) for task, label in enumerate(labels)]
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    started = time.process_time()
    assert "60000 records" in run(tmp_path)
    assert time.process_time() - started < 20

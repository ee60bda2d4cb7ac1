"""``manage.py aggregate``: files in, files out, nothing half-written, no database."""

import csv
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
from tests.core.marketplace.vetting.crowds import crowd


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def market(tmp_path):
    """A folder with answers and gold of a generated crowd, and its truth."""
    answers, truth, _ = crowd(np.random.default_rng(0), n_tasks=120)
    rows = [
        (f"t{task}", f"w{person}", "abc"[label])
        for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True)
    ]
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    write(tmp_path / "gold.csv", ("task", "label"), [(f"t{task}", "abc"[truth[task]]) for task in range(20)])
    return tmp_path, ["abc"[label] for label in truth], rows


def run(folder, *options, answers="answers.csv"):
    out = io.StringIO()
    call_command("aggregate", str(folder / answers), "--out", str(folder / "out"), *options, verbosity=0, stdout=out)
    return out.getvalue()


def test_writes_labels_annotators_and_report(market):
    folder, truth, _ = market
    said = run(folder, "--gold", str(folder / "gold.csv"))
    labels = read(folder / "out/labels.csv")
    assert list(labels[0]) == ["task", "label", "confidence"]
    right = [row["label"] == truth[int(row["task"][1:])] for row in labels]
    assert len(right) == 120
    assert np.mean(right) > 0.9
    assert all(1 / 3 <= float(row["confidence"]) <= 1 for row in labels)
    people = read(folder / "out/annotators.csv")
    assert list(people[0]) == ["annotator", "skill", "skill_low", "skill_high", "answers"]
    assert sum(int(row["answers"]) for row in people) == 600
    assert all(float(row["skill_low"]) <= float(row["skill"]) <= float(row["skill_high"]) for row in people)
    report = (folder / "out/report.html").read_text()
    assert "Check on gold" in report
    assert "krippendorff_alpha" in report
    assert "120 records, 600 answers, 20 annotators" in said
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["annotators.csv", "labels.csv", "report.html"]


def test_parquet_gives_the_same(market):
    folder, _, rows = market
    run(folder)
    expected = (folder / "out/labels.csv").read_text()
    columns = dict(zip(("task", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True))
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "answers.parquet")
    run(folder, answers="answers.parquet")
    assert (folder / "out/labels.csv").read_text() == expected


def test_order_of_rows_changes_nothing(market):
    folder, _, rows = market
    run(folder)
    before = {row["task"]: row for row in read(folder / "out/labels.csv")}
    write(folder / "answers.csv", ("label", "task", "annotator"), [(row[2], row[0], row[1]) for row in rows[::-1]])
    run(folder)
    after = {row["task"]: row for row in read(folder / "out/labels.csv")}
    assert after == before


bad_rows = [("t1", "w1"), ("", "w2", "a"), ("t1", " ", "a"), ("t1", "w3", "zebra"), ("t1", "w4", "x\x00y")]


def test_bad_rows_are_named_and_nothing_is_written(market):
    folder, _, rows = market
    write(folder / "answers.csv", ("task", "annotator", "label"), [*rows[:3], *bad_rows, *rows[3:]])
    with pytest.raises(CommandError) as caught:
        run(folder, "--classes", "a,b,c")
    for words in ("row 5: label is missing", "row 6: task is empty", "row 7: annotator is empty"):
        assert words in str(caught.value)
    assert "row 8: label 'zebra' is not one of the 3 classes" in str(caught.value)
    assert "5 bad rows, nothing written" in str(caught.value)
    assert not (folder / "out").exists()


def test_skip_bad_leaves_them_out_and_says_so(market):
    folder, _, rows = market
    run(folder, "--classes", "a,b,c")
    expected = (folder / "out/labels.csv").read_text()
    write(folder / "answers.csv", ("task", "annotator", "label"), [*rows, *bad_rows])
    assert "5 bad rows skipped" in run(folder, "--classes", "a,b,c", "--skip-bad")
    assert (folder / "out/labels.csv").read_text() == expected
    assert "5 bad rows were skipped" in (folder / "out/report.html").read_text()


def test_bad_gold_is_named(market):
    folder, _, _ = market
    write(folder / "gold.csv", ("task", "label"), [("t0", "a"), ("t0", "b"), ("nobody", "a")])
    with pytest.raises(CommandError, match=r"gold.csv, row 3: task 't0' has two gold labels\n.*row 4: .*no answers"):
        run(folder, "--gold", str(folder / "gold.csv"))


def test_the_last_answer_of_a_person_counts(market):
    folder, _, rows = market
    task, person, label = rows[0]
    write(folder / "answers.csv", ("task", "annotator", "label"), [*rows, (task, person, label)])
    assert "600 answers" in run(folder)
    assert "1 answers were replaced" in (folder / "out/report.html").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no column task, annotator, label; there are none"),
        (b"task,label\nt,a\n", "no column annotator; there are task, label"),
        (b"task,annotator,label\n", "no usable answer"),
        (b"task,annotator,label\nt,w,\xff\xfe\n", "not UTF-8"),
    ],
)
def test_unreadable_files_are_explained(tmp_path, content, words):
    (tmp_path / "answers.csv").write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(tmp_path, "--skip-bad")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "nope"], "unknown method 'nope'; there are bwa, dawid_skene, ebcc"),
        (["--classes", "a,a"], "distinct names"),
        (["--gold", "nowhere.csv"], "there is no such file"),
    ],
)
def test_wrong_options_are_explained(market, options, words):
    with pytest.raises(CommandError, match=words):
        run(market[0], *options)


def test_missing_file_folder_in_the_way_and_false_parquet(market):
    folder, _, _ = market
    with pytest.raises(CommandError, match="there is no such file"):
        run(folder, answers="nowhere.csv")
    (folder / "false.parquet").write_text("task,annotator,label\n")
    with pytest.raises(CommandError, match="not a Parquet file"):
        run(folder, answers="false.parquet")
    (folder / "out").write_text("in the way")
    with pytest.raises(CommandError, match="is not a folder"):
        run(folder)


def test_names_from_files_cannot_inject_markup(tmp_path):
    rows = [("<script>alert(1)</script>", "<b>w</b>", "<i>a</i>"), ("t", "w", "b")]
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    run(tmp_path)
    report = (tmp_path / "out/report.html").read_text()
    assert "<script>" not in report
    assert "&lt;script&gt;" in report
    assert "<i>a</i>" not in report


@pytest.mark.parametrize(
    "rows", [[("t", "w", "a")], [("t", "w", "a"), ("u", "w", "b")], [("t", "w", "a"), ("t", "v", "a")]]
)
def test_tiny_files(tmp_path, rows):
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    run(tmp_path)
    assert len(read(tmp_path / "out/labels.csv")) == len({row[0] for row in rows})


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

"""``manage.py aggregate``: files in, files out, nothing half-written, no database."""

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError

from tests.offline.files import read, run, write


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

"""Files of answers: what is read, and which line is at fault."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core import answer_files
from marketplace.core.answer_files import Row


def read(text: str, *, is_text_label: bool = True) -> answer_files.Read:
    return answer_files.read(text.encode(), is_text_label=is_text_label)


def test_both_forms_say_the_same():
    lines = (
        '{"key": "a", "label": "cat"}\n\n{"id": "itm_1", "key": "b", "cannot_label": "corrupted"}\n'
        '{"key": "c", "label": null}\n'
    )
    table = "\ufeffid,key,uri,label,cannot_label\n,a,,cat,\n\nitm_1,b,,,corrupted\n,c,,,\n"
    first, second = read(lines), read(table)
    assert [(row.name, row.label, row.cannot_label) for row in first.rows] == [
        ("a", "cat", None),
        ("itm_1", None, "corrupted"),
    ]
    assert [row.line for row in first.rows] == [1, 3]
    assert [(r.name, r.label, r.cannot_label) for r in second.rows] == [
        (r.name, r.label, r.cannot_label) for r in first.rows
    ]
    assert (first.n_open, second.n_open, first.wrong, second.wrong) == (1, 1, (), ())


def test_a_line_ends_at_a_line_feed_only_and_a_backslash_is_none():
    found = read('{"key": "a", "label": "one\u2028two"}\r\n' + r'{"key": "b", "label": "\\u0000"}')
    assert [row.label for row in found.rows] == ["one\u2028two", r"\u0000"]


def test_a_label_of_structure_stands_in_a_cell_as_json():
    box = [{"class": "cat", "box": [1, 2, 3, 4]}]
    table = 'key,label\na,"' + json.dumps(box).replace('"', '""') + '"\nb,[1\n'
    found = read(table, is_text_label=False)
    assert found.rows == (Row(2, "a", box, None),)
    assert [(one.line, one.name) for one in found.wrong] == [(3, "b")]
    assert "not JSON" in found.wrong[0].detail


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ('{"key": "b"} {}', "not JSON"),
        ("[1]", "Write an object"),
        ('{"label": "cat"}', "names no record"),
        ('{"key": 5, "label": "cat"}', "names no record"),
        ('{"key": "b", "label": "cat", "cannot_label": "other"}', "not both"),
        ('{"key": "b", "cannot_label": 1}', "as text"),
        ('{"key": "b", "label": NaN}', "no number of JSON"),
        ('{"key": "b", "label": 1e999}', "too large a number"),
        ('{"key": "b", "label": 1234567890123456789012}', "too large a number"),
        (r'{"key": "b", "label": "\ud800"}', "surrogate"),
        (r'{"key": "b", "label": "\u0000"}', "NUL"),
        ('{"key": "b", "label": ' + "[" * 40 + "]" * 40 + "}", "nested deeper"),
        ('{"key": "b", "label": ' + "[" * 200_000 + "}", "nested deeper"),
        ('{"key": "b", "label": "' + "x" * answer_files.MAX_LINE + '"}', "characters"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(line, words):
    found = read('{"key": "a", "label": "cat"}\n' + line + '\n{"key": "c", "label": "dog"}\n')
    assert [row.name for row in found.rows] == ["a", "c"]
    assert [one.line for one in found.wrong] == [2]
    assert words in found.wrong[0].detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"key,label\na,\xff\n", "not UTF-8"),
        (b"key,label\na,\x00\n", "NUL"),
        (b"name,answer\na,cat\n", "name the columns"),
        (b"key,label,label\na,cat,dog\n", "stands twice"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_way_out(content, words):
    with pytest.raises(ValueError, match=words):
        answer_files.read(content, is_text_label=True)


@pytest.mark.parametrize(
    ("table", "words"), [("key,label\na,cat,dog\n", "3 cells"), ('key,label\na,"cat\n', "not CSV")]
)
def test_a_broken_table_names_its_line(table, words):
    found = read(table)
    assert words in found.wrong[0].detail
    assert found.rows == ()


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: ("{" + text).encode("utf-8", "surrogatepass")))
def test_no_bytes_break_it(content):
    for is_text_label in (True, False):
        try:
            found = answer_files.read(content, is_text_label=is_text_label)
        except ValueError:
            continue
        assert all(fault.line >= 1 and fault.detail for fault in found.wrong)
        assert all(row.name for row in found.rows)

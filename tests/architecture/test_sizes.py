"""Small modules, small functions, and each says what it is for."""

import ast
import statistics

from tests.architecture.sources import ROOT, functions, modules, n_lines

MAX_MODULE, MAX_FUNCTION = 300, 40


def test_no_module_is_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: n for name, n in lengths.items() if n > MAX_MODULE} == {}
    assert statistics.median(lengths.values()) <= 120


def test_no_function_is_long():
    lengths = {f"{path.relative_to(ROOT)}:{f.name}": n_lines(f) for path in modules() for f in functions(path)}
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= 8


def test_every_module_says_what_it_is_for():
    assert [str(p.relative_to(ROOT)) for p in modules() if not ast.get_docstring(ast.parse(p.read_text()))] == []

"""Our own modules, as files and as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ["common", "vendors", "curation", "marketplace", "api", "portal"]
PACKAGES = ["config", *APPS, "embedded", "benchmarks", "tests"]


def modules() -> Iterator[Path]:
    """Yield every module of ours but the migrations, which Django writes."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts and path.stat().st_size:
                yield path


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield every function of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def n_lines(function: ast.FunctionDef) -> int:
    """Return the lines of a function's body without its docstring."""
    first = function.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
    return (function.body[-1].end_lineno or 0) - first.lineno + 1 - docstring

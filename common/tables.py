"""Tables as text, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

_RISKY: Final = frozenset("=+-@\t\r")


def csv_row(cells: Iterable[Any]) -> str:
    """Return a line of CSV; text that a spreadsheet would take for a formula gets an apostrophe in front.

    >>> csv_row(["=1+1", "a,b", -2])
    '\\'=1+1,"a,b",-2\\r\\n'
    """
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(cell) for cell in cells])
    return text.getvalue()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _RISKY else cell

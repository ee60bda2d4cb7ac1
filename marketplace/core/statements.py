"""The arithmetic and the file form of statements."""

import csv
import datetime
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_HEAD: Final = ("date_from", "date_to", "description", "for", "entries", "amount", "currency")
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")


def month_before(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """Return the first day of the month before a day's, and of its own: a period, the end left out.

    >>> month_before(datetime.date(2026, 1, 15))
    (datetime.date(2025, 12, 1), datetime.date(2026, 1, 1))
    """
    end = day.replace(day=1)
    return (end - datetime.timedelta(days=1)).replace(day=1), end


def turnover_micro(lines: Iterable[Mapping[str, Any]]) -> int:
    """Return what was bought or earned: the lines about jobs, without money paid in, out or back.

    >>> turnover_micro([{"for": "job_1", "amount_micro": -5}, {"for": "mop_1", "amount_micro": 9}])
    -5
    """
    return sum(int(line["amount_micro"]) for line in lines if str(line["for"]).startswith("job_"))


def to_csv(
    lines: Sequence[Mapping[str, Any]],
    *,
    period: tuple[datetime.date, datetime.date],
    opening_micro: int,
    closing_micro: int,
    currency: str,
) -> str:
    """Return a statement as CSV: opening balance, its lines, closing balance; amounts exact to the micro-unit.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    start, end = (day.isoformat() for day in period)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEAD)
    writer.writerow((start, start, "Opening balance", "", "", exact(opening_micro), currency))
    for line in lines:
        told = (_safe(str(line["memo"])), _safe(str(line["for"])), line["n_entries"], exact(int(line["amount_micro"])))
        writer.writerow((start, end, *told, currency))
    writer.writerow((end, end, "Closing balance", "", "", exact(closing_micro), currency))
    return text.getvalue()


def exact(micro: int) -> str:
    """Return micro-units in units, all six places.

    >>> exact(-1500000), exact(7)
    ('-1.500000', '0.000007')
    """
    return f"{'-' if micro < 0 else ''}{abs(micro) // 10**6}.{abs(micro) % 10**6:06d}"


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text

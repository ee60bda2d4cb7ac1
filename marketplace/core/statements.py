"""The arithmetic of statements."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any


def month_before(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """Return the first day of the month before a day's, and of its own: a period, the end left out.

    >>> month_before(datetime.date(2026, 1, 15))
    (datetime.date(2025, 12, 1), datetime.date(2026, 1, 1))
    """
    end = day.replace(day=1)
    return (end - datetime.timedelta(days=1)).replace(day=1), end


def due_micro(closing_micro: int, micro_per_minor: int) -> int:
    """Return what an invoice asks for: what was spent and not paid in yet, up to the next whole minor unit.

    >>> due_micro(-12_345_678, 10_000), due_micro(5, 10_000)
    (12350000, 0)
    """
    return -(min(closing_micro, 0) // micro_per_minor) * micro_per_minor


def turnover_micro(lines: Iterable[Mapping[str, Any]]) -> int:
    """Return what was bought or earned: the lines about jobs, without money paid in, out or back.

    >>> turnover_micro([{"for": "job_1", "amount_micro": -5}, {"for": "mop_1", "amount_micro": 9}])
    -5
    """
    return sum(int(line["amount_micro"]) for line in lines if str(line["for"]).startswith("job_"))

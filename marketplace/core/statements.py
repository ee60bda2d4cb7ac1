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


def turnover_micro(lines: Iterable[Mapping[str, Any]]) -> int:
    """Return what was bought or earned: the lines about jobs, without money paid in, out or back.

    >>> turnover_micro([{"for": "job_1", "amount_micro": -5}, {"for": "mop_1", "amount_micro": 9}])
    -5
    """
    return sum(int(line["amount_micro"]) for line in lines if str(line["for"]).startswith("job_"))

"""Numbers, states and times as people read them."""

import datetime
from typing import Any

from django import template

from common import money as amounts
from portal.customer.schema_fields import TYPES
from vendors.core import wording

register = template.Library()
_MICRO = 1_000_000


@register.filter
def money(micro: int | None, currency: str = "USD") -> str:
    """Return micro-units as an amount with at least as many decimals as its currency has.

    >>> money(50_000), money(1_234_567, "EUR"), money(5_000_000_000, "JPY"), money(None)
    ('0.05 USD', '1.234567 EUR', '5,000 JPY', 'no price')
    """
    if micro is None:
        return "no price"
    units = str(abs(micro) // _MICRO)
    return amounts.text(micro, currency).replace(units, f"{int(units):,}", 1)


@register.filter
def minor(amount: int, currency: str = "USD") -> str:
    """Return settled cents as an amount.

    >>> minor(1234)
    '12.34 USD'
    """
    return f"{amount // 100:,}.{amount % 100:02d} {currency}"


@register.filter
def work_of(job: Any) -> str:
    """Return the kind of work of a job in words."""
    schema = job.label_schema
    return wording.kind_of_work(schema.task_type, job.modality, job.language, job.domain, job.data_class)


@register.filter
def kind_of(score: Any) -> str:
    """Return the kind of work of a score in words."""
    return wording.kind_of_work(score.task_type, score.modality, score.language, score.domain)


@register.filter
def task(task_type: str) -> str:
    """Return a task type in the words of the job form."""
    return dict(TYPES).get(task_type, task_type)


@register.filter
def pairs(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return names and values; ``mapping.items`` in a template would give a key of that name.

    >>> pairs({"items": ["a", "b"]})
    [('items', ['a', 'b'])]
    """
    return list(mapping.items())


@register.filter
def spoken(value: object) -> str:
    """Return a value of a rule as text: lists by their parts, yes and no.

    >>> spoken([["nose", "ear"], ["ear", "tail"]]), spoken(True), spoken(5)
    ('nose ear, ear tail', 'yes', '5')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, part)) if isinstance(part, list) else str(part) for part in value)
    return str(value)


@register.filter
def ratio(value: float | None) -> str:
    """Return a ratio in percent.

    >>> ratio(0.905), ratio(None)
    ('90.5 %', '-')
    """
    return "-" if value is None else f"{100 * value:.1f} %"


@register.filter
def about(micro: float) -> str:
    """Return micro-units as an amount in whole cents, without its currency.

    >>> about(1_234_567_890), about(4_000)
    ('1,234.57', '0.01')
    """
    return f"{max(micro / _MICRO, 0.01):,.2f}"


@register.filter
def lasting(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> lasting(3723.4), lasting(60), lasting(0.2)
    ('1 h 2 min', '1 min', '1 s')
    """
    return _in_words(max(round(seconds), 1))


@register.filter
def words(code: str) -> str:
    """Return a code as words.

    >>> words("in_progress"), words("offer.made")
    ('in progress', 'offer made')
    """
    return code.replace("_", " ").replace(".", " ")


@register.filter
def left(deadline: datetime.datetime, now: datetime.datetime) -> str:
    """Return the time from now to a deadline in its two largest units.

    >>> now = datetime.datetime(2026, 1, 1)
    >>> left(now + datetime.timedelta(seconds=3723), now), left(now, now)
    ('1 h 2 min', 'time is up')
    """
    seconds = int((deadline - now).total_seconds())
    if seconds <= 0:
        return "time is up"
    return _in_words(seconds)


def _in_words(seconds: int) -> str:
    units = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next(place for place, (n, _) in enumerate(units) if n)
    return " ".join(f"{n} {unit}" for n, unit in units[first : first + 2] if n)


@register.filter
def percent_wide(value: float) -> str:
    """Return a ratio as a width or place on a scale of 100."""
    return f"{100 * value:.2f}"


@register.filter
def span(estimate: Any) -> str:
    """Return the width of an estimate's interval on a scale of 100."""
    return f"{max(100 * (estimate.high - estimate.low), 0.5):.2f}"


@register.filter
def of(mapping: dict[Any, Any], key: Any) -> Any:
    """Return a mapping's value, or None."""
    return mapping.get(key)

"""The live quote beside the job form, with a one-click change where the job cannot be done."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Final

from django.http import QueryDict

from common.actors import Actor
from common.clock import database_now
from common.errors import DomainError
from common.money import MICRO_PER_UNIT
from marketplace.core.feasibility import Obstacle
from marketplace.services import quotes
from marketplace.services.lots import MAX_RECORDS
from portal.customer import ranking
from portal.customer.forms import MAX_BUDGET, KindForm
from portal.customer.ranking import Choice

USUAL_RECORDS: Final = 100
"""Records quoted before any are listed."""
FIX: Final = "fix:"
_WIDTH, _HEIGHT = 100.0, 40.0


@dataclass(frozen=True, slots=True)
class Fix:
    """What stands in the way, and the button that changes it: ``fix:<field>:<value>``, empty where none does."""

    detail: str
    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote as the form shows it; ``line`` is the curve of the chance to be taken, as points of an SVG."""

    n_records: int
    is_guess: bool
    told: quotes.Told | None
    wrong: str
    fixes: tuple[Fix, ...]
    line: str
    longest_s: float


def of_form(actor: Actor, form: KindForm, choice: Choice, data: QueryDict) -> Shown:
    """Return the quote of a form as far as it is filled in."""
    n_listed = sum(1 for line in data.get("records", "").splitlines() if line.strip())
    n_records = min(n_listed or USUAL_RECORDS, MAX_RECORDS)
    low = _number(data, "min_overlap", 2)
    job = ranking.draft(
        actor,
        form,
        choice,
        classes=[line for line in data.get("classes", "").splitlines() if line.strip()] or ["", ""],
        min_overlap=low,
        max_overlap=max(low, _number(data, "max_overlap", 4)),
        budget_micro=_budget(data),
    )
    try:
        due_in_s = None if job.due_at is None else max((job.due_at - database_now()).total_seconds(), 0.0)
        told = quotes.of_draft(job, n_records, has_gold=bool(data.get("gold", "").strip()), due_in_s=due_in_s)
    except DomainError as error:
        return Shown(n_records, not n_listed, None, error.detail, (), "", 0.0)
    fixes = tuple(_fix(obstacle, job.currency) for obstacle in told.obstacles)
    line, longest_s = _line(told)
    return Shown(n_records, not n_listed, told, "", fixes, line, longest_s)


def _number(data: QueryDict, name: str, default: int) -> int:
    text = data.get(name, "")
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 3 else default


def _budget(data: QueryDict) -> int:
    text = data.get("budget", "").strip()
    is_amount = text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() and len(text) < 20
    amount = Decimal(text) if is_amount else Decimal(0)
    return int(amount * MICRO_PER_UNIT) if 0 < amount <= MAX_BUDGET else quotes.UNLIMITED_MICRO


def _line(told: quotes.Told) -> tuple[str, float]:
    if told.quote is None or not told.quote.fill.curve:
        return "", 0.0
    curve = told.quote.fill.curve
    longest_s = max(curve[-1][0], 1.0)
    points = [(0.0, 0.0), *curve]
    return " ".join(f"{_WIDTH * s / longest_s:.2f},{_HEIGHT * (1 - p):.2f}" for s, p in points), longest_s


def _fix(obstacle: Obstacle, currency: str) -> Fix:
    change = _change(obstacle, currency)
    if change is None:
        return Fix(obstacle.detail, "", "")
    name, value, words = change
    return Fix(obstacle.detail, f"{FIX}{name}:{value}", words)


def _change(obstacle: Obstacle, currency: str) -> tuple[str, str, str] | None:
    """Return the form's field, its value and the button's words for the nearest change, or None."""
    if obstacle.field == "currency" and isinstance(obstacle.nearest, str):
        return "currency", obstacle.nearest, f"Pay in {obstacle.nearest}"
    if not isinstance(obstacle.nearest, int | float):
        return None
    if obstacle.field == "max_price_micro":
        value = f"{Decimal(int(obstacle.nearest)) / MICRO_PER_UNIT:f}"
        return "max_price", value, f"Pay up to {value} {currency} a label"
    if obstacle.field == "min_accuracy":
        value = f"{int(obstacle.nearest * 1000) / 10:g}"
        return "min_accuracy", value, f"Ask for {value} % proven accuracy"
    if obstacle.field == "batch_size":
        return "batch_size", f"{int(obstacle.nearest)}", f"Send {int(obstacle.nearest)} records in a batch"
    if obstacle.field == "budget_micro":
        value = str((Decimal(int(obstacle.nearest)) / MICRO_PER_UNIT).quantize(Decimal("0.01"), ROUND_UP))
        return "budget", value, f"Raise the budget to {value} {currency}"
    return None


def fixed(data: QueryDict) -> QueryDict:
    """Return the form's data with the change of the button that was pressed."""
    changed = data.copy()
    _, _, rest = data.get("action", "").partition(":")
    name, _, value = rest.partition(":")
    if name in {"max_price", "min_accuracy", "batch_size", "budget", "currency"}:
        changed[name] = value[:20]
    return changed

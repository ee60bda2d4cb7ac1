"""The live ranking beside the job form: who would be asked, in which order, why, and what it may cost."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from common.actors import Actor
from common.ids import from_public, to_public
from marketplace.core import pricing
from marketplace.models import Job, LabelSchema
from marketplace.services import routing
from portal.customer.forms import KindForm

_PIN, _DENY = "pin-", "deny-"
MAX_PIN = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate as the form shows it; ``pin`` is the place the customer gave it."""

    vendor: str
    name: str
    place: int | None
    words: str
    price_micro: int | None
    currency: str
    pin: str
    is_denied: bool
    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a candidate's score as a piece of a bar: ``start`` and ``width`` of 100 (the worst index shown)."""

    name: str
    value: float
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The vendors put first, in order, and those shut out."""

    pinned: tuple[uuid.UUID, ...]
    denied: tuple[uuid.UUID, ...]
    wrong: tuple[str, ...]


def choice_of(data: QueryDict) -> Choice:
    """Return the vendors a form numbers (``pin-<id>`` = place) and shuts out (``deny-<id>``)."""
    places: list[tuple[int, uuid.UUID]] = []
    denied, wrong = [], []
    for name, value in data.items():
        prefix = next((p for p in (_PIN, _DENY) if name.startswith(p)), None)
        if prefix is None or not str(value).strip():
            continue
        try:
            vendor = from_public("ven", name.removeprefix(prefix))
        except ValueError:
            wrong.append("A vendor in the list is unknown; load the page again.")
            continue
        if prefix == _DENY:
            denied.append(vendor)
        elif str(value).isdecimal() and 0 < int(str(value)[:5]) <= MAX_PIN:
            places.append((int(str(value)), vendor))
        else:
            wrong.append(f"A place is a number from 1 to {MAX_PIN}, got {str(value)[:20]!r}.")
    if len({place for place, _ in places}) < len(places):
        wrong.append("Two vendors have the same place; number each differently.")
    both = {vendor for _, vendor in places} & set(denied)
    if both:
        wrong.append("A vendor cannot be both numbered and never asked; choose one.")
    return Choice(tuple(v for _, v in sorted(places)), tuple(denied), tuple(wrong))


def preview(actor: Actor, form: KindForm, choice: Choice, data: QueryDict) -> list[Row]:
    """Return the ranking a batch of the form's kind would get now, best first."""
    job = draft(actor, form, choice)
    found = routing.preview(job, job.batch_size)
    worst = max((ranked.index or 0.0 for _, ranked in found), default=0.0)
    rows = []
    for facts, ranked in found:
        vendor = to_public("ven", facts.vendor_id)
        rows.append(
            Row(
                vendor=vendor,
                name=facts.name,
                place=None if ranked.sequence is None else ranked.sequence + 1,
                words=ranked.words,
                price_micro=facts.price_micro,
                currency=facts.currency,
                pin=data.get(_PIN + vendor, ""),
                is_denied=_DENY + vendor in data,
                parts=_parts(ranked.parts, worst),
            )
        )
    return rows


def _parts(parts: dict[str, float], worst: float) -> tuple[Part, ...]:
    start, found = 0.0, []
    for name, value in parts.items():
        width = 100 * value / worst if worst else 0.0
        found.append(Part(name, value, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return tuple(found)


def draft(actor: Actor, form: KindForm, choice: Choice, **terms: Any) -> Job:
    """Return the job that a form states, not stored."""
    weights = form.weights()
    schema = LabelSchema(task_type=form.cleaned_data["task_type"], classes=terms.pop("classes", []))
    return Job(
        organization_id=actor.organization_id or uuid.UUID(int=0),
        label_schema=schema,
        weight_cost=weights.cost,
        weight_speed=weights.speed,
        weight_accuracy=weights.accuracy,
        pinned_vendors=list(choice.pinned),
        denied_vendors=list(choice.denied),
        **form.wishes(),
        **terms,
    )


def unseen(actor: Actor, choice: Choice, rows: list[Row]) -> bool:
    """Whether the choice names vendors that this ranking does not hold."""
    known = {row.vendor for row in rows}
    return any(to_public("ven", vendor) not in known for vendor in (*choice.pinned, *choice.denied))


def cost_per_record_micro(rows: list[Row], overlap: int, fee_basis_points: int) -> tuple[int, int] | None:
    """Return what a record costs with fees at the cheapest and the dearest eligible vendor, or None without one."""
    prices = [row.price_micro for row in rows if row.place is not None and row.price_micro is not None]
    if not prices:
        return None
    low, high = (pricing.cost_micro(overlap, price, fee_basis_points) for price in (min(prices), max(prices)))
    return low, high

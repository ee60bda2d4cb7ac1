"""What a job would cost, take and be worth, told before it is posted; nothing is stored."""

import uuid
from dataclasses import dataclass, replace

from common.actors import Actor
from common.errors import ValidationFailedError
from marketplace.core.feasibility import Obstacle
from marketplace.core.quote import Quote
from marketplace.models import Job
from marketplace.services import forecasts, jobs, pins
from marketplace.services.jobs import JobTerms
from marketplace.services.lots import MAX_RECORDS

UNLIMITED_MICRO = 2**62
"""The budget of a quote that is asked without one."""


@dataclass(frozen=True, slots=True)
class Told:
    """A quote with what stands in its way; with an obstacle there is no quote."""

    currency: str
    n_eligible: int
    quote: Quote | None
    obstacles: tuple[Obstacle, ...]
    on_time: float | None


def quote(
    *, actor: Actor, label_schema_id: uuid.UUID, terms: JobTerms, n_records: int, has_gold: bool, due_in_s: float | None
) -> Told:
    """Return what to expect of a job, or what keeps it from being done with the nearest change that would do.

    Raises
    ------
    NotFoundError
        When the schema is not the actor's.
    ValidationFailedError
        When the number of records, the wave or a vendor named cannot be meant.
    """
    if not 1 <= n_records <= MAX_RECORDS:
        detail = f"A quote is for 1 to {MAX_RECORDS} records, got {n_records}."
        raise ValidationFailedError.of("n_records", "out_of_range", detail)
    job = jobs.draft(actor=actor, label_schema_id=label_schema_id, terms=terms)
    return of_draft(job, n_records, has_gold=has_gold, due_in_s=due_in_s)


def of_draft(job: Job, n_records: int, *, has_gold: bool, due_in_s: float | None = None) -> Told:
    """Return the same of a job that is not stored, whoever it is for."""
    obstacles = jobs.obstacles(job, n_records)
    if obstacles:
        return Told(job.currency, 0, None, tuple(obstacles), None)
    pins.refuse_wrong(job, min(n_records, job.batch_size))
    told, n_eligible = forecasts.of(job, n_records, has_gold=has_gold)
    on_time = None if due_in_s is None else told.on_time(due_in_s)
    return Told(job.currency, n_eligible, replace(told, eta_draws_s=()), (), on_time)

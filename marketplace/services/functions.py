"""Labeling functions: votes taken as data, measured against people, added to what is believed of records."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.db.models import Q

from common import audit
from common.actors import Actor
from common.errors import FieldError, NotFoundError, ValidationFailedError
from marketplace.core import functions as core
from marketplace.core.aggregation import Aggregation, Answers
from marketplace.models import FunctionVote, GoldRecord, Job, JobRecord, LabelingFunction
from marketplace.selectors import jobs
from marketplace.services import events, readings

MAX_FUNCTIONS = 200
MAX_VOTES = 100_000
_ROWS_PER_INSERT = 5000


@dataclass(frozen=True, slots=True)
class Vote:
    """A function's class for a record, by key; None abstains."""

    key: str
    label: str | None


def put(
    *, actor: Actor, job_id: uuid.UUID, name: str, votes: Sequence[Vote], description: str = "", field: str = "votes"
) -> LabelingFunction:
    """Take a function with all its votes; those it had before are replaced. Locks the job.

    They count from the next vetting on. Nothing of the customer's is run: a function is its votes.

    Parameters
    ----------
    field
        Where the votes came from, for the places of errors.

    Raises
    ------
    ValidationFailedError
        When the job is no classification, a key or class is unknown, a key repeats, or there are too many.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        _refuse(job, name, votes)
        rows = _rows(job, votes, field)
        function, is_new = LabelingFunction.objects.get_or_create(
            job=job, name=name, defaults={"description": description}
        )
        if not is_new:
            LabelingFunction.objects.filter(pk=function.pk).update(description=description)
            function.refresh_from_db()
            function.votes.all().delete()
        for row in rows:
            row.function = function
        FunctionVote.objects.bulk_create(rows, batch_size=_ROWS_PER_INSERT)
        audit.record(actor=actor, action="function.put", target=function, n_votes=len(rows))
        events.of_job(job.pk, "function.put", name=name, n_votes=len(rows))
        return function


def _refuse(job: Job, name: str, votes: Sequence[Vote]) -> None:
    if job.label_schema.task_type != readings.CLASSIFICATION:
        detail = f"Functions vote on classes; this job's task type is {job.label_schema.task_type}."
        raise ValidationFailedError.of("job", "task_type", detail)
    if not name.strip():
        raise ValidationFailedError.of("name", "required", "Give the function a name.")
    if len(votes) > MAX_VOTES:
        raise ValidationFailedError.of("votes", "count", f"Give {MAX_VOTES} votes at most; got {len(votes)}.")
    if LabelingFunction.objects.filter(job=job).exclude(name=name).count() >= MAX_FUNCTIONS:
        detail = f"A job has {MAX_FUNCTIONS} functions at most; drop one first."
        raise ValidationFailedError.of("name", "too_many", detail)


def _rows(job: Job, votes: Sequence[Vote], field: str) -> list[FunctionVote]:
    """Return the votes as they are stored, abstentions left out, or raise with every finding (twenty at most)."""
    keys = {vote.key for vote in votes}
    records = dict(JobRecord.objects.filter(job=job, key__in=keys).values_list("key", "pk"))
    gold = dict(GoldRecord.objects.filter(job=job, key__in=keys).values_list("key", "pk"))
    index = {name: number for number, name in enumerate(job.label_schema.classes)}
    errors: list[FieldError] = []
    rows: list[FunctionVote] = []
    first: dict[str, int] = {}
    for number, vote in enumerate(votes):
        place = f"{field}[{number}]"
        if first.setdefault(vote.key, number) != number:
            detail = f"The function voted on {vote.key[:60]!r} at {first[vote.key]} already."
            errors.append({"field": f"{place}.key", "code": "duplicate_key", "detail": detail})
        if vote.key not in records and vote.key not in gold:
            detail = f"The job has no record {vote.key[:60]!r}; order it first."
            errors.append({"field": f"{place}.key", "code": "unknown_record", "detail": detail})
        if vote.label is not None and vote.label not in index:
            detail = f"{vote.label[:40]!r} is not one of the {len(index)} classes; leave it empty to abstain."
            errors.append({"field": f"{place}.label", "code": "unknown_class", "detail": detail})
        if len(errors) >= 20:
            break
        if not errors and vote.label is not None:
            record_id = records.get(vote.key)
            gold_id = gold[vote.key] if record_id is None else None
            rows.append(FunctionVote(record_id=record_id, gold_id=gold_id, label=index[vote.label]))
    if errors:
        raise ValidationFailedError(f"{len(errors)} problems in {len(votes)} votes.", errors=errors)
    return rows


def drop(*, actor: Actor, function_id: uuid.UUID) -> LabelingFunction:
    """Take a function away with its votes and return it as it was; labels that it helped to decide stay."""
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        mine = LabelingFunction.objects.filter(pk=function_id, job__in=jobs.for_actor(actor))
        function = mine.select_for_update(of=("self",), no_key=True).first()
        if function is None:
            raise NotFoundError("There is no such labeling function.")
        audit.record(actor=actor, action="function.dropped", target=function, name=function.name)
        events.of_job(function.job_id, "function.dropped", name=function.name)
        FunctionVote.objects.filter(function=function).delete()
        LabelingFunction.objects.filter(pk=function.pk).delete()
        return function


def votes_on(
    job: Job, task_of: Mapping[uuid.UUID, int], n_classes: int
) -> tuple[list[LabelingFunction], Answers] | None:
    """Return a job's functions in order of age with their votes on these records; None where it has none."""
    known = list(LabelingFunction.objects.filter(job=job).order_by("pk"))
    if not known:
        return None
    place = {function.pk: number for number, function in enumerate(known)}
    ids = list(task_of)
    found = FunctionVote.objects.filter(function__in=place).filter(Q(record__in=ids) | Q(gold__in=ids))
    rows = [
        (task_of[record_id or gold_id], place[function_id], label)
        for function_id, record_id, gold_id, label in found.values_list("function", "record", "gold", "label")
    ]
    table = np.array(rows, dtype=np.int32).reshape(-1, 3)
    return known, Answers(table[:, 0], table[:, 1], table[:, 2], len(task_of), len(known), n_classes)


def belief(job: Job, task_of: Mapping[uuid.UUID, int], people: Aggregation, n_classes: int) -> npt.NDArray[np.float64]:
    """Return what is believed of records when the functions' votes are added to people's answers."""
    found = votes_on(job, task_of, n_classes)
    if found is None or not len(found[1]):
        return people.posterior
    known = core.measure(found[1], people.posterior, people.n_answers > 0)
    return core.combined(found[1], people.posterior, known)

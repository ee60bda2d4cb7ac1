"""How a job's labeling functions do: coverage, conflicts, accuracy, and which of them say the same."""

import uuid
from dataclasses import dataclass

from common.actors import Actor
from marketplace.core import functions as core
from marketplace.models import LabelingFunction
from marketplace.selectors import jobs
from marketplace.services import evidence, functions
from marketplace.services.beliefs import ClassEvidence


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """What is known of a function; figures of accuracy are None where no voted record has people's answers.

    ``same_as`` names the functions that count as one with it.
    """

    function: LabelingFunction
    n_votes: int
    coverage: float
    overlap: float
    conflict: float
    n_judged: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    same_as: list[str]


def of_job(*, actor: Actor, job_id: uuid.UUID) -> list[FunctionReport]:
    """Return what is known of each function of a job, oldest first, by all answers of the job."""
    job = jobs.get(actor, job_id)
    if not LabelingFunction.objects.filter(job=job).exists():
        return []
    facts = evidence.of_job(job)
    if not isinstance(facts, ClassEvidence):
        raise TypeError(f"functions vote on classes, job {job.pk} has {job.label_schema.task_type}")
    found = functions.votes_on(job, facts.task_of, facts.n_classes)
    if found is None:
        return []
    rows, votes = found
    known = core.measure(votes, facts.result.posterior, facts.result.n_answers > 0)
    return [
        FunctionReport(
            function=row,
            n_votes=int(votes.per_annotator[number]),
            coverage=float(known.coverage[number]),
            overlap=float(known.overlap[number]),
            conflict=float(known.conflict[number]),
            n_judged=int(known.n_judged[number]),
            accuracy=_known(known, known.accuracy[number], number),
            accuracy_low=_known(known, known.low[number], number),
            accuracy_high=_known(known, known.high[number], number),
            same_as=[
                other.name for o, other in enumerate(rows) if o != number and known.clique[o] == known.clique[number]
            ],
        )
        for number, row in enumerate(rows)
    ]


def _known(known: core.Functions, value: float, number: int) -> float | None:
    return float(value) if known.n_judged[number] > 0 else None

"""What is known of a job's first pass, as its owner may see it."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from django.db.models import Count

from common.actors import Actor
from marketplace.core import first_pass as core
from marketplace.core.first_pass import Role
from marketplace.core.states import AnnotationState
from marketplace.models import Annotation, FirstPass, Job, PreLabel
from marketplace.selectors import jobs
from marketplace.services import corrections, first_pass, readings


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What is known of one model: its pre-labels by role, threshold, audit, and how much it sways."""

    model: str
    counts: dict[str, int]
    calibration: core.Calibration
    audit: core.Audit
    anchoring: core.Anchoring


@dataclass(frozen=True, slots=True)
class Report:
    """The terms (the defaults where none were set) and what is known of each model."""

    blind_ratio: float
    audit_ratio: float
    required_accuracy: float
    is_auto_accept: bool
    ended_at: object
    ended_why: str
    models: list[ModelReport]


def report(actor: Actor, job_id: uuid.UUID) -> Report:
    """Return what is known of the first pass of a job of the actor's."""
    job = jobs.get(actor, job_id)
    terms = FirstPass.objects.filter(job=job).first() or FirstPass(job=job, required_accuracy=job.target_confidence)
    counted: dict[str, dict[str, int]] = defaultdict(lambda: {role.value: 0 for role in Role})
    rows = PreLabel.objects.filter(job=job).values("model", "role").annotate(n=Count("pk"))
    for model, role, n in rows.values_list("model", "role", "n").order_by("model", "role"):
        counted[model][role] = n
    return Report(
        terms.blind_ratio,
        terms.audit_ratio,
        terms.required_accuracy,
        terms.is_auto_accept,
        terms.ended_at,
        terms.ended_why,
        [
            ModelReport(
                model,
                counts,
                first_pass.calibration(job, model, terms),
                first_pass.audit(job, model, terms),
                anchoring(job, model),
            )
            for model, counts in counted.items()
        ],
    )


def anchoring(job: Job, model: str) -> core.Anchoring:
    """Return how much people agree with a model, shown and blind, by answers that were not refused (two queries).

    Of records that could be on either side: those above a threshold are never shown.
    """
    rows = {row.key: row for row in PreLabel.objects.filter(job=job, model=model, threshold=None)}
    answers = Annotation.objects.filter(job=job, is_current=True, record__key__in=list(rows))
    answers = answers.exclude(state=AnnotationState.REJECTED).select_related("record").order_by("pk")
    schema, said = job.label_schema, defaultdict[str, list[bool]](list)
    for answer in answers:
        if answer.record is not None:
            row = rows[answer.record.key]
            theirs, its = corrections.reading_of(answer), readings.Reading(row.label, row.value)
            said[row.key].append(corrections.says(schema, answer.record.metadata, theirs, its))
    keys = sorted(said)
    return core.anchoring(
        np.array([np.mean(said[key]) for key in keys], dtype=np.float64),
        np.array([rows[key].role == Role.BLIND for key in keys], dtype=np.bool_),
        np.array([rows[key].blind_chance for key in keys], dtype=np.float64),
    )

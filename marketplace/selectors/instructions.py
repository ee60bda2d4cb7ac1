"""The versions of a job's instructions, with how many answers were given under each."""

import uuid

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from common.actors import Actor
from marketplace.models import Annotation, InstructionVersion
from marketplace.selectors import jobs


def of_job(actor: Actor, job_id: uuid.UUID) -> QuerySet[InstructionVersion]:
    """Return a job's instructions, newest version first; ``n_answers`` counts the current answers under each."""
    answers = Annotation.objects.filter(instruction=OuterRef("pk"), is_current=True).order_by().values("instruction")
    counted = Subquery(answers.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    rows = InstructionVersion.objects.filter(job=jobs.get(actor, job_id))
    return rows.annotate(n_answers=Coalesce(counted, 0)).order_by("-version")

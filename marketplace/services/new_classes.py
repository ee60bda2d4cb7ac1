"""A class that turns up while an experiment or its campaign runs: appended, and the loop goes on with it."""

import uuid
from collections.abc import Sequence

from django.db import connection, transaction

from common import locks
from common.actors import Actor
from curation.models import Experiment
from curation.selectors import experiments
from curation.services import classes as curation_classes
from marketplace.core.states import CampaignState, LotState
from marketplace.errors import CampaignStateError
from marketplace.models import Campaign, Job, JobRecord, LabelSchema, Lot
from marketplace.selectors import jobs
from marketplace.services import events, readings


def append(*, actor: Actor, experiment_id: uuid.UUID, classes: Sequence[str]) -> Experiment:
    """Append classes to an experiment and, where a campaign ties one to it, to the job's label schema, both or neither.

    Locks job, campaign and experiment. A label schema never changes: the job moves on to a new one, whose classes begin
    with the old ones, so that earlier labels mean what they meant. Asked twice, nothing changes the second time.

    Raises
    ------
    ValidationFailedError
        When there is no new class, or a name is given twice or exists.
    CampaignStateError
        While the campaign runs or work is out: answers in hand were given under the old classes.
    """
    actor.require("experiments:write")
    with transaction.atomic(durable=True):
        experiments.get(actor, experiment_id)
        campaign = jobs.campaigns(actor).filter(experiment_id=experiment_id).first()
        if campaign is None:
            alone = curation_classes.append(experiment_id=experiment_id, classes=classes)
            if jobs.campaigns(actor).filter(experiment_id=experiment_id).exists():  # started before we had the lock
                raise CampaignStateError("A campaign was started meanwhile; pause it, then add the class and resume.")
            return alone
        job = jobs.get(actor, campaign.job_id, lock=True)
        locked = locks.row(Campaign.objects.filter(pk=campaign.pk))
        is_running = locked is not None and locked.state == CampaignState.RUNNING
        if is_running or Lot.objects.filter(job=job, state=LotState.OPEN).exists():
            detail = "Pause the campaign, wait until its batches are vetted, then add the class and resume."
            raise CampaignStateError(detail, state=campaign.state)
        experiment = curation_classes.append(experiment_id=experiment_id, classes=classes)
        _follow(job, experiment.classes)
        return experiment


def _follow(job: Job, classes: Sequence[str]) -> None:
    """Move a job to a label schema of these classes, unless its own has them."""
    old = job.label_schema
    n_old = len(old.classes)
    if n_old == len(classes):
        return
    new = LabelSchema(task_type=old.task_type, classes=list(classes), rules=old.rules)
    readings.check_schema(new)
    new.organization_id = old.organization_id
    new.name = f"{old.name[:140]} ({len(classes)} classes, {job.public_id})"
    new.save(force_insert=True)
    Job.objects.filter(pk=job.pk).update(label_schema=new)
    _widen(job, n_old, len(classes) - n_old)
    events.of_job(job.pk, "classes.appended", classes=list(classes[n_old:]))


def _widen(job: Job, n_old: int, n_new: int) -> None:
    """Put zeros for the new classes into the beliefs kept so far, before "cannot be labeled", which is last."""
    statement = f"""
        UPDATE {JobRecord._meta.db_table}
        SET posterior = posterior[1:%s] || array_fill(0::float8, ARRAY[%s]) || posterior[%s:]
        WHERE job_id = %s AND cardinality(posterior) = %s
    """  # noqa: S608 - a model's table
    with connection.cursor() as cursor:
        cursor.execute(statement, [n_old, n_new, n_old + 1, job.pk, n_old + 1])

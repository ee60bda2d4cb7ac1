"""What a customer can do when all candidates of a batch are exhausted: pay more, ask less, wait, or do without."""

import datetime
import uuid

from django.db import transaction

from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core.states import BatchState
from marketplace.errors import BatchStateError
from marketplace.models import Batch, Job, Lot
from marketplace.selectors import jobs
from marketplace.services import events, nudges

MAX_WAIT_S = 30 * 24 * 3600.0
CHOICES = ("raise_price", "relax_floor", "wait", "close")


def resolve(
    *,
    actor: Actor,
    batch_id: uuid.UUID,
    choice: str,
    max_price_micro: int | None = None,
    min_accuracy: float | None = None,
    wait_s: float | None = None,
) -> Batch:
    """Carry out the customer's choice for an escalated batch.

    ``raise_price`` and ``relax_floor`` change the job's limit and rank again at once; ``wait`` ranks again after
    ``wait_s`` (default: the job's pause between rounds) as things are then;
    ``close`` gives the batch up, its records keep the answers they have. Locks the batch.

    Raises
    ------
    BatchStateError
        When the batch is not escalated.
    ValidationFailedError
        When the choice is unknown or its new limit is missing.
    """
    actor.require("jobs:write")
    _check(choice, max_price_micro, min_accuracy, wait_s)
    with transaction.atomic(durable=True):
        batch = jobs.batches(actor).select_for_update(of=("self",), no_key=True).filter(pk=batch_id).first()
        if batch is None:
            raise NotFoundError("There is no such batch.")
        if batch.state != BatchState.ESCALATED:
            raise BatchStateError(f"This batch is {batch.state}; nothing has to be decided.", state=batch.state)
        if choice == "raise_price":
            Job.objects.filter(pk=batch.job_id).update(max_price_micro=max_price_micro)
        if choice == "relax_floor":
            Job.objects.filter(pk=batch.job_id).update(min_accuracy=min_accuracy)
        if choice == "close":
            batch.state, batch.reason = BatchState.CANCELLED, "closed_by_customer"
            Lot.objects.filter(pk=batch.lot_id).update(vet_due_at=Now())
            nudges.vet_soon(batch.lot_id)
        else:
            batch.state, batch.reason, batch.n_offers = BatchState.WAITING, "", 0
            batch.max_round = batch.round + batch.job.max_rounds
        batch.save(update_fields=["state", "reason", "n_offers", "max_round"])
        if choice != "close":
            pause_s = 0.0 if choice != "wait" else batch.job.round_pause_s if wait_s is None else wait_s
            Batch.objects.filter(pk=batch.pk).update(offer_due_at=Now() + datetime.timedelta(seconds=pause_s))
        events.of_batch(batch, "escalation.resolved", subject=batch.pk, choice=choice)
        nudges.sweep_soon()
        return batch


def _check(choice: str, max_price_micro: int | None, min_accuracy: float | None, wait_s: float | None) -> None:
    if choice not in CHOICES:
        raise ValidationFailedError.of("choice", "unknown", f"Choose one of {', '.join(CHOICES)}.")
    if choice == "raise_price" and max_price_micro is None:
        raise ValidationFailedError.of("max_price_micro", "required", "Say how much a label may cost now.")
    if choice == "relax_floor" and min_accuracy is None:
        raise ValidationFailedError.of("min_accuracy", "required", "Say how accurate a vendor has to be now.")
    if wait_s is not None and (choice != "wait" or not 0 <= wait_s <= MAX_WAIT_S):
        detail = f"Give 0 to {MAX_WAIT_S:.0f} seconds, with the choice wait only; got {wait_s} with {choice}."
        raise ValidationFailedError.of("wait_s", "out_of_range", detail)

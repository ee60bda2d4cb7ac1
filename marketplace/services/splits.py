"""Splitting a batch over vendors: one takes a part, the rest goes on to the next candidate at once."""

from django.db.models import F, Max

from common.clock import Now
from marketplace.core.states import BatchState
from marketplace.models import Batch, BatchItem
from marketplace.services import events


def cut_off_rest(batch: Batch, n_taken: int) -> Batch:
    """Leave the first ``n_taken`` open items in a locked batch and put the others on offer as a batch of their own.

    The rest keeps chunk and layer, so a vendor that holds a part is never offered another (blind overlap); it keeps
    the ranking and the round, so the frozen order goes on. Emits ``batch.split``.
    """
    left = list(batch.items.filter(is_done=False).order_by("position").values_list("pk", flat=True)[n_taken:])
    if not left:
        raise ValueError(f"nothing is left of batch {batch.pk} when {n_taken} items are taken")
    last = Batch.objects.filter(lot_id=batch.lot_id, chunk=batch.chunk, layer=batch.layer).aggregate(n=Max("part"))["n"]
    rest = Batch.objects.create(
        job_id=batch.job_id,
        lot_id=batch.lot_id,
        chunk=batch.chunk,
        layer=batch.layer,
        part=last + 1,
        hard_ratio=batch.hard_ratio,
        wanted_vendor_id=batch.wanted_vendor_id,
        barred_vendors=batch.barred_vendors,
        state=BatchState.OFFERING,
        n_items=len(left),
        n_open=len(left),
        round=batch.round,
        max_round=batch.max_round,
        n_offers=batch.n_offers,
        ranking_id=batch.ranking_id,
    )
    Batch.objects.filter(pk=rest.pk).update(offer_due_at=Now())
    BatchItem.objects.filter(pk__in=left).update(batch=rest)
    Batch.objects.filter(pk=batch.pk).update(n_items=F("n_items") - len(left), n_open=n_taken)
    events.of_batch(batch, "batch.split", subject=rest.pk, n_taken=n_taken, n_left=len(left))
    return rest

"""What work has earned."""

import uuid

from django.db.models import BigIntegerField, CharField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat

from common.actors import Actor
from common.models import LedgerEntry
from marketplace.models import Clawback, Settlement
from marketplace.selectors import jobs


def of_batch(actor: Actor, batch_id: uuid.UUID) -> QuerySet[Settlement]:
    """Return what a batch the actor sees has earned, with ``n_taken`` labels taken back and ``bonus_micro``.

    The bonus is a batch's, so it stands with the first of its settlements alone.
    """
    taken = Clawback.objects.filter(settlement=OuterRef("pk")).order_by().values("settlement")
    key = Concat(Value("bonus/"), Cast(OuterRef("assignment__batch_id"), CharField()))
    return (
        Settlement.objects.filter(assignment__batch__in=jobs.batches(actor).filter(pk=batch_id), n_paid__gt=0)
        .select_related("vendor")
        .annotate(
            n_taken=Coalesce(Subquery(taken.annotate(n=Sum("n_labels")).values("n")), 0),
            bonus_micro=Coalesce(
                Subquery(LedgerEntry.objects.filter(key=key).values("amount"), output_field=BigIntegerField()), 0
            ),
        )
        .order_by("pk")
    )

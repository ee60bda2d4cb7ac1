"""A campaign that proposes its rounds, and what its customer does with them."""

from common import outbox
from common.clock import Now
from curation.models import Pick
from curation.models.experiments import VetoReason
from marketplace.models import BatchItem, Campaign, JobRecord, Notice
from marketplace.services import proposals


def propose(loop):
    """Let the campaign propose its next round, and return the keys."""
    loop.until(lambda: Campaign.objects.get().phase == "review")
    return proposed()


def proposed():
    picks = Pick.objects.filter(round__number=Campaign.objects.get().round, vetoed_at=None)
    return list(picks.order_by("rank").values_list("key", flat=True))


def veto(loop, keys, reason=VetoReason.OTHER, note=""):
    return proposals.veto(actor=loop.actor, campaign_id=loop.campaign.pk, keys=keys, reason=reason, note=note)


def add(loop, keys):
    return proposals.add(actor=loop.actor, campaign_id=loop.campaign.pk, keys=keys)


def approve(loop, number):
    return proposals.approve(actor=loop.actor, campaign_id=loop.campaign.pk, number=number)


def pass_deadline():
    Campaign.objects.filter(review_due_at__isnull=False).update(review_due_at=Now(), next_check_at=Now())


def unasked(n):
    taken = set(Pick.objects.values_list("key", flat=True))
    return [key for i in range(200) if (key := f"digit-{i}") not in taken][:n]


def sent():
    return sorted(JobRecord.objects.values_list("key", flat=True))


def check_nothing_vetoed_was_sent():
    vetoed = set(Pick.objects.filter(vetoed_at__isnull=False).values_list("key", flat=True))
    items = BatchItem.objects.filter(record__isnull=False).values_list("record__key", flat=True)
    assert vetoed.isdisjoint(sent())
    assert vetoed.isdisjoint(items)
    return vetoed


def told():
    """What has reached the customer, in order."""
    while outbox.relay():
        pass
    return list(Notice.objects.filter(customer__isnull=False).order_by("pk").values_list("kind", flat=True))

"""Instructions in versions: written once, never unseen over another's, told to who is at work."""

import pytest

from common.errors import NotFoundError, ValidationFailedError
from common.models import OutboxMessage
from marketplace.errors import InstructionsVersionError, JobClosedError
from marketplace.models import Annotation, InstructionVersion, RoutingEvent
from marketplace.selectors import instructions as selectors
from marketplace.services import annotations, cancellations, instructions, offers
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return market.customer()


@pytest.fixture
def one():
    market.gold_set()
    return market.seller()


@pytest.fixture
def job(owner, one):
    return market.job(owner, min_overlap=1, max_overlap=1)


def test_a_new_version_counts_from_now_on_and_is_told_to_who_is_at_work(owner, one, job):
    work = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    annotations.submit(actor=one.actor, assignment_id=work.pk, answers=market.answers_of(work, limit=2))
    for _ in range(2):
        row = instructions.change(actor=owner, job_id=job.pk, text="A cat is no dog.", replaces=1)
        assert row.version == 2
    annotations.submit(actor=one.actor, assignment_id=work.pk, answers=market.answers_of(work, limit=1))
    versions = Annotation.objects.order_by("pk").values_list("instruction__version", flat=True)
    assert list(versions) == [1, 1, 2]
    assert [(row.version, row.n_answers) for row in selectors.of_job(owner, job.pk)] == [(2, 1), (1, 2)]
    assert RoutingEvent.objects.filter(kind="instructions.changed").count() == 1
    told = OutboxMessage.objects.filter(topic="vendor.notice", payload__kind="instructions.changed")
    assert [message.payload["vendor"] for message in told] == [str(one.vendor_id)]


def test_a_newer_version_is_not_overwritten_unseen(owner, job):
    instructions.change(actor=owner, job_id=job.pk, text="Two.", replaces=1)
    with pytest.raises(InstructionsVersionError) as refused:
        instructions.change(actor=owner, job_id=job.pk, text="Another two.", replaces=1)
    assert refused.value.facts == {"current": 2}
    assert InstructionVersion.objects.filter(job=job).count() == 2


def test_who_may_not_cannot(owner, job):
    with pytest.raises(ValidationFailedError):
        instructions.change(actor=owner, job_id=job.pk, text=" \n", replaces=1)
    with pytest.raises(NotFoundError):
        instructions.change(actor=market.customer(), job_id=job.pk, text="Mine.", replaces=1)
    cancellations.cancel_job(actor=owner, job_id=job.pk)
    with pytest.raises(JobClosedError):
        instructions.change(actor=owner, job_id=job.pk, text="Late.", replaces=1)
    assert InstructionVersion.objects.get().version == 1

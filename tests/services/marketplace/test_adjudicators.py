"""Disputes judged by another vendor: chosen for accuracy, without a stake, blind, and told."""

import pytest

from common.errors import NotFoundError, PermissionDeniedError, ValidationFailedError
from marketplace.errors import AlreadyDecidedError, NoAdjudicatorError
from marketplace.models import Adjudication, JobRecord
from marketplace.selectors import disputes as selectors
from marketplace.services import adjudicators, disputes
from tests import market
from tests.services.marketplace.test_disputes import misled, sellers  # noqa: F401 (fixtures)
from vendors.models import RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def disputed(misled):  # noqa: F811
    job, work, one = misled
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="That is a dog.", key="record-4")
    return job, Adjudication.objects.get()


def hand(row, vendor_id=None):
    return adjudicators.hand_out(actor=market.staff(), adjudication_id=row.pk, vendor_id=vendor_id)


def test_the_most_accurate_vendor_without_a_stake_judges_blind_and_all_follows(disputed, sellers):  # noqa: F811
    job, row = disputed
    good, better = market.seller(90_000), market.seller(95_000)
    RatioPosterior.objects.filter(capability_id=better.capability_id, metric="accuracy").delete()
    RatioPosterior.objects.create(capability_id=better.capability_id, metric="accuracy", successes=500, failures=1)
    assert hand(row).vendor_id == better.vendor_id
    assert hand(row).vendor_id == better.vendor_id
    (shown,) = selectors.blind(list(selectors.to_decide(better.actor)))
    assert sorted(shown.candidates) == ["bird", "dog"]
    assert not hasattr(shown, "dispute")
    for stranger in (good.actor, sellers[2].actor, job_owner(job)):
        assert not selectors.to_decide(stranger).exists()
    with pytest.raises(NotFoundError):
        disputes.adjudicate(actor=good.actor, adjudication_id=row.pk, label="dog", note="It barks.")
    decided = disputes.adjudicate(actor=better.actor, adjudication_id=row.pk, label="dog", note="It barks.")
    assert decided.is_upheld
    assert JobRecord.objects.get(job=job, key="record-4").label == 1
    with pytest.raises(AlreadyDecidedError):
        hand(row, good.vendor_id)


def job_owner(job):
    return market.actor_of(job.organization)


def test_nobody_with_a_stake_judges(disputed, sellers):  # noqa: F811
    job, row = disputed
    with pytest.raises(NoAdjudicatorError):
        hand(row)
    for one in sellers:
        with pytest.raises(ValidationFailedError) as refused:
            hand(row, one.vendor_id)
        assert [(e["field"], e["code"]) for e in refused.value.errors] == [("vendor", "has_a_stake")]
    idle = market.applicant()
    with pytest.raises(ValidationFailedError) as refused:
        hand(row, idle.vendor_id)
    assert [e["code"] for e in refused.value.errors] == ["not_eligible"]
    with pytest.raises(ValidationFailedError) as refused:
        hand(row, job.pk)
    assert [e["code"] for e in refused.value.errors] == ["unknown_vendor"]
    denied = market.seller(90_000)
    type(job).objects.filter(pk=job.pk).update(denied_vendors=[denied.vendor_id])
    with pytest.raises(NoAdjudicatorError):
        hand(row)


def test_another_may_be_asked_later_and_staff_may_always_decide(disputed):
    _, row = disputed
    first, second = market.seller(90_000), market.seller(95_000)
    hand(row, first.vendor_id)
    assert hand(row, second.vendor_id).vendor_id == second.vendor_id
    assert not selectors.to_decide(first.actor).exists()
    assert disputes.adjudicate(actor=market.staff(), adjudication_id=row.pk, label="dog", note="It barks.").is_upheld


def test_only_staff_hands_out(disputed):
    job, row = disputed
    with pytest.raises(PermissionDeniedError):
        adjudicators.hand_out(actor=job_owner(job), adjudication_id=row.pk)

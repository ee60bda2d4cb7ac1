"""Prices and agreements: what overlaps, what begins when, what was signed; classes of data; fees of tests."""

import datetime
import time

import pytest
from django.db import IntegrityError, transaction

from common import outbox
from common.clock import database_now
from common.errors import ValidationFailedError
from marketplace.models import Notice, Offer
from marketplace.services import offering, sweeper
from tests import market
from tests.services.vendors.test_papers import accept, licence, surgeon
from vendors.core import agreement
from vendors.errors import NoEvidenceError, PriceOverlapError
from vendors.models import Capability, GoldSet, PriceListEntry, QualificationAttempt, Vendor, VendorDocument
from vendors.selectors.candidates import of_kind
from vendors.services import documents, onboarding, qualification

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def gold():
    market.gold_set()


def price(one, micro=50_000, starts=None, ends=None):
    now = database_now()
    return onboarding.list_price(
        actor=one.actor,
        capability_id=one.capability_id,
        price_micro=micro,
        currency="USD",
        valid_from=None if starts is None else now + starts * DAY,
        valid_until=None if ends is None else now + ends * DAY,
    )


def facts(one, **kind):
    return next(f for f in of_kind(**(market.KIND | kind), customer_id=None) if f.vendor_id == one.vendor_id)


@pytest.mark.parametrize(
    ("micro", "starts", "ends", "field"),
    [(0, 1, None, "price_micro"), (-5, 1, None, "price_micro"), (10**12 + 1, 1, None, "price_micro"),
     (2**70, 1, None, "price_micro"), (5, -1, None, "valid_from"), (5, 2, 1, "valid_until")],
)  # fmt: skip
def test_a_bad_price_is_refused_at_its_field(micro, starts, ends, field):
    one = market.applicant()
    with pytest.raises(ValidationFailedError) as refused:
        price(one, micro, starts, ends)
    assert [error["field"] for error in refused.value.errors] == [field]
    assert PriceListEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("starts", "ends", "field"), [(11, 15, "valid_from"), (12, None, "valid_from"), (5, 11, "valid_until")]
)
def test_overlapping_prices_are_refused_with_the_field(starts, ends, field):
    one = market.applicant()
    price(one, 40_000, 10, 20)
    with pytest.raises(PriceOverlapError, match="choose a time that does not overlap") as refused:
        price(one, 30_000, starts, ends)
    assert [error["field"] for error in refused.value.errors] == [field]
    assert PriceListEntry.objects.count() == 2
    price(one, 30_000, 20)


def test_the_database_refuses_an_overlap_too():
    one = market.applicant()
    listed = price(one, 40_000, 10, 20)
    with pytest.raises(IntegrityError, match="price_overlap"), transaction.atomic():
        PriceListEntry.objects.create(
            capability_id=one.capability_id, price_micro=1, currency="USD", valid_from=listed.valid_from + DAY
        )


def test_a_price_with_an_end_counts_while_it_lasts_and_the_open_one_after_it():
    one = market.seller(50_000)
    now = database_now()
    soon, end = now + datetime.timedelta(seconds=0.4), now + datetime.timedelta(seconds=1.2)
    onboarding.list_price(
        actor=one.actor,
        capability_id=one.capability_id,
        price_micro=40_000,
        currency="USD",
        valid_from=soon,
        valid_until=end,
    )
    seen = [facts(one).price_micro]
    for moment in (soon, end):
        time.sleep(max(0.0, (moment - database_now()).total_seconds()) + 0.05)
        seen.append(facts(one).price_micro)
    assert seen == [50_000, 40_000, 50_000]


def test_an_agreement_counts_from_its_start_and_keeps_the_hash_of_its_text():
    one = market.seller(min_batch=3)
    terms = market.replace(market.TERMS, min_batch=7)
    soon = database_now() + DAY
    signed = onboarding.sign_agreement(actor=one.actor, terms=terms, valid_from=soon)
    assert (signed.version, facts(one).min_batch) == (2, 3)
    text = agreement.text_of({name: getattr(terms, name) for name in terms.__dataclass_fields__})
    assert "the smallest taken holds 7 records" in text
    assert signed.terms_hash == agreement.hash_of(text)
    onboarding.sign_agreement(actor=one.actor, terms=terms)
    assert facts(one).min_batch == 7


def test_a_bad_agreement_is_refused_at_its_field():
    one = market.applicant()
    for changes, field in (({"accept_window_speed_s": 0}, "accept_window_speed_s"), ({"min_batch": -1}, "min_batch")):
        with pytest.raises(ValidationFailedError) as refused:
            onboarding.sign_agreement(actor=one.actor, terms=market.replace(market.TERMS, **changes))
        assert refused.value.errors[0]["field"] == field
    with pytest.raises(ValidationFailedError, match="in the past"):
        onboarding.sign_agreement(actor=one.actor, terms=market.TERMS, valid_from=database_now() - DAY)


def test_work_goes_only_to_vendors_cleared_for_its_class_of_data():
    one = market.seller()
    job = market.job(market.customer(), min_overlap=1)
    assert market.live_offer(one).job_id == job.pk
    assert [f.vendor_id for f in of_kind(**market.KIND, customer_id=None, data_class="personal")] == []
    cleared = onboarding.declare_capability(actor=one.actor, **market.KIND, data_class="personal")
    with pytest.raises(NoEvidenceError):
        qualification.start(actor=one.actor, capability_id=cleared.pk)
    accept(licence(one, cleared.pk, kind="data_protection"))
    Capability.objects.filter(pk=cleared.pk).update(status="active")
    onboarding.list_price(actor=one.actor, capability_id=cleared.pk, price_micro=9_000, currency="USD")
    assert facts(one, data_class="personal").exclusion is None
    private = market.job(market.customer(), min_overlap=1, data_class="personal")
    offering.advance()
    assert Offer.objects.get(job=private).price_micro == 9_000
    with pytest.raises(ValidationFailedError, match="one of public"):
        onboarding.declare_capability(actor=one.actor, **market.KIND, data_class="secret")


def test_a_try_is_paid_whether_it_is_passed_or_not():
    GoldSet.objects.update(fee_micro=3_000_000)
    one = market.applicant()
    onboarding.submit(actor=one.actor)
    onboarding.review(actor=market.staff(), vendor_id=one.vendor_id, decision="approve", reason="ok")
    assert not market.qualify(one, n_wrong=30)
    assert market.qualify(one)
    owed = QualificationAttempt.objects.filter(decided_at__isnull=False).values_list("state", "fee_micro")
    assert sorted(owed) == [("failed", 3_000_000), ("passed", 3_000_000)]


@pytest.mark.parametrize(("days", "n_first", "n_in_all"), [(40, 0, 2), (20, 1, 2), (3, 1, 1)])
def test_warnings_reach_the_inbox_once_each(days, n_first, n_in_all):
    one, capability, former = surgeon()
    VendorDocument.objects.filter(pk=former.pk).update(state="rejected")
    document = accept(licence(one, capability.pk, lasts=days * DAY))
    for left in (days, 29, 6, 1):
        if left <= days:
            VendorDocument.objects.filter(pk=document.pk).update(expires_at=database_now() + left * DAY)
            for _ in range(2):
                documents.warn_due()
        if left == days:
            outbox.relay()
            assert Notice.objects.filter(vendor_id=one.vendor_id, kind="document.expires").count() == n_first
    outbox.relay()
    assert Notice.objects.filter(vendor_id=one.vendor_id, kind="document.expires").count() == n_in_all


def test_a_renewed_paper_is_not_warned_of():
    one, capability, _ = surgeon()
    VendorDocument.objects.update(expires_at=database_now() + 5 * DAY)
    accept(licence(one, capability.pk))
    assert documents.warn_due() == 0


def test_offers_that_may_not_be_accepted_any_more_go_on_and_are_no_silence():
    one, capability, _ = surgeon()
    market.job(market.customer(), domain="medical", min_overlap=1)
    offer = market.live_offer(one)
    Capability.objects.filter(pk=capability.pk).update(evidence_until=database_now())
    sweeper.sweep()
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == ("withdrawn", "vendor_not_admitted")
    assert not capability.ratios.filter(metric="acceptance").exists()


def test_an_offer_that_crossed_a_suspension_is_taken_back():
    one = market.seller()
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(one)
    Vendor.objects.filter(pk=one.vendor_id).update(state="suspended")
    sweeper.sweep()
    offer.refresh_from_db()
    assert offer.state == "withdrawn"

"""Papers, renewals, suspensions, objections, exits and private vendors, as the market enforces them."""

import datetime
import uuid

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.utils import timezone

from common.errors import ConflictError, NotFoundError, ValidationFailedError
from marketplace.models import Batch, Offer
from marketplace.services import offering, offers, sweeper, vendor_exits
from tests import market
from vendors.errors import AgreementVersionError, NoEvidenceError
from vendors.models import Capability, Vendor, VendorDocument, VendorEvent
from vendors.selectors import standing, vendors
from vendors.selectors.candidates import of_kind
from vendors.services import appeals, documents, invitations, onboarding, qualification
from vendors.services.documents import DocumentInput

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)
MEDICAL = market.KIND | {"domain": "medical"}


@pytest.fixture(autouse=True)
def gold():
    market.gold_set()


def licence(one, capability=None, lasts=365 * DAY, **changes):
    now = timezone.now()
    given = {
        "kind": "professional_licence",
        "number": "L-1",
        "uri": "https://vendor.example/licence.pdf",
        "sha256": uuid.uuid4().hex * 2,
        "issued_at": now - DAY,
        "expires_at": now + lasts,
        "capability_id": capability,
    }
    return documents.hand_in(actor=one.actor, document=DocumentInput(**(given | changes)))


def accept(document):
    return documents.decide(actor=market.staff(), document_id=document.pk, is_accepted=True, reason="Genuine.")


def exclusion(one, kind=market.KIND):
    (found,) = [f for f in of_kind(**kind, customer_id=None) if f.vendor_id == one.vendor_id]
    return found.exclusion


def surgeon():
    """Return a vendor whose medical capability is active and covered by a licence."""
    one = market.seller()
    capability = onboarding.declare_capability(actor=one.actor, **MEDICAL)
    onboarding.list_price(actor=one.actor, capability_id=capability.pk, price_micro=50_000, currency="USD")
    document = accept(licence(one, capability.pk))
    Capability.objects.filter(pk=capability.pk).update(status="active")
    return one, capability, document


def test_a_regulated_capability_needs_a_checked_paper_before_its_test():
    one = market.seller()
    capability = onboarding.declare_capability(actor=one.actor, **MEDICAL)
    with pytest.raises(NoEvidenceError):
        qualification.start(actor=one.actor, capability_id=capability.pk)
    document = licence(one, capability.pk)
    assert [r.code for r in standing.requirements(one.vendor).pending_verification] == ["document.professional_licence"]
    accept(document)
    assert "document.professional_licence" not in [r.code for r in standing.requirements(one.vendor).open]


def test_a_paper_that_runs_out_ends_offers_to_the_second_though_no_sweeper_ran():
    one, capability, _ = surgeon()
    assert exclusion(one, MEDICAL) is None
    job = market.job(market.customer(), domain="medical", min_overlap=1)
    offer = market.live_offer(one)
    Capability.objects.filter(pk=capability.pk).update(evidence_until=timezone.now())
    with pytest.raises(ConflictError, match="not take work"):
        offers.accept(actor=one.actor, offer_id=offer.pk)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    Batch.objects.filter(job=job).update(state="offering", round=2, offer_due_at=timezone.now())
    assert offering.advance() == []
    assert exclusion(one, MEDICAL) == "The vendor lacks a valid paper for this kind of work."


def test_a_renewed_paper_readmits():
    one, capability, document = surgeon()
    documents.decide(actor=market.staff(), document_id=document.pk, is_accepted=False, reason="Forged.")
    assert exclusion(one, MEDICAL) == "The vendor lacks a valid paper for this kind of work."
    accept(licence(one, capability.pk))
    assert exclusion(one, MEDICAL) is None


def test_warnings_come_thirty_and_seven_days_before_once_each():
    one, _, document = surgeon()
    for lasts, expected in ((31, 0), (29, 1), (29, 0), (6, 1), (6, 0)):
        VendorDocument.objects.filter(pk=document.pk).update(expires_at=timezone.now() + lasts * DAY)
        assert documents.warn_due() == expected
    assert VendorEvent.objects.filter(vendor_id=one.vendor_id, kind="document.expiring").count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "passport"}, "kind"),
        ({"lasts": -DAY / 2}, "expires_at"),
        ({"issued_at": datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)}, "issued_at"),
        ({"lasts": -2 * DAY}, "expires_at"),
    ],
)
def test_a_bad_paper_is_refused_with_its_field(changes, field):
    with pytest.raises(ValidationFailedError) as refused:
        licence(market.applicant(), **changes)
    assert refused.value.errors[0]["field"] == field
    assert not VendorDocument.objects.exists()


def test_nobody_hands_in_papers_for_another_vendors_capability():
    with pytest.raises(NotFoundError):
        licence(market.applicant(), market.applicant().capability_id)


def test_a_qualification_holds_a_year_and_may_be_renewed_a_month_before():
    one = market.seller()
    until = Capability.objects.get(pk=one.capability_id).qualified_until
    assert datetime.timedelta(days=364) < until - timezone.now() <= datetime.timedelta(days=365)
    with pytest.raises(ConflictError, match="already qualified"):
        qualification.start(actor=one.actor, capability_id=one.capability_id)
    Capability.objects.filter(pk=one.capability_id).update(qualified_until=timezone.now() - DAY)
    assert exclusion(one).startswith("The vendor's qualification ran out")
    assert [r.code for r in standing.requirements(one.vendor).past_due] == ["qualification.renewed"]
    market.qualify(one)
    assert exclusion(one) is None


def test_a_suspension_takes_the_live_offers_back_and_ends_by_itself():
    first, second = market.seller(40_000), market.seller(50_000)
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(first)
    vendor_exits.review(
        actor=market.staff(),
        vendor_id=first.vendor_id,
        decision="suspend",
        reason="Complaints.",
        until=timezone.now() + DAY,
    )
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == ("withdrawn", "vendor_suspended")
    assert market.live_offer(second).batch_id == offer.batch_id
    sweeper.sweep()
    assert first.vendor.state == "suspended"
    Vendor.objects.filter(pk=first.vendor_id).update(suspended_until=timezone.now())
    sweeper.sweep()
    assert first.vendor.state == "probation"
    told = VendorEvent.objects.filter(vendor_id=first.vendor_id).order_by("pk").values_list("kind", "reason")
    assert list(told)[-2:] == [
        ("vendor.suspended", "Complaints."),
        ("vendor.probation", "The suspension has ended."),
    ]


def test_only_suspensions_end_and_only_in_the_future():
    one = market.seller()
    for decision, until in (("suspend", timezone.now() - DAY), ("reject", timezone.now() + DAY)):
        with pytest.raises(ValidationFailedError, match="has an end"):
            vendor_exits.review(
                actor=market.staff(), vendor_id=one.vendor_id, decision=decision, reason="x", until=until
            )


def test_an_objection_is_answered_once_and_a_granted_one_readmits():
    one = market.seller()
    with pytest.raises(ConflictError, match="no suspension"):
        appeals.file(actor=one.actor, text="Why?")
    vendor_exits.review(actor=market.staff(), vendor_id=one.vendor_id, decision="suspend", reason="Complaints.")
    appeal = appeals.file(actor=one.actor, text="They are wrong.")
    with pytest.raises(ConflictError, match="objected"):
        appeals.file(actor=one.actor, text="Really.")
    for _ in range(2):
        appeals.decide(actor=market.staff(), appeal_id=appeal.pk, is_granted=True, reason="So they are.")
    assert (one.vendor.state, one.vendor.state_reason) == ("probation", "So they are.")
    with pytest.raises(ConflictError, match="granted before"):
        appeals.decide(actor=market.staff(), appeal_id=appeal.pk, is_granted=False, reason="Or not.")


def test_leaving_waits_for_work_in_hand_and_strands_no_batch():
    first, second = market.seller(40_000), market.seller(50_000)
    market.job(market.customer(), n_records=12, min_overlap=1)
    assignment = offers.accept(actor=first.actor, offer_id=market.live_offer(first).pk)
    with pytest.raises(ConflictError, match="1 batches in hand"):
        vendor_exits.close(actor=first.actor, reason="Enough.")
    from marketplace.services import assignments

    assignments.release(actor=first.actor, assignment_id=assignment.pk, reason="other")
    assert [vendor_exits.close(actor=first.actor, reason="Enough.").state for _ in range(2)] == ["closed", "closed"]
    offering.advance()
    assert set(Offer.objects.filter(state="live").values_list("vendor_id", flat=True)) == {second.vendor_id}


def test_two_signatures_at_once_are_told_apart():
    one = market.applicant()
    assert onboarding.sign_agreement(actor=one.actor, terms=market.TERMS, replaces=1).version == 2
    with pytest.raises(AgreementVersionError) as refused:
        onboarding.sign_agreement(actor=one.actor, terms=market.TERMS, replaces=1)
    assert refused.value.facts == {"current": 2}


def test_the_record_cannot_be_rewritten():
    one = market.seller()
    with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
        VendorEvent.objects.filter(vendor_id=one.vendor_id).update(reason="Nothing happened.")


def private_vendor(owner):
    token = invitations.invite(actor=owner, name="In-house").token
    actor = market.actor_of(market.Organization.objects.create(name="In-house", kind="vendor"))
    vendor = onboarding.register(actor=actor, name="In-house", languages=[], regions=[], invitation=token)
    return actor, vendor, token


def test_a_private_vendor_is_seen_by_its_customer_alone():
    owner, other = market.customer(), market.customer()
    actor, vendor, token = private_vendor(owner)
    capability = onboarding.declare_capability(actor=actor, **market.KIND)
    Capability.objects.filter(pk=capability.pk).update(status="active")
    Vendor.objects.filter(pk=vendor.pk).update(state="active")
    seen = {name: set(vendors.for_actor(a).values_list("pk", flat=True)) for name, a in
            {"owner": owner, "other": other}.items()}  # fmt: skip
    assert (vendor.pk in seen["owner"], vendor.pk in seen["other"]) == (True, False)
    for customer_id, expected in ((owner.organization_id, True), (other.organization_id, False), (None, False)):
        found = {f.vendor_id for f in of_kind(**market.KIND, customer_id=customer_id)}
        assert (vendor.pk in found) is expected
    with pytest.raises(ValidationFailedError, match="unknown, used"):
        onboarding.register(
            actor=market.actor_of(market.Organization.objects.create(name="Thief", kind="vendor")),
            name="Thief",
            languages=[],
            regions=[],
            invitation=token,
        )
    assert not Vendor.objects.filter(name="Thief").exists()


def test_a_private_vendor_needs_no_review_but_the_same_test():
    owner = market.customer()
    actor, vendor, _ = private_vendor(owner)
    capability = onboarding.declare_capability(actor=actor, **market.KIND)
    onboarding.list_price(actor=actor, capability_id=capability.pk, price_micro=1, currency="USD")
    onboarding.sign_agreement(actor=actor, terms=market.TERMS)
    assert onboarding.submit(actor=actor).state == "qualifying"
    one = market.Seller(actor, vendor.pk, capability.pk)
    assert market.qualify(one)
    assert one.vendor.state == "probation"

"""A small market made by the real services: customers, qualified vendors, jobs."""

import itertools
import uuid
from dataclasses import dataclass, replace

from common.actors import Actor
from common.models import Organization
from marketplace.core.routing import Weights
from marketplace.models import Assignment, Job, Offer
from marketplace.services import annotations, jobs, offering, offers
from marketplace.services.annotations import Answer
from marketplace.services.jobs import GoldInput, JobTerms
from marketplace.services.lots import RecordInput
from vendors.models import QualificationItem, Vendor
from vendors.services import onboarding, qualification
from vendors.services.onboarding import AgreementTerms
from vendors.services.qualification import GoldRecord

CLASSES = ["cat", "dog", "bird"]
KIND = {"task_type": "classification", "modality": "image", "language": "", "domain": ""}
_numbers = itertools.count(1)


def actor_of(organization: Organization) -> Actor:
    """Return an actor with all rights of an organization."""
    return Actor(organization.pk, organization.kind, scopes=frozenset({"*"}))


def customer() -> Actor:
    """Return a new customer."""
    return actor_of(Organization.objects.create(name=f"Customer {next(_numbers)}", kind="customer"))


def staff() -> Actor:
    """Return platform staff."""
    return actor_of(Organization.objects.create(name="Platform", kind="platform"))


TERMS = AgreementTerms(
    accept_window_cost_s=60,
    accept_window_speed_s=60,
    accept_window_accuracy_s=60,
    min_batch=1,
    max_concurrent=8,
    start_window_s=60,
    base_s=60,
    seconds_per_label=5.0,
    signed_by="A. Signer",
)


def gold_set() -> None:
    """Add the qualification test of the usual kind of work."""
    records = [GoldRecord(f"gold-{i}", i % 3) for i in range(80)]
    qualification.add_gold_set(actor=staff(), classes=CLASSES, records=records, **KIND)


@dataclass(frozen=True)
class Seller:
    """A vendor and the actor that acts for it."""

    actor: Actor
    vendor_id: uuid.UUID
    capability_id: uuid.UUID

    @property
    def vendor(self) -> Vendor:
        return Vendor.objects.get(pk=self.vendor_id)


def applicant(price_micro: int = 50_000, **terms: object) -> Seller:
    """Return a vendor that has applied, priced and signed, but is neither reviewed nor qualified."""
    actor = actor_of(Organization.objects.create(name=f"Vendor {next(_numbers)}", kind="vendor"))
    vendor = onboarding.register(actor=actor, name=f"Vendor {next(_numbers)}", languages=[], regions=[])
    capability = onboarding.declare_capability(actor=actor, **KIND)
    onboarding.list_price(actor=actor, capability_id=capability.pk, price_micro=price_micro, currency="USD")
    onboarding.sign_agreement(actor=actor, terms=replace(TERMS, **terms))
    return Seller(actor, vendor.pk, capability.pk)


def seller(price_micro: int = 50_000, *, is_active: bool = True, **terms: object) -> Seller:
    """Return a vendor that has gone all the way into the market."""
    one = applicant(price_micro, **terms)
    onboarding.submit(actor=one.actor)
    onboarding.review(actor=staff(), vendor_id=one.vendor_id, decision="approve", reason="ok")
    qualify(one)
    if is_active:
        Vendor.objects.filter(pk=one.vendor_id).update(state="active")
    return one


def qualify(one: Seller, n_wrong: int = 0) -> bool:
    """Take the qualification test with so many wrong answers; return whether it was passed."""
    attempt = qualification.start(actor=one.actor, capability_id=one.capability_id)
    items = QualificationItem.objects.filter(attempt=attempt).select_related("gold_item")
    answers = {item.pk: (item.gold_item.label + (i < n_wrong)) % 3 for i, item in enumerate(items)}
    return qualification.answer(actor=one.actor, attempt_id=attempt.pk, answers=answers).is_passed


def job(actor: Actor, n_records: int = 6, n_gold: int = 6, **terms: object) -> Job:
    """Post a job of so many records whose true label is their number modulo 3."""
    schema = jobs.create_schema(
        actor=actor, name=f"schema {next(_numbers)}", task_type="classification", classes=CLASSES
    )
    stated = {
        "title": "Animals",
        "instructions": "Say what it is.",
        "modality": "image",
        "budget_micro": 10**9,
        "weights": Weights.of("cost"),
        "batch_size": 6,
        "round_pause_s": 0.0,
        "review_window_s": 0,
    }
    return jobs.create(
        actor=actor,
        label_schema_id=schema.pk,
        terms=JobTerms(**(stated | terms)),
        gold=[GoldInput(f"gold-{i}", CLASSES[i % 3]) for i in range(n_gold)],
        records=[RecordInput(f"record-{i}") for i in range(n_records)],
    )


def stuck_job(actor: Actor, **terms: object) -> Job:
    """Post a job whose price limit nobody meets any more by the time its records come: its batch is escalated."""
    standing = job(actor, n_records=0, min_overlap=1, **terms)
    Job.objects.filter(pk=standing.pk).update(max_price_micro=1)
    jobs.add_lot(actor=actor, job_id=standing.pk, records=[RecordInput(f"record-{i}") for i in range(6)])
    standing.refresh_from_db()
    return standing


def truth(key: str) -> str:
    """Return the true label of a record or gold record of `job`."""
    return CLASSES[int(key.rsplit("-", 1)[1]) % 3]


def live_offer(one: Seller) -> Offer | None:
    """Return the vendor's live offer, after the offers due have been made."""
    offering.advance()
    return Offer.objects.filter(vendor_id=one.vendor_id, state="live").order_by("pk").first()


def answers_of(assignment: Assignment, wrong: int = 0, limit: int | None = None) -> list[Answer]:
    """Return the right answers on an assignment's open items, the first so many of them wrong."""
    items = assignment.items.filter(is_done=False).select_related("record", "gold").order_by("position")[:limit]
    answers = []
    for number, item in enumerate(items):
        label = CLASSES.index(truth((item.record or item.gold).key))
        answers.append(Answer(item.pk, CLASSES[(label + (number < wrong)) % 3]))
    return answers


def work(one: Seller, wrong: int = 0) -> Assignment:
    """Accept the vendor's live offer and deliver it whole."""
    offer = live_offer(one)
    assert offer is not None
    assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
    annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers_of(assignment, wrong))
    assignment.refresh_from_db()
    return assignment

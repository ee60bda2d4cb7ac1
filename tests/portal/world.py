"""People who sign in, and a market with one of everything for them to look at."""

import datetime
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client

from common import ledger
from common.actors import Actor
from common.clock import database_now
from common.ledger import Account, Kind, Posting
from common.models import Membership, Organization
from curation.models import Pick
from curation.models.experiments import VetoReason
from curation.services import datasets, experiments, observations, overrides
from curation.services.observations import ObservationInput
from marketplace.core.rules import Rule as Terms
from marketplace.models import Batch, Campaign, Job, Notice, Offer, Review, Verdict
from marketplace.services import (
    annotations,
    campaigns,
    disputes,
    holds,
    invoice_terms,
    offering,
    offers,
    rules,
    rulings,
    second_looks,
    statements,
    vendor_rules,
)
from marketplace.services.campaigns import CampaignTerms
from tests import market
from tests.market import Seller
from vendors.models import Appeal, VendorEvent
from vendors.services import invitations, paper_files
from vendors.services.documents import DocumentInput

PASSWORD = "a long password"
_numbers = itertools.count(1)


def person(organization_id: object, role: str = "owner") -> object:
    """Return a new user with a role in an organization."""
    name = f"person{next(_numbers)}@example.org"
    user = get_user_model().objects.create_user(name, name, PASSWORD)
    Membership.objects.create(user=user, organization_id=organization_id, role=role)
    return user


def signed_in(actor: Actor | None, role: str = "owner") -> Client:
    """Return a client signed in for an actor's organization (None: nobody)."""
    client = Client()
    if actor is not None:
        client.force_login(person(actor.organization_id, role))
    return client


@dataclass(frozen=True)
class World:
    """A job with a live offer to a vendor, accepted work of another layer, and strangers of each kind."""

    customer: Actor
    stranger: Actor
    seller: Seller
    rival: Seller
    staff: Actor
    job: Job
    batch: Batch
    offer: Offer
    assignment: object


def add_effect(here: "World") -> None:
    """Make a rule that warns at every answer, and let it act on one."""
    terms = Terms("vendor", "n_answers", ">", 0.5, 1, "warn", window_s=3600)
    rule = rules.create(actor=here.customer, job_id=here.job.pk, name="Every answer", terms=terms)
    rules.attempt(actor=here.customer, rule_id=rule.pk)
    rules.switch(actor=here.customer, rule_id=rule.pk, is_on=True)
    answers = market.answers_of(here.assignment, limit=1)
    annotations.submit(actor=here.rival.actor, assignment_id=here.assignment.pk, answers=answers)
    rulings.enforce_due()


def add_dispute(here: "World") -> None:
    """Refuse the rival's answers and let it object."""
    figures = {"error_estimate": 0.5, "error_low": 0.4, "error_high": 0.6}
    Verdict.objects.create(assignment=here.assignment, outcome="accepted", words="So it is.", **figures)
    here.assignment.annotations.update(state="rejected")
    disputes.open_dispute(actor=here.rival.actor, assignment_id=here.assignment.pk, text="It is right.")


def add_desk(here: "World") -> None:
    """Let the seller hand in a paper and object to a decision; make the market's rules on vendors."""
    issued_at = database_now() - datetime.timedelta(days=9)
    paper = DocumentInput("insurance", "I-1", "", "", issued_at)
    paper_files.hand_in(actor=here.seller.actor, document=paper, chunks=[b"%PDF-1.7 a paper of the seller"])
    event = VendorEvent.objects.create(vendor_id=here.seller.vendor_id, kind="rule.applied", reason="Too slow.")
    Appeal.objects.create(vendor_id=here.seller.vendor_id, event=event, text="We were not.")
    vendor_rules.ensure_defaults()


def add_second_look(here: "World") -> None:
    """Call a record of the job to a second look."""
    record = here.job.records.earliest("pk")
    type(record).objects.filter(pk=record.pk).update(state="labeled", label=0, confidence=0.6)
    second_looks.call_for(here.job.pk, [record.pk], Review.Cause.MODEL, "A model is sure of something else.")


def add_statement(here: "World") -> None:
    """Pay something into the customer's wallet, close the month, and let it pay by invoice from then on."""
    wallet = holds.wallet_of(here.customer.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting("fill", Account(Kind.PROVIDER, "USD"), wallet, 5_000_000, "Top-up", "mop_1")])
    next_month = (database_now().date().replace(day=1) + datetime.timedelta(days=32)).replace(day=2)
    statements.issue_due(today=next_month)
    customer_id = here.customer.organization_id
    invoice_terms.grant(actor=here.staff, organization_id=customer_id, currency="USD", limit_micro=9, days=30)


def pool_file(*, with_test: bool = True, n_anchor: int = 0, classes: Sequence[str] = market.CLASSES) -> bytes:
    """Return a pool of 40 records of two features, the sign of the first their class."""
    pool = np.random.default_rng(0).normal(size=(40, 2))
    more = {"X_test": pool, "y_test": (pool[:, 0] > 0).astype(int)} if with_test else {}
    if n_anchor:
        more["anchor"] = pool[:n_anchor]
    if classes:
        more["classes"] = np.array(classes)
    buffer = io.BytesIO()
    np.savez(buffer, X=pool, key=[f"r-{i}" for i in range(40)], **more)
    return buffer.getvalue()


def add_campaign(here: "World", job: Job | None = None) -> None:
    """Let a campaign of the customer have learned from two rounds."""
    actor = here.customer
    name = f"Pool {next(_numbers)}"
    dataset = datasets.create(actor=actor, name=name, modality="image", file_name="d.npz", data=pool_file())
    experiment = experiments.create(actor=actor, dataset_id=dataset.pk, name=name, batch_size=4, seed=1)
    campaigns.start(
        actor=actor, experiment_id=experiment.pk, job_id=(job or here.job).pk, terms=CampaignTerms(max_rounds=5)
    )
    for number in (1, 2):
        picks = experiments.start_round(experiment_id=experiment.pk, number=number)
        found = [ObservationInput(key=pick.key, label=i % 2, confidence=0.9) for i, pick in enumerate(picks)]
        observations.record(experiment_id=experiment.pk, observations=found)
        experiments.train_and_evaluate(experiment_id=experiment.pk, number=number)


def add_proposal() -> None:
    """Let the campaign have proposed its third round, with a record chosen by hand and one vetoed."""
    campaign = Campaign.objects.get()
    of_round = {"experiment_id": campaign.experiment_id, "number": 3}
    picks = experiments.start_round(**of_round)
    chosen = next(key for key in (f"r-{i}" for i in range(40)) if not Pick.objects.filter(key=key).exists())
    by_hand = overrides.by_hand(experiment_id=campaign.experiment_id, keys=[chosen])
    with transaction.atomic():
        overrides.add(**of_round, picks=by_hand)
        overrides.veto(**of_round, keys=[picks[0].key], reason=VetoReason.KNOWN)
        due_at = database_now() + datetime.timedelta(hours=3)
        Campaign.objects.update(mode="veto", review_s=10_800, phase="review", round=3, review_due_at=due_at)
    facts = {"job": campaign.job.title, "round": 3, "n": 4, "until": due_at.isoformat()}
    Notice.objects.create(customer=campaign.organization, kind="proposal.to_veto", subject=campaign.pk, facts=facts)


def make() -> World:
    """Make it: two vendors, a job of one chunk in two layers; one offer live, one accepted."""
    market.gold_set()
    sellers = [market.seller(), market.seller()]
    customer = market.customer()
    job = market.job(customer)
    offering.advance()
    live = {offer.vendor_id: offer for offer in Offer.objects.filter(state="live")}
    one, two = sellers
    assignment = offers.accept(actor=one.actor, offer_id=live[one.vendor_id].pk)
    offer = live[two.vendor_id]
    stranger = Organization.objects.create(name="Stranger", kind="customer")
    invitations.invite(actor=customer, name="House team")
    return World(customer, market.actor_of(stranger), two, one, market.staff(), job, offer.batch, offer, assignment)

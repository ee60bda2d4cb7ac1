"""A large market, made by the real services where they take part in what is measured, and in bulk where they do not."""

import uuid
from dataclasses import dataclass

from django.db import connection

from common.actors import Actor
from common.models import Organization
from marketplace.core.routing import Weights
from marketplace.models import Job
from marketplace.services import jobs
from marketplace.services.jobs import JobTerms
from marketplace.services.lots import RecordInput
from vendors.models import Capability, CapacityWindow, PriceListEntry, Vendor, VendorAgreement

SLOTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Seller:
    """A vendor and who acts for it."""

    vendor_id: uuid.UUID
    actor: Actor


def make_sellers(n_sellers: int) -> dict[uuid.UUID, Seller]:
    """Make vendors that are admitted, priced and signed."""
    found = {}
    for number in range(n_sellers):
        organization = Organization.objects.create(name=f"Vendor {number}", kind="vendor")
        vendor = Vendor.objects.create(organization=organization, name=organization.name, state="active")
        CapacityWindow.objects.create(vendor=vendor, slots=SLOTS)
        capability = Capability.objects.create(
            vendor=vendor, task_type="classification", modality="image", status="active"
        )
        PriceListEntry.objects.create(capability=capability, price_micro=30_000 + number, currency="USD")
        VendorAgreement.objects.create(
            vendor=vendor,
            version=1,
            accept_window_cost_s=3600,
            accept_window_speed_s=3600,
            accept_window_accuracy_s=3600,
            min_batch=1,
            max_concurrent=SLOTS,
            start_window_s=3600,
            base_s=60,
            seconds_per_label=5.0,
            signed_by="A. Signer",
        )
        found[vendor.pk] = Seller(vendor.pk, Actor(organization.pk, "vendor", scopes=frozenset({"*"})))
    return found


def make_jobs(n_jobs: int, n_batches: int) -> list[Job]:
    """Post jobs of so many one-record batches each."""
    customer = Organization.objects.create(name="Customer", kind="customer")
    actor = Actor(customer.pk, "customer", scopes=frozenset({"*"}))
    schema = jobs.create_schema(actor=actor, name=f"s{uuid.uuid4()}", task_type="classification", classes=["a", "b"])
    terms = JobTerms(
        title="Benchmark",
        instructions="Say what it is.",
        modality="image",
        budget_micro=10**14,
        weights=Weights.of("cost"),
        batch_size=1,
        min_overlap=1,
        max_overlap=1,
        gold_ratio=0.0,
        max_offers=1000,
        max_rounds=100,
        round_pause_s=0.0,
    )
    records = [RecordInput(f"r{i}") for i in range(n_batches)]
    return [jobs.create(actor=actor, label_schema_id=schema.pk, terms=terms, records=records) for _ in range(n_jobs)]


def execute(sql: str, *parameters: int | str) -> int:
    """Run a statement; return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def analyze() -> None:
    """Let the planner see what has been made, as autovacuum would have within a minute."""
    execute("VACUUM ANALYZE")


def expire_all() -> int:
    """Move the deadline of every live offer into the past."""
    return execute(
        "UPDATE marketplace_offer SET created_at = created_at - interval '2 hours', "
        "expires_at = statement_timestamp() - interval '1 second' WHERE state = 'live'"
    )

"""The market that is raced for: vendors that take any number of batches, jobs of one-record batches, some in waves."""

import random
import uuid

from benchmarks.market.world import Seller, execute, make_sellers
from common.actors import Actor
from common.models import Organization
from marketplace.core.routing import Weights
from marketplace.models import Job
from marketplace.services import jobs, offering
from marketplace.services.jobs import JobTerms
from marketplace.services.lots import RecordInput

__all__ = ["Seller", "execute", "load_sellers", "make_sellers", "open_market", "post_job"]

_EMPTY = (
    "TRUNCATE marketplace_job, marketplace_labelschema, marketplace_routingevent, marketplace_offer, "
    "marketplace_notice, common_outboxmessage CASCADE"
)


def post_job(n_batches: int, wave_size: int) -> Job:
    """Post a job of so many one-record batches; its rounds do not end before the race does."""
    customer = Organization.objects.create(name="Customer", kind="customer")
    actor = Actor(customer.pk, "customer", scopes=frozenset({"*"}))
    schema = jobs.create_schema(actor=actor, name=f"s{uuid.uuid4()}", task_type="classification", classes=["a", "b"])
    terms = JobTerms(
        title="Race",
        instructions="Say what it is.",
        modality="image",
        budget_micro=10**14,
        weights=Weights.of("speed" if wave_size > 1 else "cost"),
        batch_size=1,
        min_overlap=1,
        max_overlap=1,
        gold_ratio=0.0,
        max_offers=30_000,
        max_rounds=1000,
        round_pause_s=0.0,
        wave_size=wave_size,
    )
    records = [RecordInput(f"r{i}") for i in range(n_batches)]
    return jobs.create(actor=actor, label_schema_id=schema.pk, terms=terms, records=records)


def open_market(n_batches: int) -> None:
    """Empty the market of jobs, post new ones (a fifth of the batches in waves of two), and make the first offers."""
    execute("SET labelyard.allow_truncate = 'on'")
    execute(_EMPTY)
    execute("UPDATE vendors_capacitywindow SET in_flight = 0, n_taken = 0")
    post_job(n_batches - n_batches // 5, 1)
    post_job(n_batches // 5, 2)
    execute("ANALYZE marketplace_batch, marketplace_candidate, marketplace_job")
    while offering.advance():
        pass
    execute("ANALYZE marketplace_offer")


def load_sellers() -> dict[uuid.UUID, Seller]:
    """Return the vendors of the market by id, made once per database."""
    from vendors.models import Vendor

    found = Vendor.objects.select_related("organization").order_by("pk")
    return {
        vendor.pk: Seller(vendor.pk, Actor(vendor.organization_id, "vendor", scopes=frozenset({"*"})))
        for vendor in found
    }


def keep_everybody_active() -> None:
    """Switch off the rules that put vendors on probation: with one slot they are passed over, and asked out of order.

    Without them nobody is ever busy, and the strict order of the offers can be checked in every world.
    """
    from marketplace.services import vendor_rules

    vendor_rules.ensure_defaults()
    execute("UPDATE vendors_vendorrule SET is_enabled = false")


def draw_lapsing(rng: random.Random, n_offers: int) -> int:
    """Let so many live offers run out within the next tenth of a second, while others decide on them."""
    return execute(
        "UPDATE marketplace_offer SET created_at = created_at - interval '2 hours', remind_at = NULL, "
        "expires_at = statement_timestamp() + %s * interval '1 ms' WHERE id IN ("
        "SELECT id FROM marketplace_offer WHERE state = 'live' AND expires_at > statement_timestamp() "
        "+ interval '1 minute' ORDER BY id OFFSET %s LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)",
        rng.randrange(100),
        rng.randrange(50),
        n_offers,
    )

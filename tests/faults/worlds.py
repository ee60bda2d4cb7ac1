"""Worlds for fault tests: a few vendors that stay, jobs that come and go, time that is moved in the tables."""

import itertools
import threading

from django.db import connection, connections, transaction

from common import ledger
from common.actors import Actor
from common.errors import ConflictError
from common.ledger import Account, Kind, Posting
from marketplace.models import Assignment, Batch, Lot, Offer
from marketplace.services import annotations, escalations, holds, offers, sweeper, vetting
from tests import market

_numbers = itertools.count(1)
_GONE = (
    "marketplace_job, marketplace_labelschema, marketplace_routingevent, marketplace_offer, marketplace_notice, "
    "common_outboxmessage, common_ledgerentry, common_ledgeraccount, vendors_ratioposterior, vendors_durationposterior"
)


def sellers(n_sellers: int, **terms) -> list[market.Seller]:
    """Return qualified vendors with prices of their own."""
    market.gold_set()
    return [market.seller(30_000 + 1_000 * number, **terms) for number in range(n_sellers)]


def forget_jobs() -> None:
    """Empty the market of jobs, money and what was learned; vendors stay."""
    execute(f"TRUNCATE {_GONE} CASCADE")
    execute("UPDATE vendors_capacitywindow SET in_flight = 0, n_taken = 0")


def rich_customer(amount_micro: int = 10**12) -> Actor:
    """Return a customer with money in its wallet."""
    actor = market.customer()
    wallet = holds.wallet_of(actor.organization_id, "USD")
    posting = Posting(f"gift/{next(_numbers)}", Account(Kind.PROVIDER, "USD"), wallet, amount_micro, "Top-up")
    with transaction.atomic():
        ledger.post([posting])
    return actor


def execute(sql: str, *parameters) -> int:
    """Run a statement; return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def scalar(sql: str, *parameters):
    """Return the first column of the first row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def lapse_offer(offer_id) -> None:
    """Let a live offer's time run out."""
    execute(
        "UPDATE marketplace_offer SET created_at = created_at - interval '2 hours', remind_at = NULL, "
        "expires_at = statement_timestamp() - interval '1 ms' WHERE id = %s AND state = 'live'",
        offer_id,
    )


def lapse_work(assignment_id) -> None:
    """Let the deadlines of open work pass."""
    execute(
        "UPDATE marketplace_assignment SET start_due_at = start_due_at - interval '9 days', "
        "lapse_at = lapse_at - interval '9 days', due_at = due_at - interval '9 days' WHERE id = %s",
        assignment_id,
    )


def pass_time() -> None:
    """Let all pauses and reviews end."""
    execute("UPDATE marketplace_batch SET offer_due_at = statement_timestamp() WHERE offer_due_at IS NOT NULL")
    execute("UPDATE marketplace_batch SET review_due_at = statement_timestamp() WHERE review = 'open'")
    execute("UPDATE marketplace_lot SET vet_due_at = statement_timestamp() WHERE vet_due_at IS NOT NULL")
    execute("UPDATE common_outboxmessage SET next_attempt_at = statement_timestamp() WHERE delivered_at IS NULL")


def vet_due() -> None:
    """Vet the lots that are due, as a worker would."""
    for lot_id in Lot.objects.filter(vet_due_at__isnull=False).order_by("pk").values_list("pk", flat=True):
        vetting.vet_lot(lot_id=lot_id)


def finish(sellers: list[market.Seller], customers: list[Actor]) -> None:
    """Do what everybody has to do until nothing is open; whoever is asked accepts and answers right."""
    by_vendor = {one.vendor_id: one for one in sellers}
    for _ in range(60):
        pass_time()
        sweeper.sweep()
        for offer in Offer.objects.filter(state="live").order_by("pk"):
            _accept(by_vendor[offer.vendor_id], offer)
        for work in Assignment.objects.filter(state__in=["reserved", "started", "rework"]).order_by("pk"):
            answers = market.answers_of(work)
            annotations.submit(actor=by_vendor[work.vendor_id].actor, assignment_id=work.pk, answers=answers)
        vet_due()
        owners = {actor.organization_id: actor for actor in customers}
        for batch in Batch.objects.filter(state="escalated").select_related("job"):
            escalations.resolve(actor=owners[batch.job.organization_id], batch_id=batch.pk, choice="close")
        if not unfinished():
            return
    raise AssertionError(f"still open after 60 turns: {unfinished()}")


def _accept(one: market.Seller, offer: Offer) -> None:
    try:
        offers.accept(actor=one.actor, offer_id=offer.pk)
    except ConflictError:
        pass_time()  # lost a wave, or its slots are full: the next turn asks anew


def unfinished() -> dict[str, int]:
    """Return what is not at its end: batches, open lots, live offers, messages, settlements due, slots in use."""
    counts = {
        "batches": "SELECT count(*) FROM marketplace_batch WHERE state NOT IN ('done', 'cancelled')",
        "lots": "SELECT count(*) FROM marketplace_lot WHERE state = 'open'",
        "offers": "SELECT count(*) FROM marketplace_offer WHERE state = 'live'",
        "messages": "SELECT count(*) FROM common_outboxmessage WHERE delivered_at IS NULL",
        "settlements": "SELECT count(*) FROM marketplace_settlement WHERE post_due_at IS NOT NULL",
        "slots": "SELECT coalesce(sum(in_flight), 0) FROM vendors_capacitywindow",
    }
    return {name: n for name, sql in counts.items() if (n := scalar(sql))}


def in_another_connection(act) -> None:
    """Do something in a thread of its own, with its own connection, and wait for it."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

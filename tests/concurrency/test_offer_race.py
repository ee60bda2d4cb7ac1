"""Thousands of accepts, declines and expiries at once: every offer gets one decision, every batch one winner."""

import itertools
import random
import threading
from collections import Counter

import pytest
from django.db import close_old_connections, connection

from common.errors import ConflictError
from marketplace.models import Assignment, Batch, Candidate, Offer, RoutingEvent
from marketplace.services import assignments, offering, offers, routing
from tests import market
from vendors.models import CapacityWindow

pytestmark = pytest.mark.django_db(transaction=True)

N_BATCHES = 2600
N_EVENTS = 20_000
N_ACCEPTERS = 4
N_SWEEPERS = 2


class Race:
    """Actors of a market that all run at once and count what they were told."""

    def __init__(self, sellers: list[market.Seller]) -> None:
        self.seller_of = {one.vendor_id: one for one in sellers}
        self.stop = threading.Event()
        self.barrier = threading.Barrier(N_ACCEPTERS + N_SWEEPERS + 1)
        self.told: Counter[str] = Counter()
        self.accepted: Counter[object] = Counter()
        self.lock = threading.Lock()
        self.errors: list[BaseException] = []

    def run(self, act) -> None:
        try:
            self.barrier.wait()
            while not self.stop.is_set():
                act()
        except BaseException as error:  # a thread must not die unseen
            self.errors.append(error)
        finally:
            connection.close()

    def count(self, what: str) -> None:
        with self.lock:
            self.told[what] += 1

    def decide(self, rng: random.Random) -> None:
        """Take a few offers that were live a moment ago, and decide each, twice at times."""
        live = Offer.objects.filter(state="live").order_by("pk")[rng.randrange(300) :][:10]
        rows = list(live.values_list("pk", "vendor_id"))
        rng.shuffle(rows)
        for offer_id, vendor_id in rows:
            actor = self.seller_of[vendor_id].actor
            try:
                if rng.random() < 0.35:
                    assignment = offers.accept(actor=actor, offer_id=offer_id)
                    with self.lock:
                        self.accepted[assignment.pk] += 1
                    self.count("accepted")
                    if rng.random() < 0.8:
                        assignments.release(actor=actor, assignment_id=assignment.pk, reason="other")
                else:
                    offers.decline(actor=actor, offer_id=offer_id, reason="other")
                    self.count("declined")
            except ConflictError as error:
                self.count(error.code)

    def sweep(self) -> None:
        """Expire and offer on; now and then shorten some live offers so that expiry races the deciders."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE marketplace_offer SET expires_at = statement_timestamp(), "
                "created_at = created_at - interval '1s' "
                "WHERE id IN (SELECT id FROM marketplace_offer WHERE state = 'live' ORDER BY random() LIMIT 15 "
                "FOR UPDATE SKIP LOCKED)"
            )
        expired = offering.expire(limit=40)
        offering.advance(limit=200)
        with self.lock:
            self.told["expired"] += expired


def decisions() -> int:
    return Offer.objects.exclude(state="live").count()


def test_twenty_thousand_racing_decisions_lose_and_double_nothing():
    market.gold_set()
    sellers = [market.seller(30_000 + i, max_concurrent=100_000) for i in range(12)]
    job = market.job(
        market.customer(), n_records=N_BATCHES, batch_size=1, min_overlap=1, n_gold=0, max_offers=1000, max_rounds=100
    )
    race = Race(sellers)
    threads = [threading.Thread(target=race.run, args=(race.sweep,)) for _ in range(N_SWEEPERS)]
    for number in range(N_ACCEPTERS):
        rng = random.Random(number)
        threads.append(threading.Thread(target=race.run, args=(lambda rng=rng: race.decide(rng),)))
    for thread in threads:
        thread.start()
    race.barrier.wait()
    while decisions() < N_EVENTS and not race.errors:
        threading.Event().wait(0.5)
        waiting = Batch.objects.filter(state__in=["waiting", "escalated"]).values_list("pk", flat=True)
        Batch.objects.filter(pk__in=list(waiting), state="escalated").update(state="waiting")
        routing.rank_batches(batch_ids=list(waiting))
    race.stop.set()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert race.errors == []
    check_invariants(job, sellers, race)


def check_invariants(job, sellers, race) -> None:
    states = Counter(Offer.objects.values_list("state", flat=True))
    assert sum(n for state, n in states.items() if state != "live") >= N_EVENTS
    told = Counter(RoutingEvent.objects.filter(kind__startswith="offer.").values_list("kind", "subject"))
    made = {subject for kind, subject in told if kind == "offer.made"}
    ended = [subject for kind, subject in told if kind != "offer.made"]
    assert set(told.values()) == {1}
    assert made == set(Offer.objects.values_list("pk", flat=True))
    assert len(ended) == len(set(ended)) == len(made) - states["live"]
    assert states["accepted"] == Assignment.objects.count()
    assert states["expired"] == race.told["expired"]
    assert set(race.accepted) == set(Assignment.objects.values_list("pk", flat=True))
    open_by_batch = Counter(
        Assignment.objects.filter(state__in=["reserved", "started"]).values_list("batch_id", flat=True)
    )
    live_by_batch = Counter(Offer.objects.filter(state="live").values_list("batch_id", flat=True))
    assert max(open_by_batch.values(), default=0) <= 1
    assert max(live_by_batch.values(), default=0) <= 1
    assert not set(open_by_batch) & set(live_by_batch)
    assert set(open_by_batch) == set(Batch.objects.filter(state="assigned").values_list("pk", flat=True))
    for one in sellers:
        held = Assignment.objects.filter(vendor_id=one.vendor_id, state__in=["reserved", "started"]).count()
        assert CapacityWindow.objects.get(vendor_id=one.vendor_id).in_flight == held
    check_order()
    job.refresh_from_db()
    held = Assignment.objects.filter(state="reserved").values_list("reserved_micro", flat=True)
    assert job.committed_micro == sum(held)


def check_order() -> None:
    """Within a round, no vendor is offered a batch twice, and offers follow the frozen list."""
    rows = list(
        Offer.objects.order_by("batch_id", "round", "pk").values_list("batch_id", "round", "vendor_id", "sequence")
    )
    assert len({row[:3] for row in rows}) == len(rows)
    places = {row.pk: row.sequence for row in Candidate.objects.all()}
    for offer in Offer.objects.only("candidate_id", "sequence").iterator():
        assert places[offer.candidate_id] == offer.sequence
    for earlier, later in itertools.pairwise(rows):
        if earlier[:2] == later[:2]:
            assert earlier[3] < later[3]

"""The checker is not blind: take one safeguard away, and it says what broke."""

import threading

import pytest
from django.db import connections, transaction
from django.db.models import QuerySet

from benchmarks.races import invariants
from common.errors import ConflictError
from marketplace.models import Batch, Job, Offer
from marketplace.services import assignments, offering, offers, sweeper, withdrawals
from tests import market
from tests.faults import worlds
from vendors.services import capacity

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fast_market")]


def broken() -> set[int]:
    """Return the numbers of the invariants that do not hold."""
    return {one.number for one in invariants.violations(is_strict=True)}


def a_market(n_sellers=3, **terms):
    """Return vendors and a job on offer to the first."""
    sellers = worlds.sellers(n_sellers)
    job = market.job(worlds.rich_customer(), min_overlap=1, max_overlap=1, n_gold=0, **terms)
    sweeper.sweep()
    assert broken() == set()
    return sellers, job


def asked(sellers):
    """Return the one live offer and who it was made to."""
    offer = Offer.objects.get(state="live")
    return offer, next(one for one in sellers if one.vendor_id == offer.vendor_id)


def test_without_the_index_of_one_live_offer_and_the_skip_of_rivals_two_are_made():
    a_market()
    worlds.execute("DROP INDEX offer_one_live")
    try:
        offer = Offer.objects.get(state="live")
        rival = market.seller(90_000)
        with transaction.atomic():
            worlds.execute(
                "INSERT INTO marketplace_offer SELECT (jsonb_populate_record(o, jsonb_build_object("
                "'id', uuidv7(), 'vendor_id', %s::uuid))).* FROM marketplace_offer o WHERE o.id = %s",
                str(rival.vendor_id),
                offer.pk,
            )
        assert {1, 2, 8} <= broken()
    finally:
        worlds.forget_jobs()
        worlds.execute("CREATE UNIQUE INDEX offer_one_live ON marketplace_offer (batch_id, slot) WHERE state = 'live'")


def test_without_the_state_in_the_update_a_declined_offer_is_accepted(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    assert broken() == set()
    with pytest.raises(ConflictError):
        offers.accept(actor=one.actor, offer_id=offer.pk)
    monkeypatch.setattr(offers, "_TAKE", offers._TAKE.replace("AND o.state = 'live'", ""))
    offers.accept(actor=one.actor, offer_id=offer.pk)
    assert 2 in broken()


def test_with_the_application_s_clock_a_late_accept_goes_through(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    worlds.lapse_offer(offer.pk)
    with pytest.raises(ConflictError):
        offers.accept(actor=one.actor, offer_id=offer.pk)
    slow = offers._TAKE.replace(
        "o.expires_at > statement_timestamp()", "o.expires_at > statement_timestamp() - interval '1 hour'"
    )
    monkeypatch.setattr(offers, "_TAKE", slow)
    offers.accept(actor=one.actor, offer_id=offer.pk)
    assert 3 in broken()


def test_without_the_state_of_the_batch_a_lost_wave_wins_too(monkeypatch):
    sellers, job = a_market()
    offer, one = asked(sellers)
    Job.objects.filter(pk=job.pk).update(wave_size=2)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    sweeper.sweep()
    first, second = Offer.objects.filter(state="live").order_by("pk")
    by_vendor = {one.vendor_id: one.actor for one in sellers}
    monkeypatch.setattr(withdrawals, "siblings_of", lambda batch_id: 0)
    offers.accept(actor=by_vendor[first.vendor_id], offer_id=first.pk)
    worlds.execute("DROP INDEX assignment_one_open")
    monkeypatch.setattr(offers, "_CLAIM", offers._CLAIM.replace("AND state = 'offering'", ""))
    try:
        offers.accept(actor=by_vendor[second.vendor_id], offer_id=second.pk)
        assert 1 in broken()
    finally:
        worlds.forget_jobs()
        worlds.execute(
            "CREATE UNIQUE INDEX assignment_one_open ON marketplace_assignment (batch_id) "
            "WHERE state IN ('reserved', 'started', 'rework')"
        )


def test_a_slot_never_given_back_is_seen(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    work = offers.accept(actor=one.actor, offer_id=offer.pk)
    monkeypatch.setattr(capacity, "release", lambda vendor_id: None)
    assignments.release(actor=one.actor, assignment_id=work.pk, reason="other")
    assert 4 in broken()


def test_without_the_lock_work_given_back_twice_at_once_frees_two_slots(monkeypatch):
    sellers, _ = a_market(1, n_records=12)
    works = []
    for _ in range(2):
        offer, one = asked_any(sellers)
        works.append(offers.accept(actor=one.actor, offer_id=offer.pk))
    together, fail = threading.Barrier(2, timeout=20), assignments.fail

    def fail_together(assignment, reason, **counted):
        together.wait()
        fail(assignment, reason, **counted)

    monkeypatch.setattr(assignments, "fail", fail_together)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    threads = [threading.Thread(target=give_back, args=(sellers[0], works[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 4 in broken()


def asked_any(sellers):
    offer = Offer.objects.filter(state="live").order_by("pk").first()
    return offer, next(one for one in sellers if one.vendor_id == offer.vendor_id)


def give_back(one, work):
    try:
        assignments.release(actor=one.actor, assignment_id=work.pk, reason="other")
    finally:
        connections.close_all()


def test_an_event_left_out_is_seen(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    monkeypatch.setattr("marketplace.services.events.of_batch", lambda *args, **kwargs: None)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    assert {2, 10} <= broken()


def test_a_batch_nobody_hands_on_is_seen(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    monkeypatch.setattr(offers, "_hand_on", lambda offer: None)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    assert broken() == {5}


def test_a_waiting_batch_without_a_timer_is_seen():
    a_market(1)
    worlds.execute("UPDATE marketplace_batch SET state = 'waiting', offer_due_at = NULL")
    assert 6 in broken()


def test_an_order_that_is_not_that_of_the_ranking_is_seen(monkeypatch):
    sellers, _ = a_market()
    backwards = offering._ADVANCE.replace("ORDER BY sequence LIMIT", "ORDER BY sequence DESC LIMIT")
    monkeypatch.setattr(offering, "_ADVANCE", backwards)
    worlds.forget_jobs()
    market.job(worlds.rich_customer(), min_overlap=1, max_overlap=1, n_gold=0)
    for _ in sellers[1:]:
        sweeper.sweep()
        offer, one = asked(sellers)
        offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    sweeper.sweep()
    assert broken() == {8}


def test_a_price_that_changed_on_the_way_is_seen():
    sellers, _ = a_market()
    offer, one = asked(sellers)
    offers.accept(actor=one.actor, offer_id=offer.pk)
    worlds.execute("UPDATE marketplace_assignment SET price_micro = price_micro + 1")
    assert broken() == {13}


def test_budget_not_given_back_is_seen(monkeypatch):
    sellers, _ = a_market()
    offer, one = asked(sellers)
    work = offers.accept(actor=one.actor, offer_id=offer.pk)
    worlds.execute("UPDATE marketplace_job SET committed_micro = committed_micro + 1")
    assert broken() == {13}
    worlds.execute("UPDATE marketplace_job SET committed_micro = committed_micro - 1")
    assert broken() == set()
    assert Batch.objects.get(pk=work.batch_id).state == "assigned"


def test_a_reminder_told_twice_is_seen():
    sellers, _ = a_market()
    asked(sellers)
    worlds.execute("UPDATE marketplace_offer SET remind_at = statement_timestamp()")
    sweeper.sweep()
    assert broken() == set()
    worlds.execute("UPDATE marketplace_offer SET remind_at = statement_timestamp()")
    worlds.execute("UPDATE common_outboxmessage SET delivered_at = NULL, next_attempt_at = statement_timestamp()")
    worlds.execute("DELETE FROM common_outboxreceipt")
    sweeper.sweep()
    assert 12 in broken()

"""Any order of requests, lapses, sweeps and replays leaves the market legal, and it always comes to its end."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from benchmarks.races import invariants
from common.errors import DomainError
from marketplace.core.routing import Weights
from marketplace.models import Assignment, Batch, Job, Offer
from marketplace.services import annotations, assignments, cancellations, escalations, interests, offers, sweeper
from tests import market
from tests.faults import worlds

pytestmark = pytest.mark.django_db(transaction=True)

_PRINT = """
SELECT md5(concat(
    (SELECT string_agg(concat(id, state, reason, decided_at), ',' ORDER BY id) FROM marketplace_offer),
    (SELECT string_agg(concat(id, state, round, n_items, n_open, n_offers, reason), ',' ORDER BY id)
     FROM marketplace_batch),
    (SELECT string_agg(concat(id, state, reserved_micro, n_reworks, closed_at, due_at), ',' ORDER BY id)
     FROM marketplace_assignment),
    (SELECT string_agg(concat(id, state, committed_micro, spent_micro, held_micro), ',' ORDER BY id)
     FROM marketplace_job),
    (SELECT string_agg(concat(id, in_flight, n_taken), ',' ORDER BY id) FROM vendors_capacitywindow),
    (SELECT count(*) FROM marketplace_routingevent), (SELECT count(*) FROM common_outboxmessage),
    (SELECT count(*) FROM marketplace_annotation), (SELECT count(*) FROM marketplace_lateinterest),
    (SELECT string_agg(concat(id, state, label), ',' ORDER BY id) FROM marketplace_jobrecord),
    (SELECT count(*) FROM common_ledgerentry), (SELECT count(*) FROM marketplace_settlement),
    (SELECT string_agg(concat(id, successes, failures), ',' ORDER BY id) FROM vendors_ratioposterior)))
"""
"""A fingerprint of everything a request may change."""

picks = st.integers(min_value=0, max_value=10**6)


class Market(RuleBasedStateMachine):
    """Rules are what customers, vendors, staff, timers and workers do; `sellers` is set by the test."""

    sellers: list[market.Seller]

    def __init__(self):
        super().__init__()
        worlds.forget_jobs()
        self.customer = worlds.rich_customer()
        self.staff = market.staff()
        self.by_vendor = {one.vendor_id: one for one in self.sellers}
        self.done: list[tuple[str, object, object]] = []

    def one(self, queryset, pick):
        rows = list(queryset.order_by("pk"))
        return rows[pick % len(rows)] if rows else None

    def call(self, name, subject, act):
        """Make a request; what is refused changes nothing, what is done may be sent again at any time."""
        before = worlds.scalar(_PRINT)
        refused = ""
        try:
            act()
        except DomainError as error:
            refused = error.code
        if not refused:
            self.done.append((name, subject, act))
        elif refused not in {"budget_exhausted", "offer_taken"}:  # these withdraw the offer, and say so
            assert worlds.scalar(_PRINT) == before, f"{name} was refused ({refused}) and changed something"

    @initialize(n=st.integers(1, 7), wave=st.integers(1, 3), overlap=st.integers(1, 2))
    def post_first_job(self, n, wave, overlap):
        self._post(n, wave, overlap, 0)
        sweeper.sweep()

    def live(self, pick):
        if not Offer.objects.filter(state="live").exists():
            sweeper.sweep()
        return self.one(Offer.objects.filter(state="live"), pick)

    @precondition(lambda self: Job.objects.count() < 3)
    @rule(n=st.integers(1, 7), wave=st.integers(1, 3), overlap=st.integers(1, 2), window=st.sampled_from([0, 3600]))
    def post_job(self, n, wave, overlap, window):
        self._post(n, wave, overlap, window)

    def _post(self, n, wave, overlap, window):
        market.job(
            self.customer,
            n_records=n,
            batch_size=3,
            min_overlap=overlap,
            max_overlap=overlap + 1,
            wave_size=wave,
            weights=Weights.of("speed" if wave > 1 else "cost"),
            max_offers=4,
            max_rounds=2,
            review_window_s=window,
        )

    @rule()
    def sweep(self):
        sweeper.sweep()

    @rule(pick=picks, part=st.none() | st.integers(1, 2))
    def accept(self, pick, part):
        if offer := self.live(pick):
            actor = self.by_vendor[offer.vendor_id].actor
            self.call("accept", offer.pk, lambda: offers.accept(actor=actor, offer_id=offer.pk, n_records=part))

    @rule(pick=picks)
    def decline(self, pick):
        if offer := self.live(pick):
            actor = self.by_vendor[offer.vendor_id].actor
            self.call("decline", offer.pk, lambda: offers.decline(actor=actor, offer_id=offer.pk, reason="other"))

    @rule(pick=picks)
    def withdraw(self, pick):
        if offer := self.live(pick):
            self.call(
                "withdraw",
                offer.pk,
                lambda: cancellations.withdraw_offer(actor=self.staff, offer_id=offer.pk, reason="other"),
            )

    @rule(pick=picks)
    def let_offer_lapse(self, pick):
        if offer := self.live(pick):
            worlds.lapse_offer(offer.pk)

    @rule(pick=picks)
    def show_interest(self, pick):
        if offer := self.one(Offer.objects.filter(state__in=["expired", "withdrawn"]), pick):
            actor = self.by_vendor[offer.vendor_id].actor
            self.call("interest", offer.pk, lambda: interests.register(actor=actor, offer_id=offer.pk))

    @rule(pick=picks, wrong=st.sampled_from([0, 0, 0, 1, 9]), limit=st.none() | st.integers(1, 2))
    def submit(self, pick, wrong, limit):
        work = self.one(Assignment.objects.filter(state__in=["reserved", "started", "rework"]), pick)
        if work is not None:
            answers, actor = market.answers_of(work, wrong, limit), self.by_vendor[work.vendor_id].actor
            self.call(
                "submit",
                work.pk,
                lambda: annotations.submit(actor=actor, assignment_id=work.pk, answers=answers),
            )

    @rule(pick=picks)
    def let_work_lapse(self, pick):
        if work := self.one(Assignment.objects.filter(state__in=["reserved", "started", "rework"]), pick):
            worlds.lapse_work(work.pk)

    @rule(pick=picks)
    def release(self, pick):
        if work := self.one(Assignment.objects.filter(state__in=["reserved", "started"]), pick):
            actor = self.by_vendor[work.vendor_id].actor
            self.call(
                "release",
                work.pk,
                lambda: assignments.release(actor=actor, assignment_id=work.pk, reason="other"),
            )

    @rule(pick=picks)
    def cancel_batch(self, pick):
        if batch := self.one(Batch.objects.exclude(state__in=["done", "cancelled"]), pick):
            self.call(
                "cancel_batch",
                batch.pk,
                lambda: cancellations.cancel_batch(actor=self.customer, batch_id=batch.pk),
            )

    @rule(pick=picks)
    def cancel_job(self, pick):
        if job := self.one(Job.objects.filter(state="open"), pick):
            self.call("cancel_job", job.pk, lambda: cancellations.cancel_job(actor=self.customer, job_id=job.pk))

    @rule(pick=picks, choice=st.sampled_from(["wait", "close"]))
    def resolve(self, pick, choice):
        if batch := self.one(Batch.objects.filter(state="escalated"), pick):
            with suppress(DomainError):
                escalations.resolve(actor=self.customer, batch_id=batch.pk, choice=choice)

    @rule()
    def vet(self):
        worlds.vet_due()

    @rule()
    def let_time_pass(self):
        worlds.pass_time()

    @precondition(lambda self: self.done)
    @rule(pick=picks)
    def send_again(self, pick):
        """Any request done before, sent again: whatever has happened since, nothing changes (invariant 9)."""
        name, subject, act = self.done[pick % len(self.done)]
        if name == "submit" and Assignment.objects.filter(pk=subject, state="rework").exists():
            return  # the same answers are a new answer to the question asked again
        before = worlds.scalar(_PRINT)
        with suppress(DomainError):
            act()
        assert worlds.scalar(_PRINT) == before, f"{name} sent again changed something"

    @invariant()
    def nothing_is_violated(self):
        assert [str(one) for one in invariants.violations()] == []

    def teardown(self):
        worlds.finish(self.sellers, [self.customer])
        assert [str(one) for one in invariants.violations()] == []


def test_any_history_is_legal_and_comes_to_its_end(fast_market):
    Market.sellers = worlds.sellers(4, max_concurrent=3)
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )

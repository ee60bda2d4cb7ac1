"""What is vetoed is never sent, and nothing is lost or doubled: whatever dies, in whatever order, whoever races."""

import contextlib
import itertools
import random
import threading
import time

import pytest
from django.db import connection

from common import outbox
from common.clock import Now
from common.errors import ValidationFailedError
from common.models import OutboxMessage
from curation.models import Observation, Pick
from curation.models.experiments import VetoReason
from curation.services import experiments, overrides
from marketplace import consumers
from marketplace.errors import CampaignStateError, ProposalClosedError
from marketplace.models import Campaign, Lot, RoutingEvent
from marketplace.services import campaigns, lots, opinions, proposals, reminders, sweeper
from tests.loops import BATCH, Loop
from tests.proposals import (
    add,
    approve,
    check_nothing_vetoed_was_sent,
    pass_deadline,
    propose,
    proposed,
    sent,
    told,
    unasked,
    veto,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 2


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


@pytest.fixture
def storage(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


@pytest.fixture
def loop(storage):
    return Loop(max_rounds=ROUNDS, mode="veto")


STEPS = [
    (experiments, "_save"),
    (campaigns, "_move"),
    (proposals, "open_locked"),
    (proposals, "is_due"),
    (proposals, "picks_of"),
    (lots, "add_to_locked"),
    (opinions, "order"),
    (overrides, "veto"),
    (overrides, "add"),
    (proposals, "_tell"),
]


@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_crash_at_any_step_neither_loses_doubles_nor_sends_what_is_vetoed(loop, monkeypatch, module, name, when, nth):
    real = getattr(module, name)
    wanted: set[str] = set()
    monkeypatch.setattr(module, name, dying(real, when == "before", nth))
    for number in (1, 2):
        again(lambda: propose(loop))
        keys = proposed()
        again(lambda keys=keys: veto(loop, keys[:2], VetoReason.OUT_OF_SCOPE))
        mine = unasked(1)
        again(lambda mine=mine: add(loop, mine))
        wanted |= {*keys[2:], *mine}
        again(lambda number=number: approve(loop, number))
    monkeypatch.setattr(module, name, real)
    loop.run()
    assert len(check_nothing_vetoed_was_sent()) == 4
    assert sent() == sorted(wanted)
    assert Lot.objects.filter(state="closed").count() == ROUNDS
    assert Observation.objects.filter(label__isnull=False).count() == len(wanted)
    assert RoutingEvent.objects.filter(kind="proposal.vetoed").count() == ROUNDS
    assert told() == ["proposal.to_veto"] * ROUNDS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("module", "name"), [(proposals, "open_locked"), (reminders, "_send"), (outbox, "_sign"), (consumers, "_keep")]
)
def test_a_notice_and_a_reminder_come_once_whatever_dies(loop, monkeypatch, module, name, when):
    """The process dies where the proposal is stored, the reminder is put, and each is handed over; all is repeated."""
    for nth in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, dying(getattr(module, name), when == "before", nth))
            again(lambda: propose(loop))
            again(told)
            Campaign.objects.filter(remind_at__isnull=False).update(remind_at=Now())
            again(reminders.send_due)
            Campaign.objects.filter(remind_at__lt=Now()).update(remind_at=Now())
            again(sweeper.sweep)
        OutboxMessage.objects.filter(delivered_at=None).update(next_attempt_at=Now())
        assert sorted(told()) == sorted(["proposal.to_veto", "proposal.closes"] * nth)
        pass_deadline()


def test_sweepers_at_once_remind_once(loop):
    propose(loop)
    Campaign.objects.update(remind_at=Now())
    barrier, sent_by = threading.Barrier(4), []

    def run():
        barrier.wait()
        sent_by.append(sum(reminders.send_due() for _ in range(5)))
        outbox.relay()
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent_by) == 1
    assert told() == ["proposal.to_veto", "proposal.closes"]


def dying(real, is_before, nth):
    """Return a function that dies once, the n-th time it is called."""
    calls = itertools.count(1)

    def die(*args, **kwargs):
        number = next(calls)
        if number == nth and is_before:
            raise Crash
        result = real(*args, **kwargs)
        if number == nth:
            raise Crash
        return result

    return die


def again(deed):
    """Do something, and once more when it died: what a person or a worker does."""
    try:
        deed()
    except Crash:
        deed()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_no_vetoed_record_is_ever_sent(loop, monkeypatch, seed):
    """A walk at random over vetoes, additions, approvals, time, pauses and steps of the engine; a third of them die."""
    rng = random.Random(seed)
    Campaign.objects.update(max_rounds=50)

    def choose():
        earlier = sorted(Pick.objects.values_list("key", flat=True)) or ["digit-0"]
        known = proposed() if proposed() and rng.random() < 0.8 else earlier
        return rng.sample(known, rng.randint(1, min(3, len(known))))

    def hold():
        verb = "resume" if Campaign.objects.get().state == "paused" else "pause"
        campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb=verb)

    deeds = [
        lambda: veto(loop, choose(), rng.choice(list(VetoReason))),
        lambda: add(loop, unasked(1)),
        lambda: approve(loop, Campaign.objects.get().round),
        pass_deadline,
        hold,
        loop.tick,
    ]
    for _ in range(40):
        deed = rng.choices(deeds, weights=[4, 2, 1, 1, 1, 6])[0]
        with monkeypatch.context() as patch:
            if rng.random() < 1 / 3:
                module, name = rng.choice(STEPS)
                patch.setattr(module, name, dying(getattr(module, name), rng.random() < 0.5, 1))
            with contextlib.suppress(Crash, ProposalClosedError, CampaignStateError, ValidationFailedError):
                deed()
        check_nothing_vetoed_was_sent()
        assert len(sent()) == len(set(sent()))
    campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="pause")
    campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="resume")
    pass_deadline()
    loop.tick()
    assert check_nothing_vetoed_was_sent()
    assert sent()


def test_a_veto_racing_the_order_is_in_or_refused(loop):
    """A thread vetoes each record of the round in turn while another orders it, on real connections."""
    for number in (1, 2):
        keys = propose(loop)
        approve(loop, number)
        barrier, outcomes = threading.Barrier(2), {}

        def vetoes(keys=keys, barrier=barrier, outcomes=outcomes):
            barrier.wait()
            for key in keys[:-1]:
                try:
                    veto(loop, [key])
                    outcomes[key] = "in"
                except ProposalClosedError:
                    outcomes[key] = "late"
            connection.close()

        def orders(barrier=barrier):
            barrier.wait()
            campaigns.advance(campaign_id=loop.campaign.pk)
            connection.close()

        threads = [threading.Thread(target=target) for target in (vetoes, orders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        vetoed = check_nothing_vetoed_was_sent()
        assert vetoed & set(keys) == {key for key, outcome in outcomes.items() if outcome == "in"}
        assert set(keys) - vetoed <= set(sent())
        assert len(outcomes) == BATCH - 1


@pytest.mark.parametrize("first", ["veto", "order"])
def test_whoever_holds_the_campaign_first_makes_the_other_wait(loop, monkeypatch, first):
    """Each in turn is held up in the middle of its transaction while the other one tries."""
    key = propose(loop)[0]
    approve(loop, 1)
    module, name = (overrides, "veto") if first == "veto" else (lots, "add_to_locked")
    real, is_inside, outcomes = getattr(module, name), threading.Event(), []

    def slow(*args, **kwargs):
        is_inside.set()
        time.sleep(0.5)
        return real(*args, **kwargs)

    def vetoes():
        try:
            veto(loop, [key])
            outcomes.append("in")
        except ProposalClosedError:
            outcomes.append("late")
        connection.close()

    def orders():
        campaigns.advance(campaign_id=loop.campaign.pk)
        connection.close()

    monkeypatch.setattr(module, name, slow)
    deeds = [vetoes, orders] if first == "veto" else [orders, vetoes]
    threads = [threading.Thread(target=deed) for deed in deeds]
    threads[0].start()
    assert is_inside.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert outcomes == ["in" if first == "veto" else "late"]
    assert (key in sent()) == (first == "order")
    check_nothing_vetoed_was_sent()

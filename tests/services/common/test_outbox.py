"""Side effects: at least once, once per consumer, never inside the claiming transaction."""

import threading

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from common import outbox
from common.clock import Now
from common.models import OutboxMessage, OutboxReceipt

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "tests.happened"


@pytest.fixture
def calls(monkeypatch):
    """Give the topic a registry of its own and return the deliveries it gets."""
    seen = []
    monkeypatch.setattr(outbox, "_consumers", outbox.defaultdict(list))
    monkeypatch.setattr(outbox, "nudge", lambda: None)

    @outbox.consumer(TOPIC)
    def take(delivery):
        assert not connection.in_atomic_block
        seen.append(delivery)

    return seen


def put(**payload):
    """Put a message the way a service does."""
    with transaction.atomic():
        return outbox.put(TOPIC, payload)


def due_now():
    """Let every lease and back-off run out."""
    OutboxMessage.objects.update(next_attempt_at=Now())


def test_a_message_reaches_its_consumer_once(calls):
    message = put(n=1)
    assert outbox.relay() == 1
    due_now()
    assert outbox.relay() == 0
    assert [(d.id, d.payload, d.attempt) for d in calls] == [(message.pk, {"n": 1}, 1)]


def test_a_rolled_back_cause_has_no_effect(calls):
    with transaction.atomic():
        outbox.put(TOPIC, {})
        transaction.set_rollback(True)
    assert outbox.relay() == 0
    assert calls == []


def test_put_needs_a_transaction(calls):
    with pytest.raises(TransactionManagementError):
        outbox.put(TOPIC, {})


def test_a_failing_consumer_is_tried_again_alone(calls):
    failures = [RuntimeError("away"), RuntimeError("still away")]

    @outbox.consumer(TOPIC)
    def shaky(_):
        if failures:
            raise failures.pop()

    message = put()
    for _ in range(3):
        outbox.relay()
        due_now()
    message.refresh_from_db()
    assert len(calls) == 1
    assert message.attempts == 3
    assert message.delivered_at is not None
    assert message.last_error == ""


def test_a_failure_backs_off(calls):
    @outbox.consumer(TOPIC)
    def broken(_):
        raise RuntimeError("no\0use")

    message = put()
    assert outbox.relay() == 1
    assert outbox.relay() == 0
    message.refresh_from_db()
    assert message.next_attempt_at > message.created_at
    assert message.last_error == "RuntimeError: nouse"


def test_it_gives_up_after_the_last_attempt(calls):
    @outbox.consumer(TOPIC)
    def broken(_):
        raise RuntimeError("never")

    message = put()
    for _ in range(outbox.MAX_ATTEMPTS + 2):
        outbox.relay()
        due_now()
    message.refresh_from_db()
    assert message.attempts == outbox.MAX_ATTEMPTS
    assert message.failed_at is not None
    assert message.delivered_at is None


def test_a_message_that_kills_its_relay_is_given_up_too(calls):
    message = put()
    OutboxMessage.objects.update(attempts=outbox.MAX_ATTEMPTS)
    outbox.relay()
    message.refresh_from_db()
    assert message.failed_at is not None
    assert calls == []


def test_a_killed_relay_only_delays(calls):
    put()
    assert len(outbox._claim(10)) == 1  # ... and the process dies here
    assert outbox.relay() == 0
    due_now()
    assert outbox.relay() == 1
    assert calls[0].attempt == 2


def test_a_local_consumer_and_its_receipt_commit_together(calls):
    fail = [True]

    @outbox.consumer(TOPIC, local=True)
    def write(_):
        assert connection.in_atomic_block
        OutboxMessage.objects.create(topic="tests.effect")
        if fail:
            raise RuntimeError(fail.pop())

    put()
    outbox.relay()
    assert not OutboxMessage.objects.filter(topic="tests.effect").exists()
    due_now()
    outbox.relay(limit=1)
    assert OutboxMessage.objects.filter(topic="tests.effect").count() == 1
    assert OutboxReceipt.objects.filter(consumer__endswith="write").count() == 1


def test_a_topic_without_consumer_waits_for_one(monkeypatch):
    monkeypatch.setattr(outbox, "_consumers", outbox.defaultdict(list))
    monkeypatch.setattr(outbox, "nudge", lambda: None)
    message = put()
    outbox.relay()
    message.refresh_from_db()
    assert "no consumer" in message.last_error
    assert message.delivered_at is None


def test_concurrent_relays_deliver_each_message_once(calls):
    expected = {put(n=n).pk for n in range(60)}
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        outbox.relay()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.relay()
    assert len(calls) == 60
    assert {d.id for d in calls} == expected


def test_a_missing_broker_does_not_disturb(settings):
    with transaction.atomic():
        message = outbox.put(TOPIC, {})
    assert OutboxMessage.objects.filter(pk=message.pk).exists()

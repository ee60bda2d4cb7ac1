"""Requests sent twice."""

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from common import idempotency
from common.clock import Now
from common.errors import IdempotencyInProgressError, IdempotencyMismatchError
from common.idempotency import Stored, Ticket
from common.models import IdempotencyRecord

pytestmark = pytest.mark.django_db(transaction=True)
ORGANIZATION = uuid.uuid4()
REQUEST = {"organization_id": ORGANIZATION, "key": "k", "route": "POST /jobs/", "fingerprint": "a" * 64}


def test_the_first_runs_and_the_others_get_its_answer():
    ticket = idempotency.begin(**REQUEST)
    idempotency.finish(ticket, status=201, body={"id": "x"})
    assert idempotency.begin(**REQUEST) == Stored(201, {"id": "x"})


def test_another_request_with_the_key_is_refused():
    idempotency.begin(**REQUEST)
    with pytest.raises(IdempotencyMismatchError):
        idempotency.begin(**REQUEST | {"fingerprint": "b" * 64})


def elsewhere(work):
    """Do something on a connection of its own, as another process would, and return what came of it."""
    outcomes = []

    def run():
        try:
            outcomes.append(work())
        except Exception as error:
            outcomes.append(type(error))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcomes[0]


def test_a_running_request_is_not_run_again():
    idempotency.begin(**REQUEST)
    assert elsewhere(lambda: idempotency.begin(**REQUEST)) is IdempotencyInProgressError


def begin_once_the_server_has_seen_the_connection_go() -> Ticket | Stored:
    for _ in range(100):
        try:
            return idempotency.begin(**REQUEST)
        except IdempotencyInProgressError:
            time.sleep(0.02)
    return idempotency.begin(**REQUEST)


def test_a_request_whose_process_died_runs_again_at_once():
    died = elsewhere(lambda: idempotency.begin(**REQUEST))
    again = begin_once_the_server_has_seen_the_connection_go()
    assert isinstance(again, Ticket)
    idempotency.finish(died, status=200, body="stale")
    idempotency.finish(again, status=201, body="fresh")
    assert idempotency.begin(**REQUEST) == Stored(201, "fresh")


def test_an_answered_request_holds_no_lock():
    idempotency.finish(idempotency.begin(**REQUEST), status=200, body=None)
    assert elsewhere(lambda: idempotency.begin(**REQUEST)) == Stored(200, None)
    idempotency.abandon(idempotency.begin(**REQUEST | {"key": "other"}))
    assert isinstance(elsewhere(lambda: idempotency.begin(**REQUEST | {"key": "other"})), Ticket)


def test_keys_of_other_organizations_are_others():
    idempotency.begin(**REQUEST)
    assert isinstance(idempotency.begin(**REQUEST | {"organization_id": uuid.uuid4()}), Ticket)


def test_a_failed_request_frees_its_key():
    idempotency.abandon(idempotency.begin(**REQUEST))
    assert isinstance(idempotency.begin(**REQUEST), Ticket)


def test_a_vanished_host_s_lease_runs_out():
    idempotency.begin(**REQUEST)  # the database still believes in this connection
    IdempotencyRecord.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert isinstance(elsewhere(lambda: idempotency.begin(**REQUEST)), Ticket)


def test_of_many_at_once_one_runs():
    barrier = threading.Barrier(6)
    outcomes = []

    def work():
        barrier.wait()
        try:
            outcomes.append(type(idempotency.begin(**REQUEST)))
        except IdempotencyInProgressError as error:
            outcomes.append(type(error))
        barrier.wait()  # nobody leaves, and so frees the lock, before all have tried
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Ticket) == 1
    assert outcomes.count(IdempotencyInProgressError) == 5


def test_old_answers_are_forgotten():
    idempotency.begin(**REQUEST)
    assert idempotency.purge() == 0
    IdempotencyRecord.objects.update(created_at=Now() - idempotency.KEPT - timedelta(seconds=1))
    assert idempotency.purge() == 1

"""Requests sent twice."""

import threading
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


def test_a_running_request_is_not_run_again():
    idempotency.begin(**REQUEST)
    with pytest.raises(IdempotencyInProgressError):
        idempotency.begin(**REQUEST)


def test_keys_of_other_organizations_are_others():
    idempotency.begin(**REQUEST)
    assert isinstance(idempotency.begin(**REQUEST | {"organization_id": uuid.uuid4()}), Ticket)


def test_a_failed_request_frees_its_key():
    idempotency.abandon(idempotency.begin(**REQUEST))
    assert isinstance(idempotency.begin(**REQUEST), Ticket)


def test_a_dead_worker_s_lease_runs_out_and_it_can_no_longer_answer():
    stale = idempotency.begin(**REQUEST)
    IdempotencyRecord.objects.update(lease_until=Now() - timedelta(seconds=1))
    fresh = idempotency.begin(**REQUEST)
    idempotency.finish(stale, status=200, body="stale")
    idempotency.finish(fresh, status=201, body="fresh")
    assert idempotency.begin(**REQUEST) == Stored(201, "fresh")


def test_of_many_at_once_one_runs():
    barrier = threading.Barrier(6)
    outcomes = []

    def work():
        barrier.wait()
        try:
            outcomes.append(type(idempotency.begin(**REQUEST)))
        except IdempotencyInProgressError as error:
            outcomes.append(type(error))
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

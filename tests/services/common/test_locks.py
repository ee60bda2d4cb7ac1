"""The lock order and its helpers."""

import threading

import pytest
from django.apps import apps
from django.db import connection, transaction

from common import locks
from common.models import AuditEvent, Organization

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_order_names_tables_that_exist():
    installed = {model._meta.label for model in apps.get_models()}
    present_apps = {label.split(".")[0] for label in installed}
    known = [label for label in locks.ORDER if label.split(".")[0] in present_apps]
    assert set(known) <= installed


def test_rows_are_locked_by_primary_key():
    for n in range(5):
        Organization.objects.create(name=f"{n}", kind="customer")
    with transaction.atomic():
        found = locks.rows(Organization.objects.order_by("-name"))
        assert found == sorted(found, key=lambda row: row.pk)
        with pytest.raises(LookupError):
            locks.row(Organization.objects.all())
        assert _free_rows_seen_elsewhere() == []


def _free_rows_seen_elsewhere():
    seen = []

    def look():
        with transaction.atomic():
            seen.extend(locks.rows(Organization.objects.all(), skip_locked=True))
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen


def test_a_table_without_a_place_is_refused():
    with pytest.raises(LookupError):
        locks.rows(AuditEvent.objects.all())


def test_a_named_lock_has_one_holder_at_a_time():
    outcomes = []

    def attempt():
        with transaction.atomic():
            outcomes.append(locks.try_advisory("name"))
        connection.close()

    with transaction.atomic():
        locks.advisory("name")
        assert locks.try_advisory("name")
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    attempt()
    assert outcomes == [False, True]

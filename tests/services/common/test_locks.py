"""The lock order and its helpers."""

import ast
import threading

import pytest
from django.apps import apps
from django.db import connection, transaction

from common import locks
from common.models import AuditEvent, Organization
from tests import market
from tests.architecture import sources
from vendors.models import CapacityWindow, Vendor, VendorEvent

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


def test_every_lock_leaves_the_key_to_foreign_keys():
    """A row locked ``FOR UPDATE`` holds up whoever commits a row that points at it, whatever the lock order."""
    n_locks, wrong = 0, []
    for path in sources.modules():
        text = path.read_text()
        if "tests" in path.parts or "select_for_update" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "select_for_update":
                n_locks += 1
                if "no_key" not in {word.arg for word in node.keywords}:
                    wrong.append(f"{path.name}:{node.lineno}")
    assert n_locks > 40
    assert wrong == []


def test_a_vendor_is_locked_while_work_of_its_own_is_committed():
    """One holds the vendor and wants its capacity; the other holds the capacity and commits a row of the vendor's."""
    market.gold_set()
    vendor = market.seller().vendor
    holds_capacity, holds_vendor = threading.Event(), threading.Event()
    errors = []

    def work():
        try:
            with transaction.atomic():
                CapacityWindow.objects.filter(vendor=vendor).update(in_flight=1)
                holds_capacity.set()
                assert holds_vendor.wait(10)
                VendorEvent.objects.create(vendor=vendor, kind="test")
        except BaseException as error:  # a thread must not die unseen
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        thread.start()
        assert holds_capacity.wait(10)
        locks.row(Vendor.objects.filter(pk=vendor.pk))
        holds_vendor.set()
        CapacityWindow.objects.filter(vendor=vendor).update(in_flight=0)
    thread.join()
    assert errors == []
    assert CapacityWindow.objects.get(vendor=vendor).in_flight == 0

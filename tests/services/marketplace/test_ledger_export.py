"""The ledger as a file: an owner's own entries with their sign, all of them for staff, to go on from any entry."""

import csv
import io
import json
from decimal import Decimal

import pytest

from common import ledger
from common.actors import Actor
from common.errors import PermissionDeniedError
from common.ledger import Kind
from common.models import LedgerEntry
from marketplace.selectors import ledger_export
from marketplace.services import holds
from tests import market
from tests.services.marketplace.test_statements import a_paid_job, billed  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)


def lines(actor, **more):
    return [json.loads(line) for line in "".join(ledger_export.export(actor, "jsonl", **more)).splitlines()]


def test_the_owner_sees_what_moved_and_its_sum_is_what_it_has():
    one, actor, _ = a_paid_job()
    rows = lines(actor)
    assert [(row["memo"], row["from"], row["to"]) for row in rows[:2]] == [
        ("top-up", "provider", "wallet"),
        ("Budget reserved", "wallet", "hold"),
    ]
    between = {row["id"] for row in rows if row["memo"] == "Budget reserved"}
    total = sum(row["amount_micro"] for row in rows if row["id"] not in between)
    kinds = (Kind.WALLET, Kind.HOLD)
    mine = [a for kind in kinds for a in LedgerEntry.objects.filter(credit__kind=kind).values_list("credit", flat=True)]
    assert len(set(mine)) == 2
    wallet = ledger.balance(holds.wallet_of(actor.organization_id, "USD"))
    assert total == wallet + 2_000_000 - 330_000 - wallet
    assert [row["amount"] for row in lines(one.actor)] == ["0.300000"]


def test_csv_and_json_lines_say_the_same():
    _, actor, _ = a_paid_job()
    table = list(csv.DictReader(io.StringIO("".join(ledger_export.export(actor, "csv")))))
    rows = lines(actor)
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert [Decimal(row["amount"]) * 10**6 for row in table] == [row["amount_micro"] for row in rows]


def test_it_goes_on_after_any_entry():
    _, actor, _ = a_paid_job()
    rows = lines(actor)
    for number, row in enumerate(rows):
        assert lines(actor, after=row["id"]) == rows[number + 1 :]
    with pytest.raises(ValueError, match="nonsense"):
        lines(actor, after="nonsense")


def test_staff_sees_all_and_whose_it_is_others_nothing_of_others():
    one, actor, _ = a_paid_job()
    staff = market.staff()
    rows = lines(staff)
    assert len(rows) == LedgerEntry.objects.count()
    assert all(row["amount_micro"] > 0 for row in rows)
    assert any(row["to"].startswith("payable of org_") for row in rows)
    assert lines(market.customer()) == []
    blind = Actor(staff.organization_id, staff.organization_kind, scopes=frozenset({"money:read"}))
    with pytest.raises(PermissionDeniedError):
        lines(blind)
    assert {row["id"] for row in lines(actor)} & {row["id"] for row in lines(one.actor)} != set()


def test_it_takes_one_query_however_many(django_assert_num_queries):
    _, actor, _ = a_paid_job()
    with django_assert_num_queries(1):
        assert len(lines(actor)) > 2

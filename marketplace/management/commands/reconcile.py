"""``manage.py reconcile``: compare our books with the payment provider's now; exit code 1 when they differ."""

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from common import money
from common.clock import database_now
from common.models import ReconciliationDifference
from common.payment_types import BusyError, RefusedError, UnknownOutcomeError
from marketplace.services import reconciliation


class Command(BaseCommand):
    """Reconcile and show what is open."""

    help = "Compare our books with the payment provider's, keep and show what differs; exit code 1 when anything does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the option."""
        parser.add_argument("--days", type=int, default=reconciliation.WINDOW.days, help="how far back to judge")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        """Run once."""
        if not 1 <= days <= 3650:
            raise CommandError(f"--days is 1 to 3650, got {days}")
        try:
            run = reconciliation.reconcile(since=database_now() - datetime.timedelta(days=days))
        except (BusyError, RefusedError, UnknownOutcomeError) as error:
            raise CommandError(f"The payment provider cannot be asked: {error}") from error
        console = Console(highlight=False)
        console.print(f"{run.n_theirs} movements there, {run.n_ours} here, {run.n_differences} differ.")
        for problem in run.book_problems:
            console.print(problem, style="red")
        rows = list(ReconciliationDifference.objects.filter(resolved_at__isnull=True).order_by("pk"))
        if rows:
            console.print(_table(rows))
        if rows or run.book_problems:
            raise SystemExit(1)


def _table(rows: list[ReconciliationDifference]) -> Table:
    table = Table(title="Open differences", title_justify="left")
    for column in ("kind", "reference", "theirs", "ours", "in suspense", "since"):
        table.add_column(column)
    for row in rows:
        amounts = (money.text(n, row.currency) for n in (row.theirs_micro, row.ours_micro, row.suspense_micro))
        table.add_row(row.kind, row.reference, *amounts, f"{row.created_at:%Y-%m-%d %H:%M}")
    return table

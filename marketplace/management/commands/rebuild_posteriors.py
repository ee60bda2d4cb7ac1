"""``manage.py rebuild_posteriors``: hold what is believed of vendors against the events, and put it right."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.services import rebuilding


class Command(BaseCommand):
    """Tell the beliefs over again; exit with an error where they differ and are not to be replaced."""

    help = "Compare vendors' posteriors with what offers, tests and events tell; --write replaces those that differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--write", action="store_true", help="replace what differs")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Compare, list the differences, and write where asked to."""
        found = rebuilding.run(write=options["write"])
        for one in found:
            self.stdout.write(f"{one.capability_id} {one.metric}: kept {one.kept}, told {one.told}")
        if not found:
            self.stdout.write("Every posterior is what its events tell.")
        elif options["write"]:
            self.stdout.write(f"{len(found)} posteriors replaced.")
        else:
            raise CommandError(f"{len(found)} posteriors differ from their events; --write replaces them.")

"""Make a staff key for whoever runs the installation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from common.services import accounts


class Command(BaseCommand):
    """Print a new staff key, once, on a line of its own."""

    help = "Print a new API key of the platform's staff; it is not stored and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--name", default="staff", help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key and print it."""
        self.stdout.write(accounts.create_platform_key(name=options["name"]).token)

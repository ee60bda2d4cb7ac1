"""The frame of commands that turn files into files: stages shown, bad input told, everything written or nothing."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from common.files import write_together

Step = Callable[[str], None]
Found = TypeVar("Found")


class OfflineCommand(BaseCommand):
    """A command that needs neither server nor database."""

    requires_system_checks = []
    requires_migrations_checks = False

    def turn(
        self,
        options: Mapping[str, Any],
        work: Callable[[Step], Found],
        files: Callable[[Found], Mapping[Path, bytes]],
    ) -> Found:
        """Do the work and write its files, which appear whole or not at all; return what was found.

        Raises
        ------
        CommandError
            When the work finds that its input is bad, or ``--out`` cannot be written.
        """
        console = Console(stderr=True, quiet=options["verbosity"] == 0)
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as shown:
            stage = shown.add_task("Starting")
            try:
                found = work(lambda words: shown.update(stage, description=words))
            except (ValueError, OSError) as error:
                raise CommandError(str(error)) from error
            shown.update(stage, description="Writing")
            content = files(found)
            try:
                write_together(content)
            except OSError as error:
                raise CommandError(f"cannot write {options['out']}: {error.strerror}") from error
            shown.update(stage, description="Done")
        return found

    def tell(self, summary: str, notes: Iterable[str]) -> None:
        """Tell what was found, and what a person should know before trusting it."""
        self.stdout.write(summary)
        for note in notes:
            self.stderr.write(f"Note: {note}")

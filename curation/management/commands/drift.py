"""``manage.py drift REFERENCE BATCH...``: whether records that come in later are still of the make of a reference."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.files import write_together
from curation.management.offline import OfflineCommand
from curation.offline import drifting


class Command(OfflineCommand):
    """Watch batches from files; needs neither server nor database."""

    help = (
        "Tell which batches have drifted from a reference, and how. Files are .npz or Parquet as for select: X and "
        "optionally proba, your model's probabilities. At most one batch in a hundred is a false alarm, however many "
        "are watched. A batch like a known season is named after it and raises no alarm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("reference", type=Path, help="records of a time when all was well, at least 100")
        parser.add_argument("batches", type=Path, nargs="+", help="in the order of their arrival, at least 10 each")
        parser.add_argument("--out", type=Path, help="the verdicts, CSV")
        parser.add_argument("--season", action="append", default=[], metavar="NAME=FILE", help="a season that is known")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same verdicts; default 0")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, test, tell; the CSV appears whole or not at all."""
        if options["seed"] < 0:
            raise CommandError(f"--seed must not be negative, got {options['seed']}")
        watched = []
        try:
            for one in drifting.run(
                options["reference"], options["batches"], _seasons(options["season"]), options["seed"]
            ):
                watched.append(one)
                told = f" {one.verdict.season!r}" if one.verdict.season else ""
                self.stdout.write(f"{one.name}: {one.state}{told}. {one.words}".strip())
            if options["out"] is not None:
                write_together({options["out"]: drifting.as_csv(watched)})
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error


def _seasons(given: list[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    bad = [name + equals + path for name, equals, path in pairs if not (name and path)]
    if bad or len({name for name, _, _ in pairs}) < len(pairs):
        raise CommandError(f"--season is NAME=FILE, each name once; got {bad[0] if bad else given}")
    return {name: Path(path) for name, _, path in pairs}

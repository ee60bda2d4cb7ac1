"""``manage.py trajectories LOGDIR --out DIR``: what a training log tells of each record and class."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.management.offline import OfflineCommand, Step
from curation.offline import traced_files, tracing
from curation.offline.tracing import Request, Traced


class Command(OfflineCommand):
    """Follow records through a training from its log; needs neither server nor database."""

    help = (
        "Tell which labels are likely wrong and which classes the model forgot again, from a training log: a folder of "
        "Parquet shards as curation/client_log.py writes them (docs/training-log.md). Writes DIR/trajectories.csv "
        "(record_key, label, mean_p, variance, aum, n_forgotten, rank, more) and DIR/trajectories.html."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("log", type=Path, metavar="LOGDIR", help="folder of Parquet shards")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the two files go")
        parser.add_argument("--split", default="train", help="whose entries to read; default train")
        parser.add_argument("--slices", type=Path, help="CSV or Parquet: record_key,slice; watched as classes are")
        parser.add_argument("--skip-bad", action="store_true", help="leave out bad shards instead of stopping at them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, follow, write; both files appear whole or not at all."""
        out: Path = options["out"]
        if out.exists() and not out.is_dir():
            raise CommandError(f"--out {out} must be a folder")
        request = Request(options["log"], options["split"], options["slices"], options["skip_bad"])
        table, report = out / "trajectories.csv", out / "trajectories.html"
        if request.slices is not None and request.slices.resolve() == table.resolve():
            raise CommandError(f"--slices {request.slices} would be overwritten; give another --out")

        def work(step: Step) -> tuple[Traced, list[str]]:
            traced = tracing.trace(request, step)
            return traced, remarks(traced)

        traced, notes = self.turn(
            options, work, lambda done: {table: traced_files.as_csv(done[0]), report: traced_files.page(*done)}
        )
        self.tell(_summary(traced, report), notes)


def _summary(traced: Traced, report: Path) -> str:
    names = [repr(traced.classes.names[one.group]) for one in traced.classes.forgotten]
    told = f"forgotten: {', '.join(names[:10])}" if names else "no class was forgotten"
    return f"{len(traced.log.keys)} records over {len(traced.log.epochs)} epochs, {told}: {report}"


def remarks(traced: Traced) -> list[str]:
    """Return what a person should know before trusting the report."""
    log, notes = traced.log, []
    if len(log.epochs) < 4:
        notes.append(f"The log has {len(log.epochs)} epochs; what was forgotten is told from four on.")
    if log.n_repeated:
        notes.append(f"{log.n_repeated} entries are of a record and epoch logged again later; the later ones count.")
    if log.bad:
        notes.append(f"{len(log.bad)} shards were left out.")
    if traced.slices is not None and (traced.slices.group < 0).any():
        notes.append(f"{int((traced.slices.group < 0).sum())} records have no slice.")
    return notes

"""``manage.py aggregate ANSWERS --out DIR``: vetted labels, annotator skills and a quality report from answer files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from common.rows import FileError
from marketplace.core.aggregation import DEFAULT, aggregate, registry
from marketplace.offline import inputs, outputs, remarks, report

SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    """Infer labels from answer files; needs neither server nor database."""

    help = (
        "Infer one label per record from several answers. Reads CSV or Parquet (task, annotator, label and optionally "
        "at, the time of the answer, by which annotators who changed are found); "
        "writes labels.csv, annotators.csv and report.html. Needs neither a server nor a database."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("answers", type=Path, help="CSV or Parquet: task, annotator, label")
        parser.add_argument("--out", type=Path, required=True, help="folder for the result, created where missing")
        parser.add_argument("--gold", type=Path, help="CSV or Parquet of known labels: task, label")
        parser.add_argument(
            "--records",
            type=Path,
            help="CSV or Parquet of the records there are: task; answers for others are bad rows",
        )
        parser.add_argument(
            "--method", default=DEFAULT, help=f"one of {', '.join(registry.names())}; default {DEFAULT}"
        )
        parser.add_argument("--classes", help="closed list of classes, comma-separated; default: those that occur")
        parser.add_argument("--skip-bad", action="store_true", help="leave out bad rows instead of stopping at them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, infer, write; nothing is written unless all is well."""
        if options["method"] not in registry.names():
            raise CommandError(f"unknown method {options['method']!r}; there are {', '.join(registry.names())}")
        if options["out"].exists() and not options["out"].is_dir():
            raise CommandError(f"--out {options['out']} is not a folder")
        console = Console(stderr=True, quiet=options["verbosity"] == 0)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            self._run(options, progress)

    def _run(self, options: dict[str, Any], progress: Progress) -> None:
        stage = progress.add_task("Reading", total=4)
        problems = inputs.Problems()
        table = self._load(options, problems, lambda n: progress.update(stage, description=f"Reading, {n:,} rows"))
        progress.update(stage, advance=1, description=f"Inferring {table.answers.n_tasks:,} labels")
        try:
            result = aggregate(table.answers, method=options["method"], gold=table.gold)
        except ValueError as error:
            raise CommandError(str(error)) from error
        progress.update(stage, advance=1, description="Composing the report")
        said = remarks.of(table, result)
        files = {
            "labels.csv": outputs.labels_csv(table, result),
            "annotators.csv": outputs.annotators_csv(table, result),
            "report.html": report.render(table, result, problems.found, said),
        }
        progress.update(stage, advance=1, description="Writing")
        try:
            outputs.write_all(options["out"], files)
        except OSError as error:
            raise CommandError(f"cannot write to {options['out']}: {error.strerror}") from error
        progress.update(stage, advance=1, description="Done")
        self.stdout.write(
            f"{table.answers.n_tasks} records, {len(table.answers)} answers, {table.answers.n_annotators} annotators, "
            f"mean confidence {result.confidence.mean():.3f}; {len(problems.found)} bad rows skipped. "
            f"See {options['out'] / 'report.html'}"
        )
        for remark in said:
            self.stderr.write(f"Note: {remark}")

    def _load(self, options: dict[str, Any], problems: inputs.Problems, step: inputs.Step) -> inputs.Table:
        classes = None
        if options["classes"] is not None:
            classes = [name.strip() for name in options["classes"].split(",") if name.strip()]
            if not classes or len(set(classes)) < len(classes):
                raise CommandError(f"--classes needs distinct names, got {options['classes']!r}")
        try:
            table = inputs.load(options["answers"], options["gold"], classes, problems, step, options["records"])
        except (FileError, OSError) as error:
            raise CommandError("\n".join([*problems.found[:SHOWN_PROBLEMS], str(error)])) from error
        if problems.found and not options["skip_bad"]:
            more = len(problems.found) - SHOWN_PROBLEMS
            tail = [f"... and {more} more"] if more > 0 else []
            hint = f"{len(problems.found)} bad rows, nothing written; --skip-bad leaves them out."
            raise CommandError("\n".join([*problems.found[:SHOWN_PROBLEMS], *tail, hint]))
        return table

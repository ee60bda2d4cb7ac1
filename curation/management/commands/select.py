"""``manage.py select POOL --batch-size B --out picks.csv``: which records to label next, and why, from array files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.core import strategies, uncovered
from curation.management.offline import OfflineCommand, Step
from curation.offline import outputs, selecting
from curation.offline.selecting import Request, Selected


class Command(OfflineCommand):
    """Choose the next batch from files; needs neither server nor database."""

    help = (
        "Choose the next batch of records to label. Reads a pool (.npz: X and optionally key, proba, anchor, "
        "anchor_label, utility, classes, metadata_NAME; or Parquet) and the labels so far (CSV or Parquet: key, label, "
        "reason); writes picks (rank, key, utility, reason) and an HTML page beside them. Needs neither a server nor a "
        "database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("pool", type=Path, help=".npz or .parquet")
        parser.add_argument("--batch-size", type=int, required=True, help="how many records")
        parser.add_argument("--out", type=Path, required=True, help="the picks, CSV; the page goes beside it as .html")
        parser.add_argument("--labels", type=Path, help="CSV or Parquet: key,label,reason[,confidence]")
        parser.add_argument("--state", type=Path, help="remembers the pool's analysis and the picks so far; resumable")
        parser.add_argument("--strategy", default="auto", help=f"one of {', '.join(strategies.names())}; default auto")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same batch; default 0")
        parser.add_argument(
            "--control",
            type=float,
            default=0.0,
            help="share drawn at random, 0 to 0.5; default 0",
        )
        parser.add_argument("--wishes", type=Path, help="JSON: what metadata_weighted shall weigh (docs/select.md)")
        parser.add_argument("--anchor", type=Path, help=".npz or .parquet of trusted in-scope records")
        parser.add_argument("--trust-anchor", action="store_true", help="the anchor shows every kind that is wanted")
        parser.add_argument("--classes", default="", help="names of all classes, comma-separated, if the pool has none")
        parser.add_argument("--skip-bad", action="store_true", help="leave out bad rows instead of stopping at them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, choose, write; the picks appear whole or not at all."""
        request = self._request(options)
        page = request.out.with_suffix(".html")

        def work(step: Step) -> tuple[Selected, list[str]]:
            found = selecting.select(request, step)
            return found, remarks(found)

        def files(selected: tuple[Selected, list[str]]) -> dict[Path, bytes]:
            return {request.out: outputs.picks_csv(selected[0]), page: outputs.page(*selected)}

        found, notes = self.turn(options, work, files)
        self.tell(f"{len(found.picks)} records picked of {found.n_records}: {request.out}. Why: {page}", notes)

    def _request(self, options: dict[str, Any]) -> Request:
        if options["batch_size"] < 1:
            raise CommandError(f"--batch-size must be at least 1, got {options['batch_size']}")
        if options["strategy"] not in strategies.names():
            known = ", ".join(strategies.names())
            raise CommandError(f"unknown strategy {options['strategy']!r}; there are {known}")
        if options["seed"] < 0:
            raise CommandError(f"--seed must not be negative, got {options['seed']}")
        if not 0 <= options["control"] <= 0.5:
            raise CommandError(f"--control must lie between 0 and 0.5, got {options['control']}")
        if options["out"].is_dir() or options["out"].suffix.lower() == ".html":
            raise CommandError(f"--out {options['out']} must be the name of a CSV file")
        _refuse_overwriting(options)
        if options["wishes"] is not None and options["strategy"] != "metadata_weighted":
            raise CommandError("--wishes belong to --strategy metadata_weighted")
        return Request(
            pool=options["pool"],
            batch_size=options["batch_size"],
            out=options["out"],
            labels=options["labels"],
            state=options["state"],
            strategy=options["strategy"],
            seed=options["seed"],
            control_ratio=options["control"],
            wishes=options["wishes"],
            anchor=options["anchor"],
            skip_bad=options["skip_bad"],
            trusts_anchor=options["trust_anchor"],
            classes=tuple(name.strip() for name in options["classes"].split(",")) if options["classes"] else (),
        )


def _refuse_overwriting(options: dict[str, Any]) -> None:
    """Raise CommandError where a file to write is also read or written as something else: it would be lost."""
    written = {"--out": options["out"], "the page": options["out"].with_suffix(".html"), "--state": options["state"]}
    read = {"the pool": options["pool"]} | {f"--{name}": options[name] for name in ("labels", "anchor", "wishes")}
    names: dict[Path, str] = {}
    for name, path in (read | written).items():
        if path is None:
            continue
        other = names.setdefault(path.resolve(), name)
        if other != name and name in written:
            raise CommandError(f"{name} would overwrite {other}, {path}; give another name")


def remarks(found: Selected) -> list[str]:
    """Return what a person should know before trusting the batch."""
    asked, notes = found.answers.asked, []
    n_filled = sum(pick.arm == "fill" for pick in found.picks)
    if found.is_repeated:
        notes.append("The same batch as before: pool, labels and options are those of an earlier call with this state.")
    if len(found.pool) < found.n_records:
        notes.append(
            "The batch was chosen from a sketch of this large pool; map, groups passed over, regions and causes of "
            f"confusion show {len(found.pool):,} records: those asked, those picked and a random sample."
        )
    if n_filled:
        notes.append(f"{n_filled} picks fill the batch: only near copies, or what the strategy leaves out, were left.")
    if len(asked.answered.rows) and not found.problem.has_model:
        notes.append("Fewer than two classes have labels: there is no model yet, and coverage decides.")
    if (asked.answered.labels < 0).any() and not asked.is_labeled.any():
        notes.append("Nothing could be labeled so far: look at the reasons before buying more.")
    if found.answers.bad or found.pool.bad:
        notes.append(
            f"{len(found.pool.bad)} rows of the pool and {len(found.answers.bad)} rows of labels were skipped."
        )
    for one in uncovered.find(found.problem):
        name = found.answers.classes[one.label] if found.answers.classes else one.label
        notes.append(f"The anchor may lack {name!r}, whose records would then be asked too rarely. {one.words}")
    if found.pool.ignored:
        notes.append(f"Arrays that were not used: {', '.join(found.pool.ignored[:10])}.")
    return notes

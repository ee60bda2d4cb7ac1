"""``manage.py value POOL --labels LABELS --out DIR``: what labels are worth, and which share of them is useless."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.core.removal import LEAST_SPLITS, MARGIN
from curation.management.offline import OfflineCommand
from curation.offline import value_page, valuing
from curation.offline.valuing import Found, Request, words_of

_FILES = "value.csv", "removal.json", "value.html"


class Command(OfflineCommand):
    """Value labels and measure what removing them does; needs neither server nor database."""

    help = (
        "Value every labeled record (exact KNN-Shapley), remove the worst, the best and random ones, retrain, and "
        "measure accuracy on labels that had no say: which share is harmful, which useless, with intervals, or that it "
        "cannot be told. Reads a pool (.npz: X and optionally key; or Parquet) and labels (CSV or Parquet: key, "
        "label); writes value.csv, removal.json and value.html into a folder. Needs neither a server nor a database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("pool", type=Path, help=".npz or .parquet")
        parser.add_argument("--labels", type=Path, required=True, help="CSV or Parquet: key,label[,reason]")
        parser.add_argument("--out", type=Path, required=True, help="the folder for the three files")
        parser.add_argument("--splits", type=int, default=20, help="splits to measure on; default 20, at least 5")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files; default 0")
        parser.add_argument(
            "--margin", type=float, default=100 * MARGIN, help="points of accuracy that do not matter; default 1"
        )
        parser.add_argument("--skip-bad", action="store_true", help="leave out bad rows instead of stopping at them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, value, remove, retrain, write; all files appear whole or not at all."""
        request, out = self._request(options), options["out"]
        found = self.turn(options, lambda step: valuing.value(request, step), lambda found: _files(found, out))
        told = valuing.stored(found)
        self.tell(
            f"Harmful labels: {words_of(told['harmful'])}. Useless ones: {words_of(told['useless'])}; at random: "
            f"{words_of(told['useless_at_random'])}. {out / 'value.html'}",
            remarks(found),
        )

    def _request(self, options: dict[str, Any]) -> Request:
        for name, least in (("splits", LEAST_SPLITS), ("seed", 0)):
            if options[name] < least:
                raise CommandError(f"--{name} must be at least {least}, got {options[name]}")
        if not 0 < options["margin"] < 100:
            raise CommandError(f"--margin must lie between 0 and 100 points, got {options['margin']}")
        out = options["out"]
        if out.exists() and not out.is_dir():
            raise CommandError(f"--out {out} is a file; name a folder")
        for given in (options["pool"], options["labels"]):
            if given.resolve() in {(out / name).resolve() for name in _FILES}:
                raise CommandError(f"--out {out} would overwrite {given}; give another folder")
        return Request(
            pool=options["pool"],
            labels=options["labels"],
            splits=options["splits"],
            seed=options["seed"],
            margin=options["margin"] / 100,
            skip_bad=options["skip_bad"],
        )


def _files(found: Found, out: Path) -> dict[Path, bytes]:
    told = valuing.stored(found)
    content = valuing.as_csv(found), valuing.as_json(told), value_page.page(told)
    return dict(zip((out / name for name in _FILES), content, strict=True))


def remarks(found: Found) -> list[str]:
    """Return what a person should know before trusting the result."""
    notes = [
        "Accuracy is measured against the labels as given; where those are wrong, gains look smaller than they are. "
        "Low values mark what to look at, not what to delete: rare and hard records are among them."
    ]
    if found.n_measured < len(found.keys):
        notes.append(f"Removal was measured on {found.n_measured:,} of {len(found.keys):,} labeled records, at random.")
    if found.n_bad:
        notes.append(f"{found.n_bad} rows were skipped.")
    return notes

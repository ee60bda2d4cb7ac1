"""``manage.py tune POOL --labels LABELS --out tune.json``: which strategy and batch size served best."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.management.offline import OfflineCommand
from curation.offline import tuning
from curation.offline.tuning import Found, Request


class Command(OfflineCommand):
    """Choose strategy and batch size by replaying them on labeled records; needs neither server nor database."""

    help = (
        "Find the strategy and batch size that would have served best, by replaying them on records that are labeled "
        "already: each is judged on records it never sees. Reads a pool (.npz: X and optionally key; or Parquet) and "
        "labels (CSV or Parquet: key, label, reason); writes the result as JSON and how all stood as CSV beside it. "
        "Needs neither a server nor a database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""
        parser.add_argument("pool", type=Path, help=".npz or .parquet")
        parser.add_argument("--labels", type=Path, required=True, help="CSV or Parquet: key,label,reason[,confidence]")
        parser.add_argument(
            "--out", type=Path, required=True, help="the result, JSON; the table goes beside it as .csv"
        )
        parser.add_argument(
            "--strategies",
            default=",".join(tuning.STRATEGIES),
            help="names or mixes such as auto:0.8+margin:0.2, separated by commas; default %(default)s",
        )
        parser.add_argument(
            "--batch-sizes", default="", help="separated by commas; default: 5 to 40 rounds of the budget"
        )
        parser.add_argument("--budget", type=int, help="records a replay may ask for; default: half of what it can")
        parser.add_argument("--round-cost", type=float, default=0.0, help="what a round costs, in records; default 0")
        parser.add_argument("--repeats", type=int, default=10, help="replays of a setup at most; default 10")
        parser.add_argument("--cost", type=float, default=0.2, help="share of the whole grid played; default 0.2")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result; default 0")
        parser.add_argument("--skip-bad", action="store_true", help="leave out bad rows instead of stopping at them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, replay, write; both files appear whole or not at all."""
        request, out = self._request(options), options["out"]
        found = self.turn(
            options,
            lambda step: tuning.tune(request, step),
            lambda found: {out: tuning.as_json(found), out.with_suffix(".csv"): tuning.as_csv(found)},
        )
        self.tell(_summary(found, out), remarks(found))

    def _request(self, options: dict[str, Any]) -> Request:
        for name, least in (("repeats", 2), ("seed", 0), ("round_cost", 0)):
            if options[name] < least:
                raise CommandError(f"--{name.replace('_', '-')} must be at least {least}, got {options[name]}")
        if options["budget"] is not None and options["budget"] < 1:
            raise CommandError(f"--budget must be at least 1, got {options['budget']}")
        if not 0 < options["cost"] <= 1:
            raise CommandError(f"--cost must lie above 0 and be at most 1, got {options['cost']}")
        if options["out"].is_dir() or options["out"].suffix.lower() == ".csv":
            raise CommandError(f"--out {options['out']} must be the name of a JSON file")
        return Request(
            pool=options["pool"],
            labels=options["labels"],
            strategies=[words.strip() for words in options["strategies"].split(",") if words.strip()],
            batches=_sizes(options["batch_sizes"]),
            budget=options["budget"],
            round_cost=options["round_cost"],
            repeats=options["repeats"],
            seed=options["seed"],
            cost_ratio=options["cost"],
            skip_bad=options["skip_bad"],
        )


def _sizes(given: str) -> list[int]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise CommandError(f"--batch-sizes must be whole numbers above 0 separated by commas, got {given!r}")
    return [int(word) for word in words]


def _summary(found: Found, out: Path) -> str:
    tuned = found.tuned
    return (
        f"{tuned.chosen.name} served best of {len(tuned.standings)} setups ({tuned.n_rounds} rounds replayed, "
        f"{tuned.n_rounds / tuned.n_rounds_of_grid:.0%} of the whole grid): {out}"
    )


def remarks(found: Found) -> list[str]:
    """Return what a person should know before trusting the result."""
    notes = [
        "Replays choose among records that are labeled. Where those were chosen by a strategy and not at random, the "
        "result holds for records like them."
    ]
    best = found.tuned.standings[0]
    rivals = [one for one in found.tuned.standings[1:] if len(one.scores) == len(best.scores)]
    if rivals and len(best.scores) > 1:
        gain = best.scores - rivals[0].scores
        error = float(gain.std(ddof=1)) / len(gain) ** 0.5
        if gain.mean() < 2 * error:
            notes.append(
                f"{rivals[0].setup.name} is as good as far as the replays tell ({100 * gain.mean():+.1f} ± "
                f"{100 * error:.1f} points); take whichever is simpler."
            )
    if found.n_bad:
        notes.append(f"{found.n_bad} rows were skipped.")
    return notes

"""From files to the setup that would have served best: the steps of ``manage.py tune``, each told as it begins."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.core import replay, selection
from curation.core.replay import Labeled, Setup, Spending, Tuned
from curation.core.selection import Rule
from curation.offline import answers, pools

STRATEGIES = ("auto", "max_herding", "margin", "badge", "auto:0.8+margin:0.2")
_ROUNDS = (40, 20, 10, 5)
"""Rounds of the budget that the batch sizes tried by default come from."""
_MOST_RECORDS = 5000
"""Labeled records that are replayed at most, drawn at random from more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; no batch sizes: some of the budget; no budget: half of what can be chosen."""

    pool: Path
    labels: Path
    strategies: Sequence[str] = STRATEGIES
    batches: Sequence[int] = ()
    budget: int | None = None
    round_cost: float = 0.0
    repeats: int = 10
    seed: int = 0
    cost_ratio: float = 0.2
    skip_bad: bool = False


@dataclass(frozen=True, eq=False)
class Found:
    """The setup found, what it was judged on, and rows that could not be used."""

    tuned: Tuned
    spending: Spending
    n_records: int
    n_rejected: int
    n_bad: int


def tune(request: Request, told: Callable[[str], None]) -> Found:
    """Return the best setup of a request; nothing is written.

    Raises
    ------
    FileError, ValueError
        When a file or an option cannot be used, or too few records are labeled.
    """
    mixes = [_rules(words) for words in request.strategies]
    told("Reading the pool")
    pool = pools.load(request.pool, None, skip_bad=request.skip_bad)
    told("Reading the labels")
    given = answers.load(request.labels, pool, skip_bad=request.skip_bad)
    asked = given.asked.answered
    rng = np.random.default_rng(request.seed)
    some = np.sort(rng.permutation(len(asked.rows))[:_MOST_RECORDS])
    X = np.asarray(pool.X[asked.rows[some]], dtype=np.float32)
    told("Looking for near copies")
    labeled = Labeled(X, asked.labels[some], max(2, len(given.classes)), n_splits=request.repeats, seed=request.seed)
    spending = Spending(request.budget or labeled.n_to_choose_from // 2, request.round_cost)
    batches = request.batches or sorted({max(1, round(spending.budget / n)) for n in _ROUNDS})
    setups = [Setup(rules, batch) for rules in mixes for batch in batches]
    tuned = replay.tune(labeled, setups, spending, cost_ratio=request.cost_ratio, told=told)
    n_bad = len(given.bad) + len(pool.bad)
    return Found(tuned, spending, len(some), int((asked.labels[some] < 0).sum()), n_bad)


def _rules(words: str) -> tuple[Rule, ...]:
    """Return a strategy, or strategies with shares such as ``auto:0.8+margin:0.2``."""
    rules = []
    for part in words.split("+"):
        name, _, share = part.strip().partition(":")
        try:
            rules.append(Rule(name, float(share or 1)))
        except ValueError:
            raise ValueError(
                f"the share {share!r} in {words!r} is no number; write NAME or NAME:0.8+NAME:0.2"
            ) from None
    try:
        selection.check_rules(rules)
    except ValueError as error:
        raise ValueError(f"{words!r}: {error}") from error
    return tuple(rules)


def as_json(found: Found) -> bytes:
    """Return the result for machines."""
    chosen = found.tuned.chosen
    told = {
        "chosen": {
            "rules": [{"strategy": rule.strategy, "share": rule.share} for rule in chosen.rules],
            "batch_size": chosen.batch,
            "rounds": found.spending.n_rounds(chosen.batch),
        },
        "budget": found.spending.budget,
        "round_cost": found.spending.round_cost,
        "records": found.n_records,
        "cannot_be_labeled": found.n_rejected,
        "rounds_replayed": found.tuned.n_rounds,
        "rounds_of_the_grid": found.tuned.n_rounds_of_grid,
        "setups": [
            {"setup": one.setup.name, "mean_accuracy": round(one.mean, 6), "replays": len(one.scores)}
            for one in found.tuned.standings
        ],
    }
    return (json.dumps(told, indent=1) + "\n").encode()


def as_csv(found: Found) -> bytes:
    """Return how every setup stood, the one found first."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "setup", "batch_size", "rounds", "mean_accuracy", "standard_error", "replays"])
    for rank, one in enumerate(found.tuned.standings, 1):
        n, batch = len(one.scores), one.setup.batch
        error = f"{one.scores.std(ddof=1) / np.sqrt(n):.6f}" if n > 1 else ""
        table.writerow([rank, one.setup.name, batch, found.spending.n_rounds(batch), f"{one.mean:.6f}", error, n])
    return text.getvalue().encode()

"""From files to what labels are worth: the steps of ``manage.py value``, each told as it begins."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.core import proxy, removal, valuation
from curation.core.arrays import FloatArray, IntArray, Scaler
from curation.core.removal import FRACTIONS, Order, Runs
from curation.offline import answers, pools

MOST_MEASURED = 5000
"""Labeled records that removal is measured on, drawn at random from more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; the margin is a share, such as .01 for a point of accuracy."""

    pool: Path
    labels: Path
    splits: int = 20
    seed: int = 0
    margin: float = removal.MARGIN
    skip_bad: bool = False


@dataclass(frozen=True, eq=False)
class Found:
    """Values of all labeled records, with their keys and labels, and the runs that removed some of them.

    Attributes
    ----------
    keys, labels
        Of each labeled record, in the order of the labels' file.
    values
        Shape (n,); higher is worth more.
    n_measured
        Records the runs are about.
    n_bad
        Rows that could not be used.
    fingerprint
        SHA-256 of pool and labels.
    """

    request: Request
    keys: list[str]
    labels: list[str]
    values: FloatArray
    runs: Runs
    n_measured: int
    n_classes: int
    n_bad: int
    fingerprint: str


def value(request: Request, told: Callable[[str], None]) -> Found:
    """Return what the labels of a request are worth; nothing is written.

    Raises
    ------
    FileError, ValueError
        When a file or an option cannot be used, or too few records are labeled.
    """
    told("Reading the pool")
    pool = pools.load(request.pool, None, skip_bad=request.skip_bad)
    told("Reading the labels")
    given = answers.load(request.labels, pool, skip_bad=request.skip_bad)
    rows, y = _labeled(given.asked.rows, given.asked.labels)
    X = np.asarray(pool.X[rows], dtype=np.float32)
    X = Scaler.of(X)(X)
    rng = np.random.default_rng(request.seed)
    some = np.sort(rng.permutation(len(rows))[:MOST_MEASURED])
    n_classes = len(given.classes)
    runs = removal.measure(X[some], y[some], n_classes, n_splits=request.splits, seed=request.seed, told=told)
    values = valuation.cross_valued(X, y, rng=rng, told=told)
    return Found(
        request,
        [pool.keys[row] for row in rows],
        [given.classes[label] for label in y],
        values,
        runs,
        len(some),
        len(np.unique(y)),
        len(given.bad) + len(pool.bad),
        hashlib.sha256((pool.fingerprint + given.fingerprint).encode()).hexdigest(),
    )


def _labeled(rows: IntArray, labels: IntArray) -> tuple[IntArray, IntArray]:
    """Return rows and classes of the records that have a label, or say that there is none."""
    is_labeled = labels >= 0
    if not is_labeled.any():
        raise ValueError(f"no record is labeled; removal curves need {removal.LEAST_LABELS}")
    return rows[is_labeled], labels[is_labeled]


def as_csv(found: Found) -> bytes:
    """Return key,label,value,rank, worth most first, rank from 1."""
    text = io.StringIO()
    # Python 3.11 leaves a carriage return unquoted, which its reader then takes for the end of the row.
    has_returns = any("\r" in word for word in (*found.keys, *found.labels))
    table = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL)
    table.writerow(("key", "label", "value", "rank"))
    for rank, at in enumerate(np.argsort(-found.values, kind="stable").tolist(), 1):
        table.writerow((found.keys[at], found.labels[at], f"{found.values[at]:.9g}", rank))
    return text.getvalue().encode()


def stored(found: Found) -> dict[str, Any]:
    """Return the runs with all they tell, as they are stored: the page is made of nothing else."""
    runs, request = found.runs, found.request
    return {
        "fingerprint": found.fingerprint,
        "seed": request.seed,
        "splits": request.splits,
        "margin": request.margin,
        "neighbours": valuation.NEIGHBOURS,
        "inverse_penalty": proxy.INVERSE_PENALTY,
        "records": len(found.keys),
        "classes": found.n_classes,
        "measured": found.n_measured,
        "train": runs.n_train,
        "valid": runs.n_valid,
        "test": runs.n_test,
        "harmful": asdict(removal.harmful(runs, request.margin)),
        "useless": asdict(removal.useless(runs, request.margin)),
        "useless_at_random": asdict(removal.useless(runs, request.margin, Order.RANDOM)),
        "whole": asdict(runs.interval(runs.whole)),
        "fractions": list(FRACTIONS),
        "change": {order.value: [asdict(runs.change(order, at)) for at in range(len(FRACTIONS))] for order in Order},
        "against_random": {
            order.value: [asdict(runs.against_random(order, at)) for at in range(len(FRACTIONS))]
            for order in (Order.WORST, Order.BEST)
        },
        "runs": {"whole": runs.whole.tolist()} | {order.value: runs.scores[order].tolist() for order in Order},
    }


def as_json(told: dict[str, Any]) -> bytes:
    """Return what is stored, for machines and for the page."""
    return (json.dumps(told, indent=1) + "\n").encode()


def words_of(share: dict[str, Any]) -> str:
    """Return a stored share in words, with its interval, or that it is not shown."""
    if not share["is_shown"]:
        return "not shown"
    return f"{share['share']:.0%} (95 %: {share['low']:.0%} to {share['high']:.0%})"

"""The page, from the figures as they are kept in the JSON file beside it."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks import pages
from benchmarks.compute import caps
from benchmarks.compute.caps import Turn

_HEAD = ["labels before", "scored in part", "rows read", "scored in full", "rows read", "trained anew"]
_PAGE: Final = """# What a round costs in compute

{command}: one core, CPU seconds, medians of {n_runs} runs.

## In part against in full
{n:,} records of 256 features (float32), ten classes; the model has learned from 100 labels more than the one
whose scores are kept. Scoring is what later batches save; training always begins anew, from all labels
(cross-validation of both heads).

{scoring}

A part costs {part:.0%} of all. Training costs more than scoring all records in full {dearer}. A part suffices
only while the earlier scores still point to the right rows; the scorer checks that and else scores the rest
([large pools](../decisions/0010-large-pools.md)). There is no incremental training to compare with.

## The forecast of the next round
{n_rounds} rounds of {batch} records on digits, {n_seeds} seeds, each round forecast from those before it.
The forecast is {middle:.2f} times what the round took (median; {low:.2f} to {high:.2f}, from third rounds on
{late_low:.2f} to {late_high:.2f}); it is too low in {n_low} of {n_forecast} rounds. With caps at every half percent of
a run's total ({done.n_caps} that allow a first round), the run stays within {done.n_held} and exceeds
{done.n_exceeded}, by at most {done.most_exceeded:.1%}: a forecast, not a wall. A first round is not forecast at all.

## What is in the ledger
CPU time of the process that does the work, with all its threads and the children it waited for; what workers spend on
shards of a large pool they enter themselves. A killed attempt is told as one without an end: what it cost is not
known, and the cap does not see it. In a web server of several threads (experiments turned by hand over the API) what
other requests use meanwhile is counted too; workers do one task at a time. Not in it: vetting, ranking, the web pages.
Energy is not measured.
"""


def page(figures: dict[str, Any]) -> str:
    """Return the page as Markdown."""
    scoring = figures["scoring"]
    dearer = [one["n_labels"] for one in scoring if one["train_s"] > one["full_s"]]
    return _PAGE.format(
        command=figures["command"],
        n_runs=figures["runs"],
        n=figures["rows"],
        scoring="\n".join(pages.table(_HEAD, [_scored(one) for one in scoring])),
        part=sum(one["part_s"] for one in scoring) / sum(one["full_s"] for one in scoring),
        dearer=f"from {dearer[0]:,} labels on" if dearer else "nowhere",
        **_forecasts([[Turn(**turn) for turn in run] for run in figures["rounds"]]),
    )


def _scored(one: dict[str, float]) -> list[str]:
    part = [f"{one['part_s']:.3f} s", f"{one['part_rows']:,.0f}"]
    full = [f"{one['full_s']:.2f} s", f"{one['full_rows']:,.0f}"]
    return [f"{one['n_labels']:,}", *part, *full, f"{one['train_s']:.2f} s"]


def _forecasts(runs: Sequence[Sequence[Turn]]) -> dict[str, Any]:
    """Return how near forecasts were, and what became of caps that go by them."""
    ratios = np.array([[e / t.cpu_s for e, t in zip(caps.forecasts(run), run, strict=True) if e] for run in runs])
    late = ratios[:, 1:]  # (runs, rounds - 2)
    return {
        "n_rounds": len(runs[0]),
        "batch": runs[0][0].n_asked,
        "n_seeds": len(runs),
        "middle": np.median(ratios),
        "low": ratios.min(),
        "high": ratios.max(),
        "late_low": late.min(),
        "late_high": late.max(),
        "n_low": (ratios < 1).sum(),
        "n_forecast": ratios.size,
        "done": caps.replay(runs),
    }

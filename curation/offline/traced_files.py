"""What ``manage.py trajectories`` writes: trajectories.csv, and one HTML page without outside parts."""

import csv
import io
from typing import Any

import numpy as np
from django.template.loader import render_to_string

from curation.core import forgetting
from curation.core.arrays import FloatArray
from curation.core.forgetting import Change
from curation.offline.tracing import Grouping, Traced

HEADER = (
    *("record_key", "label", "mean_p", "variance", "aum", "n_forgotten", "rank"),
    *("n_epochs", "was_right", "el2n", "last_top1"),
)
WIDTH, HEIGHT, EDGE = 720, 360, 12
COLOURS = ("#d9480f", "#1c7ed6", "#2b8a3e", "#9c36b5", "#e67700", "#0b7285")
SHOWN_SUSPECTS, SHOWN_KEYS, SHOWN_GROUPS, SHOWN_CURVES = 25, 6, 40, 60


def as_csv(traced: Traced) -> bytes:
    """Return one line a record, the likeliest wrong label first (rank 1)."""
    found, keys, classes = traced.found, traced.log.keys, traced.log.classes
    text = io.StringIO()
    # Python 3.11 leaves a carriage return unquoted, which its reader then takes for the end of the row.
    has_returns = any("\r" in name for name in (*keys, *classes))
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL)
    writer.writerow(HEADER)
    for rank, row in enumerate(found.suspects.tolist(), 1):
        first = [f"{values[row]:.6g}" for values in (found.mean_p, found.variance, found.aum)]
        more = (found.n_epochs[row], int(found.was_right[row]), f"{found.el2n[row]:.6g}", classes[found.last_top1[row]])
        writer.writerow((keys[row], classes[found.label[row]], *first, found.n_forgotten[row], rank, *more))
    return text.getvalue().encode()


def page(traced: Traced, notes: list[str]) -> bytes:
    """Return the report as HTML."""
    return render_to_string("curation/trajectories_report.html", context(traced) | {"notes": notes}).encode()


def context(traced: Traced) -> dict[str, Any]:
    """Return what the report shows."""
    found, log = traced.found, traced.log
    lean = forgetting.leaning(found, len(log.classes))
    groupings = [("Classes", "class", traced.classes)]
    groupings += [("Slices", "slice", traced.slices)] if traced.slices else []
    return {
        "split": log.split,
        "n": len(log.keys),
        "epochs": log.epochs,
        "n_classes": len(log.classes),
        "n_never_right": int((~found.was_right).sum()),
        "n_unsteady": int((found.n_forgotten > 0).sum()),
        "groupings": [
            {
                "title": title,
                "noun": noun,
                "forgotten": [_row(traced, of, one, lean if noun == "class" else None) for one in of.forgotten],
                "rest": [
                    _row(traced, of, one, lean if noun == "class" else None)
                    for one in [one for one in of.changes if not one.is_forgotten][:SHOWN_GROUPS]
                ],
                "n_rest": len(of.changes) - len(of.forgotten),
                "curves": _curves(of),
            }
            for title, noun, of in groupings
        ],
        "suspects": [
            {
                "key": log.keys[row],
                "label": log.classes[found.label[row]],
                "said": log.classes[found.last_top1[row]],
                "mean_p": found.mean_p[row],
                "aum": found.aum[row],
                "n_forgotten": int(found.n_forgotten[row]),
            }
            for row in found.suspects[:SHOWN_SUSPECTS].tolist()
        ],
        "bad": log.bad,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _row(traced: Traced, of: Grouping, change: Change, lean: FloatArray | None) -> dict[str, Any]:
    lost = forgetting.records(traced.found, of.group, change)
    return {
        "name": of.names[change.group],
        "n": change.n_records,
        "before": 100 * change.before,
        "last": 100 * change.last,
        "drop": 100 * (change.before - change.last),
        "low": 100 * change.low,
        "high": 100 * change.high,
        "epochs": traced.epochs_of(change.span),
        "last_epochs": traced.epochs_of(int(traced.span_of[-1])),
        "lean": None if lean is None else float(lean[change.group]),
        "keys": [traced.log.keys[row] for row in lost[:SHOWN_KEYS]],
        "more": max(len(lost) - SHOWN_KEYS, 0),
    }


def _curves(of: Grouping) -> list[dict[str, Any]]:
    """Return a line for each group, those forgotten in colours and on top."""
    named = [one.group for one in of.forgotten]
    quiet = [group for group in range(len(of.names)) if group not in set(named)]
    lines = [{"name": of.names[group], "points": _points(of.curves[group]), "colour": ""} for group in quiet]
    lines = lines[:SHOWN_CURVES]
    for place, group in enumerate(named[: len(COLOURS)]):
        lines.append({"name": of.names[group], "points": _points(of.curves[group]), "colour": COLOURS[place]})
    return [line for line in lines if line["points"]]


def _points(curve: FloatArray) -> str:
    """Return a curve as the points of an SVG line."""
    places = np.flatnonzero(~np.isnan(curve))
    across = EDGE + places / max(len(curve) - 1, 1) * (WIDTH - 2 * EDGE)
    down = EDGE + (1 - curve[places]) * (HEIGHT - 2 * EDGE)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))

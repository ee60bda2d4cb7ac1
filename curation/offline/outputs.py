"""What ``manage.py select`` writes: picks.csv, and one HTML page without outside parts."""

import csv
import io
from collections import Counter
from typing import Any

import numpy as np
from django.template.loader import render_to_string

from curation.core.arrays import Float32Array, FloatArray, IntArray
from curation.core.strategies.picking import sample
from curation.offline.selecting import Selected

MAP_POINTS, WIDTH, HEIGHT, EDGE = 3000, 720, 460, 14
FAR_OFF = 0.01
"""Share of the records on each side that may lie beyond the map."""
SHOWN_GROUPS, SHOWN_KEYS, SHOWN_CONFUSED = 60, 6, 20


def picks_csv(found: Selected) -> bytes:
    """Return rank,key,utility,reason, best first, rank from 1."""
    text = io.StringIO()
    keys = [found.pool.keys[pick.row] for pick in found.picks]
    # Python 3.11 leaves a carriage return unquoted, which its reader then takes for the end of the row.
    has_returns = any("\r" in key for key in keys)
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL)
    writer.writerow(("rank", "key", "utility", "reason"))
    for rank, (key, pick) in enumerate(zip(keys, found.picks, strict=True), 1):
        writer.writerow((rank, key, f"{pick.utility:.6g}", pick.words))
    return text.getvalue().encode()


def page(found: Selected, notes: list[str]) -> bytes:
    """Return the report as HTML."""
    return render_to_string("curation/select_report.html", context(found) | {"notes": notes}).encode()


def context(found: Selected) -> dict[str, Any]:
    """Return what the report shows."""
    problem, asked = found.problem, found.answers.asked
    return {
        "request": found.request,
        "n": found.n_records,
        "d": problem.X.shape[1],
        "n_asked": len(asked.rows),
        "n_labeled": int(asked.is_labeled.sum()),
        "n_rejected": int(((asked.labels < 0) & (asked.weights > 0)).sum()),
        "n_waiting": int((asked.weights == 0).sum()),
        "in_scope": problem.relevance.in_scope,
        "has_anchor": problem.anchor is not None,
        "has_model": problem.has_model,
        "has_own": problem.given_proba is not None or problem.utility is not None,
        "classes": sorted(
            zip(found.answers.classes, problem.labels_per_class.tolist(), strict=False), key=lambda one: -one[1]
        ),
        "arms": dict(Counter(pick.arm for pick in found.picks)),
        "picks": _picks(found),
        "groups": _groups(found),
        "n_groups": len(found.skipped),
        "n_confused": len(found.confused),
        "regions": _regions(found),
        "causes": Counter(one.cause.value.replace("_", " ") for one in found.confused).most_common(),
        "confused": _confused(found),
        "bad": found.pool.bad[:SHOWN_GROUPS],
        "n_bad": len(found.pool.bad),
        "map": draw(found),
        "width": WIDTH,
        "height": HEIGHT,
    }


def _picks(found: Selected) -> list[dict[str, Any]]:
    return [
        {
            "rank": rank,
            "key": found.pool.keys[pick.row],
            "arm": pick.arm,
            "utility": pick.utility,
            "words": pick.words,
            "uncertainty": pick.parts["uncertainty"],
            "relevance": pick.parts["relevance"],
        }
        for rank, pick in enumerate(found.picks, 1)
    ]


def _groups(found: Selected) -> list[dict[str, Any]]:
    keys = found.pool.keys
    return [
        {
            "n": len(group.rows),
            "of": None if group.because_of is None else keys[group.because_of],
            "keys": [keys[row] for row in group.rows[:SHOWN_KEYS]],
            "more": max(len(group.rows) - SHOWN_KEYS, 0),
            "words": group.words,
        }
        for group in found.skipped[:SHOWN_GROUPS]
    ]


def _confused(found: Selected) -> list[dict[str, Any]]:
    keys = found.pool.keys
    return [
        {
            "key": keys[one.row],
            "cause": one.cause.value.replace("_", " "),
            "probability": one.probability,
            "words": one.words,
            "action": one.action,
            "neighbours": [keys[row] for row in one.neighbours[:SHOWN_KEYS]],
        }
        for one in sorted(found.confused, key=lambda one: -one.probability)[:SHOWN_CONFUSED]
    ]


def _regions(found: Selected) -> list[dict[str, Any]]:
    keys = found.pool.keys
    return [
        {
            "n": len(region.rows),
            "share": len(region.rows) / len(found.pool),
            "n_labeled": region.n_labeled,
            "expected": region.expected,
            "n_answered": region.n_answered,
            "rejected_ratio": region.rejected_ratio,
            "distance": region.distance,
            "keys": [keys[row] for row in region.shown],
        }
        for region in found.regions
    ]


def draw(found: Selected) -> dict[str, list[dict[str, Any]]]:
    """Return the map: a sample of the pool, what was asked, and the picks, laid out along two principal directions."""
    problem, asked = found.problem, found.answers.asked
    place = layout(problem.scaled, problem.rng(9))
    shown = sample(problem.scaled, MAP_POINTS, problem.rng(10))
    low, high = _range(place[shown])
    span = np.where(high > low, high - low, 1.0)
    size = np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE])
    at = EDGE + np.clip((place - low) / span, 0, 1) * size  # (n, 2)
    rejected = asked.rows[(asked.labels < 0) & (asked.weights > 0)]

    def points(rows: IntArray) -> list[dict[str, Any]]:
        return [{"x": round(float(at[row, 0]), 1), "y": round(float(at[row, 1]), 1)} for row in rows]

    picked = [pick.row for pick in found.picks]
    keys = found.pool.keys
    lacking = np.concatenate([region.rows for region in found.regions]) if found.regions else np.empty(0, np.int64)
    rest = np.setdiff1d(shown, np.concatenate([asked.rows, picked]).astype(np.int64))
    names = [{"key": keys[pick.row], "words": pick.words, "rank": n} for n, pick in enumerate(found.picks, 1)]
    return {
        "pool": points(np.setdiff1d(rest, lacking)),
        "lacking": points(np.intersect1d(rest, lacking)),
        "asked": points(np.setdiff1d(asked.rows, rejected)[:MAP_POINTS]),
        "rejected": points(rejected[:MAP_POINTS]),
        "picks": [spot | name for spot, name in zip(points(np.array(picked)), names, strict=True)],
    }


def _range(place: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the map shows, each shape (2,): a few far-off records go to its edge, or all others were one dot."""
    low, high = np.quantile(place, (FAR_OFF, 1 - FAR_OFF), axis=0)
    room = (high - low) / 4
    return np.maximum(place.min(axis=0), low - room), np.minimum(place.max(axis=0), high + room)


def layout(X: Float32Array, rng: np.random.Generator) -> FloatArray:
    """Return two principal components, shape (n, 2), learnt on at most 3,000 rows; one feature gets a random height."""
    if X.shape[1] < 2:
        return np.column_stack([X[:, 0], rng.random(len(X))]).astype(np.float64)
    rows = X[sample(X, MAP_POINTS, rng)].astype(np.float64)
    mean = rows.mean(axis=0)
    directions = np.linalg.svd(rows - mean, full_matrices=False)[2][:2]  # (<= 2, d)
    if len(directions) < 2:
        directions = np.vstack([directions, np.zeros_like(directions)])
    return np.asarray((X - mean.astype(np.float32)) @ directions.T.astype(np.float32), dtype=np.float64)

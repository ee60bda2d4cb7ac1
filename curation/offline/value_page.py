"""The page of ``manage.py value``: drawn from the stored runs and nothing else, without outside parts."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from django.template.loader import render_to_string

from curation.offline.valuing import words_of

WIDTH, HEIGHT = 480, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 44
_LEAST_SPAN = 0.02
_MOST_TICKS = 7
_COLOURS = (("worst", "pick"), ("random", "no"), ("best", "asked"))
_DASHES = {"pick": ("━━", ""), "no": ("╍╍", "7 4"), "asked": ("┅┅", "2 3")}
_Point = dict[str, float]


def page(told: dict[str, Any]) -> bytes:
    """Return the report as HTML, from what removal.json holds."""
    return render_to_string("curation/value_report.html", context(told)).encode()


def context(told: dict[str, Any]) -> dict[str, Any]:
    """Return what the report shows."""
    fractions, whole = told["fractions"], told["whole"]["mean"]
    curves = [
        (f"{name} first" if name != "random" else "at random", colour, _from_whole(told["change"][name], whole))
        for name, colour in _COLOURS
    ]
    against = [("worst first less at random", "pick", [_NOTHING, *told["against_random"]["worst"]])]
    return {
        "told": told,
        "harmful": words_of(told["harmful"]),
        "useless": words_of(told["useless"]),
        "useless_at_random": words_of(told["useless_at_random"]),
        "margin": f"{100 * told['margin']:.3g}",
        "whole": f"{whole:.1%}",
        "fingerprint": told["fingerprint"][:12],
        "figures": [
            {"title": "Accuracy in percent", "chart": chart(fractions, curves, level=whole)},
            {"title": "Worst first less at random, in points", "chart": chart(fractions, against, level=0.0)},
        ],
        "rows": [
            {
                "removed": f"{fraction:.0%}",
                "worst": _points(told["change"]["worst"][at]),
                "random": _points(told["change"]["random"][at]),
                "against": _points(told["against_random"]["worst"][at]),
            }
            for at, fraction in enumerate(fractions)
        ],
        "width": WIDTH,
        "height": HEIGHT,
    }


_NOTHING: _Point = {"mean": 0.0, "low": 0.0, "high": 0.0}


def _from_whole(changes: Sequence[_Point], whole: float) -> list[_Point]:
    return [{name: whole + value for name, value in one.items()} for one in (_NOTHING, *changes)]


def _points(change: _Point) -> str:
    """Return a difference of accuracies in points, with its interval."""
    return f"{100 * change['mean']:+.1f} ({100 * change['low']:+.1f} to {100 * change['high']:+.1f})"


def chart(
    fractions: Sequence[float], curves: Sequence[tuple[str, str, Sequence[_Point]]], level: float
) -> dict[str, Any]:
    """Return lines, bands and ticks of curves over the share removed, from 0; `level` is what nothing removed gives.

    Bands are cut at the frame, which holds all means.
    """
    means = [point["mean"] for _, _, curve in curves for point in curve] + [level]
    low, high = min(means), max(means)
    room = max(_LEAST_SPAN, high - low) * 0.15
    low, high = low - room, high + room
    inner = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    xs = [_LEFT + inner[0] * share for share in (0.0, *fractions)]

    def y(value: float) -> float:
        return _TOP + inner[1] * (high - min(max(value, low), high)) / (high - low)

    def path(curve: Sequence[_Point], name: str) -> list[str]:
        return [f"{x:.1f},{y(point[name]):.1f}" for x, point in zip(xs, curve, strict=True)]

    return {
        "curves": [
            {
                "name": name,
                "colour": colour,
                "mark": _DASHES[colour][0],
                "dash": _DASHES[colour][1],
                "line": " ".join(path(curve, "mean")),
                "band": " ".join(path(curve, "high") + path(curve, "low")[::-1]),
            }
            for name, colour, curve in curves
        ],
        "level": f"{y(level):.1f}",
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "top": _TOP,
        "x_ticks": [{"at": f"{_LEFT + inner[0] * n / 4:.1f}", "words": f"{25 * n}"} for n in range(5)],
        "y_ticks": _ticks(low, high, y),
    }


def _ticks(low: float, high: float, y: Callable[[float], float]) -> list[dict[str, str]]:
    """Return round values inside the frame, three to seven of them, in percent."""
    size = 10.0 ** math.floor(math.log10(high - low))
    step = next(size * part for part in (0.2, 0.5, 1.0, 2.0) if (high - low) / (size * part) <= _MOST_TICKS)
    values = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [{"at": f"{y(value):.1f}", "words": f"{round(100 * value, 6):g}"} for value in values]

"""The report's plots, each returned as an SVG text to stand inside a page."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from embedded.demo.results import Arm
from embedded.demo.summary import ArmSummary

COLOURS = {"selector": "#0b6e99", "random": "#c2571a"}
_GREY = "#6b7280"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "labelyard",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.axisbelow": True,
}


def learning_curves(arms: Sequence[Arm]) -> str:
    """Test accuracy over the records asked, each with its 90 % interval."""
    figure, axes = _canvas("records asked", "test accuracy")
    for arm in arms:
        rows = [row["metrics"] for row in arm.rounds if row["metrics"]]
        x = [row["n_asked"] for row in rows]
        colour = COLOURS[arm.name]
        axes.plot(x, [row["accuracy"] for row in rows], "o-", color=colour, label=arm.name)
        axes.fill_between(
            x, [r["accuracy_low"] for r in rows], [r["accuracy_high"] for r in rows], color=colour, alpha=0.15, lw=0
        )
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.legend(frameon=False, loc="lower right")
    return _svg(figure)


def foreign_shares(arms: Sequence[ArmSummary], pool_share: float) -> str:
    """Share of foreign rows among the records asked, round by round."""
    figure, axes = _canvas("round", "foreign rows among the records asked")
    for arm in arms:
        shares = arm.shares("foreign")
        axes.plot(range(1, len(shares) + 1), shares, "o-", color=COLOURS[arm.name], label=arm.name)
    axes.axhline(pool_share, color=_GREY, ls="--", lw=1, label="share of the pool")
    axes.axhline(pool_share / 2, color=_GREY, ls=":", lw=1, label="half of it")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:.0%}")
    figure.legend(frameon=False, ncols=4, fontsize=8, loc="outside upper left")
    return _svg(figure)


def bought_against_everything(n_asked: int, n_pool: int, spent: float, everything: float) -> str:
    """Labels and money of the selector's campaign beside those of labeling the whole pool."""
    figure = Figure(figsize=(7.2, 2.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, title, values, form in (
        (panels[0], "records asked", (n_asked, n_pool), "{:,.0f}"),
        (panels[1], "US dollars", (spent, everything), "${:,.0f}"),
    ):
        bars = axes.barh(["selector", "everything"], values, color=[COLOURS["selector"], "#cbd5e1"], height=0.6)
        axes.bar_label(bars, [form.format(value) for value in values], padding=3)
        axes.set_title(title, fontsize=10, loc="left")
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.margins(x=0.2)
    return _svg(figure)


def kinds_by_round(arm: ArmSummary, kinds: Sequence[str]) -> str:
    """What the records asked turned out to be, stacked by round."""
    figure, axes = _canvas("round", f"records asked by the {arm.name}")
    numbers = range(1, len(arm.kinds_by_round) + 1)
    bottom = [0] * len(arm.kinds_by_round)
    for kind, colour in zip(kinds, ("#0b6e99", "#93c5dd", "#c2571a", "#7c3aed"), strict=True):
        counts = [row[kind] for row in arm.kinds_by_round]
        axes.bar(numbers, counts, bottom=bottom, color=colour, label=kind, width=0.7)
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(frameon=False, ncols=4, fontsize=8, loc="outside upper left")
    return _svg(figure)


def _canvas(x_label: str, y_label: str) -> tuple[Figure, Any]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.subplots()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    return figure, axes


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

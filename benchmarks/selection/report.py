"""The benchmark's page and figures: Markdown, JSON, and learning curves as SVG."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl

from benchmarks.selection import summary
from benchmarks.selection.cells import ANCHORED, CEILING, ENGINE, HEADLINE, RANDOM, REFERENCE, Played
from benchmarks.selection.mess import OTHER_JUNK, SETTINGS, USUAL
from benchmarks.selection.ours import LEFT_OUT
from benchmarks.selection.summary import Paired

TARGETS = {
    ("dirty", ENGINE): "+0.3, p < .001",
    ("foreign60", ENGINE): "+1.5",
    ("foreign60", ANCHORED): "+3",
    ("clean", ENGINE): ">= -0.1",
}
WORDS = {
    "clean": "clean",
    "dirty": "dirty: 30 % copies, 15 % foreign, 5 % damaged, 10 % wrong",
    "foreign40": "40 % foreign, 25 % copies, 5 % damaged, 10 % wrong",
    "foreign60": "60 % foreign, 15 % copies, 5 % damaged, 10 % wrong",
    "noise25": "dirty with 25 % wrong, by class",
    "mixtures20": "20 % mixtures of two records, 15 % copies, 5 % damaged, 10 % wrong",
    "mixtures50": "50 % mixtures of two records",
    "shuffled50": "50 % with shuffled columns",
    "wide50": "50 % noise three times as wide",
    "saturated50": "50 % saturated",
    "far_cluster50": "50 % in one far cluster",
    "blank50": "50 % one blank record",
}


def write(played: Sequence[Played], out: Path, source: str) -> None:
    """Write NAME.md, NAME.json and NAME-SETTING.svg beside each other."""
    out.parent.mkdir(parents=True, exist_ok=True)
    played = [one for one in played if one.cell.arm not in LEFT_OUT]
    found: dict[str, object] = {"source": source, "settings": {name: asdict(s) for name, s in SETTINGS.items()}}
    lines = [
        _HEAD.format(source=source, n=len(played), ceiling=CEILING),
        *_headline(played, found),
        *_pools(played, found),
    ]
    for is_cleaned in (True, False):
        for setting in SETTINGS:
            lines += _standings(played, setting, found, is_cleaned=is_cleaned)
    lines += _curves(played, out)
    out.with_suffix(".md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


_HEAD = """# Selection: every strategy at equal labels

`make bench-selection` ({source}; {n} runs). Each run: 20 rounds of 2 x classes records (10 to 40), the same classifier,
the same pool, answers and seed for all arms of a pair. AULC = mean accuracy over the rounds / accuracy with all unique
records rightly labeled; a point is .01. Foreign rows, and half of the damaged ones, come back as "cannot be labeled"
and cost the same. ± is one standard error. "{ceiling}" is the reference told which records are junk: a ceiling, not a
strategy.
"""


def _headline(played: Sequence[Played], found: dict[str, object]) -> list[str]:
    lines = [
        "## Against Uncertainty Herding, label cleaning on for both",
        "",
        "| setting | arm | pairs | AULC points | p | end, points | labels to 95 %, ratio | junk bought | target |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    told: list[dict[str, object]] = []
    for setting in SETTINGS:
        table = summary.tables(played, setting, is_cleaned=True)
        junk = summary.paired(table, REFERENCE)
        for arm in [arm for arm in HEADLINE if arm != REFERENCE]:
            pair = summary.paired(table, arm)
            if pair is not None:
                told.append({"setting": setting} | asdict(pair))
                lines.append(_line(setting, pair, junk))
    found["against_uncertainty_herding"] = told
    return [*lines, ""]


def _line(setting: str, pair: Paired, reference: Paired | None) -> str:
    against = f" (reference {reference.junk:.0%})" if reference else ""
    return (
        f"| {WORDS[setting]} | {pair.arm} | {pair.n} | {pair.difference:+.2f} ± {pair.error:.2f} | {pair.p:.1g} "
        f"| {pair.end:+.2f} ± {pair.end_error:.2f} | {pair.labels_ratio:.2f} | {pair.junk:.0%}{against} "
        f"| {TARGETS.get((setting, pair.arm), '')} |"
    )


def _pools(played: Sequence[Played], found: dict[str, object]) -> list[str]:
    """Say by pool where the engine loses, against the reference and against chance: a mean can hide it."""
    tables = {setting: summary.tables(played, setting, is_cleaned=True) for setting in SETTINGS}
    against = {rival: {s: summary.by_pool(table, ENGINE, rival) for s, table in tables.items()} for rival in _RIVALS}
    found["by_pool"] = {
        rival: {setting: {pool: asdict(pair) for pool, pair in of.items()} for setting, of in gains.items()}
        for rival, gains in against.items()
    }
    lines = []
    for rival, cell in _RIVALS.items():
        gains = against[rival]
        pools = sorted({pool for of in gains.values() for pool in of})
        for settings in (USUAL, OTHER_JUNK):
            if not any(gains[s] for s in settings):
                continue
            title = f"| engine against {rival}: {_CELLS[cell]} | "
            lines += [title + " | ".join(settings) + " |", "|---" * (len(settings) + 1) + "|"]
            for pool in pools:
                cells = [cell(gains[s][pool]) if pool in gains[s] else "" for s in settings]
                lines.append(f"| {pool} | " + " | ".join(cells) + " |")
            lines.append("")
    return lines


def _points(pair: Paired) -> str:
    return f"{pair.difference:+.2f}"


def _points_and_labels(pair: Paired) -> str:
    return f"{pair.difference:+.1f} ± {pair.error:.1f}; {pair.labels_ratio:.2f}"


_RIVALS = {REFERENCE: _points, RANDOM: _points_and_labels}
_CELLS = {_points: "AULC points", _points_and_labels: "AULC points; labels to 95 %, ratio"}


def _standings(played: Sequence[Played], setting: str, found: dict[str, object], *, is_cleaned: bool) -> list[str]:
    standings, n = summary.standings(summary.tables(played, setting, is_cleaned=is_cleaned))
    if len(standings) < 5:
        return []
    found[f"{setting}, cleaning {'on' if is_cleaned else 'off'}"] = [asdict(one) for one in standings]
    lines = [
        f"## {WORDS[setting].capitalize()}; cleaning {'on' if is_cleaned else 'off'} for all; {n} places each",
        "",
        "| strategy | mean rank | AULC | junk bought | CPU s a run |",
        "|---|---|---|---|---|",
    ]
    for one in standings:
        lines.append(
            f"| {one.arm} | {one.rank:.1f} | {one.aulc:.3f} ± {one.error:.3f} | {one.junk:.0%} | {one.cpu_s:.2f} |"
        )
    return [*lines, ""]


def _curves(played: Sequence[Played], out: Path) -> list[str]:
    """Draw mean learning curves of the headline arms and write them beside the page."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "selection"
    from matplotlib import pyplot

    lines = ["## Learning curves", ""]
    for setting in SETTINGS:
        table = summary.tables(played, setting, is_cleaned=True)
        arms = [arm for arm in HEADLINE if arm in table]
        if not arms:
            continue
        figure, axes = pyplot.subplots(figsize=(6, 3.6))
        for arm in arms:
            values = summary.curve(table, arm)
            axes.plot(range(1, len(values) + 1), values, label=f"{arm} ({len(table[arm])} runs)")
        axes.set(xlabel="round", ylabel="accuracy / reference", title=WORDS[setting])
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        name = f"{out.stem}-{setting}.svg"
        figure.savefig(out.with_name(name), bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)
        lines.append(f"![Mean learning curves, {WORDS[setting]}]({name})")
    return [*lines, ""]

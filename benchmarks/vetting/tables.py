"""The measurements as a page: ``docs/measurements/vetting.md``."""

from typing import Any

import numpy as np

COLUMNS = ("accuracy", "ece", "brier", "log_loss", "claims_right", "skill_rank", "cpu_s")
HEAD = """# Label vetting, measured

Written by `make bench-vetting DATA=DIR` (`python -m benchmarks.vetting`); the JSON beside this page has every figure.
Accuracy in percent counts ties in expectation; `ece` is the expected calibration error in ten bins; `claims_right` the
share of claims above .99 that are right; `skill_rank` Spearman's correlation of annotators' skills with their true
accuracy; `cpu_s` CPU seconds in all. "-": not defined. Peers run in an environment of their own.
Means are over the sets with enough gold on which every method answered within 150 s; the others show a "-" by set.
"""


def _cell(value: float | None) -> str:
    if value is None or np.isnan(value):
        return "-"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _row(name: str, values: list[float | None]) -> str:
    return f"| {name} | " + " | ".join(_cell(value) for value in values) + " |"


def _table(title: str, columns: list[str], rows: list[tuple[str, list[float | None]]]) -> str:
    head = f"| {title} | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1)
    return "\n".join([head, *(_row(name, values) for name, values in rows)]) + "\n"


def means(sets: dict[str, dict[str, Any]], names: list[str]) -> dict[str, dict[str, float]]:
    """Return each method's mean figures over the named sets on which all methods answered, and its CPU time in all."""
    methods = list(next(iter(sets.values())))
    used = [name for name in names if all(sets[name][method] is not None for method in methods)]
    found = {}
    for method in methods:
        columns = {column: [sets[name][method][column] for name in used] for column in COLUMNS}
        found[method] = {
            column: float(np.sum(values) if column == "cpu_s" else _mean(values)) for column, values in columns.items()
        }
    return found


def _mean(values: list[float]) -> float:
    """Return the mean of what is defined."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def page(report: dict[str, Any]) -> str:
    """Return the page of a report of :mod:`benchmarks.vetting.__main__`."""
    parts = [HEAD]
    for title, found in report["side by side"].items():
        rows = [(name, [row[column] for column in COLUMNS]) for name, row in found["means"].items()]
        parts.append(f"## {title}\n\n" + _table("mean of the sets", list(COLUMNS), rows))
        methods = list(found["means"])
        by_set = [
            (name, [figures[method] and figures[method]["accuracy"] for method in methods])
            for name, figures in found["sets"].items()
        ]
        parts.append("Accuracy by set:\n\n" + _table("set", methods, by_set))
    cost = report["a million answers"]
    rows = [(name, [row and row["cpu_s"], row and row["extra_memory_mb"]]) for name, row in cost.items()]
    parts.append("## A million answers, ten classes, one core\n\n" + _table("method", ["cpu_s", "extra MB"], rows))
    speed = report["speed"]
    parts.append(f"One more answer on a record: {speed['one_answer_us']:.0f} microseconds, decision included.\n")
    if "adaptive overlap" in report:
        figures = report["adaptive overlap"]
        columns = list(figures["means"])
        rows = [(name, [row[column] for column in columns]) for name, row in figures["sets"].items()]
        rows.append(("**mean**", [figures["means"][column] for column in columns]))
        parts.append(
            "## Adaptive overlap\n\nShare of labels saved at half a point below full accuracy; points gained against "
            "the gold-only dynamic rule at equal labels, its gold counted.\n\n" + _table("set", columns, rows)
        )
    return "\n".join(parts)

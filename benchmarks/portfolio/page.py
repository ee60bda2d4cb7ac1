"""The page: how near the best member, and how many rounds the warm start saves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.selection.cells import Played
from benchmarks.selection.play import Outcome
from curation.core.arrays import FloatArray

WITHIN, SHARE, SAVED = 0.02, 0.8, 0.15
Place = tuple[str, str, int]


def page(
    runs: Sequence[Played], arms: Sequence[str], others: Sequence[str], policies: Sequence[str], folder: Path | None
) -> str:
    """Return the page as Markdown."""
    by_arm: dict[str, dict[Place, Outcome]] = {}
    for one in runs:
        by_arm.setdefault(one.cell.arm, {})[one.cell.pool, one.cell.setting, one.cell.seed] = one.outcome
    shared = set.intersection(*(set(played) for played in by_arm.values()))
    by_arm = {arm: {place: played[place] for place in played if place in shared} for arm, played in by_arm.items()}
    n_seeds = len({place[2] for place in shared})
    option = f" --data {folder.name}" if folder else ""
    pools = (
        f"pools of the folder {folder.name}, table that ships" if folder else "bundled pools, table of the other six"
    )
    lines = [
        "# The portfolio against its members",
        "",
        f"`python -m benchmarks.portfolio --seeds {n_seeds}{option} --write` ({pools}; {len(shared)} places, 20 "
        "rounds, label cleaning on for all). Score: mean accuracy over the rounds / accuracy with all unique records "
        "rightly labeled.",
        "",
        *_near(by_arm, arms, others, policies),
        *_rounds(by_arm, policies),
        *_cells(by_arm, arms, policies),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _near(
    by_arm: dict[str, dict[Place, Outcome]], arms: Sequence[str], others: Sequence[str], policies: Sequence[str]
) -> list[str]:
    lines = [
        f"## Within {WITHIN:.0%} of the best single member",
        "",
        f"A cell is a pool in a setting, its seeds averaged. Target: {SHARE:.0%} of cells. Members: {', '.join(arms)}; "
        f"in the last column also {', '.join(others)}. The best is picked in hindsight, so chance flatters it.",
        "",
        f"| policy | cells | mean score | behind the best member | within {WITHIN:.0%} | of more members |",
        "|---|---|---|---|---|---|",
    ]
    best, widest = _best(by_arm, arms), _best(by_arm, [*arms, *others])
    for name in [*arms, *policies]:
        mine = _scores(by_arm[name])
        gaps = np.array([1 - mine[cell] / best[cell] for cell in sorted(mine)])
        wide = np.array([1 - mine[cell] / widest[cell] for cell in sorted(mine)])
        near, of_more = (gaps <= WITHIN).mean(), (wide <= WITHIN).mean()
        score = np.mean(list(mine.values()))
        lines.append(f"| {name} | {len(mine)} | {score:.4f} | {gaps.mean():.2%} | {near:.0%} | {of_more:.0%} |")
    return [*lines, ""]


def _scores(runs: dict[Place, Outcome]) -> dict[tuple[str, str], float]:
    cells = sorted({place[:2] for place in runs})
    return {cell: float(np.mean([one.aulc for place, one in runs.items() if place[:2] == cell])) for cell in cells}


def _best(by_arm: dict[str, dict[Place, Outcome]], arms: Sequence[str]) -> dict[tuple[str, str], float]:
    scores = [_scores(by_arm[arm]) for arm in arms]
    return {cell: max(of[cell] for of in scores) for cell in scores[0]}


def _rounds(by_arm: dict[str, dict[Place, Outcome]], policies: Sequence[str]) -> list[str]:
    lines = [
        "## Rounds to 95 % of the reference",
        "",
        "Paired by pool, setting and seed; a run that never gets there counts as one round more than it has. Target: "
        f"the warm start saves {SAVED:.0%} against the same bandit started cold.",
        "",
        "| policy | mean rounds | against cold | against cold and bold | against the engine alone |",
        "|---|---|---|---|---|",
    ]
    places = sorted(by_arm["auto"])
    rounds = {
        name: np.array([by_arm[name][p].labels_to_reach / by_arm[name][p].batch for p in places])
        for name in ["auto", *policies]
    }
    for name, mine in rounds.items():
        against = [_saved(mine, rounds[other]) for other in (*policies[-2:], "auto")]
        lines.append(f"| {name} | {mine.mean():.2f} | {' | '.join(against)} |")
    return [*lines, ""]


def _saved(mine: FloatArray, theirs: FloatArray) -> str:
    """Return the change of the total of rounds, with its standard error over the pairs."""
    ratio = float(mine.sum() / theirs.sum())
    error = float((mine - ratio * theirs).std(ddof=1) / np.sqrt(len(mine)) / theirs.mean()) if len(mine) > 1 else 0.0
    return "" if mine is theirs else f"{ratio - 1:+.1%} ± {error:.1%}"


def _cells(by_arm: dict[str, dict[Place, Outcome]], arms: Sequence[str], policies: Sequence[str]) -> list[str]:
    names = [*arms, policies[0]]
    scores = {name: _scores(by_arm[name]) for name in names}
    lines = ["## All cells", "", f"| pool, setting | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for cell in sorted(scores[arms[0]]):
        lines.append(f"| {', '.join(cell)} | {' | '.join(f'{scores[name][cell]:.3f}' for name in names)} |")
    return [*lines, ""]

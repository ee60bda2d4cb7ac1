"""Every named method of ours beside crowd-kit's, on the same answers: accuracy, calibration, skill, time, memory."""

import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.vetting import peers, speed
from benchmarks.vetting.scores import LEAST_ANSWERS, score
from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import Answers, aggregate, registry

Figures = dict[str, float]


def _skill_rank(crowd: Crowd, skill: dict[int, float]) -> float:
    """Return Spearman's correlation of skills with true accuracies; NaN where too few can be judged."""
    answers = crowd.answers
    known = crowd.truth[answers.task] >= 0
    n = np.bincount(answers.annotator[known], minlength=answers.n_annotators)
    right = np.bincount(answers.annotator[known], (answers.label == crowd.truth[answers.task])[known], len(n))
    used = [person for person in np.flatnonzero(n >= LEAST_ANSWERS) if person in skill]
    if len(used) < 3:
        return float("nan")
    return float(stats.spearmanr([skill[person] for person in used], right[used] / n[used]).statistic)


def _figures(crowd: Crowd, posterior: npt.NDArray[Any], skill: dict[int, float], cpu_s: float) -> Figures:
    scored = score(posterior, crowd.truth)
    return {
        "accuracy": scored.accuracy,
        "ece": scored.ece,
        "brier": scored.brier,
        "log_loss": scored.log_loss,
        "claimed": scored.claimed,
        "claims_right": scored.claims_right,
        "skill_rank": _skill_rank(crowd, skill),
        "cpu_s": cpu_s,
    }


def ours(crowd: Crowd) -> dict[str, Figures]:
    """Return the figures of each registered method."""
    found = {}
    for name in registry.names():
        started = time.process_time()
        result = aggregate(crowd.answers, method=name)
        cpu_s = time.process_time() - started
        found[name] = _figures(crowd, result.posterior, dict(enumerate(result.skill)), cpu_s)
    return found


def theirs(crowd: Crowd, python: Path) -> dict[str, Figures | None]:
    """Return the figures of each peer; None for one that took too long."""
    found: dict[str, Figures | None] = {}
    for name in peers.METHODS:
        said = peers.run(python, crowd.answers, name)
        figures = None if said is None else _figures(crowd, said.posterior, said.skill, said.cpu_s)
        found[f"crowd-kit {name}"] = figures
    return found


def of_sets(crowds: list[Crowd], python: Path | None) -> dict[str, dict[str, Figures | None]]:
    """Return the figures by set and method."""
    found: dict[str, dict[str, Figures | None]] = {}
    for crowd in crowds:
        found[crowd.name] = {**ours(crowd), **(theirs(crowd, python) if python else {})}
        print(f"{crowd.name:16} {len(found[crowd.name])} methods", flush=True)
    return found


def million(python: Path | None) -> dict[str, Figures | None]:
    """Return CPU seconds and extra memory on a million answers of ten classes."""
    answers = speed.large()
    found: dict[str, Figures | None] = {"guarded": _own_cost(answers)}
    for name in ("majority", "wawa", "dawid_skene", "one_coin") if python else ():
        said = peers.run(Path(str(python)), answers, name)
        cost = None if said is None else {"cpu_s": said.cpu_s, "extra_memory_mb": said.extra_memory_mb}
        found[f"crowd-kit {name}"] = cost
    return found


def _own_cost(answers: Answers) -> Figures:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    aggregate(answers)
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"cpu_s": time.process_time() - started, "extra_memory_mb": extra}

"""The peers' side: crowd-kit in an environment of its own, one process a run.

Its requirements (pandas, an older scikit-learn) do not fit ours, and a process of its own makes CPU time and memory
comparable. ``make bench-vetting`` creates the environment.
"""

import csv
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation import Answers

RUNNER = Path(__file__).with_name("peer_runner.py")
METHODS = ("majority", "wawa", "dawid_skene", "one_coin", "glad", "mace", "zero_based_skill")
PATIENCE_S = 150.0
"""Seconds after which a peer's run is given up and reported as too slow."""


@dataclass(frozen=True, eq=False)
class Peer:
    """What a peer says: beliefs (n_tasks, n_classes), skills by annotator index, CPU seconds and extra memory."""

    posterior: npt.NDArray[Any]
    skill: dict[int, float]
    cpu_s: float
    extra_memory_mb: float


def run(python: Path, answers: Answers, method: str, patience_s: float = PATIENCE_S) -> Peer | None:
    """Return what the peer's method says; None when it takes too long.

    Raises
    ------
    RuntimeError
        With the peer's last words when it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "answers.csv", Path(folder) / "found.json"
        with source.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("task", "worker", "label"))
            writer.writerows(zip(answers.task, answers.annotator, answers.label, strict=True))
        command = [str(python), str(RUNNER), str(source), method, str(target)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=patience_s, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            raise RuntimeError(f"crowd-kit {method} failed: {done.stderr[-500:]}")
        found = json.loads(target.read_text(encoding="utf-8"))
    return Peer(
        _posterior(found, answers),
        {int(key): value for key, value in found["skills"].items()},
        found["cpu_s"],
        found["extra_memory_mb"],
    )


def _posterior(found: dict[str, Any], answers: Answers) -> npt.NDArray[Any]:
    """Return the beliefs at our indices; records the peer leaves out get an even belief."""
    posterior = np.full((answers.n_tasks, answers.n_classes), 1 / answers.n_classes)
    tasks = np.array(found["tasks"])
    posterior[tasks] = 0.0
    if found["proba"] is None:
        posterior[tasks, found["labels"]] = 1.0
    else:
        posterior[np.ix_(tasks, found["classes"])] = found["proba"]
    return posterior

"""CPU seconds and memory of a first and a later batch, the floor beside them, and the quality of the sketch."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale.world import N_CLASSES, World
from curation.core import herding, large, proxy, scale, scoring, selection, sketch, subpool
from curation.core.arrays import Asked, Float32Array, Scaler, squared_distances
from curation.core.pool import Pool
from curation.core.reasons import Pick

N_PICKS = 100
N_ASKED = 1000


class Run:
    """One world with its history: everything that a batch needs."""

    def __init__(self, world: World, *, with_foreign: bool = False, seed: int = 1) -> None:
        self.pool = world.pool
        asked, _ = world.asked(N_ASKED + N_PICKS, np.random.default_rng(seed), with_foreign=with_foreign)
        self.tasks = [
            subpool.Task(
                pool=self.pool,
                asked=Asked(asked.rows[:n], asked.labels[:n], asked.weights[:n]),
                n_classes=N_CLASSES,
                rules=[selection.Rule("auto", 1.0)],
                n_picks=N_PICKS,
                control_ratio=0.05,
                seed=seed,
            )
            for n in (N_ASKED, N_ASKED + N_PICKS)
        ]
        before = large.Here(self.pool)
        large.select(self.tasks[0], before)
        self.scores = before.scores

    def scoring(self) -> Float32Array:
        """Score the whole pool, and nothing else."""
        columns = N_CLASSES + 1
        model = scoring.Linear(np.ones((self.pool.n_features, columns), np.float32), np.zeros(columns, np.float32))
        return scoring.score(self.pool, model)

    def cold(self) -> list[Pick]:
        """A first batch: the whole pool is scored."""
        return large.select(self.tasks[0], large.Here(self.pool))

    def later(self) -> list[Pick]:
        """The batch after it: a part of the pool is scored anew, by a model of a hundred labels more."""
        return large.select(self.tasks[1], large.Here(self.pool, self.scores))


def of_files(folder: Path, world: World, seed: int = 1) -> dict[str, float]:
    """Return seconds and peak memory of ``manage.py select`` on one .npz file, first and later batch."""
    X = np.concatenate(world.pool.shards)
    np.savez(folder / "pool.npz", X=X)
    asked, _ = world.asked(N_ASKED, np.random.default_rng(seed), with_foreign=True)
    names = ["" if label < 0 else f"class {label}" for label in asked.labels]
    lines = [f"{row},{name},blurred\n" for row, name in zip(asked.rows, names, strict=True)]
    (folder / "labels.csv").write_text("key,label,reason\n" + "".join(lines))
    found: dict[str, float] = {}
    for name in ("first", "later"):
        command = [sys.executable, "manage.py", "select", str(folder / "pool.npz"), "--batch-size", str(N_PICKS)]
        command += ["--labels", str(folder / "labels.csv"), "--state", str(folder / "state")]
        command += ["--out", str(folder / f"{name}.csv"), "--verbosity", "0"]
        started, peak = time.monotonic(), 0.0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ourselves
            while process.poll() is None:  # not from its resource usage, which begins with our own peak
                peak = max(peak, _peak_mb(process.pid))
                time.sleep(0.05)
        if process.returncode:
            raise RuntimeError(f"manage.py select stopped with code {process.returncode}")
        found |= {f"files_{name}_s": time.monotonic() - started, f"files_{name}_mb": peak}
    return found


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM:")), 0.0)


def cost(work: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Return the median CPU seconds of some runs, and the peak of what one more allocates, MB."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(np.median(seconds)), peak / 1e6


def reading(pool: Pool) -> Callable[[], float]:
    """Return the floor: every feature of the pool read once and summed."""
    return lambda: float(sum(float(block.sum()) for s in range(len(pool.shards)) for _, block in pool.blocks(s)))


def quality(
    X: Float32Array, asked: Asked, sizes: tuple[int, int], seed: int, n_classes: int = N_CLASSES
) -> tuple[float, float]:
    """Return the sketch's and a random batch's gain of the true objective, relative to the exact greedy's."""
    pool, scaler = Pool((X,)), Scaler.of(X)
    S = scaler(X)
    model, _ = proxy.fit_cleaned(S[asked.rows], asked.labels, asked.weights, n_classes)
    linear = scoring.Linear.of(model, scaler)
    u = linear.uncertainty(X).astype(np.float64)
    u[asked.rows] = 0.0
    rng = np.random.default_rng(seed)
    some = S[rng.choice(len(S), min(1000, len(S)), replace=False)]
    median = float(np.median(squared_distances(some, some)[np.triu_indices(len(some), 1)]))
    width = herding.kernel_width(S, asked.rows, median)
    covered = herding.coverage(S, S[asked.rows], width)

    def gain(rows: Any) -> float:
        return float(np.maximum(herding.coverage(S, S[rows], width) - covered, 0) @ u)

    free = np.setdiff1d(np.arange(len(X)), asked.rows)
    exact = _exact(S, u, covered, free, width)
    drawn = sketch.draw(pool, 0, scoring.score(pool, linear), asked.rows, sizes, [seed])
    chosen = scale.choose(
        sketch.merge([drawn], sizes),
        scaler=scaler,
        model=linear,
        asked=asked,
        asked_X=X[asked.rows],
        n_picks=N_PICKS,
        rng=rng,
    )
    by_chance = np.mean([gain(rng.choice(free, N_PICKS, replace=False)) for _ in range(5)])
    return gain(chosen.rows) / gain(exact), float(by_chance / gain(exact))


def _exact(S: Float32Array, u: Any, covered: Float32Array, free: Any, width: float) -> list[int]:
    """Greedy over every candidate and every row, nothing drawn: the reference."""
    kernel = np.exp(-squared_distances(S[free], S) / width)
    covered = covered.copy()
    picked: list[int] = []
    weight = u.astype(np.float32)
    bound = np.full(len(free), np.inf)
    fresh = np.full(len(free), -1)
    while len(picked) < N_PICKS:
        best = int(bound.argmax())
        if fresh[best] == len(picked):
            picked.append(int(free[best]))
            np.maximum(covered, kernel[best], out=covered)
            bound[best] = -np.inf
            continue
        bound[best], fresh[best] = float(np.maximum(kernel[best] - covered, 0) @ weight), len(picked)
    return picked

"""Selection from pools too large to compare all rows: the engine on a sketch, other strategies among the rows drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from curation.core import proxy, reasons, scale, scoring, selection, sketch
from curation.core.arrays import Asked, Float32Array, IntArray, Scaler
from curation.core.pool import Pool
from curation.core.problem import Problem
from curation.core.reasons import CONTROL, Pick

LARGE: Final = 50_000
"""Rows from which on a pool is selected from by its sketch."""
_ENGINE: Final = frozenset({"auto", "herding"})

Drawing = Callable[[scoring.Linear, IntArray, Sequence[int]], sketch.Sketch]
"""Draws the sketch of a pool: model, rows asked, seed. Work that may be shared out to others."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is chosen from, for, and how; as in :class:`~curation.core.problem.Problem` and `selection.mix`."""

    pool: Pool
    asked: Asked
    n_classes: int
    rules: Sequence[selection.Rule]
    n_picks: int
    control_ratio: float
    seed: int
    anchor: Float32Array | None = None
    anchor_labels: IntArray | None = None


def select(task: Task, draw: Drawing | None = None) -> list[Pick]:
    """Return the next batch of a large pool, each pick with its reason.

    Parameters
    ----------
    task
        As for a small pool.
    draw
        Draws the sketch, possibly with the help of other workers; here and now where None.

    Raises
    ------
    ValueError
        As `selection.mix`; also when the pool holds NaN or infinity, with the row.

    Notes
    -----
    The control picks are drawn from all rows. The engine chooses on the sketch; other strategies choose among the rows
    drawn, of which one half is drawn in proportion to the model's uncertainty and one uniformly. Near copies are
    looked for among the rows drawn. O(n d k) for the one scan, everything else independent of n.
    """
    pool, asked = task.pool, task.asked
    seed = [task.seed, len(asked.rows)]
    rng = np.random.default_rng(seed)
    scaler = Scaler.of(pool.sample(np.random.default_rng(task.seed)))
    asked_X = pool.rows(asked.rows)
    model = _train(task, scaler, asked_X)
    drawn = (draw or _here(pool))(model, asked.rows, seed)
    control, propensity = _control(len(pool), asked.rows, round(task.n_picks * task.control_ratio), rng)
    others = np.sort(rng.choice(len(pool), min(sketch.COLD[0], len(pool)), replace=False))
    rows = np.unique(np.concatenate([drawn.candidates.rows, others, asked.rows, control]))
    local = _problem(task, rows)
    n_chosen = task.n_picks - len(control)
    if [rule.strategy in _ENGINE for rule in task.rules] == [True]:
        picks = _by_engine(task, drawn, scaler, model, asked_X, control, rng, local, rows, n_chosen)
    else:
        without = replace(local, asked=_with(local.asked, np.searchsorted(rows, control)))
        picks = selection.mix(without, rules=task.rules, n_picks=n_chosen, control_ratio=0.0, seed=task.seed)
    at = np.searchsorted(rows, control)
    picks += [reasons.explain(local, int(place), CONTROL, propensity, 0.0) for place in at]
    return [replace(pick, row=int(rows[pick.row])) for pick in picks]


def _here(pool: Pool) -> Drawing:
    def draw(model: scoring.Linear, asked: IntArray, seed: Sequence[int]) -> sketch.Sketch:
        return sketch.of_pool(pool, scoring.score(pool, model), asked, sketch.COLD, seed)

    return draw


def _train(task: Task, scaler: Scaler, asked_X: Float32Array) -> scoring.Linear:
    X, y, w = scaler(asked_X), task.asked.labels, task.asked.weights
    known = y >= 0
    X, y, w = X[known], y[known], w[known]
    if task.anchor is not None and task.anchor_labels is not None:
        is_labeled = task.anchor_labels >= 0
        X = np.concatenate([scaler(task.anchor[is_labeled]), X])
        y = np.concatenate([task.anchor_labels[is_labeled], y])
        w = np.concatenate([np.ones(int(is_labeled.sum())), w])
    return scoring.Linear.of(proxy.fit_cleaned(X, y, w, task.n_classes)[0], scaler)


def _control(n: int, asked: IntArray, count: int, rng: np.random.Generator) -> tuple[IntArray, float]:
    """Return rows drawn uniformly from those never asked, and the chance each of them had."""
    n_free = n - len(asked)
    drawn = np.setdiff1d(rng.choice(n, min(count + len(asked), n), replace=False), asked, assume_unique=True)
    chosen = np.sort(rng.permutation(drawn)[:count])
    return chosen.astype(np.int64), len(chosen) / max(n_free, 1)


def _problem(task: Task, rows: IntArray) -> Problem:
    here = Asked(np.searchsorted(rows, task.asked.rows), task.asked.labels, task.asked.weights)
    return Problem(
        task.pool.rows(rows), here, task.n_classes, anchor=task.anchor, anchor_labels=task.anchor_labels, seed=task.seed
    )


def _with(asked: Asked, rows: IntArray) -> Asked:
    """Return the same with further rows asked that nobody has answered yet."""
    n = len(rows)
    return Asked(
        np.concatenate([asked.rows, rows]),
        np.concatenate([asked.labels, np.full(n, -1)]),
        np.concatenate([asked.weights, np.zeros(n)]),
    )


def _by_engine(
    task: Task,
    drawn: sketch.Sketch,
    scaler: Scaler,
    model: scoring.Linear,
    asked_X: Float32Array,
    control: IntArray,
    rng: np.random.Generator,
    local: Problem,
    rows: IntArray,
    n_picks: int,
) -> list[Pick]:
    chosen = scale.choose(
        drawn,
        scaler=scaler,
        model=model,
        asked=task.asked,
        asked_X=asked_X,
        n_picks=n_picks,
        rng=rng,
        forbidden=control,
        anchor=task.anchor,
    )
    name, places = task.rules[0].strategy, np.searchsorted(rows, chosen.rows)
    picks = [
        reasons.explain(local, int(place), name, None, float(gain))
        for place, gain in zip(places, chosen.gains, strict=True)
    ]
    if len(picks) < n_picks:
        taken = np.concatenate([places, np.searchsorted(rows, control)])
        rest = replace(local, asked=_with(local.asked, taken))
        fill = [selection.Rule("coverage", 1.0)]
        picks += selection.mix(rest, rules=fill, n_picks=n_picks - len(picks), control_ratio=0.0, seed=task.seed)
    return picks

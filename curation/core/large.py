"""Selection from pools too large to compare all rows: the engine on a sketch, other strategies among the rows drawn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from curation.core import class_search, proxy, reasons, scale, scoring, selection, sketch, subpool
from curation.core.arrays import (
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    scaled_to_one,
)
from curation.core.pool import Pool
from curation.core.problem import Problem
from curation.core.reasons import CONTROL, FILL, SEARCH, Pick
from curation.core.strategies import wishes
from curation.core.subpool import Task

LARGE: Final = 50_000
"""Rows from which on a pool is selected from by its sketch."""
_SPARE: Final = 4
"""Of rows that rank first, this many times the batch is looked at: near copies and rows asked fall out."""
_ENGINE: Final = frozenset({"auto", "herding"})

Drawing = Callable[[scoring.Linear, IntArray, Sequence[int]], sketch.Sketch]
"""Draws the sketch of a pool: model, rows asked, seed. Work that may be shared out to others."""


class Here:
    """Draws here and now, and keeps the scores: later batches score only a part of the pool anew.

    Attributes
    ----------
    scores
        Uncertainty of every row as last scored, shape (n,); None before a model was there to score it.
    """

    def __init__(self, pool: Pool, scores: Float32Array | None = None) -> None:
        if scores is not None and scores.shape != (len(pool),):
            raise ValueError(f"{len(scores)} scores for {len(pool)} records")
        self.pool, self.scores = pool, scores

    def __call__(self, model: scoring.Linear, asked: IntArray, seed: Sequence[int]) -> sketch.Sketch:
        """Return the sketch of the pool, a smaller one where earlier scores point to the right rows."""
        sizes = sketch.COLD if self.scores is None else sketch.NEXT
        scores = scoring.score(self.pool, model, self.scores, seed)
        self.scores = scores if model.is_trained else None
        return sketch.of_pool(self.pool, scores, asked, sizes, seed)


def select(task: Task, draw: Drawing | None = None) -> list[Pick]:
    """Return the next batch of a large pool, each pick with its reason.

    Parameters
    ----------
    task
        As for a small pool.
    draw
        Draws the sketch, possibly from what is left of earlier batches or with the help of other workers; here and now
        where None. Not asked for where the customer's own probabilities or utilities say what is worth labeling.

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
    trained, given = _trained(task, scaler, asked_X), _given(task)
    model = scoring.Linear.of(trained.model, scaler)
    if given is None:
        drawn = (draw or Here(pool))(model, asked.rows, seed)
    else:
        drawn = sketch.of_pool(pool, given, asked.rows, sketch.COLD, seed)
    control, propensity = subpool.draw_control(task, rng)
    if [rule.strategy in _ENGINE for rule in task.rules] != [True]:
        return _full(task, _among(task, drawn.candidates.rows, (control, propensity), rng), rng)
    count = task.n_picks - len(control)
    spare, n_drawn = _spare(task, control, count, rng) if given is None else (control[:0], 0)
    chosen = scale.choose(
        drawn,
        scaler=scaler,
        model=None if given is not None else model,
        asked=asked,
        asked_X=asked_X,
        n_picks=count - n_drawn,
        rng=rng,
        beside_X=pool.rows(control),
        spare_X=pool.rows(spare),
        n_drawn=n_drawn,
        anchor=task.anchor,
        trusts_anchor=task.trusts_anchor,
    )
    sought = class_search.words(trained.known_labels, task.n_classes, task.class_names)
    picks = _told(task, trained, task.rules[0].strategy, chosen.rows, chosen.facts, gains=chosen.gains)
    picks += _told(task, trained, SEARCH, spare[chosen.drawn], chosen.of_drawn, before=sought)
    picks += _told(task, trained, CONTROL, control, chosen.beside, propensity=propensity)
    return _full(task, picks, rng)


def _among(task: Task, drawn: IntArray, control: selection.Control, rng: np.random.Generator) -> list[Pick]:
    """Return the batch of any strategies, among rows drawn and those the customer's own numbers or wishes point to."""
    promising = [drawn, _best(_given(task), task.n_picks), _wished(task, rng)]
    here = subpool.part_around(task, np.concatenate(promising), control, rng)
    picks = selection.mix(
        here.problem,
        rules=task.rules,
        n_picks=task.n_picks,
        control_ratio=0.0,
        seed=task.seed,
        control=here.control,
    )
    return here.back(picks)


def _spare(task: Task, control: IntArray, n_picks: int, rng: np.random.Generator) -> tuple[IntArray, int]:
    """Return rows drawn at random that may help to find a class without a label, and how many of them are wanted."""
    labels = class_search.known(task.asked, task.anchor_labels)
    wanted = class_search.n_to_draw(labels, task.n_classes, n_picks)
    taken = np.concatenate([task.asked.rows, control])
    size = min(_SPARE * wanted + len(taken), len(task.pool)) if wanted else 0
    some = rng.choice(len(task.pool), size, replace=False)
    return rng.permutation(np.setdiff1d(some, taken)), wanted


def _trained(task: Task, scaler: Scaler, asked_X: Float32Array) -> Problem:
    """Return a problem of the rows asked alone, whose model is trained on them and on labeled anchors."""
    X = asked_X if len(asked_X) else task.pool.rows(np.zeros(1, np.int64))
    asked = replace(task.asked, rows=np.arange(len(asked_X)))
    trained = Problem(
        X, asked, task.n_classes, anchor=task.anchor, anchor_labels=task.anchor_labels, seed=task.seed, said=task.said
    )
    trained.__dict__["scale"] = scaler  # the pool's, of which these rows are a few
    return trained


def _given(task: Task) -> Float32Array | None:
    """Return what the customer's own numbers say each row is worth, shape (n,), in [0, 1]; None without any."""
    if task.utility is not None:
        return scaled_to_one(task.utility).astype(np.float32)
    return None if task.given_proba is None else proxy.margin_uncertainty(task.given_proba).astype(np.float32)


def _told(
    task: Task,
    trained: Problem,
    arm: str,
    rows: IntArray,
    facts: scale.Facts,
    *,
    gains: FloatArray | None = None,
    propensity: float | None = None,
    before: str = "",
) -> list[Pick]:
    """Return rows as picks, each with the reason the sketch gives."""
    if not len(rows):
        return []
    gains = np.zeros(len(rows)) if gains is None else gains
    given = _given(task)
    has_model = given is not None or trained.has_model
    X = trained.scale(task.pool.rows(rows))
    proba = trained.model.proba(X) if task.given_proba is None else task.given_proba[rows]
    usual = proxy.margin_uncertainty(proba) if has_model else np.ones(len(rows))
    uncertainty = usual if given is None else given[rows]
    picks = []
    for i, row in enumerate(rows.tolist()):
        parts = {
            "coverage_gain": float(gains[i]),
            "uncertainty": float(uncertainty[i]),
            "entropy": reasons.entropy(proba[i]) if has_model else 1.0,
            "relevance": float(facts.relevance[i]),
            "nearest_asked": float(facts.nearest[i]),
            "n_near_copies": float(facts.n_near_copies[i]),
        }
        if task.utility is not None:
            parts["utility_given"] = float(task.utility[row])
        between = reasons.rivals(proba[i], task.class_names) if has_model else ""
        picks.append(reasons.told(row, arm, propensity, float(gains[i]), parts, between=between, before=before))
    return picks


def _best(given: Float32Array | None, n_picks: int) -> IntArray:
    """Return the rows that the customer's own numbers put first, more of them than will be picked."""
    if given is None:
        return np.empty(0, np.int64)
    count = min(_SPARE * n_picks, len(given))
    return np.argpartition(-given, count - 1)[:count].astype(np.int64)


def _wished(task: Task, rng: np.random.Generator) -> IntArray:
    """Return rows that the wishes of a configuration point to by metadata, where there is one."""
    if task.composition is None:
        return np.empty(0, np.int64)
    is_free = np.ones(len(task.pool), dtype=np.bool_)
    is_free[task.asked.rows] = False
    return wishes.promising(task.composition, task.metadata, is_free, max(sketch.COLD[0], _SPARE * task.n_picks), rng)


def _full(task: Task, picks: list[Pick], rng: np.random.Generator) -> list[Pick]:
    """Return the batch, filled at random from all rows where too few distinct ones were drawn."""
    n_missing = min(task.n_picks, len(task.pool) - len(task.asked.rows)) - len(picks)
    if n_missing <= 0:
        return picks
    taken = np.concatenate([task.asked.rows, np.array([pick.row for pick in picks], dtype=np.int64)])
    more = rng.permutation(np.setdiff1d(np.arange(len(task.pool)), taken))[:n_missing]
    rows = np.unique(np.concatenate([task.asked.rows, more]))
    local = subpool.problem_of(task, rows)
    filled = [reasons.explain(local, int(np.searchsorted(rows, row)), FILL, None, 0.0) for row in more]
    return picks + [replace(pick, row=int(row)) for pick, row in zip(filled, more, strict=True)]

"""The peers' own implementations behind our chooser; imported in the peers' environment only.

They get what ours get: the scaled rows, the labels left after cleaning (records that could not be labeled stay without
one), the classifier of the benchmark, and the rows not asked yet as candidates. Without two classes they draw at
random, as their users would.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.selection.play import Chooser, unasked
from curation.core import proxy
from curation.core.arrays import IntArray
from curation.core.problem import Problem

SKACTIVEML = {
    "skactiveml:badge": ("Badge", {}),
    "skactiveml:clue": ("Clue", {}),
    "skactiveml:contrastive": ("ContrastiveAL", {}),
    "skactiveml:core_set": ("CoreSet", {}),
    "skactiveml:drop_query": ("DropQuery", {}),
    "skactiveml:falcun": ("Falcun", {}),
    "skactiveml:margin": ("UncertaintySampling", {"method": "margin_sampling"}),
    "skactiveml:max_herding": ("MaxHerding", {}),
    "skactiveml:prob_cover": ("ProbCover", {}),
    "skactiveml:typi_clust": ("TypiClust", {}),
}
_WITHOUT_MODEL = {"CoreSet", "MaxHerding", "ProbCover", "TypiClust"}
OTHERS = ("modAL:ranked_batch", "small-text:greedy_coreset", "small-text:lightweight_coreset")


def names() -> list[str]:
    """Return the peers compared."""
    return [*SKACTIVEML, *OTHERS]


def chooser(arm: str) -> Chooser:
    """Return a peer as a chooser."""
    others: dict[str, Callable[..., IntArray]] = {
        "modAL:ranked_batch": _ranked_batch,
        "small-text:greedy_coreset": _greedy_coreset,
        "small-text:lightweight_coreset": _lightweight_coreset,
    }

    def choose(problem: Problem, n_picks: int, rng: np.random.Generator) -> IntArray:
        free = unasked(problem)
        needs_model = arm == "modAL:ranked_batch" or (arm in SKACTIVEML and SKACTIVEML[arm][0] not in _WITHOUT_MODEL)
        if needs_model and not problem.has_model:
            return rng.permutation(free)[:n_picks]
        seed = int(rng.integers(2**31))
        np.random.seed(seed)  # noqa: NPY002 - small-text draws from the global generator
        found = (
            _skactiveml(arm, problem, free, n_picks, seed) if arm in SKACTIVEML else others[arm](problem, free, n_picks)
        )
        different = found[np.sort(np.unique(found, return_index=True)[1])]  # some peers name a record twice
        rest = rng.permutation(np.setdiff1d(free, different))
        return np.concatenate([different, rest[: n_picks - len(different)]])

    return choose


def _skactiveml(arm: str, problem: Problem, free: IntArray, n_picks: int, seed: int) -> IntArray:
    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier

    name, usual = SKACTIVEML[arm]
    options: dict[str, Any] = dict(usual)
    y = np.full(len(problem.X), np.nan)
    rows, labels = trusted(problem)
    y[rows] = labels
    if name == "ProbCover":
        options["n_classes"] = problem.n_classes
    query = getattr(pool, name)(random_state=seed, missing_label=np.nan, **options)
    more: dict[str, Any] = {}
    if name not in _WITHOUT_MODEL:
        model = SklearnClassifier(
            LogisticRegression(C=proxy.INVERSE_PENALTY, max_iter=300, tol=1e-3),
            classes=np.arange(problem.n_classes),
            random_state=seed,
        )
        more["estimator" if name == "Clue" else "clf"] = model
    return np.asarray(query.query(problem.scaled, y, candidates=free, batch_size=n_picks, **more), dtype=np.int64)


def trusted(problem: Problem) -> tuple[IntArray, IntArray]:
    """Return the rows whose labels the classifier of the benchmark is trained on, and these labels."""
    labeled = problem.asked.is_labeled
    rows, labels = problem.asked.rows[labeled], problem.asked.labels[labeled]
    if not problem.__dict__.get("is_cleaned", True):
        return rows, labels
    dropped = proxy.suspicious(problem.scaled[rows], labels, np.ones(len(rows)), problem.n_classes)
    return rows[~dropped], labels[~dropped]


def _ranked_batch(problem: Problem, free: IntArray, n_picks: int) -> IntArray:
    from modAL.batch import uncertainty_batch_sampling
    from modAL.models import ActiveLearner

    rows, labels = trusted(problem)
    learner = ActiveLearner(
        LogisticRegression(C=proxy.INVERSE_PENALTY, max_iter=300, tol=1e-3),
        X_training=problem.scaled[rows],
        y_training=labels,
    )
    found, _ = uncertainty_batch_sampling(learner, problem.scaled[free], n_instances=n_picks, n_jobs=1)
    return free[np.asarray(found)]


def _greedy_coreset(problem: Problem, free: IntArray, n_picks: int) -> IntArray:
    from small_text.query_strategies.coresets import greedy_coreset

    asked = problem.asked.rows if len(problem.asked.rows) else free[:1]
    found = greedy_coreset(problem.scaled, np.setdiff1d(free, asked), asked, n_picks, distance_metric="euclidean")
    return np.setdiff1d(free, asked)[np.asarray(found)]


def _lightweight_coreset(problem: Problem, free: IntArray, n_picks: int) -> IntArray:
    from small_text.query_strategies.coresets import lightweight_coreset

    X = problem.scaled[free]
    return free[np.asarray(lightweight_coreset(X, X.mean(axis=0), n_picks))]

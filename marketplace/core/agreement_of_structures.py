"""Agreement where labels are no plain classes: numbers, sets, shapes, texts, orders; each with an interval.

:data:`SIMILARITY` names the similarity of two labels for each task type; :func:`pairwise` turns any similarity into a
statistic with a bootstrap interval over records.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import boxes, cuboids, masks, polygons, spans, transcription
from marketplace.core.agreement import Agreement

Similarity = Callable[[Any, Any], float]
N_RESAMPLES = 1_000
LEVEL = 0.9


def set_overlap(first: Sequence[int], second: Sequence[int]) -> float:
    """Return the Jaccard index of two multilabel answers; 1 when both are empty.

    >>> set_overlap([0, 1], [1, 2]), set_overlap([], [])
    (0.3333333333333333, 1.0)
    """
    one, two = set(first), set(second)
    return len(one & two) / len(one | two) if one | two else 1.0


def text_similarity(first: str, second: str) -> float:
    """Return 1 less the character edit distance over the longer length; 1 when both are empty.

    >>> text_similarity("kitten", "sitting")
    0.5714285714285714
    """
    longest = max(len(first), len(second))
    return 1.0 - transcription.distance(first, second) / longest if longest else 1.0


def order_agreement(first: Sequence[int], second: Sequence[int]) -> float:
    """Return Kendall's tau over the items that both orders hold; NaN with fewer than two.

    >>> order_agreement([0, 1, 2], [0, 2, 1])
    0.3333333333333333
    """
    place = {item: index for index, item in enumerate(second)}
    common = [place[item] for item in first if item in place]
    signs = [1 if early < late else -1 for early, late in combinations(common, 2)]
    return sum(signs) / len(signs) if signs else float("nan")


def point_agreement(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """Return the mean over the points of exp(-(distance / scale)^2 / 2), a point seen by one alone counting 0.

    The scale is a tenth of the diagonal of the box around all points, so that it needs no image size.
    """
    seen = [np.asarray(point, dtype=np.float64) for answer in (first, second) for point in answer.values() if point]
    if not seen:
        return 1.0
    scale = max(float(np.hypot(*(np.max(seen, axis=0) - np.min(seen, axis=0)))) / 10, 1e-9)
    scores = []
    for name in first.keys() | second.keys():
        one, two = first.get(name), second.get(name)
        if one is None and two is None:
            continue
        away = np.inf if one is None or two is None else float(np.hypot(*np.subtract(one, two)))
        scores.append(float(np.exp(-0.5 * (away / scale) ** 2)))
    return float(np.mean(scores))


SIMILARITY: Mapping[str, Similarity] = {
    "multilabel": set_overlap,
    "bbox": boxes.mean_iou,
    "polygon": polygons.mean_iou,
    "mask": masks.iou,
    "cuboid": cuboids.mean_iou,
    "keypoints": point_agreement,
    "spans": spans.f1,
    "transcription": text_similarity,
    "ranking": order_agreement,
}
"""Similarity of two annotators' labels on one record by task type, 1 for equal labels."""


def pairwise(
    records: Sequence[Sequence[Any]], similarity: Similarity, rng: np.random.Generator, *, name: str = "pairwise"
) -> Agreement:
    """Return the mean similarity of the pairs of answers on a record, records with more answers counting no more.

    Parameters
    ----------
    records
        Per record the answers of its annotators; records with fewer than two are left out.
    similarity
        Of two answers, at most 1; NaN where it is not defined.
    rng
        Draws the bootstrap over records.

    Returns
    -------
    Agreement
        Not corrected for chance. NaN without a record that two answered.
    """
    means = []
    for answers in records:
        scores = [similarity(one, other) for one, other in combinations(answers, 2)]
        defined = [score for score in scores if not np.isnan(score)]
        if defined:
            means.append(float(np.mean(defined)))
    per_record = np.array(means)
    return bootstrapped(name, len(per_record), lambda drawn: float(per_record[drawn].mean()), rng)


def interval_alpha(
    task: npt.ArrayLike, values: npt.ArrayLike, rng: np.random.Generator, *, name: str = "krippendorff_alpha_interval"
) -> Agreement:
    """Return Krippendorff's alpha for numbers (squared differences); records with one answer are ignored.

    Parameters
    ----------
    task
        Index of the record of each answer, shape (n,).
    values
        The numbers, shape (n,), finite.

    References
    ----------
    K. Krippendorff (2011), Computing Krippendorff's alpha-reliability, section E (interval metric).

    Raises
    ------
    ValueError
        When the lengths differ or a value is not finite.

    Examples
    --------
    >>> result = interval_alpha([0, 0, 1, 1], [1.0, 2.0, 8.0, 9.0], np.random.default_rng(0))
    >>> round(result.value, 3)
    0.97
    """
    tasks, numbers = np.asarray(task), np.asarray(values, dtype=np.float64)
    if tasks.shape != numbers.shape or tasks.ndim != 1:
        raise ValueError(f"shapes differ: {tasks.shape} tasks and {numbers.shape} values")
    if not np.isfinite(numbers).all():
        raise ValueError(f"value {int(np.flatnonzero(~np.isfinite(numbers))[0])} is not finite")
    _, where = np.unique(tasks, return_inverse=True)
    sums = np.array([np.bincount(where, numbers**power) for power in range(3)])  # (3, n_records): n, sum, squares
    sums = sums[:, sums[0] >= 2]
    return bootstrapped(name, sums.shape[1], lambda drawn: _alpha(sums[:, drawn]), rng)


def _alpha(sums: FloatArray) -> float:
    count, total, squares = sums
    within = ((count * squares - total**2) / (count - 1)).sum()
    n, overall, square_sum = sums.sum(axis=1)
    between = (n * square_sum - overall**2) / (n - 1)
    return 1.0 if between <= 0 else float(1 - within / between)


def bootstrapped(
    name: str, n_records: int, statistic: Callable[[npt.NDArray[np.intp]], float], rng: np.random.Generator
) -> Agreement:
    """Return a statistic of all records with the central 90 % of its bootstrap over records (from three on)."""
    if n_records == 0:
        return Agreement(name, np.nan, np.nan, np.nan, 0)
    value = statistic(np.arange(n_records))
    if n_records < 3:
        return Agreement(name, value, -1.0, 1.0, n_records)
    drawn = [statistic(rng.integers(n_records, size=n_records)) for _ in range(N_RESAMPLES)]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Agreement(name, value, min(float(low), value), max(float(high), value), n_records)

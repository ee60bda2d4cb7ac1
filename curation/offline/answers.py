"""Answers given so far, from a CSV or Parquet file: key, label and reason, checked row by row."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common import rows
from common.rows import FileError
from curation.core.arrays import Asked
from curation.core.portfolio import Turn
from curation.offline.pools import Pool

SHOWN = 20


@dataclass(frozen=True, eq=False)
class Answers:
    """What was asked, the classes in the order of their indices, bad rows left out, and a fingerprint.

    ``turns`` are the batches so far for which a portfolio drew the arm.
    """

    asked: Asked
    classes: list[str]
    bad: list[str] = field(default_factory=list)
    fingerprint: str = ""
    turns: Sequence[Turn] = ()


@dataclass(slots=True)
class _Given:
    row: int
    label: str
    confidence: float


def load(path: Path | None, pool: Pool, waiting: Iterable[str] = (), *, skip_bad: bool = False) -> Answers:
    """Return the answers of a file.

    Parameters
    ----------
    path
        Columns key, label and, where there are any, reason and confidence (0 to 1, default 1). An empty label with a
        reason means "cannot be labeled"; a label counts whatever the reason says. None: nothing is answered yet.
    waiting
        Keys picked earlier that may have no answer yet: asked, but saying nothing.
    skip_bad
        Leave bad rows out instead of stopping at them.

    Raises
    ------
    FileError
        When the file cannot be read or a row cannot be used.
    """
    row_of, known = pool.row_of, _known(pool)
    names = frozenset(known)
    given: dict[int, _Given] = {}
    bad: list[str] = []
    if path is not None:
        for number, values in rows.read(path, ("key", "label"), ("reason", "confidence")):
            try:
                one = _read(values, row_of, names)
                if one.row in given:
                    raise ValueError(f"key {pool.keys[one.row][:60]!r} was answered in an earlier row already")
                given[one.row] = one
            except ValueError as error:
                bad.append(f"{path.name}, row {number}: {error}")
    if bad and not skip_bad:
        raise FileError("\n".join([*bad[:SHOWN], f"{len(bad)} bad rows; --skip-bad leaves them out."]))
    of_anchor = set() if pool.anchor_label is None else {str(label) for label in pool.anchor_label.tolist()}
    classes = _classes(path, pool, known, {one.label for one in given.values() if one.label} | of_anchor)
    index = {name: at for at, name in enumerate(classes)}
    for key in waiting:
        if key in row_of:
            given.setdefault(row_of[key], _Given(row_of[key], "", 0.0))
    asked = Asked(
        np.array(list(given), dtype=np.int64),
        np.array([index[one.label] if one.label else -1 for one in given.values()], dtype=np.int64),
        np.array([one.confidence for one in given.values()], dtype=np.float64),
    )
    told = repr([(pool.keys[one.row], one.label, one.confidence) for one in given.values() if one.confidence])
    return Answers(asked, classes, bad, hashlib.sha256(told.encode()).hexdigest())


def _read(values: list[Any], row_of: dict[str, int], known: frozenset[str]) -> _Given:
    try:
        key = rows.as_name(values[0])
    except ValueError as error:
        raise ValueError(f"key {error}") from error
    key = key if key in row_of else rows.as_whole(key)
    if key not in row_of:
        raise ValueError(f"key {key[:60]!r} is not in the pool of {len(row_of)} records")
    label, reason = _text(values[1]), _text(values[2])
    label = label if label in known else rows.as_whole(label)
    if not label and not reason:
        raise ValueError("label is empty and there is no reason; give a label, or why it cannot be labeled")
    try:
        confidence = 1.0 if not _text(values[3]) else float(values[3])
    except ValueError:
        confidence = math.nan
    if not 0 < confidence <= 1:
        raise ValueError(f"confidence {str(values[3])[:40]!r} is not a number above 0 and at most 1")
    return _Given(row_of[key], label, confidence)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip():
        return ""
    return rows.as_name(value)


def _known(pool: Pool) -> list[str]:
    """Return the classes the pool names, or the columns of its probabilities; empty where labels alone can tell."""
    if pool.proba is None:
        return pool.classes or []
    if pool.classes is not None and pool.proba.shape[1] != len(pool.classes):
        raise FileError(f"proba has {pool.proba.shape[1]} columns, classes {len(pool.classes)} names")
    return pool.classes or [str(at) for at in range(pool.proba.shape[1])]


def _classes(path: Path | None, pool: Pool, known: list[str], seen: set[str]) -> list[str]:
    """Return the classes: those that are known, or those that occur."""
    if not known:
        return sorted(seen, key=lambda name: (not _is_int(name), int(name) if _is_int(name) else 0, name))
    unknown = sorted(seen.difference(known))
    if unknown:
        where = path.name if path is not None else "labels"
        why = (
            "proba has no `classes` beside it, so labels are its columns" if pool.classes is None else "the pool names"
        )
        raise FileError(f"{where}: label {unknown[0][:60]!r} is none of {', '.join(known[:20])} ({why})")
    return known


def _is_int(name: str) -> bool:
    return name.removeprefix("-").isdigit() and name.isascii()

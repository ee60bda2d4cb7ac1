"""From files to the next batch: the steps of ``manage.py select``, each told as it begins."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from common.rows import FileError
from curation.core import causes, composition, gaps, large, selection, skipped, strategies, subpool
from curation.core.arrays import IntArray
from curation.core.causes import Confusion
from curation.core.composition import Composition, CompositionError
from curation.core.gaps import Region
from curation.core.pool import Pool as Shards
from curation.core.problem import Problem
from curation.core.reasons import Pick
from curation.core.skipped import Skipped
from curation.core.strategies import drawing
from curation.offline import answers, memory, pools
from curation.offline.answers import Answers
from curation.offline.memory import Arrays, Batch, Memory
from curation.offline.pools import Pool

Step = Callable[[str], None]
_KEPT = {
    "group": "Looking for near copies",
    "unusual": "Looking for unusual records",
    "graph": "Looking for neighbours",
}
"""What does not change from batch to batch, with what is told when it is worked out."""
_PARTS = ("data", "indices", "indptr")
_CONFUSING = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for."""

    pool: Path
    batch_size: int
    out: Path
    labels: Path | None = None
    state: Path | None = None
    strategy: str = "auto"
    seed: int = 0
    control_ratio: float = 0.0
    wishes: Path | None = None
    anchor: Path | None = None
    skip_bad: bool = False
    trusts_anchor: bool = False
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Selected:
    """A batch with what the report needs.

    Attributes
    ----------
    n_records
        Records of the whole pool.
    pool, answers, problem, picks, skipped, confused, regions
        Of a pool too large to compare all rows: what was asked, the picks and a random sample, as a pool of their own.
    """

    request: Request
    n_records: int
    pool: Pool
    answers: Answers
    problem: Problem
    picks: list[Pick]
    skipped: list[Skipped]
    confused: list[Confusion]
    regions: list[Region]
    is_repeated: bool


@dataclass(frozen=True, eq=False)
class _Seen:
    """A batch, and what the report looks at: all of the pool, or what stands for it."""

    pool: Pool
    answers: Answers
    problem: Problem
    picks: list[Pick]


def select(request: Request, step: Step) -> Selected:
    """Return the next batch of a request; nothing but the state file is written.

    Asked again for the very same (pool, labels, options, output), the state gives the very same batch; other requests
    get other records, answered or not.

    Raises
    ------
    FileError, ValueError
        When a file cannot be used, or fewer records are left than asked for.
    """
    with memory.alone(request.state, lambda: step("Waiting for another call with a state in this folder")):
        return _select(request, step)


def _select(request: Request, step: Step) -> Selected:
    strategies.get(request.strategy)
    wishes = _wishes(request.wishes)
    step("Reading the pool")
    pool = pools.load(request.pool, request.anchor, skip_bad=request.skip_bad, classes=request.classes)
    known = memory.load(request.state, pool.fingerprint)
    step("Reading the labels")
    told = answers.load(request.labels, pool, skip_bad=request.skip_bad)
    name = _name_of(request, told, wishes)
    given = answers.load(request.labels, pool, known.picked_before(name), skip_bad=request.skip_bad)
    given = replace(given, turns=drawing.turns_of([_again(b, pool) for b in known.batches_before(name)]))
    n_free = len(pool) - len(given.asked.rows)
    if request.batch_size > n_free:
        raise ValueError(_too_few(request, pool, given, n_free))
    batch = known.find(name)
    picks = None if batch is None else _again(batch, pool)
    if pool.is_large:
        seen = _from_sketch(request, pool, given, wishes, known, picks, step)
    else:
        seen = _from_all(request, pool, given, wishes, known, picks, step)
    step("Saying why")
    passed_over = skipped.explain(seen.problem, seen.picks)
    confused = causes.explain(seen.problem, causes.most_confusing(seen.problem, _CONFUSING))
    regions = gaps.of_problem(seen.problem, without=[pick.row for pick in seen.picks if pool.is_large])
    if request.state is not None and batch is None:
        keys = [seen.pool.keys[pick.row] for pick in seen.picks]
        known.batches.append(Batch(name, keys, [asdict(pick) for pick in seen.picks]))
        memory.save(request.state, known)
    seen_there = (passed_over, confused, regions, batch is not None)
    return Selected(request, len(pool), seen.pool, seen.answers, seen.problem, seen.picks, *seen_there)


def _again(batch: Batch, pool: Pool) -> list[Pick]:
    return [Pick(**row | {"row": pool.row_of[key]}) for key, row in zip(batch.keys, batch.rows, strict=True)]


def _wishes(path: Path | None) -> Composition | None:
    if path is None:
        return None
    try:
        return composition.parse(json.loads(path.read_text(encoding="utf-8")))
    except CompositionError as error:
        raise FileError("\n".join(f"{path.name}, {where}: {what}" for where, what in error.problems)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path}: not a JSON file that can be read ({str(error)[:100]})") from error


def _name_of(request: Request, told: Answers, wishes: Composition | None) -> str:
    """Return the fingerprint of everything that decides a batch."""
    parts = [told.fingerprint, request.batch_size, str(request.out.resolve()), request.strategy, request.seed]
    parts += [request.control_ratio, repr(wishes), *([True] if request.trusts_anchor else []), *request.classes]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _too_few(request: Request, pool: Pool, given: Answers, n_free: int) -> str:
    bad = f", {len(pool.bad)} more could not be used" if pool.bad else ""
    rest = f"give --batch-size {n_free} or less" if n_free else "nothing is left to ask"
    return (
        f"a batch of {request.batch_size} is wanted, {n_free} records are left (the pool holds {len(pool)}, "
        f"{len(given.asked.rows)} were asked{bad}): {rest}"
    )


def _problem(request: Request, pool: Pool, given: Answers, wishes: Composition | None) -> Problem:
    return Problem(
        X=np.asarray(pool.X, dtype=np.float32),
        asked=given.asked,
        n_classes=_n_classes(pool, given),
        anchor=pool.anchor,
        anchor_labels=_anchor_labels(pool, given.classes),
        seed=request.seed,
        given_proba=pool.proba,
        utility=pool.utility,
        metadata=pool.metadata,
        composition=wishes,
        class_names=given.classes,
        turns=given.turns,
        trusts_anchor=request.trusts_anchor,
    )


def _n_classes(pool: Pool, given: Answers) -> int:
    return max(2, len(given.classes)) if pool.proba is None else pool.proba.shape[1]


def _anchor_labels(pool: Pool, classes: list[str]) -> IntArray | None:
    """Return the classes of the anchor by their names; -1 where a name is no class so far."""
    if pool.anchor_label is None:
        return None
    index = {name: at for at, name in enumerate(classes)}
    return np.array([index.get(str(label), -1) for label in pool.anchor_label.tolist()], dtype=np.int64)


def _prepare(problem: Problem, known: Memory, state: Path | None, step: Step) -> None:
    """Work out what does not change from batch to batch, or take it from the state; each result is kept at once."""
    has_rejections = bool((problem.asked.answered.labels < 0).any())
    for name, title in _KEPT.items():
        if name != "group" and not has_rejections:
            continue  # only rejections make it matter
        kept = f"{name}_{problem.seed}"
        found = _unpacked(kept, known.arrays)
        if found is None or found.shape[0] != len(problem.X):
            step(title)
            known.arrays |= _packed(kept, getattr(problem, name))
            if state is not None:
                memory.save(state, known)
        else:
            problem.__dict__[name] = found


def _packed(kept: str, found: Any) -> Arrays:
    """Return a result as plain arrays: one, or the three of a sparse matrix."""
    if not sparse.issparse(found):
        return {kept: found}
    return {f"{kept}_{part}": getattr(found, part) for part in _PARTS}


def _unpacked(kept: str, arrays: Arrays) -> Any:
    """Return a result from plain arrays, None where it is not among them."""
    if kept in arrays:
        return arrays[kept]
    parts = [arrays[f"{kept}_{part}"] for part in _PARTS if f"{kept}_{part}" in arrays]
    if len(parts) < len(_PARTS):
        return None
    n = len(parts[-1]) - 1
    return sparse.csr_array(tuple(parts), shape=(n, n))


def _from_all(
    request: Request,
    pool: Pool,
    given: Answers,
    wishes: Composition | None,
    known: Memory,
    picks: list[Pick] | None,
    step: Step,
) -> _Seen:
    """Return the batch, chosen by comparing all records unless it is given."""
    problem = _problem(request, pool, given, wishes)
    _prepare(problem, known, request.state, step)
    if picks is None:
        step(f"Choosing {request.batch_size} of {len(pool) - len(given.asked.rows):,} records")
        picks = selection.mix(
            problem,
            rules=[selection.Rule(request.strategy, 1.0)],
            n_picks=request.batch_size,
            control_ratio=request.control_ratio,
            seed=request.seed,
        )
    return _Seen(pool, given, problem, picks)


def _from_sketch(
    request: Request,
    pool: Pool,
    given: Answers,
    wishes: Composition | None,
    known: Memory,
    picks: list[Pick] | None,
    step: Step,
) -> _Seen:
    """Return the batch, chosen from a sketch of a large pool unless it is given; the state keeps the model's scores."""
    task = subpool.Task(
        pool=Shards.split(pool.X),
        asked=given.asked,
        n_classes=_n_classes(pool, given),
        rules=[selection.Rule(request.strategy, 1.0)],
        n_picks=request.batch_size,
        control_ratio=request.control_ratio,
        seed=request.seed,
        anchor=pool.anchor,
        anchor_labels=_anchor_labels(pool, given.classes),
        given_proba=pool.proba,
        utility=pool.utility,
        metadata=pool.metadata,
        composition=wishes,
        class_names=given.classes,
        turns=given.turns,
        trusts_anchor=request.trusts_anchor,
    )
    if picks is None:
        step(f"Choosing {request.batch_size} of {len(pool) - len(given.asked.rows):,} records")
        kept = f"scores_{request.seed}"
        here = large.Here(task.pool, known.arrays.get(kept))
        picks = large.select(task, here)
        if here.scores is not None:
            known.arrays[kept] = here.scores
    step("Looking around")
    problem, rows = subpool.around(task, picks)
    local = [replace(pick, row=int(np.searchsorted(rows, pick.row))) for pick in picks]
    return _Seen(pool.part(rows, problem.X), replace(given, asked=problem.asked), problem, local)

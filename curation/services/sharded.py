"""Drawing the sketch of a very large pool with the help of whatever workers are free.

Each shard's part is a file; who needs one and finds none makes it. So the message to the workers is a hint that may be
lost, any number of them give the same batch, and a round that was killed goes on with the parts there are.
"""

import hashlib
import io
import json
import logging
import uuid
from collections.abc import Sequence
from typing import Any, Final

import fsspec
import numpy as np
import numpy.typing as npt
from celery import current_app, group
from kombu.exceptions import OperationalError

from curation.core import scoring, sketch
from curation.core.arrays import Float32Array, IntArray
from curation.core.large import Drawing
from curation.core.pool import Pool
from curation.models import ComputeStage
from curation.services import compute, storage

SHARED_FROM: Final = 4
"""Shards from which on other workers are asked to help."""
_TASK: Final = "curation.tasks.draw_shard"

logger = logging.getLogger(__name__)


def pool_of(storage_url: str) -> Pool | None:
    """Return a dataset's features as shards, memory-mapped; None when it has none."""
    features = storage.load_array(storage_url, "features")
    return None if features is None else Pool.split(features)


def drawing(storage_url: str, pool: Pool, name: str, number: int) -> Drawing:
    """Return how to draw this dataset's sketch: with others where the pool is worth it.

    ``name`` is the experiment whose batches these are: each shard's scores are kept under it, so that later ones score
    a part anew, and what a shard costs is entered there under the round's ``number`` by whoever draws it.
    """

    def draw(model: scoring.Linear, asked: IntArray, seed: Sequence[int]) -> sketch.Sketch:
        n_shards = len(pool.shards)
        kept = f"{storage_url}/scores/{name}"
        generations = sorted(n for n in _numbers_in(kept) if n < len(asked))
        earlier = generations[-1] if generations else None
        sizes = sketch.COLD if earlier is None else sketch.NEXT
        folder = _lay_out(storage_url, name, number, model, asked, seed, earlier, sizes)
        if n_shards >= SHARED_FROM:
            _call_for_help(storage_url, folder, n_shards)
        # Workers begin at the front: whoever has no helpers does it all, from the back.
        parts = {shard: draw_shard(storage_url, folder, shard) for shard in reversed(range(n_shards))}
        merged = sketch.merge([parts[shard] for shard in range(n_shards)], sizes)
        _remove(folder)
        for older in generations[:-1]:  # the newest was used: should this round be chosen again, it is needed again
            _remove(f"{kept}/{older}")
        return merged

    return draw


def draw_shard(storage_url: str, folder: str, shard: int) -> sketch.Sketch:
    """Return a shard's part of the sketch, from its file or made now and left there for the others."""
    name = f"{folder}/part-{shard}.npz"
    held = _read(name)
    if held is not None:
        return sketch.Sketch(_drawn(held, "candidates"), _drawn(held, "marks"))
    order, pool = _read(f"{folder}/order.npz"), pool_of(storage_url)
    if order is None or pool is None:
        raise FileNotFoundError(f"{folder} is gone: its round has been chosen")
    experiment_id, number = uuid.UUID(str(order["name"])), int(order["number"])
    with compute.measured(experiment_id=experiment_id, number=number, stage=ComputeStage.SHARD, shard=shard):
        made = _drawn_now(storage_url, order, pool, shard)
        _leave(folder, name, made)
        compute.read(sum(pool.reads))
    return made


def _leave(folder: str, name: str, made: sketch.Sketch) -> None:
    """Leave a part for the others. A round that has been chosen meanwhile needs none: its folder stays removed."""
    try:
        if _read(f"{folder}/order.npz") is None:  # an object store has no folders that could be missing
            raise FileNotFoundError(folder)
        _write_into(name, **_arrays(made.candidates, "candidates"), **_arrays(made.marks, "marks"))
    except FileNotFoundError:
        logger.debug("%s came too late: its round has been chosen", name)


def _drawn_now(storage_url: str, order: dict[str, npt.NDArray[Any]], pool: Pool, shard: int) -> sketch.Sketch:
    """Score a shard and draw its part; keep the scores for later batches."""
    model, seed = scoring.Linear(order["coef"], order["intercept"]), [int(n) for n in order["seed"]]
    kept, earlier = f"{storage_url}/scores/{order['name']}", int(order["earlier"])
    before = _read(f"{kept}/{earlier}/{shard}.npz") if earlier >= 0 else None
    scores = scoring.score_shard(pool, shard, model, None if before is None else before["scores"], seed)
    if model.is_trained:
        _write(f"{kept}/{len(order['asked'])}/{shard}.npz", scores=scores)
    sizes = int(order["sizes"][0]), int(order["sizes"][1])
    return sketch.draw(pool, shard, scores, order["asked"], sizes, seed)


def _lay_out(
    storage_url: str,
    name: str,
    number: int,
    model: scoring.Linear,
    asked: IntArray,
    seed: Sequence[int],
    earlier: int | None,
    sizes: tuple[int, int],
) -> str:
    """Write what the workers need; the same order has the same folder, so that a killed round finds its parts."""
    told = json.dumps([name, earlier, list(sizes), list(seed), asked.tolist()]).encode()
    folder = f"{storage_url}/rounds/{hashlib.sha256(told + model.coef.tobytes()).hexdigest()[:32]}"
    _write(
        f"{folder}/order.npz",
        name=np.array(name),
        number=np.array(number),
        earlier=np.array(-1 if earlier is None else earlier),
        sizes=np.array(sizes),
        coef=model.coef,
        intercept=model.intercept,
        asked=asked,
        seed=np.array(seed),
    )
    return folder


def _numbers_in(url: str) -> list[int]:
    """Return the folders under a URL that are named by a number: after how many records asked scores were kept."""
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    if not filesystem.exists(path):
        return []
    names = (entry.rstrip("/").rpartition("/")[2] for entry in filesystem.ls(path, detail=False))
    return [int(name) for name in names if name.isdigit()]


def _remove(url: str) -> None:
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.rm(path, recursive=True)


def _call_for_help(storage_url: str, folder: str, n_shards: int) -> None:
    tasks = [current_app.signature(_TASK, args=(storage_url, folder, shard)) for shard in range(n_shards)]
    try:
        group(tasks).apply_async(retry=False)
    except OperationalError as error:
        logger.warning("no broker to ask for help (%s); drawing all %d shards here", error, n_shards)


def _arrays(drawn: sketch.Drawn, name: str) -> dict[str, npt.NDArray[Any]]:
    return {
        f"{name}_rows": drawn.rows,
        f"{name}_X": drawn.X,
        f"{name}_scores": drawn.scores,
        f"{name}_weights": drawn.weights,
        f"{name}_mass": np.array([drawn.mass]),
    }


def _drawn(held: dict[str, npt.NDArray[Any]], name: str) -> sketch.Drawn:
    X: Float32Array = held[f"{name}_X"]
    mass = float(held[f"{name}_mass"][0])
    return sketch.Drawn(held[f"{name}_rows"], X, held[f"{name}_scores"], held[f"{name}_weights"], mass)


def _write(url: str, **arrays: npt.NDArray[Any]) -> None:
    """Write an archive, in a new folder where there is none."""
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    _write_into(url, **arrays)


def _write_into(url: str, **arrays: npt.NDArray[Any]) -> None:
    """Write an archive into a folder that is there, so that nobody ever reads half of it."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    filesystem, path = fsspec.core.url_to_fs(url)
    with filesystem.transaction, filesystem.open(path, "wb") as file:
        file.write(buffer.getvalue())


def _read(url: str) -> dict[str, npt.NDArray[Any]] | None:
    filesystem, path = fsspec.core.url_to_fs(url)
    try:
        content = filesystem.cat_file(path)
    except FileNotFoundError:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}

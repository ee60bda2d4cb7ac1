"""The state file of ``manage.py select``: what was worked out for a pool and what was picked from it so far.

One .npz file of plain arrays (nothing is ever unpickled) with a checksum over all of it, replaced as a whole each time.
"""

import fcntl
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.files import write_together
from common.rows import FileError

FORMAT = "labelyard-select-1"
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Batch:
    """A batch that was chosen: what it was chosen for, and its picks as they were written."""

    request: str
    keys: list[str]
    rows: list[dict[str, Any]]


@dataclass(slots=True)
class Memory:
    """What a state file holds.

    Attributes
    ----------
    pool
        Fingerprint of the pool; a state belongs to one pool.
    arrays
        Results that do not change from batch to batch, by name.
    batches
        Batches chosen so far, in order.
    """

    pool: str
    arrays: Arrays = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)

    def find(self, request: str) -> Batch | None:
        """Return the batch chosen for the very same request, or None."""
        return next((batch for batch in self.batches if batch.request == request), None)

    def picked_before(self, request: str) -> list[str]:
        """Return the keys picked for other requests."""
        return [key for batch in self.batches_before(request) for key in batch.keys]

    def batches_before(self, request: str) -> list[Batch]:
        """Return the batches chosen for other requests, in order."""
        return [batch for batch in self.batches if batch.request != request]


@contextmanager
def alone(path: Path | None, waiting: Callable[[], None]) -> Iterator[None]:
    """Let one call at a time use the states of a folder: what two pick at once would be the same records.

    The folder itself is locked, so nothing is left lying there; the lock of a call that was killed is gone with it.

    Parameters
    ----------
    waiting
        Called where another call has to end first.
    """
    if path is None:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise FileError(f"cannot write the state {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def load(path: Path | None, pool: str) -> Memory:
    """Return the memory of a pool; an empty one when there is no file yet.

    Raises
    ------
    FileError
        When the file is damaged or belongs to another pool.
    """
    if path is None or not path.exists():
        return Memory(pool)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        told = json.loads(bytes(arrays.pop("told")))
        checksum = bytes(arrays.pop("checksum")).decode()
        batches = [Batch(**batch) for batch in told["batches"]]
        name, of_pool = told["format"], told["pool"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"{path}: not a state file that can be read ({str(error)[:100]}); {_WAY_OUT}") from error
    if name != FORMAT:
        raise FileError(f"{path}: a state of format {name!r}, this version writes {FORMAT}; {_WAY_OUT}")
    if checksum != _checksum(told, arrays):
        raise FileError(f"{path}: damaged (its checksum does not agree with what it holds); {_WAY_OUT}")
    if of_pool != pool:
        raise FileError(f"{path}: the state of another pool, or of this one before it changed; {_WAY_OUT}")
    return Memory(of_pool, arrays, batches)


_WAY_OUT = "give another --state, or remove it and name all records asked so far in --labels"


def save(path: Path, memory: Memory) -> None:
    """Write the memory; the file is replaced as a whole, so that an interruption leaves the one before.

    Raises
    ------
    FileError
        When it cannot be written.
    """
    told = {
        "format": FORMAT,
        "pool": memory.pool,
        "batches": [{"request": b.request, "keys": b.keys, "rows": b.rows} for b in memory.batches],
    }
    buffer = io.BytesIO()
    plain = {name: np.frombuffer(data, dtype=np.uint8) for name, data in (("told", _bytes(told)),)}
    checksum = np.frombuffer(_checksum(told, memory.arrays).encode(), dtype=np.uint8)
    np.savez(buffer, allow_pickle=False, **memory.arrays, **plain, checksum=checksum)
    try:
        write_together({path: buffer.getvalue()})
    except OSError as error:
        raise FileError(f"cannot write the state {path}: {error.strerror}") from error


def _bytes(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True).encode()


def _checksum(told: dict[str, Any], arrays: Arrays) -> str:
    digest = hashlib.sha256(_bytes(told))
    for name, values in sorted(arrays.items()):
        digest.update(f"{name}{values.dtype}{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()

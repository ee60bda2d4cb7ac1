"""Writing a training log where the model is trained: no record, and no name of one, ever leaves.

The log ("curation log v1") is a folder of Parquet shards that are only ever added to, each readable alone. All it needs
is NumPy and pyarrow: this file can be copied beside a training script and used without the rest.

    log = CurationLog("runs/", secret=os.environb[b"LOG_SECRET"])
    log.update(ids, logits, labels, epoch=epoch)
    log.close()
"""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet

ROWS_PER_SHARD: Final = 262_144
SPLITS: Final = ("train", "val", "test", "pool")
"""Usual names; any other text will do."""
_KEY_BYTES = 16
_LEAST_SECRET, _MOST_SECRET = 16, 64
_SCALARS: Final = ("loss", "p_label", "margin", "top1_p", "top2_p", "entropy", "logsumexp")
COLUMNS: Final = (
    *("record_key", "epoch", "split", "label", "loss", "p_label", "margin"),
    *("top1", "top1_p", "top2", "top2_p", "entropy", "logsumexp"),
)
SCHEMA: Final = pyarrow.schema(
    [
        ("record_key", pyarrow.binary(_KEY_BYTES)),
        ("epoch", pyarrow.int32()),
        ("split", pyarrow.string()),
        *((name, pyarrow.int32() if name in {"label", "top1", "top2"} else pyarrow.float16()) for name in COLUMNS[3:]),
    ]
)


class CurationLog:
    """A log that a training writes; use it as a context manager, or call `close`.

    Parameters
    ----------
    folder
        Where shards go; made where missing. Several processes may write into one folder.
    secret
        16 to 64 bytes that stay with you: a record's key is BLAKE2b-128 of its id under them. The same secret gives the
        same keys in every run; who does not have it can neither read ids from keys nor guess them.
    rows_per_shard
        Entries kept in memory before a shard is written; about 60 bytes each.

    Notes
    -----
    A shard is written beside its place, synced, and renamed: a process killed at any moment leaves whole shards only,
    and loses what it had not written. After a restart, log the epoch again: of two entries of a record in an epoch the
    later counts. Scores are kept as float16.
    """

    def __init__(self, folder: str | Path, *, secret: bytes, rows_per_shard: int = ROWS_PER_SHARD) -> None:
        if not isinstance(secret, bytes) or not _LEAST_SECRET <= len(secret) <= _MOST_SECRET:
            raise ValueError(
                f"secret must be {_LEAST_SECRET} to {_MOST_SECRET} bytes, for example secrets.token_bytes(32)"
            )
        if rows_per_shard < 1:
            raise ValueError(f"rows_per_shard must be at least 1, got {rows_per_shard}")
        self._folder, self._secret, self._most = Path(folder), secret, rows_per_shard
        self._folder.mkdir(parents=True, exist_ok=True)
        self._run = f"{time.time_ns():020d}-{os.getpid()}"
        self._n_shards = self._n_rows = 0
        self._parts: list[pyarrow.Table] = []
        self._is_closed = False

    def key(self, record_id: object) -> str:
        """Return the key of a record, as reports name it: 32 hexadecimal digits. 7 and "7" are the same record."""
        return _key(self._secret, record_id).hex()

    def update(self, ids: Any, logits: Any, labels: Any = None, *, epoch: int, split: str = "train") -> None:
        """Log what the model says of a batch of records, in any order; nothing is changed or kept of what is given.

        Parameters
        ----------
        ids
            Your own names of the records, shape (m,).
        logits
            Scores before the softmax, shape (m, k), k >= 2: an array or a tensor. Of probabilities give the logarithm.
        labels
            Class indices, shape (m,); below 0, or None for all: records without a label, such as those of a pool.
        epoch
            From 0 on.
        split
            What the records are for: train, val, test, pool.

        Raises
        ------
        ValueError
            When the log is closed, lengths differ, logits are not finite, or a label is none of the classes.
        """
        if self._is_closed:
            raise ValueError("the log is closed")
        scores = np.asarray(_plain(logits), dtype=np.float64)
        names = list(_plain(ids))
        if not names and not len(scores):
            return
        y = np.full(len(names), -1) if labels is None else np.asarray(_plain(labels))
        _check(names, scores, y, epoch, split)
        told: dict[str, Any] = {"record_key": [_key(self._secret, name) for name in names]}
        told |= {"epoch": np.full(len(names), epoch, np.int32), "split": [split] * len(names)} | measures(scores, y)
        self._parts.append(pyarrow.table([_column(field, told[field.name]) for field in SCHEMA], schema=SCHEMA))
        self._n_rows += len(names)
        if self._n_rows >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write what is in memory as a shard."""
        if not self._n_rows:
            return
        place = self._folder / f"{self._run}-{self._n_shards:06d}.parquet"
        beside = place.with_name(f".{place.name}.part")
        # Keys repeat from epoch to epoch and are kept once a shard; other columns pack best as they are.
        with beside.open("wb") as file:
            pyarrow.parquet.write_table(pyarrow.concat_tables(self._parts), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
        self._parts, self._n_rows, self._n_shards = [], 0, self._n_shards + 1

    def close(self) -> None:
        """Write the rest; closing twice does no harm."""
        self.flush()
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def measures(logits: npt.NDArray[np.float64], y: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Return the numbers of a log by column, each shape (m,); NaN (label: -1) where there is no label.

    ``margin`` is the label's logit minus the highest other one, ``entropy`` is in nats.
    """
    rows, known = np.arange(len(logits)), y >= 0
    order = _best_two(logits)
    top1, top2 = order[:, 0], order[:, 1]
    highest = logits[rows, top1]
    scaled = logits - highest[:, None]  # (m, k), <= 0
    odds = np.exp(scaled)
    total = odds.sum(axis=1)
    at = np.where(known, y, 0).astype(np.int64)
    rival = np.where(at == top1, logits[rows, top2], highest)
    loss = np.log(total) - scaled[rows, at]
    told = {
        "loss": loss,
        "p_label": np.exp(-loss),
        "margin": logits[rows, at] - rival,
    }
    told = {name: np.where(known, values, np.nan) for name, values in told.items()}
    return told | {
        "label": np.where(known, y, -1),
        "top1": top1,
        "top1_p": 1 / total,
        "top2": top2,
        "top2_p": odds[rows, top2] / total,
        "entropy": np.log(total) - (odds * scaled).sum(axis=1) / total,
        "logsumexp": highest + np.log(total),
    }


def _best_two(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the classes of the two highest scores, best first, shape (m, 2); O(m k). Ties go to the lower class."""
    first = logits.argmax(axis=1)
    rest = logits.copy()
    rest[np.arange(len(rest)), first] = -np.inf
    return np.column_stack([first, rest.argmax(axis=1)])


def _key(secret: bytes, record_id: object) -> bytes:
    return hashlib.blake2b(str(record_id).encode(), digest_size=_KEY_BYTES, key=secret).digest()


def _plain(values: Any) -> Any:
    """Return a tensor as an array of the CPU; anything else as it is."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()
    return values


def _column(field: pyarrow.Field, values: Sequence[Any] | npt.NDArray[Any]) -> pyarrow.Array:
    if field.name in _SCALARS:
        limit = float(np.finfo(np.float16).max)
        numbers = np.clip(values, -limit, limit).astype(np.float16)
        return pyarrow.array(numbers, mask=np.isnan(numbers))
    if field.name == "label":
        return pyarrow.array(np.asarray(values, dtype=np.int32), mask=np.asarray(values) < 0)
    return pyarrow.array(values, type=field.type)


def _check(names: list[Any], logits: npt.NDArray[np.float64], y: npt.NDArray[Any], epoch: int, split: str) -> None:
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits must be of shape (records, classes), two classes at least, got {logits.shape}")
    if y.shape != (len(logits),) or len(names) != len(logits):
        raise ValueError(f"lengths differ: {len(names)} ids, {len(logits)} rows of logits, labels of shape {y.shape}")
    if y.dtype.kind not in "iu" or (len(y) and y.max() >= logits.shape[1]):
        raise ValueError(f"labels must be class indices below {logits.shape[1]}, got {y.dtype} up to {y.max()}")
    if not np.isfinite(logits).all():
        bad = int(np.argmin(np.isfinite(logits).all(axis=1)))
        raise ValueError(f"logits must be finite, the first that are not are those of row {bad}")
    if epoch < 0 or not split:
        raise ValueError(f"an epoch counts from 0 and a split has a name, got {epoch} and {split!r}")

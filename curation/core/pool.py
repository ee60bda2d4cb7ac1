"""A pool of any size as memory-mapped shards of features; only the rows asked for are ever in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curation.core.arrays import Float32Array, IntArray

BLOCK: Final = 8192
"""Rows read at once."""
ROWS_PER_SHARD: Final = 250_000
_SAMPLE: Final = 8192


class ShardError(ValueError):
    """A shard that is missing, cut short, or does not fit the others; the message names it."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Features in shards, each (n_i, d) of float16, float32 or float64; rows are counted through all of them.

    Examples
    --------
    >>> pool = Pool((np.zeros((2, 3), np.float32), np.ones((4, 3), np.float16)))
    >>> len(pool), pool.rows(np.array([1, 5])).sum(axis=1).tolist()
    (6, [0.0, 3.0])
    """

    shards: tuple[npt.NDArray[np.floating[Any]], ...]
    reads: list[int] = field(default_factory=list, repr=False)
    """Rows of each reading so far."""

    def __post_init__(self) -> None:
        if not self.shards:
            raise ShardError("a pool needs at least one shard")
        for number, shard in enumerate(self.shards):
            if shard.ndim != 2 or shard.shape[1] != self.shards[0].shape[1] or shard.dtype.kind != "f":
                raise ShardError(
                    f"shard {number} is {shard.dtype} of shape {shard.shape}; "
                    f"floats of shape (n, {self.shards[0].shape[-1]}) are needed"
                )
        if not len(self) or not self.n_features:
            raise ShardError("the pool holds no rows, or no features")

    @classmethod
    def split(cls, array: npt.NDArray[np.floating[Any]], rows_per_shard: int = ROWS_PER_SHARD) -> "Pool":
        """Return one array as a pool of equal shards, none of them copied."""
        return cls(
            tuple(array[start : start + rows_per_shard] for start in range(0, max(len(array), 1), rows_per_shard))
        )

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.shards[0].shape[1])

    @cached_property
    def starts(self) -> IntArray:
        """First row of each shard, and the number of rows at the end, shape (n_shards + 1,)."""
        return np.cumsum([0, *(len(shard) for shard in self.shards)]).astype(np.int64)

    def rows(self, ids: IntArray) -> Float32Array:
        """Return rows by number, in the order asked for, shape (len(ids), d), float32."""
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(self):
            raise ValueError(f"rows {ids.min()} to {ids.max()} asked for, the pool has {len(self)}")
        self.reads.append(len(ids))
        found = np.empty((len(ids), self.n_features), dtype=np.float32)
        of_shard = np.searchsorted(self.starts, ids, side="right") - 1  # (len(ids),)
        for number in np.unique(of_shard):
            mine = np.flatnonzero(of_shard == number)
            mine = mine[np.argsort(ids[mine], kind="stable")]
            found[mine] = self.shards[number][ids[mine] - self.starts[number]]
        return found

    def n_blocks(self, shard: int) -> int:
        """Return in how many pieces a shard is read."""
        return -(-len(self.shards[shard]) // BLOCK)

    def blocks(self, shard: int, numbers: IntArray | None = None) -> Iterator[tuple[int, Float32Array]]:
        """Yield a shard, or some of its pieces: the row a piece begins with, and its features as float32."""
        rows = self.shards[shard]
        for number in range(self.n_blocks(shard)) if numbers is None else numbers.tolist():
            start = number * BLOCK
            self.reads.append(len(rows[start : start + BLOCK]))
            yield int(self.starts[shard]) + start, np.asarray(rows[start : start + BLOCK], dtype=np.float32)

    def sample(self, rng: np.random.Generator, size: int = _SAMPLE) -> Float32Array:
        """Return rows drawn at random without repetition, in order."""
        return self.rows(np.sort(rng.choice(len(self), size=min(size, len(self)), replace=False)))

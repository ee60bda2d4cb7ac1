"""Opening a pool of features that lies in several .npy files, here or in an object store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import numpy.typing as npt

from curation.core.pool import Pool, ShardError


def open_pool(urls: Sequence[str]) -> Pool:
    """Open .npy shards by path or fsspec URL, memory-mapped; remote ones are fetched once into a local cache.

    Raises
    ------
    ShardError
        When one is missing, cut short or not an array of floats; the message names it.
    """
    return Pool(tuple(_open(url) for url in urls))


def _open(url: str) -> npt.NDArray[np.floating[Any]]:
    try:
        path = fsspec.open_local(f"simplecache::{url}") if "://" in url else url
        array = np.load(Path(str(path)), mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ShardError(f"shard {url} is missing") from error
    except (ValueError, EOFError, OSError) as error:
        raise ShardError(f"shard {url} cannot be read, it may be cut short: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ShardError(f"shard {url} is an archive; one .npy array a shard is needed")
    return array

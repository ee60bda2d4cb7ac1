"""Array files of datasets, through fsspec: a local folder, S3 or GCS by URL alone."""

import hashlib
import io
import json
from functools import lru_cache
from typing import Any

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from curation.services.ingest import Contents, Table


def save(url: str, contents: Contents) -> str:
    """Write a dataset's files under a new folder; return the SHA-256 of all of them.

    Should a write fail, the folder is removed before the error goes on: nothing half-written stays.
    """
    files = _files(contents)
    filesystem, path = fsspec.core.url_to_fs(url)
    digest = hashlib.sha256()
    try:
        filesystem.makedirs(path, exist_ok=True)
        for name, data in sorted(files.items()):
            with filesystem.open(f"{path}/{name}", "wb") as file:
                file.write(data)
            digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    except BaseException:
        remove(url)
        raise
    return digest.hexdigest()


def remove(url: str) -> None:
    """Remove a dataset's folder if it is there."""
    filesystem, path = fsspec.core.url_to_fs(url)
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)


def _files(contents: Contents) -> dict[str, bytes]:
    files = {"pool.parquet": _parquet(contents.pool)}
    arrays: dict[str, npt.NDArray[Any] | None] = {
        "features": contents.features,
        "anchor_features": contents.anchor_features,
        "anchor_labels": contents.anchor_labels,
        "test_features": contents.test_features,
        "test_labels": contents.test_labels,
    }
    files |= {f"{name}.npy": _npy(array) for name, array in arrays.items() if array is not None}
    if contents.anchor is not None:
        files["anchor.parquet"] = _parquet(contents.anchor)
    return files


def _npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _parquet(table: Table) -> bytes:
    columns = {"key": table.keys, "uri": table.uris, "metadata": [json.dumps(row) for row in table.metadata]}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


@lru_cache(maxsize=16)
def load_array(url: str, name: str) -> npt.NDArray[Any] | None:
    """Return one of a dataset's arrays, memory-mapped, read-only; None when it has none.

    Remote files are fetched once into a local cache. Datasets never change, so a loaded array stays valid for the life
    of the process.
    """
    filesystem, path = fsspec.core.url_to_fs(f"{url}/{name}.npy")
    if not filesystem.exists(path):
        return None
    is_local = isinstance(filesystem, LocalFileSystem)
    file = path if is_local else fsspec.open_local(f"simplecache::{url}/{name}.npy")
    array: npt.NDArray[Any] = np.load(str(file), mmap_mode="r", allow_pickle=False)
    return array


@lru_cache(maxsize=4)
def load_table(url: str, name: str = "pool") -> Table:
    """Return a dataset's keys, URIs and metadata in row order (metadata as stored)."""
    filesystem, path = fsspec.core.url_to_fs(f"{url}/{name}.parquet")
    with filesystem.open(path, "rb") as file:
        table = pq.read_table(io.BytesIO(file.read()))
    metadata = [json.loads(text) for text in table["metadata"].to_pylist()]
    return Table(table["key"].to_pylist(), table["uri"].to_pylist(), metadata)

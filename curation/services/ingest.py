"""Reading customers' files: npz, Parquet, or CSV of URIs with metadata, checked before anything is written.

Nothing is ever unpickled, and an archive is measured before it is unpacked.
"""

import csv
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curation.services.ingest_values import (
    MAX_KEY_LENGTH,
    MAX_URI_LENGTH,
    bad,
    class_names,
    json_object,
    metadata_of,
    name_of,
    plain_array,
    text_of,
)

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ENDINGS = (".npz", ".parquet", ".csv")


@dataclass(frozen=True, eq=False)
class Table:
    """Named records: keys are unique, the other columns as long as the keys."""

    keys: list[str]
    uris: list[str]
    metadata: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Contents:
    """A dataset as read and checked: pool, optional embeddings, optional labeled anchor and test sets."""

    pool: Table
    features: FloatArray | None = None
    anchor: Table | None = None
    anchor_features: FloatArray | None = None
    anchor_labels: IntArray | None = None
    test_features: FloatArray | None = None
    test_labels: IntArray | None = None
    classes: list[str] = field(default_factory=list)


def read(name: str, data: bytes, *, embeddings: bytes | None = None, max_bytes: int = 4 * 1024**3) -> Contents:
    """Read a dataset by its file name's ending.

    Parameters
    ----------
    name
        File name ending in .npz, .parquet or .csv.
    data
        The file. npz: ``X`` (n, d) and optionally ``key``, ``uri``, ``metadata`` (JSON texts), ``anchor``,
        ``anchor_label``, ``anchor_key``, ``anchor_uri``, ``X_test``, ``y_test``, ``classes``. Parquet: ``key``,
        ``uri``, an ``embedding`` list column; other columns are metadata. CSV: a header with ``key`` and ``uri``; other
        columns are metadata.
    embeddings
        An .npy array (n, d) in the order of the rows, for CSV and Parquet without a column of their own.
    max_bytes
        Size an archive may have unpacked.

    Raises
    ------
    MalformedDatasetError
        Naming the field and what is wrong with it; nothing has been written by then.
    """
    ending = next((e for e in ENDINGS if name.lower().endswith(e)), None)
    if ending is None:
        raise bad("file", "unknown_format", f"Give a file ending in {', '.join(ENDINGS)}; got {name!r}.")
    if not data:
        raise bad("file", "empty", "The file is empty.")
    if ending == ".npz":
        contents = _read_npz(data, max_bytes)
    else:
        contents = _read_parquet(data, embeddings) if ending == ".parquet" else _read_csv(data, embeddings)
    _check_lengths(contents)
    return contents


def _read_npz(data: bytes, max_bytes: int) -> Contents:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise bad("file", "malformed", "The file is not a complete .npz archive (truncated upload?).") from None
    if size > max_bytes:
        raise bad("file", "too_large", f"The archive unpacks to {size} bytes; at most {max_bytes} are taken.")
    arrays = {}
    for entry in archive.namelist():
        arrays[entry.removesuffix(".npy")] = plain_array(entry, _member(archive, entry))
    if "X" not in arrays:
        raise bad("X", "missing", f"The archive needs an array X (n, d); it holds {', '.join(arrays) or 'nothing'}.")
    features = check_features("X", arrays["X"])
    n_features = features.shape[1]
    anchor = check_features("anchor", arrays["anchor"], n_features) if "anchor" in arrays else None
    test = check_features("X_test", arrays["X_test"], n_features) if "X_test" in arrays else None
    classes = class_names(arrays.get("classes"))
    return Contents(
        pool=_table(arrays, "", len(features)),
        features=features,
        anchor=_table(arrays, "anchor_", len(anchor)) if anchor is not None else None,
        anchor_features=anchor,
        anchor_labels=_labels("anchor_label", arrays.get("anchor_label"), anchor, classes),
        test_features=test,
        test_labels=_labels("y_test", arrays.get("y_test"), test, classes),
        classes=classes,
    )


def _member(archive: zipfile.ZipFile, entry: str) -> bytes:
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise bad(entry, "malformed", f"{entry} cannot be unpacked ({str(error)[:200]}).") from None


def check_features(name: str, array: npt.NDArray[Any], n_features: int | None = None) -> FloatArray:
    """Return an array as float32 features (n, d).

    Raises
    ------
    MalformedDatasetError
        When it is not numeric and two-dimensional, is empty, has another width, or holds NaN or infinity.
    """
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        detail = f"{name} must be a numeric array (n, d); got shape {array.shape} of {array.dtype}."
        raise bad(name, "shape", detail)
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise bad(name, "empty", f"{name} has shape {array.shape}: no record or no feature.")
    if n_features is not None and array.shape[1] != n_features:
        raise bad(name, "shape", f"{name} has {array.shape[1]} features, X has {n_features}.")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        features = array.astype(np.float32)
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        first = int(np.flatnonzero(~finite)[0])
        detail = f"{int((~finite).sum())} rows of {name} hold NaN or infinity, the first is row {first}."
        raise bad(f"{name}[{first}]", "not_finite", detail)
    return features


def _table(arrays: dict[str, npt.NDArray[Any]], prefix: str, n: int) -> Table:
    keys = arrays.get(f"{prefix}key")
    uris = arrays.get(f"{prefix}uri")
    texts = arrays.get(f"{prefix}metadata")
    for name, column in (("key", keys), ("uri", uris), ("metadata", texts)):
        if column is not None and column.shape != (n,):
            detail = f"{prefix}{name} has shape {column.shape}, but there are {n} records."
            raise bad(f"{prefix}{name}", "length", detail)
    names = [name_of(key) for key in keys] if keys is not None else [f"{prefix}{i}" for i in range(n)]
    return make_table(
        names,
        [name_of(uri) for uri in uris] if uris is not None else [""] * n,
        [json_object(f"{prefix}metadata[{i}]", str(text)) for i, text in enumerate(texts)]
        if texts is not None
        else None,
        prefix,
    )


def make_table(
    keys: list[str], uris: list[str], metadata: list[dict[str, Any]] | None = None, prefix: str = ""
) -> Table:
    """Return a checked table.

    Raises
    ------
    MalformedDatasetError
        On an empty, overlong or repeated key, or an overlong URI.
    """
    for i, (key, uri) in enumerate(zip(keys, uris, strict=True)):
        text_of(f"{prefix}key[{i}]", key, MAX_KEY_LENGTH, 1)
        text_of(f"{prefix}uri[{i}]", uri, MAX_URI_LENGTH)
    if len(set(keys)) < len(keys):
        key, n = Counter(keys).most_common(1)[0]
        places = [i for i, other in enumerate(keys) if other == key][:2]
        detail = f"The key {key!r} stands {n} times, first in rows {places[0]} and {places[1]}."
        raise bad(f"{prefix}key[{places[1]}]", "duplicate_key", detail)
    return Table(keys, uris, metadata if metadata is not None else [{} for _ in keys])


def _labels(
    name: str, labels: npt.NDArray[Any] | None, features: FloatArray | None, classes: Sequence[str]
) -> IntArray | None:
    if features is None or labels is None:
        return None
    if labels.shape != (len(features),) or not np.issubdtype(labels.dtype, np.integer):
        detail = f"{name} must hold {len(features)} class indices; got shape {labels.shape} of {labels.dtype}."
        raise bad(name, "shape", detail)
    n_classes = len(classes) or int(labels.max()) + 1
    outside = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(outside):
        detail = f"{name}[{outside[0]}] is {labels[outside[0]]}, but there are {n_classes} classes."
        raise bad(f"{name}[{outside[0]}]", "unknown_class", detail)
    return labels.astype(np.int64)


def _read_parquet(data: bytes, embeddings: bytes | None) -> Contents:
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise bad("file", "malformed", f"The file is not complete Parquet ({str(error)[:200]}).") from None
    columns = set(table.column_names)
    if "key" not in columns:
        raise bad("key", "missing", "The table needs a column key.")
    keys = [name_of(value) if value is not None else "" for value in table["key"].to_pylist()]
    uris = [value or "" for value in table["uri"].to_pylist()] if "uri" in columns else [""] * len(keys)
    rest = sorted(columns - {"key", "uri", "embedding"})
    rows = table.select(rest).to_pylist() if rest else []
    metadata = [metadata_of(f"row {i}", row) for i, row in enumerate(rows)] if rest else None
    features = _embedding_column(table["embedding"], len(keys)) if "embedding" in columns else _npy(embeddings)
    return Contents(make_table(keys, uris, metadata), features)


def _embedding_column(column: pa.ChunkedArray, n: int) -> FloatArray:
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise bad("embedding", "type", f"The column embedding must hold lists of numbers, not {kind}.")
    rows = column.to_pylist()
    missing = [i for i, row in enumerate(rows) if row is None]
    if missing:
        detail = f"{len(missing)} of {n} embeddings are missing, the first in row {missing[0]}."
        raise bad(f"embedding[{missing[0]}]", "missing", detail)
    widths = Counter(len(row) for row in rows)
    if len(widths) > 1:
        usual = widths.most_common(1)[0][0]
        odd = next(i for i, row in enumerate(rows) if len(row) != usual)
        detail = f"The embedding in row {odd} has {len(rows[odd])} numbers, others have {usual}."
        raise bad(f"embedding[{odd}]", "shape", detail)
    return check_features("embedding", np.asarray(rows))


def _npy(data: bytes | None) -> FloatArray | None:
    if data is None:
        return None
    return check_features("embeddings", plain_array("embeddings", data))


def _read_csv(data: bytes, embeddings: bytes | None) -> Contents:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad("file", "malformed", f"The file is not UTF-8 CSV ({error}).") from None
    if not rows or "key" not in rows[0]:
        raise bad("key", "missing", "The first line must name the columns, key among them, and rows must follow.")
    names = list(reader.fieldnames or [])
    if len(set(names)) < len(names):
        raise bad("key", "columns", "The first line names a column twice.")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise bad(f"line {number}", "columns", f"Line {number} has more or fewer values than the header.")
    metadata = [
        metadata_of(f"line {n}", {k: v for k, v in row.items() if k not in {"key", "uri"}})
        for n, row in enumerate(rows, start=2)
    ]
    table = make_table([row["key"] for row in rows], [row.get("uri", "") for row in rows], metadata)
    return Contents(table, _npy(embeddings))


def _check_lengths(contents: Contents) -> None:
    n, features = len(contents.pool), contents.features
    if n == 0:
        raise bad("key", "empty", "The dataset has no record.")
    if features is not None and len(features) != n:
        detail = f"There are {n} records but {len(features)} embeddings; each record needs its row."
        raise bad("embeddings", "missing_rows" if len(features) < n else "length", detail)

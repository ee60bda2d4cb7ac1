"""Arrays of an .npz or .parquet file; nothing is ever unpickled, and big arrays stay on disk where they can."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet
from pyarrow import compute

from common.rows import FileError

METADATA: Final = "metadata_"
KNOWN: Final = ("X", "key", "proba", "anchor", "anchor_label", "utility", "classes")
MAPPED_FROM: Final = 64 << 20
"""Bytes from which on an array is left on disk, where it lies there uncompressed."""


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an .npz file or the columns of a Parquet file; nothing is ever unpickled."""
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _columns(path)
    try:
        if not zipfile.is_zipfile(path):
            raise FileError(
                f"{path}: neither an .npz nor a Parquet file that can be read (not an archive, or cut short)"
            )
        with np.load(path, allow_pickle=False, mmap_mode="r") as archive:
            return {name: _array(path, archive, name) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: neither an .npz nor a Parquet file that can be read ({str(error)[:100]})") from error


def _array(path: Path, archive: Any, name: str) -> npt.NDArray[Any]:
    try:
        mapped = _mapped(path, archive, name)
        array: npt.NDArray[Any] = archive[name] if mapped is None else mapped
    except ValueError as error:
        words = (
            "holds Python objects; save it as text, numbers or dates" if "allow_pickle" in str(error) else str(error)
        )
        raise FileError(f"{path.name}: array {name} {words[:150]}") from error
    except MemoryError as error:
        raise FileError(f"{path.name}: array {name} does not fit into memory ({str(error)[:100]})") from error
    if not isinstance(array, np.ndarray):  # NumPy hands other members of an archive over as bytes
        raise FileError(f"{path.name}: {name} is no array")
    return array


def _mapped(path: Path, archive: Any, name: str) -> npt.NDArray[Any] | None:
    """Return a big array that lies uncompressed in an archive as it lies there, checked; None of others."""
    info = archive.zip.NameToInfo.get(f"{name}.npy")
    if info is None or info.compress_type != zipfile.ZIP_STORED or info.file_size < MAPPED_FROM:
        return None
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)  # the lengths of the name and of what else stands before the content
        n_name, n_extra = struct.unpack("<HH", file.read(4))
        start = info.header_offset + 30 + n_name + n_extra
        file.seek(start)
        checksum, left = 0, info.file_size
        while left and (piece := file.read(min(left, 1 << 20))):
            checksum, left = zlib.crc32(piece, checksum), left - len(piece)
        if left or checksum != info.CRC:
            raise zipfile.BadZipFile(f"the checksum of array {name} is wrong")
        file.seek(start)
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        if version != (1, 0):
            return None
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)  # type: ignore[no-untyped-call]
        if dtype.hasobject:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if is_fortran else "C")


def _columns(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise FileError(f"{path}: not a Parquet file ({str(error)[:100]})") from error
    found: dict[str, npt.NDArray[Any]] = {}
    for name in table.column_names:
        column = table[name]
        wanted = "X" if name == "embedding" and "X" not in table.column_names else name
        if wanted in {"X", "proba", "anchor"}:
            found[wanted] = _matrix(path, name, column)
        elif pyarrow.types.is_nested(column.type):
            found[name] = np.empty(0)  # told as not used
        elif name in KNOWN:
            found[name] = np.array(column.to_pylist())
        else:
            found[METADATA + name] = np.array(column.to_pylist(), dtype=object)
    return found


def _matrix(path: Path, name: str, column: Any) -> npt.NDArray[Any]:
    """Return a column of lists of numbers, all of one length, as an array, without making Python lists of it."""
    if not (pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type)):
        raise FileError(f"{path.name}: column {name} must hold lists of numbers; it holds {column.type}")
    if not (pyarrow.types.is_floating(column.type.value_type) or pyarrow.types.is_integer(column.type.value_type)):
        raise FileError(f"{path.name}: column {name} must hold lists of numbers; it holds {column.type}")
    sizes = compute.fill_null(compute.list_value_length(column), -1).to_numpy()  # (n,)
    length = int(sizes[0]) if len(sizes) and sizes[0] > 0 else 0
    other = np.flatnonzero(sizes != length)
    if len(other):
        size = "no" if sizes[other[0]] < 0 else f"{sizes[other[0]]}"
        raise FileError(f"{path.name}, row {other[0] + 1}: {name} has {size} values, the first row {length}")
    return np.asarray(compute.list_flatten(column).to_numpy()).reshape(len(sizes), length)

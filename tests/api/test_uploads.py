"""Hostile files: never a 5xx, never half a dataset."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.models import Dataset
from tests.api import pool

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def parquet(**columns):
    """Return a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def npy(array):
    """Return an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def archive_of(**members):
    """Return a zip archive of raw members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return buffer.getvalue()


KEYS = ["a", "b"]
HEADER_OF_A_HUGE_ARRAY = b"\x93NUMPY\x01\x00v\x00" + (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 99), }".ljust(117) + b"\n"
)
FILES = {
    "URIs are numbers": ("p.parquet", parquet(key=KEYS, uri=[1, 2])),
    "embeddings are no lists": ("p.parquet", parquet(key=KEYS, embedding=[1.0, 2.0])),
    "embeddings of text": ("p.parquet", parquet(key=KEYS, embedding=[["x"], ["y"]])),
    "embeddings hold null": ("p.parquet", parquet(key=KEYS, embedding=[[1.0, None], [1.0, 2.0]])),
    "embeddings are empty": ("p.parquet", parquet(key=KEYS, embedding=pa.array([[], []], pa.list_(pa.float32())))),
    "no rows": ("p.parquet", parquet(key=pa.array([], pa.string()))),
    "NUL in a CSV": ("p.csv", b"key,uri,note\na,s3://x,ba\x00d\n"),
    "half a surrogate in a CSV": ("p.csv", "key,note\na,\ud800\n".encode("utf-8", "surrogatepass")),
    "a huge CSV field": ("p.csv", b"key,note\na," + b"x" * 200_000 + b"\n"),
    "a column twice": ("p.csv", b"key,key\na,b\n"),
    "an open quote": ("p.csv", b'key,uri\na,"b\n'),
    "an array of objects": ("p.npz", archive_of(X=npy(np.array([{}], dtype=object)))),
    "an array of text": ("p.npz", pool.archive(X=np.array([["a"]]))),
    "complex numbers": ("p.npz", pool.archive(X=np.ones((40, 2), dtype=complex))),
    "one dimension": ("p.npz", pool.archive(X=np.ones(40))),
    "no features": ("p.npz", pool.archive(X=np.ones((40, 0)))),
    "larger than float32": ("p.npz", pool.archive(X=np.full((40, 3), 1e300))),
    "a header that lies": ("p.npz", archive_of(X=HEADER_OF_A_HUGE_ARRAY)),
    "a header that is code": ("p.npz", archive_of(X=b"\x93NUMPY\x01\x00\x10\x00__import__('os')")),
    "a header that is nothing": ("p.npz", archive_of(X=b"\x93NUMPY\x01\x00\x04\x00((((")),
    "metadata that is a list": ("p.npz", pool.archive(metadata=np.array(["[]"] * 40))),
    "metadata that holds NUL": ("p.npz", pool.archive(metadata=np.array(['{"a": "\\u0000"}'] * 40))),
    "metadata that holds NaN": ("p.npz", pool.archive(metadata=np.array(['{"a": NaN}'] * 40))),
    "metadata that is deep": ("p.npz", pool.archive(metadata=np.array(['{"a":' * 5000 + "1" + "}" * 5000] * 40))),
    "metadata with half a surrogate": ("p.npz", pool.archive(metadata=np.array(['{"a": "\\ud800"}'] * 40))),
    "labels that are no classes": ("p.npz", pool.archive(y_test=np.full(20, 9))),
    "labels that are fractions": ("p.npz", pool.archive(y_test=np.full(20, 0.5))),
    "classes in a square": ("p.npz", pool.archive(classes=np.array([["a", "b"], ["c", "d"]]))),
    "a class that is too long": ("p.npz", pool.archive(classes=np.array(["a" * 500, "b"]))),
    "a class that holds NUL": ("p.npz", pool.archive(classes=np.array(["a\x00b", "c"]))),
    "a class twice": ("p.npz", pool.archive(classes=np.array(["a", "a"]))),
    "keys that are empty": ("p.npz", pool.archive(key=np.array([""] * 40))),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_hostile_file_is_refused_whole(customer, storage, fault):
    file_name, data = FILES[fault]
    answer = pool.upload(customer, data, file_name)
    assert 400 <= answer.status < 500, (answer.status, json.dumps(answer.body)[:500])
    assert not Dataset.objects.exists()
    assert list(storage.iterdir()) == []

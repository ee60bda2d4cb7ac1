"""Taking datasets in: what is good is stored whole, what is bad is refused with its place and leaves nothing."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.errors import ConflictError, NotFoundError
from curation.errors import MalformedDatasetError
from curation.models import Dataset
from curation.selectors import datasets as selectors
from curation.services import datasets, storage
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    return tmp_path


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def parquet(**columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


X = np.arange(12, dtype=np.float32).reshape(4, 3)
KEYS = ["a", "b", "c", "d"]
CSV = b"key,uri,site\n" + b"".join(f"{key},s3://x/{key},north\n".encode() for key in KEYS)


def take(actor, name: str, data: bytes, **more) -> Dataset:
    return datasets.create(actor=actor, name="pool", modality="image", file_name=name, data=data, **more)


BYTES = {"key": np.array(KEYS, dtype="S"), "uri": np.array([f"s3://x/{k}" for k in KEYS], dtype="S")}
GOOD = {
    "npz with bytes": ("p.npz", npz(X=X, **BYTES, metadata=['{"site": "north"}'] * 4), {}),
    "npz": ("p.npz", npz(X=X, key=KEYS, uri=[f"s3://x/{k}" for k in KEYS], metadata=['{"site": "north"}'] * 4), {}),
    "parquet": (
        "p.parquet",
        parquet(key=KEYS, uri=[f"s3://x/{k}" for k in KEYS], site=["north"] * 4, embedding=X.tolist()),
        {},
    ),
    "csv with embeddings": ("p.csv", CSV, {"embeddings": npy(X)}),
}


@pytest.mark.parametrize(("name", "data", "more"), GOOD.values(), ids=GOOD)
def test_every_format_stores_the_same(folder, name, data, more):
    row = take(market.customer(), name, data, **more)
    table = storage.load_table(row.storage_url)
    assert (row.n_records, row.n_features) == (4, 3)
    assert table.keys == KEYS
    assert table.uris[0] == "s3://x/a"
    assert table.metadata[0] == {"site": "north"}
    assert np.array_equal(storage.load_array(row.storage_url, "features"), X)


def test_uris_without_embeddings_are_a_dataset_too(folder):
    row = take(market.customer(), "p.csv", CSV)
    assert row.n_features == 0
    assert storage.load_array(row.storage_url, "features") is None


def pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, X=X, key=np.array([{"a": 1}] * 4, dtype=object))
    return buffer.getvalue()


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", b"\0" * 5_000_000)
    return buffer.getvalue()


nan = X.copy()
nan[2, 1] = np.nan
BAD = {
    "truncated": ("p.npz", GOOD["npz"][1][:-40], {}, "file", "malformed"),
    "pickle": ("p.npz", pickled(), {}, "key.npy", "malformed"),
    "bomb": ("p.npz", bomb(), {}, "file", "too_large"),
    "no X": ("p.npz", npz(Y=X), {}, "X", "missing"),
    "NaN": ("p.npz", npz(X=nan), {}, "X[2]", "not_finite"),
    "one dimension": ("p.npz", npz(X=X.ravel()), {}, "X", "shape"),
    "text": ("p.npz", npz(X=np.array([["a"]])), {}, "X", "shape"),
    "duplicate keys": ("p.npz", npz(X=X, key=["a", "b", "a", "d"]), {}, "key[2]", "duplicate_key"),
    "missing keys": ("p.npz", npz(X=X, key=["a"]), {}, "key", "length"),
    "anchor width": ("p.npz", npz(X=X, anchor=X[:, :2]), {}, "anchor", "shape"),
    "test label": (
        "p.npz",
        npz(X=X, X_test=X, y_test=[0, 1, 2, 9], classes=["x", "y", "z"]),
        {},
        "y_test[3]",
        "unknown_class",
    ),
    "metadata": ("p.npz", npz(X=X, metadata=["{}", "[", "{}", "{}"]), {}, "metadata[1]", "malformed"),
    "empty": ("p.npz", b"", {}, "file", "empty"),
    "unknown": ("p.exe", b"MZ", {}, "file", "unknown_format"),
    "parquet garbage": ("p.parquet", b"PAR1nonsense", {}, "file", "malformed"),
    "parquet hole": (
        "p.parquet",
        parquet(key=KEYS, embedding=[[1.0], None, [1.0], [1.0]]),
        {},
        "embedding[1]",
        "missing",
    ),
    "parquet ragged": (
        "p.parquet",
        parquet(key=KEYS, embedding=[[1.0], [1.0, 2.0], [1.0], [1.0]]),
        {},
        "embedding[1]",
        "shape",
    ),
    "too few embeddings": ("p.csv", CSV, {"embeddings": npy(X[:2])}, "embeddings", "missing_rows"),
    "csv columns": ("p.csv", b"key,uri\na,b,c\n", {}, "line 2", "columns"),
    "csv no key": ("p.csv", b"uri\na\n", {}, "key", "missing"),
    "csv binary": ("p.csv", b"\xff\xfe\x00", {}, "file", "malformed"),
    "csv key empty": ("p.csv", b'key\n""\n', {}, "key[0]", "length"),
}


@pytest.mark.parametrize(("name", "data", "more", "field", "code"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_place_and_leaves_nothing(folder, settings, name, data, more, field, code):
    settings.DATASET_MAX_BYTES = 1_000_000
    with pytest.raises(MalformedDatasetError) as caught:
        take(market.customer(), name, data, **more)
    assert (caught.value.errors[0]["field"], caught.value.errors[0]["code"]) == (field, code)
    assert not Dataset.objects.exists()
    assert list(folder.iterdir()) == []


def test_a_write_that_fails_midway_leaves_nothing(folder, monkeypatch):
    real = storage.fsspec.core.url_to_fs

    def failing(url):
        filesystem, path = real(url)
        opened = filesystem.open

        def open_once(name, mode):
            if name.endswith("pool.parquet"):
                raise OSError("disk full")
            return opened(name, mode)

        filesystem = type(filesystem)(skip_instance_cache=True)
        filesystem.open = open_once
        return filesystem, path

    monkeypatch.setattr(storage.fsspec.core, "url_to_fs", failing)
    with pytest.raises(OSError, match="disk full"):
        take(market.customer(), *GOOD["npz"][:2])
    assert not Dataset.objects.exists()
    assert list(folder.iterdir()) == []


def test_names_are_unique_and_owners_apart(folder):
    owner = market.customer()
    row = take(owner, *GOOD["npz"][:2])
    with pytest.raises(ConflictError):
        take(owner, *GOOD["npz"][:2])
    assert len(list(folder.iterdir())) == 1
    with pytest.raises(NotFoundError):
        selectors.get(market.customer(), row.pk)
    assert json.dumps(row.classes) == "[]"

"""A small pool of records in two clusters, as a customer would upload it."""

import io
from typing import Any

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.api.client import Answer, Api

CLASSES = ["left", "right"]


def arrays(n: int = 60, seed: int = 0) -> dict[str, Any]:
    """Return the arrays of an archive."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    features = rng.normal(truth[:, None] * 4.0 - 2.0, 1.0, (n, 3))
    return {
        "X": features[: n - 20],
        "key": np.array([f"record-{i}" for i in range(n - 20)]),
        "X_test": features[n - 20 :],
        "y_test": truth[n - 20 :],
        "classes": np.array(CLASSES),
    }


def archive(**changes: Any) -> bytes:
    """Return the archive, some arrays replaced, those that are None left out."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in (arrays() | changes).items() if array is not None})
    return buffer.getvalue()


def upload(api: Api, data: bytes, file_name: str = "pool.npz", **fields: Any) -> Answer:
    """Send a file with its fields."""
    form = {"name": "pool", "modality": "image", "file": SimpleUploadedFile(file_name, data)} | fields
    body = encode_multipart(BOUNDARY, {name: value for name, value in form.items() if value is not None})
    return api.send("POST", "/datasets/", raw=body, content_type=MULTIPART_CONTENT)

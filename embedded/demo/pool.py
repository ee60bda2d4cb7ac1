"""Real scans made messy as customers' data is: scikit-learn's digits with foreign rows, near copies and damage."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits, load_sample_images

KINDS = ("digit", "near copy", "foreign", "corrupted")
DIGIT, COPY, FOREIGN, CORRUPTED = range(4)
_SIDE = 8
_N_ANCHOR, _N_TEST = 80, 400


@dataclass(frozen=True, eq=False)
class MessyDigits:
    """The customer's pool and what only the simulation knows: the kind and true class of each row (-1 = no class)."""

    X: npt.NDArray[np.float32]
    truth: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    anchor: npt.NDArray[np.float32]
    anchor_label: npt.NDArray[np.int64]
    X_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.int64]
    classes: tuple[str, ...]


def make_messy_digits(seed: int, *, n_unique: int = 900, n_copies: int = 350, n_foreign: int = 400) -> MessyDigits:
    """Return a pool of real scans: unique digits, jittered copies of some, photo patches, and damaged digits.

    The foreign rows are 8 x 8 grey patches cut from scikit-learn's two sample photographs, scaled as scans are.
    """
    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = rng.permutation(len(digits.data))
    X, y = digits.data[order].astype(np.float32), digits.target[order].astype(np.int64)
    anchor, X, anchor_label, y = X[:_N_ANCHOR], X[_N_ANCHOR:], y[:_N_ANCHOR], y[_N_ANCHOR:]
    X_test, X, y_test, y = X[:_N_TEST], X[_N_TEST:], y[:_N_TEST], y[_N_TEST:]
    unique, unique_y = X[:n_unique], y[:n_unique]
    n_corrupted = 100
    source = rng.choice(n_unique, n_copies, p=_heavy_tail(n_unique))
    copies = np.clip(unique[source] + rng.normal(0, 0.4, (n_copies, X.shape[1])), 0, 16).astype(np.float32)
    damaged = X[n_unique : n_unique + n_corrupted].copy()
    hit = rng.random(damaged.shape) < 0.6
    damaged[hit] = rng.uniform(0, 16, int(hit.sum()))
    rows = np.concatenate([unique, copies, _patches(rng, n_foreign), damaged]).astype(np.float32)
    truth = np.concatenate([unique_y, unique_y[source], np.full(n_foreign + len(damaged), -1)])
    kind = np.repeat([DIGIT, COPY, FOREIGN, CORRUPTED], [n_unique, n_copies, n_foreign, len(damaged)])
    mixed = rng.permutation(len(rows))
    names = tuple(str(digit) for digit in range(10))
    return MessyDigits(rows[mixed], truth[mixed], kind[mixed], anchor, anchor_label, X_test, y_test, names)


def _heavy_tail(n: int) -> npt.NDArray[np.float64]:
    weight = 1 / np.arange(1, n + 1) ** 0.8
    return np.asarray(weight / weight.sum())


def _patches(rng: np.random.Generator, n: int) -> npt.NDArray[np.float32]:
    images: list[npt.NDArray[Any]] = [image.mean(axis=2) for image in load_sample_images().images]
    patches = np.empty((n, _SIDE * _SIDE), dtype=np.float32)
    for i in range(n):
        image = images[rng.integers(len(images))]
        size = _SIDE * int(rng.integers(2, 7))
        top, left = (int(rng.integers(0, edge - size)) for edge in image.shape)
        block = image[top : top + size, left : left + size].reshape(_SIDE, size // _SIDE, _SIDE, size // _SIDE)
        patch = block.mean(axis=(1, 3))
        low, high = patch.min(), patch.max()
        patches[i] = ((patch - low) / max(high - low, 1e-6) * 16).round().ravel()
    return patches

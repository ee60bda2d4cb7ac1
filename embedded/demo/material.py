"""What the customer brings (the messy pool, its gold records) and what only the simulation knows (the truth)."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedded.demo import setting
from embedded.demo.answers import CANNOT_LABEL
from embedded.demo.pool import CORRUPTED, FOREIGN, KINDS, MessyDigits, make_messy_digits
from embedded.demo.setting import Setting

N_GOLD_DIGITS, N_GOLD_FOREIGN = 30, 6
N_TEST_DIGITS, N_TEST_FOREIGN = 66, 14
_FIRST_KNOWN = {"gold": 90_000, "test": 95_000}
_REASONS = {FOREIGN: "out_of_scope", CORRUPTED: "corrupted"}


@dataclass(frozen=True, eq=False)
class Material:
    """One run's input."""

    pool: MessyDigits
    gold: list[dict[str, Any]]
    test: list[dict[str, Any]]
    truth: dict[str, tuple[int, str]]


def make(seed: int) -> Material:
    """Return the material of a seed; gold and test are scans that are not part of the pool."""
    pool = make_messy_digits(seed)
    gold = _known("gold", pool.anchor_label[:N_GOLD_DIGITS], N_GOLD_FOREIGN)
    test = _known("test", pool.y_test[:N_TEST_DIGITS], N_TEST_FOREIGN)
    truth = {uri_of(row): _entry(pool, row) for row in range(len(pool.X))}
    truth |= {record["uri"]: _known_entry(record) for record in gold + test}
    return Material(pool, gold, test, truth)


def uri_of(row: int) -> str:
    """Return the address of a scan at the customer's; only this travels, the scan itself stays there."""
    return f"https://scans.example.com/{row:05d}.png"


def key_of(row: int) -> str:
    """Return the customer's name of a record of the pool."""
    return f"scan-{row:05d}"


def row_of(key: str) -> int:
    """Return a record's row in the pool.

    >>> row_of(key_of(42))
    42
    """
    return int(key.rpartition("-")[2])


def archive(pool: MessyDigits) -> bytes:
    """Return the pool as the customer uploads it: features, keys, addresses, anchor and test set; no truth."""
    buffer = io.BytesIO()
    rows = range(len(pool.X))
    np.savez_compressed(
        buffer,
        X=pool.X,
        key=np.array([key_of(row) for row in rows]),
        uri=np.array([uri_of(row) for row in rows]),
        anchor=pool.anchor,
        anchor_label=pool.anchor_label,
        X_test=pool.X_test,
        y_test=pool.y_test,
        classes=np.array(pool.classes),
    )
    return buffer.getvalue()


def save_truth(run: Setting, material: Material) -> None:
    """Write what the records really show, for the simulated annotators and for nobody else."""
    setting.write_private(run.path("truth.json"), material.truth)


def kind_of(pool: MessyDigits, key: str) -> str:
    """Return what a record of the pool is, in words."""
    return KINDS[int(pool.kind[row_of(key)])]


def _entry(pool: MessyDigits, row: int) -> tuple[int, str]:
    return int(pool.truth[row]), _REASONS.get(int(pool.kind[row]), "")


def _known(part: str, labels: Any, n_foreign: int) -> list[dict[str, Any]]:
    """Return records whose label is known; they are named like all others, so that nobody can tell."""
    answers: list[dict[str, Any]] = [{"label": str(label)} for label in labels]
    answers += [{"cannot_label": "out_of_scope"}] * n_foreign
    first = _FIRST_KNOWN[part]
    return [{"key": key_of(first + i), "uri": uri_of(first + i)} | answer for i, answer in enumerate(answers)]


def _known_entry(record: dict[str, Any]) -> tuple[int, str]:
    return (int(record["label"]), "") if "label" in record else (CANNOT_LABEL, record["cannot_label"])

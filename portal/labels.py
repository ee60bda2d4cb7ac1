"""Labels as text on a page."""

import json
from typing import Any

from marketplace.models import Correction

CANNOT = "cannot be labeled"


def as_text(label: Any) -> str:
    """Return a label in its JSON form as text; None, which says that there can be none, in words.

    >>> as_text("cat"), as_text([1]), as_text(None)
    ('cat', '[1]', 'cannot be labeled')
    """
    if label is None:
        return CANNOT
    return label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)


def of_correction(row: Correction) -> tuple[str, str]:
    """Return the label before and since (needs record or gold, and the job's schema, loaded)."""
    return _side(row, row.old_label, row.old_value), _side(row, row.new_label, row.new_value)


def _side(row: Correction, label: int | None, value: Any) -> str:
    about = row.record or row.gold
    if label is None or label < 0 or about is None:
        return CANNOT
    return as_text(row.job.label_schema.shown(label, value, about.metadata))

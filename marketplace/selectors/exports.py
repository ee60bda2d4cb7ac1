"""A job's labels as a file, written line by line: JSON, JSON lines, CSV, and COCO for what is drawn on images."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.db.models import QuerySet

from common.actors import Actor
from common.errors import ValidationFailedError
from common.tables import csv_row
from marketplace.core import rle
from marketplace.core.checks.polygons import area
from marketplace.models import JobRecord, LabelSchema
from marketplace.selectors import jobs

DRAWN: Final = ("bbox", "polygon", "mask")
_COLUMNS: Final = ("key", "state", "label", "cannot_label", "confidence", "lot", "given_by")
_ROWS: Final = 2000


def of_job(actor: Actor, job_id: uuid.UUID, form: str) -> Iterator[str]:
    """Return the parts of a file of all records of a job, labeled or not, in the order they were ordered.

    Raises
    ------
    NotFoundError
        When there is no such job, or it is not the actor's.
    ValidationFailedError
        When the form does not suit the task type.
    """
    schema = jobs.get(actor, job_id).label_schema
    if form == "coco" and schema.task_type not in DRAWN:
        detail = (
            f"COCO holds boxes, polygons and masks; this job's labels are {schema.task_type}. Take json, jsonl or csv."
        )
        raise ValidationFailedError.of("form", "task_type", detail)
    return FORMS[form](jobs.labels(actor, job_id), schema)


def row_of(record: JobRecord) -> dict[str, Any]:
    """Return a record's label as the lists of the API show it."""
    return {
        "key": record.key,
        "state": record.state,
        "label": record.shown_label,
        "cannot_label": record.reason or None,
        "confidence": record.confidence,
        "lot": record.lot.number,
        "given_by": record.given_by,
    }


def _lines(records: QuerySet[JobRecord], schema: LabelSchema) -> Iterator[str]:
    for record in records.iterator(chunk_size=_ROWS):
        yield json.dumps(row_of(record), ensure_ascii=False) + "\n"


def _json(records: QuerySet[JobRecord], schema: LabelSchema) -> Iterator[str]:
    yield '{"labels": ['
    for number, line in enumerate(_lines(records, schema)):
        yield f"{',' if number else ''}\n{line.rstrip()}"
    yield "\n]}\n"


def _csv(records: QuerySet[JobRecord], schema: LabelSchema) -> Iterator[str]:
    """Yield a table; a label that is no text stands there as JSON."""
    yield csv_row(_COLUMNS)
    for record in records.iterator(chunk_size=_ROWS):
        row = row_of(record)
        if row["label"] is not None and not isinstance(row["label"], str):
            row["label"] = json.dumps(row["label"], ensure_ascii=False)
        yield csv_row(row[name] for name in _COLUMNS)


def _coco(records: QuerySet[JobRecord], schema: LabelSchema) -> Iterator[str]:
    """Yield images, then annotations (a second pass over the records), then categories."""
    yield '{"images": ['
    for number, record in enumerate(records.iterator(chunk_size=_ROWS)):
        facts = {name: record.metadata[name] for name in ("width", "height") if name in record.metadata}
        image = {"id": number + 1, "file_name": record.uri or record.key} | facts
        yield f"{',' if number else ''}\n{json.dumps(image, ensure_ascii=False)}"
    yield '\n], "annotations": ['
    count = 0
    for number, record in enumerate(records.iterator(chunk_size=_ROWS)):
        for item in record.value or ():
            count += 1
            drawn = {"id": count, "image_id": number + 1, "category_id": item["class"] + 1, "iscrowd": 0} | _shape(item)
            yield f"{',' if count > 1 else ''}\n{json.dumps(drawn)}"
    categories = [{"id": number, "name": name} for number, name in enumerate(schema.classes, start=1)]
    yield f'\n], "categories": {json.dumps(categories, ensure_ascii=False)}}}\n'


def _shape(item: dict[str, Any]) -> dict[str, Any]:
    if "box" in item:
        return {"bbox": item["box"], "area": item["box"][2] * item["box"][3]}
    if "counts" in item:
        code = {"size": item["size"], "counts": rle.encoded(item["counts"])}
        return {"bbox": list(rle.box(item["counts"], item["size"][0])), "area": rle.area(item["counts"])} | {
            "segmentation": code
        }
    xs, ys = zip(*item["points"], strict=True)
    flat = [number for point in item["points"] for number in point]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {"bbox": box, "area": area(item["points"]), "segmentation": [flat]}


FORMS: Final[dict[str, Callable[[QuerySet[JobRecord], LabelSchema], Iterator[str]]]] = {
    "json": _json,
    "jsonl": _lines,
    "csv": _csv,
    "coco": _coco,
}

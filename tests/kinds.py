"""One example of every task type: a schema, records, their truth, and slightly and plainly wrong answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common.actors import Actor
from marketplace.core import rle
from marketplace.core.routing import Weights
from marketplace.models import Assignment, Job
from marketplace.services import annotations, jobs, offers
from marketplace.services.annotations import Answer, content_of
from marketplace.services.jobs import GoldInput, JobTerms
from marketplace.services.lots import RecordInput
from tests import market
from tests.market import Seller, _numbers
from vendors.models import Capability
from vendors.services import onboarding

TWO = ["cat", "dog"]
IMAGE = {"width": 400, "height": 300}
WORDS = "ann met bob in rome and they went on to see the old town at night"


@dataclass(frozen=True)
class Example:
    """A task type with answers by record number: the true one, one as good annotators give it, a plainly wrong one."""

    task_type: str
    truth: Callable[[int], Any]
    near: Callable[[int], Any]
    wrong: Callable[[int], Any]
    classes: list[str] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    bad: tuple[tuple[Any, str], ...] = ()


def _box(x: float, y: float, width: float, height: float, name: str = "cat") -> dict[str, Any]:
    return {"class": name, "box": [x, y, width, height]}


def _ring(x: float, y: float, size: float) -> list[dict[str, Any]]:
    return [{"class": "cat", "points": [[x, y], [x + size, y], [x + size, y + size], [x, y + size]]}]


def _mask(x: int, y: int, size: int) -> list[dict[str, Any]]:
    mask = np.zeros((IMAGE["height"], IMAGE["width"]), dtype=bool)
    mask[y : y + size, x : x + size] = True
    return [{"class": "cat", "size": [IMAGE["height"], IMAGE["width"]], "counts": rle.of_mask(mask)}]


def _cuboid(x: float, length: float) -> list[dict[str, Any]]:
    return [{"class": "cat", "center": [x, 2.0, 1.0], "size": [length, 2.0, 1.5], "yaw": 0.2}]


def _text(number: int) -> str:
    return f"the words of record {number} as they were spoken on that day"


EXAMPLES = {
    example.task_type: example
    for example in (
        Example(
            "classification",
            truth=lambda i: TWO[i % 2],
            near=lambda i: TWO[i % 2],
            wrong=lambda i: TWO[(i + 1) % 2],
            classes=TWO,
            bad=(("cow", "unknown_class"), (["cat"], "invalid_label")),
        ),
        Example(
            "multilabel",
            truth=lambda i: TWO if i % 2 else ["cat"],
            near=lambda i: TWO[::-1] if i % 2 else ["cat"],
            wrong=lambda i: ["dog"],
            classes=TWO,
            bad=((["cat", "cat"], "repeated_class"), ("cat", "invalid_label")),
        ),
        Example(
            "bbox",
            truth=lambda i: [_box(10 + i, 20, 80, 60), _box(200, 100 + i, 50, 50, "dog")],
            near=lambda i: [_box(12 + i, 21, 79, 61), _box(201, 99 + i, 50, 52, "dog")],
            wrong=lambda i: [_box(300, 10 + i, 40, 40, "dog")],
            classes=TWO,
            rules={"min_width": 5, "max_aspect_ratio": 8, "max_count": 20},
            record=IMAGE,
            bad=(
                ([_box(390, 20, 80, 60)], "outside_record"),
                ([_box(10, 20, float("nan"), 60)], "invalid_box"),
                ([_box(10, 20, 4, 20)], "breaks_min_width"),
            ),
        ),
        Example(
            "polygon",
            truth=lambda i: _ring(20 + i, 30, 100),
            near=lambda i: _ring(23 + i, 31, 98),
            wrong=lambda i: _ring(250, 150 + i, 60),
            classes=TWO,
            rules={"min_area": 50},
            record=IMAGE,
            bad=(
                ([{"class": "cat", "points": [[0, 0], [50, 50], [50, 0], [0, 60]]}], "self_crossing"),
                ([{"class": "cat", "points": [[0, 0], [50, 50]]}], "invalid_points"),
            ),
        ),
        Example(
            "mask",
            truth=lambda i: _mask(20 + i, 30, 100),
            near=lambda i: _mask(23 + i, 31, 98),
            wrong=lambda i: _mask(250, 150 + i, 60),
            classes=TWO,
            rules={"min_area": 50},
            record=IMAGE,
            bad=(
                ([{"class": "cat", "size": [300, 400], "counts": [1, 2]}], "runs_do_not_fit"),
                ([{"class": "cat", "size": [400, 300], "counts": [120_000]}], "wrong_size"),
                ([{"class": "cat", "size": [300, 400], "counts": [120_000]}], "empty_mask"),
                ([{"class": "cat", "size": [300, 400], "counts": [-1, 120_001]}], "invalid_rle"),
                ([{"class": "cat", "size": [300, 400], "counts": "`"}], "invalid_rle"),
                ([{"class": "cat", "size": [300, 400.0], "counts": [120_000]}], "invalid_size"),
                ([{"class": "cat", "size": [300, 400], "counts": [5, 4, 119_991]}], "breaks_min_area"),
            ),
        ),
        Example(
            "spans",
            truth=lambda i: [{"class": "cat", "start": 0, "end": 7}, {"class": "dog", "start": 20 + i, "end": 30 + i}],
            near=lambda i: [{"class": "dog", "start": 20 + i, "end": 30 + i}, {"class": "cat", "start": 0, "end": 8}],
            wrong=lambda i: [{"class": "dog", "start": 10, "end": 18}],
            classes=TWO,
            record={"text": WORDS},
            bad=(
                ([{"class": "cat", "start": 60, "end": 99}], "outside_record"),
                ([{"class": "cat", "start": 5, "end": 5}], "invalid_offsets"),
            ),
        ),
        Example(
            "transcription",
            truth=_text,
            near=lambda i: _text(i).replace("spoken", "spokn"),
            wrong=lambda i: f"something else was heard in number {i} altogether, alas",
            rules={"max_length": 200},
            bad=((" ", "empty_text"), ("x" * 201, "wrong_length")),
        ),
        Example(
            "ranking",
            truth=lambda i: ["a", "b", "c", "d"],
            near=lambda i: ["a", "c", "b", "d"] if i % 4 == 0 else ["a", "b", "c", "d"],
            wrong=lambda i: ["d", "c", "b", "a"],
            record={"items": ["d", "a", "c", "b"]},
            bad=((["a", "b", "c"], "not_a_permutation"), (["a", "a", "b", "c"], "not_a_permutation")),
        ),
        Example(
            "keypoints",
            truth=lambda i: {"nose": [100 + i, 50], "tail": [200, 80], "ear": None},
            near=lambda i: {"nose": [103 + i, 52], "tail": [196, 81], "ear": None},
            wrong=lambda i: {"nose": [300, 250], "tail": None, "ear": [10, 10 + i]},
            rules={"points": ["nose", "ear", "tail"], "skeleton": [["nose", "ear"]], "tolerance": 12.0},
            record=IMAGE,
            bad=(({"nose": [1, 2]}, "wrong_points"), ({"nose": [900, 2], "ear": None, "tail": None}, "outside_record")),
        ),
        Example(
            "cuboid",
            truth=lambda i: _cuboid(8.0 + i, 4.2),
            near=lambda i: _cuboid(8.1 + i, 4.1),
            wrong=lambda i: _cuboid(40.0 + i, 4.0),
            classes=TWO,
            rules={"max_size": 20},
            bad=(
                ([{"class": "cat", "center": [1, 2, 3], "size": [1, 0, 1]}], "empty_cuboid"),
                ([{"class": "cat", "center": [1, 2, 3], "size": [1, 30, 1]}], "breaks_max_size"),
            ),
        ),
    )
}


def moved(label: Any, by: float = 0.05) -> Any:
    """Return a label as another hand would draw it: every coordinate off by a little, all else as it is."""
    if isinstance(label, dict) and "counts" in label:  # one pixel more
        background, painted, *rest = label["counts"]
        return label | {"counts": [background - 1, painted + 1, *rest]}
    if isinstance(label, dict):
        return {name: moved(part, by) if name not in {"start", "end"} else part for name, part in label.items()}
    if isinstance(label, list):
        return [moved(part, by) for part in label]
    return label + by if isinstance(label, int | float) else label


def number_of(key: str) -> int:
    """Return the number of a record or gold record."""
    return int(key.rsplit("-", 1)[1])


def seller(task_type: str, price_micro: int = 50_000) -> Seller:
    """Return a vendor in the market that is qualified for a task type."""
    one = market.applicant(price_micro)
    actor = one.actor
    capability = onboarding.declare_capability(actor=actor, **(market.KIND | {"task_type": task_type}))
    onboarding.list_price(actor=actor, capability_id=capability.pk, price_micro=price_micro, currency="USD")
    onboarding.submit(actor=actor)
    onboarding.review(actor=market.staff(), vendor_id=one.vendor_id, decision="approve", reason="ok")
    Capability.objects.filter(pk=capability.pk).update(status="active")
    type(one.vendor).objects.filter(pk=one.vendor_id).update(state="active")
    return Seller(actor, one.vendor_id, capability.pk)


def job(actor: Actor, example: Example, n_records: int = 6, n_gold: int = 6, **terms: object) -> Job:
    """Post a job of a task type."""
    schema = jobs.create_schema(
        actor=actor,
        name=f"schema {next(_numbers)}",
        task_type=example.task_type,
        classes=example.classes,
        rules=example.rules,
    )
    stated = {
        "title": "Work",
        "instructions": "Do it.",
        "modality": "image",
        "budget_micro": 10**9,
        "weights": Weights.of("cost"),
        "batch_size": 6,
        "gold_ratio": 0.34,
        "round_pause_s": 0.0,
    }
    return jobs.create(
        actor=actor,
        label_schema_id=schema.pk,
        terms=JobTerms(**(stated | terms)),
        gold=[GoldInput(f"gold-{i}", example.truth(i), "", example.record) for i in range(n_gold)],
        records=[RecordInput(f"record-{i}", "", example.record) for i in range(n_records)],
    )


def work(one: Seller, say: Callable[[int], Any]) -> Assignment:
    """Accept the vendor's live offer and answer every record with what ``say`` makes of its number."""
    offer = market.live_offer(one)
    assert offer is not None
    assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
    items = assignment.items.filter(is_done=False).select_related("record", "gold").order_by("position")
    answers = [Answer(item.pk, say(number_of(content_of(item).key))) for item in items]
    annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)
    assignment.refresh_from_db()
    return assignment

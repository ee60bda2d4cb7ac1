"""Where a job's guideline is unclear: classes its good annotators confuse, with examples, version by version."""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from common.actors import Actor
from marketplace.core import kinds
from marketplace.core.confusions import Pair, change_p_value, confused_pairs, is_good
from marketplace.core.states import RecordState
from marketplace.models import Annotation
from marketplace.selectors import jobs

MAX_EXAMPLES: Final = 5
CANNOT: Final = "cannot be labeled"


@dataclass(frozen=True, slots=True)
class Example:
    """A record on which good annotators disagree, with how often each class was given."""

    key: str
    uri: str
    answers: dict[str, int]


@dataclass(frozen=True, slots=True)
class VersionShare:
    """How often a pair was confused under a version of the instructions, of the answers on its records."""

    version: int
    n_confused: int
    n_answers: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Two classes that good annotators confuse; ``change_p_value`` compares the newest two versions, None with one."""

    first: str
    second: str
    observed: int
    expected: float
    p_value: float
    examples: list[Example]
    versions: list[VersionShare]
    change_p_value: float | None


class _Row(NamedTuple):
    who: int
    record: uuid.UUID
    key: str
    uri: str
    truth: int
    given: int
    version: int


def of_job(actor: Actor, job_id: uuid.UUID) -> list[Cluster]:
    """Return the confused pairs of a classification job, most surprising first; other task types have none.

    Two queries, whatever the number of answers.
    """
    job = jobs.get(actor, job_id)
    if job.label_schema.task_type != kinds.CLASSIFICATION:
        return []
    names = [*job.label_schema.classes, CANNOT]
    rows = _rows(job_id, len(names) - 1)
    if not rows:
        return []
    who, truth, given = (np.array([getattr(row, name) for row in rows]) for name in ("who", "truth", "given"))
    heard = is_good(truth, given, who)
    good = [row for row, is_heard in zip(rows, heard, strict=True) if is_heard]
    return [_cluster(pair, good, names) for pair in confused_pairs(truth, given, who, len(names))]


def _rows(job_id: uuid.UUID, cannot: int) -> list[_Row]:
    found = Annotation.objects.filter(
        job=job_id, is_current=True, record__state__in=[RecordState.LABELED, RecordState.UNLABELABLE]
    ).order_by("pk")
    columns = found.values_list(
        "vendor_id",
        "annotator",
        "record_id",
        "record__key",
        "record__uri",
        "record__label",
        "label",
        "instruction__version",
    )
    people: dict[tuple[uuid.UUID, str], int] = {}
    return [
        _Row(
            people.setdefault((vendor, name), len(people)),
            record,
            key,
            uri,
            cannot if label is None else label,
            cannot if said < 0 else said,
            version,
        )
        for vendor, name, record, key, uri, label, said, version in columns
    ]


def _cluster(pair: Pair, rows: list[_Row], names: list[str]) -> Cluster:
    either = {pair.first, pair.second}
    about = [row for row in rows if row.truth in either]
    exposed, confused = (
        Counter(row.version for row in about),
        Counter(row.version for row in about if row.given != row.truth and row.given in either),
    )
    versions = [VersionShare(version, confused[version], exposed[version]) for version in sorted(exposed)]
    change = None
    if len(versions) > 1:
        before, after = versions[-2:]
        change = change_p_value(before.n_confused, before.n_answers, after.n_confused, after.n_answers)
    examples = _examples(about, either, names)
    first, second = names[pair.first], names[pair.second]
    return Cluster(first, second, pair.observed, pair.expected, pair.p_value, examples, versions, change)


def _examples(rows: list[_Row], either: set[int], names: list[str]) -> list[Example]:
    """Return the records with the most answers against the decided label within the pair, the first of equals."""
    said: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    split: Counter[uuid.UUID] = Counter()
    facts = {row.record: row for row in rows}
    for row in rows:
        said[row.record][names[row.given]] += 1
        split[row.record] += row.given != row.truth and row.given in either
    top = [(record, n) for record, n in split.most_common(MAX_EXAMPLES) if n]
    return [Example(facts[record].key, facts[record].uri, dict(said[record])) for record, _ in top]

"""What the tables say after a race, held against what every process was told."""

from collections import Counter
from typing import Any

from django.db import connection

from benchmarks.races import invariants
from benchmarks.races.story import Story


def findings(story: Story, *, is_strict: bool = True) -> list[str]:
    """Return what is wrong: violated invariants, promises to a vendor that are not kept, processes that failed."""
    return [
        *(str(one) for one in invariants.violations(is_strict=is_strict)),
        *_lost(story),
        *(f"a process ended with {error}" for error in story.errors),
    ]


def _lost(story: Story) -> list[str]:
    """Whoever was told that it has the work, has it; told twice, it is the same work."""
    twice = [
        f"offer {offer} was told {len(work)} assignments" for offer, work in story.assignments.items() if len(work) > 1
    ]
    kept = {offer: work for offer, work in _rows("SELECT offer_id, id FROM marketplace_assignment")}  # noqa: C416
    lost = [
        f"offer {offer} was told assignment {work}, the tables have {kept.get(offer)}"
        for offer, told in story.assignments.items()
        for work in told
        if kept.get(offer) != work
    ]
    declined = {row[0] for row in _rows("SELECT id FROM marketplace_offer WHERE state = 'declined'")}
    return [*twice, *lost, *(f"offer {offer} was told declined" for offer in story.declined - declined)]


def decisions() -> Counter[str]:
    """Return how many offers were decided, by how."""
    return Counter(dict(_rows("SELECT state, count(*) FROM marketplace_offer WHERE state <> 'live' GROUP BY state")))


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())

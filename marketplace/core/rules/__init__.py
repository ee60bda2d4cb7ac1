"""Rules as data: what is collected of an annotator or vendor, when it is too much, and what follows."""

from marketplace.core.rules.definition import (
    ACTIONS,
    COLLECTORS,
    COMPARATORS,
    SUBJECTS,
    Action,
    Collector,
    Finding,
    Rule,
    check,
)
from marketplace.core.rules.replay import Earlier, History, Hit, hits, join

__all__ = [
    "ACTIONS",
    "COLLECTORS",
    "COMPARATORS",
    "SUBJECTS",
    "Action",
    "Collector",
    "Earlier",
    "Finding",
    "History",
    "Hit",
    "Rule",
    "check",
    "hits",
    "join",
]

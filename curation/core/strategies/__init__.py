"""Query strategies by name, each in a module of its own behind one contract; importing this registers them all."""

from curation.core.strategies import (
    badge,
    balanced,
    clustered,
    committees,
    covering,
    density,
    drawing,
    herds,
    model_change,
    uncertain,
    wishes,
)
from curation.core.strategies.registry import Scored, Strategy, get, names

__all__ = [
    "Scored",
    "Strategy",
    "badge",
    "balanced",
    "clustered",
    "committees",
    "covering",
    "density",
    "drawing",
    "get",
    "herds",
    "model_change",
    "names",
    "uncertain",
    "wishes",
]

"""What a task type means beyond its checks: how alike two answers are, and what several of them say together.

A task type is one class here and one in :mod:`marketplace.core.checks`; a contract test refuses one without the other.
"""

from marketplace.core.kinds import choices, shapes, solids, texts  # importing a module registers its kinds
from marketplace.core.kinds.base import CLASSIFICATION, Kind, canonical, get, names

__all__ = ["CLASSIFICATION", "Kind", "canonical", "choices", "get", "names", "shapes", "solids", "texts"]

"""What the customer's own choices brought beside the machine's, told from an experiment's picks and answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import overrides
from curation.core.arrays import IntArray
from curation.core.overrides import Comparison, Yield
from curation.core.reasons import CONTROL, MANUAL
from curation.models import Experiment, Observation, Pick

MACHINE: Final = "machine"
CHOOSERS: Final = (MACHINE, MANUAL, CONTROL)
"""Who chose a record: the model by any strategy, a person by key, chance."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What became of the records of one chooser: ``keys`` came back, usable or not; ``classes`` counts the labels."""

    by: str
    n_picked: int
    n_vetoed: int
    keys: tuple[str, ...]
    classes: tuple[int, ...]
    label_yield: Yield | None

    @property
    def n_usable(self) -> int:
        """How many came back with a class."""
        return sum(self.classes)

    @property
    def is_by_hand(self) -> bool:
        """Whether people chose."""
        return self.by == MANUAL


@dataclass(frozen=True, slots=True)
class Report:
    """An experiment's choosers, people and chance against the machine, and the vetoes by reason."""

    chosen: tuple[Chosen, ...]
    manual: Comparison | None
    control: Comparison | None
    vetoes: dict[str, int]


def tell(experiment: Experiment) -> Report:
    """Return the report so far; two queries for the picks and answers of all rounds.

    A vetoed record was not sent and counts nowhere but among the vetoes. One that is still out counts as picked.
    """
    picks = list(
        Pick.objects.filter(experiment=experiment)
        .only("row", "key", "arm", "vetoed_at", "veto_reason")
        .order_by("round__number", "rank")
    )
    seen = Observation.objects.filter(experiment=experiment, confidence__gt=0).values_list("row", "label")
    label_of = dict(seen)
    n_classes = len(experiment.classes)
    machine, manual, control = (_chosen(by, picks, label_of, n_classes) for by in CHOOSERS)
    return Report(
        (machine, manual, control),
        _compare(manual, machine, experiment.seed),
        _compare(control, machine, experiment.seed),
        dict(Counter(pick.veto_reason for pick in picks if pick.vetoed_at is not None)),
    )


def chooser_of(arm: str) -> str:
    """Return who chose the picks of an arm."""
    return arm if arm in {MANUAL, CONTROL} else MACHINE


def _chosen(by: str, picks: Sequence[Pick], label_of: dict[int, int | None], n_classes: int) -> Chosen:
    mine = [pick for pick in picks if chooser_of(pick.arm) == by]
    back = [pick for pick in mine if pick.vetoed_at is None and pick.row in label_of]
    labels = [label for pick in back if (label := label_of[pick.row]) is not None]
    classes = np.bincount(np.array(labels, dtype=np.int64), minlength=n_classes)  # (k,)
    return Chosen(
        by,
        len(mine),
        sum(pick.vetoed_at is not None for pick in mine),
        tuple(pick.key for pick in back),
        tuple(classes.tolist()),
        overrides.label_yield(len(labels), len(back)),
    )


def _compare(one: Chosen, other: Chosen, seed: int) -> Comparison | None:
    counts: list[IntArray] = [np.array(chosen.classes, dtype=np.int64) for chosen in (one, other)]
    return overrides.compare(
        counts[0], len(one.keys), counts[1], len(other.keys), rng=np.random.default_rng([seed, len(one.keys)])
    )

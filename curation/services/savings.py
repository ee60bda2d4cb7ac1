"""The savings receipt of an experiment, from its control picks and what came back."""

from collections import defaultdict
from typing import Any

import numpy as np

from curation.core.reasons import CONTROL
from curation.core.receipt import ControlRound, receipt
from curation.models import Experiment, Observation, Pick


def told(experiment: Experiment) -> dict[str, Any] | None:
    """Return the receipt so far as plain figures and words; None before anything came back.

    A record counts as usable when a class came back. Picks still waiting for an answer and vetoed ones, which were not
    bought, are left out, in the batch as among the control picks.
    """
    rows = Observation.objects.filter(experiment=experiment, confidence__gt=0).values_list("row", "label")
    usable = {row: label is not None for row, label in rows}
    picks = Pick.objects.filter(experiment=experiment, row__in=usable, vetoed_at=None)
    rows_of = picks.order_by("round__number", "rank").values_list("round__number", "row", "arm")
    by_round: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, row, arm in rows_of:
        by_round[number].append((row, arm))
    if not by_round:
        return None
    rounds, n_before, n_known = [], 0, 0
    for _, found in sorted(by_round.items()):
        control = [row for row, arm in found if arm == CONTROL]
        n_usable = sum(usable[row] for row, _ in found)
        rounds.append(
            ControlRound(
                n_open=experiment.dataset.n_records - n_before,
                n_known_usable=n_known,
                n_control=len(control),
                n_control_usable=sum(usable[row] for row in control),
                n_bought=len(found),
                n_usable=n_usable,
            )
        )
        n_before, n_known = n_before + len(found), n_known + n_usable
    done = receipt(rounds, n_pool=experiment.dataset.n_records)
    figures = {"saved": done.saved, "saved_low": done.saved_low, "saved_high": done.saved_high, "ratio": done.ratio}
    shown = {name: round(value, 3) if done.is_shown and np.isfinite(value) else None for name, value in figures.items()}
    return {"is_shown": done.is_shown, "words": done.words, **shown}

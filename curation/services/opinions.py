"""Further opinions on an experiment's records: which are worth their price, beside new records."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from curation.core import opinions
from curation.models import Experiment
from curation.services import compute, problems, storage


@dataclass(frozen=True, slots=True)
class Again:
    """A record asked before that gets another opinion, and the annotator whose answer tells most per price."""

    key: str
    annotator: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A round: how many new records, and which old ones get another opinion."""

    n_new: int
    again: tuple[Again, ...] = ()


def plan(
    *, experiment_id: uuid.UUID, n_records: int, overlap: int, prices: Mapping[str, float], open_keys: Collection[str]
) -> Plan:
    """Return how to spend what a round of ``n_records`` new records would cost.

    Parameters
    ----------
    overlap
        Answers that a new record is bought with, >= 1.
    prices
        What an answer costs, by annotator, > 0: those who can be asked now.
    open_keys
        Records that may be asked about again.
    """
    experiment = Experiment.objects.select_related("dataset").get(pk=experiment_id)
    if not experiment.dataset.n_features or not prices:
        return Plan(n_records)
    names = problems.annotators_of(experiment, prices)
    asked = problems.asked_of(experiment)
    problem, rows = problems.training_problem_of(experiment, asked)
    compute.read(len(rows))
    problem = replace(problem, said=problems.said_of(experiment, asked, prices))
    keys = storage.load_table(experiment.dataset.storage_url).keys
    key_of = [keys[row] for row in rows[problem.asked.rows]]
    found = opinions.plan(
        problem,
        prices=np.array([prices.get(name, np.inf) for name in names]),
        is_open=np.array([key in open_keys for key in key_of], dtype=np.bool_),
        may_answer=np.array([name in prices for name in names], dtype=np.bool_),
        overlap=overlap,
        n_records=n_records,
    )
    chosen = zip(found.places, found.vendors, strict=True)
    return Plan(found.n_new, tuple(Again(key_of[place], names[vendor]) for place, vendor in chosen))

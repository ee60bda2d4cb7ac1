"""Which records a round asks for: chosen from a pool of any size, by the engine, a strategy, or the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from common.errors import ValidationFailedError
from curation.core import large, reasons, selection, subpool
from curation.core.problem import Problem
from curation.core.reasons import Pick
from curation.errors import sentence
from curation.models import Experiment
from curation.models.experiments import ExperimentKind
from curation.services import compute, designs, problems, sharded
from curation.services.outputs import Outputs, with_embeddings, with_outputs


def choose(experiment: Experiment, number: int, keys: Sequence[str], outputs: Outputs) -> list[Pick]:
    """Return the picks of a round: the engine's, a strategy's, or the customer's own keys.

    Raises
    ------
    ValidationFailedError
        When keys or outputs do not fit the experiment or the dataset.
    """
    asked = problems.asked_of(experiment)
    task = problems.large_task_of(experiment, asked)
    if task is not None and not keys and not outputs and experiment.kind != ExperimentKind.MANUAL:
        return _from_sketch(experiment, number, task)
    row_of = problems.rows_of(experiment, [*keys, *(key for given in outputs.by_name.values() for key in given)])
    was_asked = set(asked.rows.tolist())
    for name, given in {"keys": keys, **outputs.by_name}.items():
        for at, key in enumerate(given):
            if key not in row_of:
                raise ValidationFailedError.of(f"{name}[{at}]", "unknown_key", f"{key[:60]!r} is not in the dataset.")
            if name == "keys" and row_of[key] in was_asked:
                raise ValidationFailedError.of(f"keys[{at}]", "asked_before", f"{key[:60]!r} was asked before.")
    if task is None:
        problem, control = problems.problem_of(experiment, asked), None
    else:
        part = subpool.part(task, np.array(list(row_of.values()), dtype=np.int64))
        row_of = {key: int(np.searchsorted(part.rows, row)) for key, row in row_of.items()}
        problem, control = part.problem, part.control
    if outputs.embeddings:
        picks = _among_embedded(experiment, problem, outputs, row_of, control)
    else:
        within = None
        if outputs:
            problem, within = with_outputs(problem, outputs, row_of)
        rows = [row_of[key] for key in keys] if keys else None
        picks = designs.choose(
            experiment, problem, rows, within, control, told_of=outputs.name if outputs else "wishes"
        )
    compute.read(len(problem.X) if task is None else sum(task.pool.reads))
    return picks if task is None else part.back(picks)


def _among_embedded(
    experiment: Experiment,
    problem: Problem,
    outputs: Outputs,
    row_of: Mapping[str, int],
    control: selection.Control | None,
) -> list[Pick]:
    """Choose among the records that have embeddings in this round; control picks come from all records all the same."""
    free = ~np.isin(np.arange(len(problem.X)), problem.asked.rows)
    experiment.batch_size = min(experiment.batch_size, int(free.sum()))
    if control is None:
        rng = np.random.default_rng([experiment.seed, len(problem.asked.rows)])
        control = selection.draw_control(free, round(experiment.batch_size * experiment.control_ratio), rng)
    controls, propensity = control
    own, rows = with_embeddings(problem, outputs, row_of)
    is_wanted = ~np.isin(rows, controls)
    if outputs.proba or outputs.utility:
        place_of = {key: int(np.searchsorted(rows, row)) for key, row in row_of.items()}
        own, spoken_of = with_outputs(own, replace(outputs, embeddings={}), place_of)
        is_wanted &= spoken_of
    experiment.batch_size -= len(controls)
    n_left = int((is_wanted & free[rows]).sum())
    if n_left < experiment.batch_size:
        detail = f"{n_left} of these records were not asked yet, the batch takes {experiment.batch_size}; name more."
        raise ValidationFailedError.of(outputs.name, "too_few", detail)
    nothing = (np.empty(0, np.int64), 0.0)
    picks = designs.choose(experiment, own, None, is_wanted, nothing, told_of=outputs.name)
    picks = [replace(pick, row=int(rows[pick.row])) for pick in picks]
    return picks + [reasons.explain(problem, int(row), reasons.CONTROL, propensity, 0.0) for row in controls]


def _from_sketch(experiment: Experiment, number: int, task: subpool.Task) -> list[Pick]:
    try:
        return large.select(
            task, sharded.drawing(experiment.dataset.storage_url, task.pool, str(experiment.pk), number)
        )
    except ValueError as error:
        raise ValidationFailedError.of("wishes", "impossible", sentence(error)) from error
    finally:
        compute.read(sum(task.pool.reads))

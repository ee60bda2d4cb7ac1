"""What an experiment's model is worth after a round."""

from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from curation.core import crowd, evaluation, heads, stopping, uncovered
from curation.core.arrays import Asked
from curation.core.problem import Problem, Said
from curation.core.strategies import drawing
from curation.models import Experiment, Pick
from curation.services import compute, confusions, problems, savings

_COMPARED: Final = 5000
"""Records on which successive models are compared, at most."""


def measure(experiment: Experiment) -> dict[str, Any]:
    """Train on all labels so far; return counts, what choosing saved, and accuracy where there is a test set."""
    asked = problems.asked_of(experiment)
    problem, pool_rows = problems.training_problem_of(experiment, asked)
    compute.read(len(pool_rows))
    vetoed = Pick.objects.filter(experiment=experiment, vetoed_at__isnull=False).values_list("row", flat=True)
    is_sent = ~np.isin(asked.rows, list(vetoed))
    metrics: dict[str, Any] = {
        "n_asked": int(is_sent.sum()),
        "n_labeled": int(asked.is_labeled.sum()),
        "n_unlabelable": int((is_sent & (asked.labels < 0) & (asked.weights > 0)).sum()),
        "accuracy": None,
        "savings": savings.told(experiment),
        "doubted": problems.doubted(experiment.dataset, problem, pool_rows),
        "uncovered": [{"class": experiment.classes[one.label], "words": one.words} for one in uncovered.find(problem)],
        "confusion": confusions.told(experiment.dataset, problem, pool_rows),
        "kappa": _kappa(experiment, problem),
    }
    if problem.turns:
        metrics["turn"] = _turn(problem)
    test = problems.test_set_of(experiment.dataset)
    if test is not None and experiment.dataset.n_features:
        compute.read(len(test[1]))
        model, head = heads.fit_best(*problem.training_set, problem.n_classes)
        measured = evaluation.accuracy(model.proba(problem.scale(test[0])), test[1])
        metrics |= {
            "proxy": head.value,
            "accuracy": measured.accuracy,
            "accuracy_low": measured.low,
            "accuracy_high": measured.high,
            "accuracy_by_class": measured.by_class,
        }
    return metrics


def _turn(problem: Problem) -> dict[str, float] | None:
    """Return what the arm drawn for this round brought; None where none was drawn, or no answer came back."""
    judged = drawing.judged(problem)
    is_judged = bool(judged) and np.array_equal(judged[-1].rows, problem.turns[-1].rows)
    brought = judged[-1].reward if is_judged else None
    return None if brought is None else asdict(brought)


def _kappa(experiment: Experiment, problem: Problem) -> float | None:
    """Return how far this round's model agrees with one that knows no label of this round's picks; None in round 1.

    On records nobody was asked about, at most 5,000 of them.
    """
    newest = Pick.objects.filter(experiment=experiment).order_by("-round__number").values("round")[:1]
    n_before = Pick.objects.filter(experiment=experiment).exclude(round__in=newest).count()
    free = np.setdiff1d(np.arange(len(problem.X)), problem.asked.rows)
    if not n_before or not len(free):
        return None
    free = free[:: -(-len(free) // _COMPARED)]
    asked, said = problem.asked, problem.said
    earlier = Asked(asked.rows[:n_before], asked.labels[:n_before], asked.weights[:n_before])
    if said is not None:
        known = said.answers.record < n_before
        answers = crowd.Answers(said.answers.record[known], said.answers.vendor[known], said.answers.label[known])
        said = Said(answers, said.gold)
    models = (replace(problem, asked=earlier, said=said, turns=()).model, problem.model)
    before, now = (model.proba(problem.scaled[free]).argmax(axis=1) for model in models)
    return stopping.kappa(before, now, problem.n_classes)

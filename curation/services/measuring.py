"""What an experiment's model is worth after a round."""

import time
from typing import Any

from curation.core import evaluation, uncovered
from curation.models import Experiment
from curation.services import confusions, problems, savings


def measure(experiment: Experiment) -> dict[str, Any]:
    """Train on all labels so far; return counts, what choosing saved, and accuracy where there is a test set."""
    started = time.process_time()
    asked = problems.asked_of(experiment)
    problem, pool_rows = problems.training_problem_of(experiment, asked)
    metrics: dict[str, Any] = {
        "n_asked": len(asked.rows),
        "n_labeled": int(asked.is_labeled.sum()),
        "n_unlabelable": int(((asked.labels < 0) & (asked.weights > 0)).sum()),
        "accuracy": None,
        "savings": savings.told(experiment),
        "doubted": problems.doubted(experiment.dataset, problem, pool_rows),
        "uncovered": [{"class": experiment.classes[one.label], "words": one.words} for one in uncovered.find(problem)],
        "confusion": confusions.told(experiment.dataset, problem, pool_rows),
    }
    test = problems.test_set_of(experiment.dataset)
    if test is not None and experiment.dataset.n_features:
        measured = evaluation.accuracy(problem.model.proba(problem.scale(test[0])), test[1])
        metrics |= {
            "accuracy": measured.accuracy,
            "accuracy_low": measured.low,
            "accuracy_high": measured.high,
            "accuracy_by_class": measured.by_class,
        }
    return metrics | {"cpu_s": round(time.process_time() - started, 3)}

"""Runs one method of crowd-kit on one file; executed by the interpreter of the peers' own environment, not by ours.

``python peer_runner.py ANSWERS.csv METHOD OUT.json`` reads task,worker,label (whole numbers) and writes labels, class
probabilities where the method has them, skills, CPU seconds and extra memory.
"""

import inspect
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pandas
from crowdkit import aggregation

METHODS = {
    "majority": "MajorityVote",
    "wawa": "Wawa",
    "dawid_skene": "DawidSkene",
    "one_coin": "OneCoinDawidSkene",
    "glad": "GLAD",
    "mace": "MACE",
    "zero_based_skill": "ZeroBasedSkill",
}
SETTINGS: dict[str, dict[str, int]] = {"dawid_skene": {"n_iter": 100}, "mace": {"random_state": 0}}


def mean_diagonal(errors: Any) -> float:
    """Return the mean chance of naming the true class."""
    return float(sum(errors.loc[label, label] for label in errors.index) / len(errors))


def skills(model: Any, workers: Any) -> dict[str, float]:
    """Return the annotators' skills by whatever name the method keeps them; the mean diagonal of error matrices."""
    for name in ("skills_", "alphas_"):
        found = getattr(model, name, None)
        if found is not None:
            return {str(key): float(value) for key, value in found.items()}
    if getattr(model, "spamming_", None) is not None:
        return {str(person): float(row[1]) for person, row in zip(workers, model.spamming_, strict=True)}
    if getattr(model, "errors_", None) is not None:
        return {str(person): mean_diagonal(part.droplevel(0)) for person, part in model.errors_.groupby(level=0)}
    return {}


def main() -> None:
    """Run and write."""
    source, method, target = sys.argv[1:]
    frame = pandas.read_csv(source)
    model = getattr(aggregation, METHODS[method])(**SETTINGS.get(method, {}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    if "fit_predict_proba" in dict(inspect.getmembers(model)):
        proba = model.fit_predict_proba(frame)
        labels = proba.idxmax(axis=1)
    else:
        proba, labels = None, model.fit_predict(frame)
    found = {
        "cpu_s": time.process_time() - started,
        "extra_memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "tasks": [int(task) for task in labels.index],
        "labels": [int(label) for label in labels],
        "classes": None if proba is None else [int(label) for label in proba.columns],
        "proba": None if proba is None else proba.to_numpy().round(9).tolist(),
        "skills": skills(model, frame["worker"].unique()),
    }
    Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Time and memory on a million answers."""

import resource
import time

import numpy as np

from marketplace.core.aggregation import Answers, aggregate, incremental


def large(seed: int = 0) -> Answers:
    """Return 100,000 records x 10 answers of 2,000 annotators in 10 classes."""
    rng = np.random.default_rng(seed)
    n_tasks, per_task, n_annotators, n_classes = 100_000, 10, 2_000, 10
    truth = rng.integers(n_classes, size=n_tasks)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), per_task)
    annotator = (np.tile(np.arange(per_task), n_tasks) * 200 + rng.integers(200, size=len(task))) % n_annotators
    is_right = rng.random(len(task)) < rng.uniform(0.5, 0.9, n_annotators)[annotator]
    label = np.where(is_right, truth[task], rng.integers(n_classes, size=len(task)))
    return Answers(task, annotator.astype(np.int32), label.astype(np.int32), n_tasks, n_annotators, n_classes)


def measure() -> dict[str, float]:
    """Return CPU seconds to convergence, peak extra memory in MB, and CPU microseconds for one more answer."""
    answers = large()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    result = aggregate(answers)
    seconds = time.process_time() - started
    extra_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    state = incremental.start(result).add(0, 1)
    started = time.process_time()
    for annotator in range(500):
        state.add(annotator, 2).posterior()
    per_answer_us = (time.process_time() - started) / 500 * 1e6
    return {"million_answers_cpu_s": seconds, "extra_memory_mb": extra_mb, "one_answer_us": per_answer_us}

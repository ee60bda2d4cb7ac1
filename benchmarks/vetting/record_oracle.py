"""Record what crowd-kit says of small generated crowds, for ``tests/core/marketplace/vetting/test_named_methods.py``.

``python -m benchmarks.vetting.record_oracle PEER_PYTHON`` writes ``tests/core/marketplace/vetting/crowd_kit.json``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.vetting import peers
from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import Answers

TARGET = Path(__file__).parents[2] / "tests/core/marketplace/vetting/crowd_kit.json"
RECORDED = ("wawa", "dawid_skene", "one_coin", "glad", "mace")


def crowd(seed: int, n_classes: int) -> Crowd:
    """Return 60 records with seven answers of fifteen annotators, some of them biased."""
    rng = np.random.default_rng(seed)
    n_tasks, n_annotators, per_task = 60, 15, 7
    truth = rng.integers(n_classes, size=n_tasks)
    task = np.repeat(np.arange(n_tasks), per_task)
    annotator = np.concatenate([rng.permutation(n_annotators)[:per_task] for _ in range(n_tasks)])
    is_right = rng.random(len(task)) < rng.uniform(0.45, 0.95, n_annotators)[annotator]
    label = np.where(is_right, truth[task], rng.integers(n_classes, size=len(task)))
    return Crowd(f"{seed}-{n_classes}", Answers(task, annotator, label, n_tasks, n_annotators, n_classes), truth)


def main() -> None:
    """Run the peers and write."""
    record: list[dict[str, Any]] = []
    for seed, n_classes in ((0, 2), (1, 3), (2, 5)):
        chosen = crowd(seed, n_classes)
        answers = chosen.answers
        said = {name: peers.run(Path(sys.argv[1]), answers, name) for name in RECORDED}
        record.append(
            {
                "n_classes": n_classes,
                "answers": np.column_stack([answers.task, answers.annotator, answers.label]).tolist(),
                "methods": {
                    name: {
                        "proba": np.round(found.posterior, 3).tolist(),
                        "skill": {str(key): round(value, 4) for key, value in found.skill.items()},
                    }
                    for name, found in said.items()
                    if found is not None
                },
            }
        )
    TARGET.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

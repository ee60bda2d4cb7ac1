"""A folder with answers, as everybody's first file."""

import numpy as np
import pytest

from tests.core.marketplace.vetting.crowds import crowd
from tests.offline.files import write


@pytest.fixture
def market(tmp_path):
    """A folder with answers and gold of a generated crowd, and its truth."""
    answers, truth, _ = crowd(np.random.default_rng(0), n_tasks=120)
    rows = [
        (f"t{task}", f"w{person}", "abc"[label])
        for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True)
    ]
    write(tmp_path / "answers.csv", ("task", "annotator", "label"), rows)
    write(tmp_path / "gold.csv", ("task", "label"), [(f"t{task}", "abc"[truth[task]]) for task in range(20)])
    return tmp_path, ["abc"[label] for label in truth], rows

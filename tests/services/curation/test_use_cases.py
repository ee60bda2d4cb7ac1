"""One dataset, two uses: each experiment has scores of its own, and an empty highway is worth a label to one alone."""

import io

import numpy as np
import pytest

from curation.models import Pick
from curation.services import datasets, experiments, observations, problems
from curation.services.observations import ObservationInput
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
N = 300


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


def roads():
    """Half the scenes are empty highways whose lanes curve either way; towns have straight lanes and pedestrians."""
    rng = np.random.default_rng(7)
    is_highway = np.arange(N) % 2 == 0
    curve = np.where(is_highway, rng.normal(size=N), -2 + 0.2 * rng.normal(size=N))
    people = np.where(is_highway, -3 + 0.2 * rng.normal(size=N), rng.normal(size=N))
    X = np.column_stack([curve, people]) + 0.1 * rng.normal(size=(N, 2))
    return X.astype(np.float32), is_highway, {"lane": curve > 0, "pedestrian": people > 0}


def test_an_empty_highway_is_useful_for_the_lane_task_alone():
    X, is_highway, truth = roads()
    actor, buffer = market.customer(), io.BytesIO()
    np.savez(buffer, X=X, key=[f"scene-{i}" for i in range(N)])
    data = datasets.create(actor=actor, name="roads", modality="image", file_name="r.npz", data=buffer.getvalue())
    share, score = {}, {}
    for task, y in truth.items():
        terms = {"classes": ["no", "yes"], "batch_size": 20, "control_ratio": 0.0, "seed": 1}
        run = experiments.create(actor=actor, dataset_id=data.pk, name=task, **terms)
        for number in range(1, 5):
            picks = experiments.start_round(experiment_id=run.pk, number=number)
            labels = [ObservationInput(pick.key, int(y[pick.row])) for pick in picks]
            observations.record(experiment_id=run.pk, observations=labels)
            experiments.train_and_evaluate(experiment_id=run.pk, number=number)
        later = Pick.objects.filter(experiment=run, round__number__gt=1).values_list("row", flat=True)
        share[task] = is_highway[list(later)].mean()
        score[task] = problems.problem_of(run, problems.asked_of(run)).uncertainty[is_highway].mean()
    assert share["lane"] >= 0.7
    assert share["pedestrian"] <= 0.3
    assert score["lane"] >= 3 * score["pedestrian"]

"""A trusted anchor reaches the engine through an experiment, in pools of any size; what cannot steer is refused."""

import io

import numpy as np
import pytest

from common.errors import ValidationFailedError
from curation.core import large, pool
from curation.models import Experiment
from curation.services import datasets, experiments, observations, problems
from curation.services.observations import ObservationInput
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
N, N_FOREIGN, BATCH = 900, 200, 40


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


def take(actor, n_anchor=60):
    """Return a pool of three wanted kinds, its last rows foreign, with trusted records of the wanted ones."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 8)) * 3
    wanted, foreign = np.arange(N - N_FOREIGN) % 6, 6 + np.arange(N_FOREIGN) % 6
    X = centres[np.concatenate([wanted, foreign])] + rng.normal(size=(N, 8))
    given = {"anchor": centres[np.arange(n_anchor) % 6] + rng.normal(size=(n_anchor, 8))} if n_anchor else {}
    buffer = io.BytesIO()
    np.savez(buffer, X=X, key=[f"r{i}" for i in range(N)], classes=market.CLASSES, **given)
    return datasets.create(actor=actor, name="pool", modality="text", file_name="p.npz", data=buffer.getvalue())


@pytest.mark.parametrize("is_large", [False, True])
def test_a_trusted_anchor_steers_from_the_first_round_on(monkeypatch, is_large):
    if is_large:
        monkeypatch.setattr(large, "LARGE", 500)
        monkeypatch.setattr(pool.Pool.split.__func__, "__defaults__", (180,))
    actor = market.customer()
    of = {"actor": actor, "dataset_id": take(actor).pk, "batch_size": BATCH, "control_ratio": 0.0, "seed": 1}
    n_foreign = []
    for trusts in (False, True):
        made = experiments.create(**of, name=str(trusts), trusts_anchor=trusts)
        picks = experiments.start_round(experiment_id=made.pk, number=1)
        n_foreign.append(sum(pick.row >= N - N_FOREIGN for pick in picks))
        asked = problems.asked_of(made)
        task = problems.large_task_of(made, asked)
        assert (task is not None) == is_large
        told = [problems.problem_of(made, asked), problems.training_problem_of(made, asked)[0], task]
        assert {one.trusts_anchor for one in told if one is not None} == {trusts}
        assert told[0].is_steered == trusts
    assert n_foreign[0] >= 5
    assert n_foreign[1] < 0.7 * n_foreign[0]
    labels = [ObservationInput(pick.key, pick.row % 3) for pick in picks]
    observations.record(experiment_id=made.pk, observations=labels)
    experiments.train_and_evaluate(experiment_id=made.pk, number=1)
    later = experiments.start_round(experiment_id=made.pk, number=2)
    assert sum(pick.row >= N - N_FOREIGN for pick in later) < 0.7 * n_foreign[0]


@pytest.mark.parametrize(
    ("n_anchor", "design", "code"),
    [
        (0, {}, "no_anchor"),
        (19, {}, "no_anchor"),
        (60, {"strategy": "random"}, "wrong_for_type"),
        (60, {"kind": "manual"}, "wrong_for_type"),
    ],
)
def test_trust_in_what_cannot_steer_is_refused(n_anchor, design, code):
    actor = market.customer()
    dataset = take(actor, n_anchor)
    with pytest.raises(ValidationFailedError) as caught:
        experiments.create(actor=actor, dataset_id=dataset.pk, name="e", trusts_anchor=True, **design)
    assert [(one["field"], one["code"]) for one in caught.value.errors] == [("trusts_anchor", code)]
    assert not Experiment.objects.exists()

"""Large pools in experiments: shared out over workers or not, killed or not, in a folder or in S3: the same batch."""

import io
import threading

import fsspec
import numpy as np
import pytest
from django.db import connection
from sklearn.datasets import load_digits

from common.errors import ValidationFailedError
from common.models import Organization
from curation import tasks
from curation.core import large, pool
from curation.models import ComputeEntry
from curation.services import datasets, experiments, observations, sharded, storage
from curation.services.observations import ObservationInput
from curation.services.outputs import Outputs
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
N = 1200


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch):
    """Let a pool of a thousand rows be a large one of seven shards."""
    monkeypatch.setattr(large, "LARGE", 500)
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 180)
    monkeypatch.setattr(pool.Pool.split.__func__, "__defaults__", (180,))


def experiment(settings, url, name="e", **design):
    settings.DATASET_STORAGE_URL = url
    actor = market.actor_of(Organization.objects.create(name=name, kind="customer"))
    digits = load_digits()
    buffer = io.BytesIO()
    np.savez(
        buffer,
        X=digits.data[:N],
        key=np.array([f"digit-{i}" for i in range(N)]),
        X_test=digits.data[N:],
        y_test=digits.target[N:],
        classes=np.array([str(i) for i in range(10)]),
    )
    dataset = datasets.create(actor=actor, name=name, modality="image", file_name="d.npz", data=buffer.getvalue())
    return experiments.create(
        actor=actor, dataset_id=dataset.pk, name=name, batch_size=40, seed=5, **design
    ), digits.target


def rounds(made, truth, n=3):
    """Run rounds with true answers; return the rows of each batch."""
    batches = []
    for number in range(1, n + 1):
        picks = experiments.start_round(experiment_id=made.pk, number=number)
        batches.append([pick.row for pick in picks])
        labels = [ObservationInput(pick.key, int(truth[pick.row])) for pick in picks]
        observations.record(experiment_id=made.pk, observations=labels)
        metrics = experiments.train_and_evaluate(experiment_id=made.pk, number=number)
    return batches, metrics.accuracy


@pytest.fixture
def alone(settings, tmp_path):
    return rounds(*experiment(settings, f"file://{tmp_path}", "alone"))


def test_without_a_broker_one_process_draws_all_shards_and_learns(alone, tmp_path):
    batches, accuracy = alone
    assert [len(set(rows)) for rows in batches] == [40, 40, 40]
    assert len(set().union(*batches)) == 120
    assert accuracy > 0.75
    assert not list(tmp_path.glob("**/part-*.npz")), "parts are removed when the round is chosen"


def test_workers_that_help_change_nothing(alone, settings, tmp_path, monkeypatch):
    drawn_by = []

    def others(storage_url, folder, n_shards):
        def help_out():
            for shard in range(n_shards):
                tasks.draw_shard(storage_url, folder, shard)
                drawn_by.append(shard)
            connection.close()

        helpers = [threading.Thread(target=help_out) for _ in range(2)]
        [one.start() for one in helpers]
        [one.join() for one in helpers]

    monkeypatch.setattr(sharded, "_call_for_help", others)
    assert rounds(*experiment(settings, f"file://{tmp_path}", "helped")) == alone
    assert len(drawn_by) == 2 * 7 * 3


def test_a_round_killed_half_way_goes_on_with_the_parts_there_are(alone, settings, tmp_path, monkeypatch):
    made, _ = experiment(settings, f"file://{tmp_path}", "killed")
    real, seen = sharded.scoring.score_shard, []

    def dies(here, shard, *rest):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(shard)
        return real(here, shard, *rest)

    monkeypatch.setattr(sharded.scoring, "score_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        experiments.start_round(experiment_id=made.pk, number=1)
    again = []
    monkeypatch.setattr(sharded.scoring, "score_shard", lambda *args: again.append(args[1]) or real(*args))
    first = [pick.row for pick in experiments.start_round(experiment_id=made.pk, number=1)]
    assert sorted(seen + again) == list(range(7))
    assert first == alone[0][0]


def test_a_worker_that_comes_too_late_does_nothing(settings, tmp_path):
    made, _ = experiment(settings, f"file://{tmp_path}", "late")
    experiments.start_round(experiment_id=made.pk, number=1)
    tasks.draw_shard(made.dataset.storage_url, f"{made.dataset.storage_url}/rounds/gone", 0)
    assert not list(tmp_path.glob("**/part-*.npz"))


@pytest.mark.parametrize("is_object_store", [False, True])
def test_a_worker_still_drawing_when_the_round_is_chosen_leaves_nothing(
    settings, tmp_path, monkeypatch, bucket, is_object_store
):
    url = f"s3://{bucket}/slow" if is_object_store else f"file://{tmp_path}"
    made, _ = experiment(settings, url, "slow")
    real, begun, chosen, workers = sharded.sketch.draw, threading.Event(), threading.Event(), []

    def draw(*args):
        if threading.current_thread() in workers:
            begun.set()
            assert chosen.wait(60)
        return real(*args)

    def one_worker(storage_url, folder, n_shards):
        def help_out():
            tasks.draw_shard(storage_url, folder, 0)
            connection.close()

        workers.append(threading.Thread(target=help_out))
        workers[0].start()
        assert begun.wait(60)

    monkeypatch.setattr(sharded.sketch, "draw", draw)
    monkeypatch.setattr(sharded, "_call_for_help", one_worker)
    experiments.start_round(experiment_id=made.pk, number=1)
    chosen.set()
    workers[0].join()
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    assert not filesystem.glob(f"{path}/**/rounds/*")
    assert ComputeEntry.objects.filter(stage="shard", shard=0, is_end=True).count() == 2, "the work was done twice"


def test_a_folder_removed_at_the_last_moment_is_not_made_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        sharded._write_into(f"file://{tmp_path}/rounds/gone/part-0.npz", rows=np.arange(3))
    assert not list(tmp_path.iterdir())


def test_in_an_object_store_the_batches_are_the_same(alone, settings, bucket):
    made, truth = experiment(settings, f"s3://{bucket}/data", "stored")
    assert storage.load_array(made.dataset.storage_url, "features").shape[0] == N
    assert rounds(made, truth) == alone
    files = fsspec.filesystem("s3").find(f"{bucket}/data")
    assert any(name.endswith("features.npy") for name in files)
    assert not [name for name in files if "part-" in name]


def test_the_customers_probabilities_of_a_round_choose_among_the_records_they_speak_of(settings, tmp_path):
    made, truth = experiment(settings, f"file://{tmp_path}", "own", strategy="margin", control_ratio=0.1)
    rounds(made, truth, n=1)
    taken = set(made.picks.values_list("row", flat=True))
    spoken = [row for row in range(0, N, 6) if row not in taken]
    proba = {f"digit-{row}": [0.55, 0.45] + [0.0] * 8 if row % 4 == 0 else [1.0] + [0.0] * 9 for row in spoken}
    picks = experiments.start_round(experiment_id=made.pk, number=2, outputs=Outputs(proba=proba))
    chosen = [pick for pick in picks if pick.arm != "control"]
    assert len(picks) == len({pick.row for pick in picks}) == 40
    assert len(chosen) == 36
    assert all(pick.row % 12 == 0 for pick in chosen)
    assert not taken & {pick.row for pick in picks}
    assert set(made.picks.filter(arm="control", round__number=2).values_list("propensity", flat=True)) == {4 / (N - 40)}


def test_keys_chosen_by_hand_are_the_round_and_wrong_ones_are_named(settings, tmp_path):
    made, truth = experiment(settings, f"file://{tmp_path}", "hand", kind="manual")
    first = experiments.start_round(experiment_id=made.pk, number=1, keys=["digit-700", "digit-3"])
    assert [pick.row for pick in first] == [700, 3]
    observations.record(
        experiment_id=made.pk, observations=[ObservationInput(pick.key, int(truth[pick.row])) for pick in first]
    )
    experiments.train_and_evaluate(experiment_id=made.pk, number=1)
    with pytest.raises(ValidationFailedError) as caught:
        experiments.start_round(experiment_id=made.pk, number=2, keys=["digit-5", "digit-3"])
    assert (caught.value.errors[0]["field"], caught.value.errors[0]["code"]) == ("keys[1]", "asked_before")
    with pytest.raises(ValidationFailedError, match="'digit-x' is not in the dataset"):
        experiments.start_round(experiment_id=made.pk, number=2, keys=["digit-x"])


def test_wishes_over_metadata_reach_every_shard(settings, tmp_path):
    heavy = {"parts": [{"strategy": "weights", "input": "metadata:nope"}]}
    made, _ = experiment(settings, f"file://{tmp_path}", "wish", strategy="metadata_weighted")
    type(made).objects.update(config={"wishes": heavy})  # as one was stored before the dataset was looked at
    with pytest.raises(ValidationFailedError, match="metadata 'nope'; there are none"):
        experiments.start_round(experiment_id=made.pk, number=1)
    assert not made.rounds.exists()

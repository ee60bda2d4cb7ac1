"""Rounds of an experiment: the same picks however often asked, labels taken in whole or not at all."""

import io
import threading

import numpy as np
import pytest
from django.db import connection

from common.errors import ConflictError, NotFoundError, ValidationFailedError
from curation.core import stopping
from curation.core.arrays import Asked
from curation.errors import NoEmbeddingsError, RoundOrderError
from curation.models import Experiment, Observation, Pick, Round
from curation.selectors import experiments as selectors
from curation.services import datasets, experiments, observations, problems
from curation.services.observations import ObservationInput
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
N, BATCH = 60, 8


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


def take(actor):
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    X = (rng.normal(size=(3, 4)).astype(np.float32) * 4)[y] + rng.normal(size=(N, 4)).astype(np.float32)
    buffer = io.BytesIO()
    arrays = {"X": X, "key": [f"r{i}" for i in range(N)], "X_test": X, "y_test": y, "classes": market.CLASSES}
    np.savez(buffer, **arrays)
    return datasets.create(actor=actor, name="pool", modality="image", file_name="p.npz", data=buffer.getvalue())


def begin(actor, **more) -> Experiment:
    terms = {"name": "e", "batch_size": BATCH, "control_ratio": 0.25, "seed": 5} | more
    return experiments.create(actor=actor, dataset_id=take(actor).pk, **terms)


def answer(experiment: Experiment, picks, skip: int = 0) -> None:
    labels = [ObservationInput(p.key, p.row % 3, confidence=0.9) for p in picks[skip:]]
    observations.record(experiment_id=experiment.pk, observations=labels)


def test_a_round_says_how_far_its_model_agrees_with_the_one_before():
    experiment = begin(market.customer())
    for number in (1, 2):
        answer(experiment, experiments.start_round(experiment_id=experiment.pk, number=number))
        experiments.train_and_evaluate(experiment_id=experiment.pk, number=number)
    first, second = (row.metrics["kappa"] for row in Round.objects.order_by("number"))
    asked = problems.asked_of(experiment)
    free = np.setdiff1d(np.arange(N), asked.rows)
    alone = Asked(asked.rows[:BATCH], asked.labels[:BATCH], asked.weights[:BATCH])
    before, now = (problems.problem_of(experiment, one) for one in (alone, asked))
    told = [one.model.proba(one.scaled[free]).argmax(axis=1) for one in (before, now)]
    assert first is None
    assert second == pytest.approx(stopping.kappa(*told, 3))
    assert -1 <= second <= 1


def test_a_round_asked_twice_gives_the_same_picks_once():
    experiment = begin(market.customer())
    first = experiments.start_round(experiment_id=experiment.pk, number=1)
    assert experiments.start_round(experiment_id=experiment.pk, number=1) == first
    assert len(first) == Pick.objects.count() == BATCH
    stored = Pick.objects.filter(arm="control")
    assert [pick.propensity for pick in stored] == pytest.approx([2 / N] * 2)
    assert all(pick.words and pick.parts["nearest_asked"] is None for pick in Pick.objects.all())


def test_a_round_started_by_several_at_once_exists_once():
    experiment = begin(market.customer())
    barrier, results = threading.Barrier(4), []

    def start() -> None:
        try:
            barrier.wait()
            results.append(experiments.start_round(experiment_id=experiment.pk, number=1))
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert (Round.objects.count(), Pick.objects.count()) == (1, BATCH)


def test_rounds_follow_each_other_and_never_repeat_a_record():
    experiment = begin(market.customer())
    seen: set[int] = set()
    for number in range(1, 4):
        with pytest.raises(RoundOrderError):
            experiments.start_round(experiment_id=experiment.pk, number=number + 1)
        picks = experiments.start_round(experiment_id=experiment.pk, number=number)
        assert not seen & {pick.row for pick in picks}
        seen |= {pick.row for pick in picks}
        answer(experiment, picks)
        metrics = experiments.train_and_evaluate(experiment_id=experiment.pk, number=number)
        assert experiments.train_and_evaluate(experiment_id=experiment.pk, number=number) == metrics
        assert (metrics.n_asked, metrics.n_labeled) == (number * BATCH, number * BATCH)
    assert metrics.accuracy is not None
    assert metrics.accuracy > 0.8


def test_a_round_says_why_its_model_is_confused():
    experiment = begin(market.customer(), batch_size=24, name="mixed")
    picks = experiments.start_round(experiment_id=experiment.pk, number=1)
    labels = [ObservationInput(pick.key, i % 3, confidence=0.9) for i, pick in enumerate(picks)]  # whatever it shows
    observations.record(experiment_id=experiment.pk, observations=labels)
    experiments.train_and_evaluate(experiment_id=experiment.pk, number=1)
    told = Round.objects.get().metrics["confusion"]
    assert 0 < told["n_looked_at"] == sum(told["by_cause"].values())
    asked = {pick.key for pick in picks}
    for example in told["examples"]:
        assert example["words"]
        assert example["action"]
        assert set(example["neighbours"]) <= asked - {example["key"]}


def test_picks_without_an_answer_are_neither_rejections_nor_asked_again():
    experiment = begin(market.customer())
    picks = experiments.start_round(experiment_id=experiment.pk, number=1)
    answer(experiment, picks, skip=4)
    metrics = experiments.train_and_evaluate(experiment_id=experiment.pk, number=1)
    assert (metrics.n_asked, metrics.n_labeled, metrics.n_unlabelable) == (BATCH, BATCH - 4, 0)
    problem = problems.problem_of(experiment, problems.asked_of(experiment))
    assert np.array_equal(problem.relevance.proba, np.ones(N))
    later = experiments.start_round(experiment_id=experiment.pk, number=2)
    assert not {pick.row for pick in picks} & {pick.row for pick in later}


def test_a_later_label_replaces_the_earlier_one():
    experiment = begin(market.customer())
    for given in (ObservationInput("r1", 0), ObservationInput("r1", None, "corrupted", 0.7)):
        observations.record(experiment_id=experiment.pk, observations=[given])
    row = Observation.objects.get()
    assert (row.label, row.reason, row.confidence) == (None, "corrupted", 0.7)


BAD = {
    "unknown key": (ObservationInput("nobody", 0), "labels[1].key", "unknown_key"),
    "key twice": (ObservationInput("r0", 0), "labels[1].key", "duplicate_key"),
    "unknown class": (ObservationInput("r1", 3), "labels[1].label", "unknown_class"),
    "confidence above one": (ObservationInput("r1", 0, confidence=1.5), "labels[1].confidence", "out_of_range"),
    "confidence not a number": (
        ObservationInput("r1", 0, confidence=float("nan")),
        "labels[1].confidence",
        "out_of_range",
    ),
}


@pytest.mark.parametrize(("bad", "field", "code"), BAD.values(), ids=BAD)
def test_one_bad_label_refuses_all_of_them(bad, field, code):
    experiment = begin(market.customer())
    with pytest.raises(ValidationFailedError) as caught:
        observations.record(experiment_id=experiment.pk, observations=[ObservationInput("r0", 1), bad])
    assert (caught.value.errors[0]["field"], caught.value.errors[0]["code"]) == (field, code)
    assert not Observation.objects.exists()


def test_without_embeddings_only_random_selects():
    actor = market.customer()
    data = b"key,uri\n" + b"".join(f"r{i},s3://x/{i}\n".encode() for i in range(20))
    uris = datasets.create(actor=actor, name="uris", modality="image", file_name="u.csv", data=data)
    terms = {"actor": actor, "dataset_id": uris.pk, "name": "e", "classes": ["a", "b"]}
    with pytest.raises(NoEmbeddingsError):
        experiments.create(**terms)
    experiment = experiments.create(**terms, strategy="random", batch_size=5)
    picks = experiments.start_round(experiment_id=experiment.pk, number=1)
    assert len({pick.key for pick in picks}) == 5


def test_names_are_unique_and_owners_apart():
    owner = market.customer()
    experiment = begin(owner)
    with pytest.raises(ConflictError):
        experiments.create(actor=owner, dataset_id=experiment.dataset_id, name="e")
    with pytest.raises(NotFoundError):
        selectors.get(market.customer(), experiment.pk)
    with pytest.raises(NotFoundError):
        experiments.create(actor=market.customer(), dataset_id=experiment.dataset_id, name="theirs")

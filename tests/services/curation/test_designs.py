"""How an experiment chooses: types, mixes, wishes, the customer's own keys and outputs."""

import numpy as np
import pytest

from common.errors import ValidationFailedError
from curation.core import composition
from curation.errors import RoundOrderError
from curation.models import Experiment, Pick, Round
from curation.services import designs, experiments, observations
from curation.services.observations import ObservationInput
from curation.services.outputs import Outputs
from tests import market
from tests.services.curation.test_experiments import BATCH, N, answer, begin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


def first(experiment, **more):
    return experiments.start_round(experiment_id=experiment.pk, number=1, **more)


def test_the_type_follows_from_what_is_given():
    half = [{"strategy": "margin", "share": 0.5}, {"strategy": "k_center", "share": 0.5}]
    assert designs.resolve() == designs.Design("auto", "auto")
    assert designs.resolve(strategy="badge") == designs.Design("single", "badge")
    assert designs.resolve(rules=half) == designs.Design("rule_based", "rule_based", {"rules": half})
    assert designs.resolve(kind="manual") == designs.Design("manual", "manual")


WISHES = {"parts": [{"strategy": "diversity", "input": "embeddings"}]}


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"kind": "magic"}, "type", "unknown"),
        ({"kind": "single"}, "strategy", "wrong_for_type"),
        ({"kind": "auto", "strategy": "margin"}, "strategy", "wrong_for_type"),
        ({"strategy": "nonsense"}, "strategy", "unknown"),
        ({"kind": "rule_based"}, "rules", "wrong_for_type"),
        ({"kind": "manual", "rules": [{"strategy": "margin", "share": 1.0}]}, "rules", "wrong_for_type"),
        ({"rules": [{"strategy": "margin", "share": 0.5}]}, "rules", "not_a_mix"),
        ({"strategy": "margin", "wishes": WISHES}, "wishes", "not_used"),
        ({"strategy": "metadata_weighted", "wishes": {"parts": []}}, "wishes.parts", "invalid"),
    ],
)
def test_a_design_that_cannot_be_meant_names_the_field(given, field, code):
    with pytest.raises(ValidationFailedError) as caught:
        designs.resolve(**given)
    assert (caught.value.errors[0]["field"], caught.value.errors[0]["code"]) == (field, code)


def test_a_mix_keeps_its_shares_round_after_round():
    rules = [{"strategy": "margin", "share": 0.5}, {"strategy": "k_center", "share": 0.5}]
    experiment = begin(market.customer(), rules=rules, control_ratio=0.0)
    picks = first(experiment)
    answer(experiment, picks)
    experiments.train_and_evaluate(experiment_id=experiment.pk, number=1)
    second = experiments.start_round(experiment_id=experiment.pk, number=2)
    assert [pick.arm for pick in second] == ["margin"] * (BATCH // 2) + ["k_center"] * (BATCH // 2)
    assert not {pick.key for pick in picks} & {pick.key for pick in second}


def test_the_customers_own_keys_are_the_round_and_nothing_else_is():
    experiment = begin(market.customer(), kind="manual")
    with pytest.raises(ValidationFailedError, match="Name the records"):
        first(experiment)
    with pytest.raises(ValidationFailedError, match="'nobody' is not in the dataset"):
        first(experiment, keys=["r1", "nobody"])
    with pytest.raises(ValidationFailedError, match="only 1 of them different"):
        first(experiment, keys=["r1", "r1"])
    assert [pick.key for pick in first(experiment, keys=["r7", "r3"])] == ["r7", "r3"]
    assert set(Pick.objects.values_list("arm", "words")) == {("manual", "Chosen by hand.")}
    assert [pick.key for pick in first(experiment, keys=["r3", "r7"])] == ["r7", "r3"]
    with pytest.raises(RoundOrderError, match="Round 1 is open with other records"):
        first(experiment, keys=["r3"])
    with pytest.raises(ValidationFailedError, match="takes keys"):
        first(begin(market.customer()), keys=["r1"])


def test_the_customers_probabilities_choose_among_the_records_they_speak_of():
    proba = {f"r{i}": [0.98, 0.01, 0.01] for i in range(30)} | {f"r{i}": [0.34, 0.33, 0.33] for i in range(20, 30)}
    experiment = begin(market.customer(), strategy="margin", control_ratio=0.0)
    picks = first(experiment, outputs=Outputs(proba=proba))
    assert len(picks) == BATCH
    assert {pick.row for pick in picks} <= set(range(20, 30))
    assert not any("No model yet" in pick.words for pick in picks)


def test_utilities_worked_out_elsewhere_rank_the_records():
    utility = {f"r{i}": float(i) for i in range(N)}
    picks = first(begin(market.customer(), strategy="utility", control_ratio=0.0), outputs=Outputs(utility=utility))
    assert [pick.row for pick in picks] == list(range(N - 1, N - 1 - BATCH, -1))


@pytest.mark.parametrize(
    ("outputs", "field", "words"),
    [
        (Outputs(proba={"r1": [0.5, 0.5]}), "probabilities", "3 probabilities a record"),
        (
            Outputs(proba={"r9": [0.5, 0.5, 0], "r1": [0.5, 0.5, 0.5], "r7": [0.1, 0, 0]}),
            "probabilities[1]",
            "probabilities of 'r1' sum to 1.5, not to one; so 2 of 3 records",
        ),
        (Outputs(proba={"r1": [1, 0, 0]}, utility={"r1": 1.0}), "utilities", "not both"),
        (Outputs(utility={"nobody": 1.0}), "utilities[0]", "not in the dataset"),
        (Outputs(utility={"r1": float("nan")}), "utilities", "finite"),
        (
            Outputs(utility={"r1": 1.0, "r2": 2.0}),
            "utilities",
            "2 of the records to choose among .* takes 6; name more",
        ),
        (Outputs(embeddings={"r1": [1.0], "r2": [1.0, 2.0]}), "embeddings", "these have 1 to 2 numbers"),
        (
            Outputs(embeddings={"r9": [1.0], "r1": [float("inf")]}),
            "embeddings[1]",
            "of .r1. hold NaN, infinity",
        ),
        (Outputs(embeddings={"r9": [1e39], "r1": [1.0]}), "embeddings[0]", "of 'r9' hold .* more than float32 can"),
        (Outputs(embeddings={"r1": [1.0]}), "embeddings", "1 of these records were not asked yet, the batch takes 6"),
        (Outputs(embeddings={"r1": [1.0]}, proba={"r2": [1, 0, 0]}), "probabilities[0]", "'r2' has no embedding"),
        (Outputs(embeddings={"nobody": [1.0]}), "embeddings[0]", "not in the dataset"),
    ],
)
def test_outputs_that_do_not_fit_are_refused_by_field(outputs, field, words):
    with pytest.raises(ValidationFailedError, match=words) as caught:
        first(begin(market.customer()), outputs=outputs)
    assert caught.value.errors[0]["field"] == field
    assert not Pick.objects.exists()


def test_embeddings_of_a_round_say_what_is_near_what():
    experiment = begin(market.customer(), strategy="uncertainty_herding", batch_size=4, control_ratio=0.25)
    answer(experiment, first(experiment))
    experiments.train_and_evaluate(experiment_id=experiment.pk, number=1)
    taken = set(Pick.objects.values_list("row", flat=True))
    corner = {i: [10.0 * (i % 3), 5.0 * (i % 2)] for i in range(0, N, 2)}  # three places, whatever the dataset says
    given = {f"r{i}": [x + i / 1e4, y] for i, (x, y) in corner.items()}
    picks = experiments.start_round(experiment_id=experiment.pk, number=2, outputs=Outputs(embeddings=given))
    chosen = [pick.row for pick in picks if pick.arm != "control"]
    assert len(picks) == len({pick.row for pick in picks} - taken) == 4
    assert len(chosen) == len({row % 3 for row in chosen}) == 3
    assert all(row % 2 == 0 for row in chosen)
    stored = Pick.objects.get(round__number=2, arm="control")
    assert stored.propensity == 1 / (N - 4)


def test_embeddings_and_probabilities_of_a_round_go_together():
    proba = {f"r{i}": [0.98, 0.01, 0.01] for i in range(30)} | {f"r{i}": [0.34, 0.33, 0.33] for i in range(18, 30)}
    rng = np.random.default_rng(0)
    embeddings = {f"r{i}": rng.normal(size=5).tolist() for i in range(40)}
    experiment = begin(market.customer(), strategy="margin", control_ratio=0.0)
    picks = first(experiment, outputs=Outputs(proba=proba, embeddings=embeddings))
    assert len(picks) == BATCH
    assert {pick.row for pick in picks} <= set(range(18, 30))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"strategy": "weights", "input": "metadata:sharp"}, "no metadata 'sharp'; there are none"),
        ({"strategy": "similarity", "input": "anchor"}, "no anchor to be similar to"),
    ],
)
def test_wishes_for_what_the_dataset_lacks_are_refused_when_they_are_made(part, words):
    wishes = {"parts": [*WISHES["parts"], part]}
    with pytest.raises(ValidationFailedError, match=words) as caught:
        begin(market.customer(), strategy="metadata_weighted", wishes=wishes)
    assert caught.value.errors[0]["field"] == "wishes.parts[1].input"
    assert not Experiment.objects.exists()


def test_wishes_read_the_datasets_metadata():
    wanted = composition.parse({"parts": [{"strategy": "weights", "input": "metadata:sharp"}]})
    assert designs.columns_of(wanted, [{"sharp": 1}, {}])["sharp"].tolist() == [1, None]
    plain = begin(market.customer(), strategy="metadata_weighted", wishes=WISHES, control_ratio=0.0)
    assert len({pick.row for pick in first(plain)}) == BATCH
    assert np.isfinite([pick.utility for pick in Pick.objects.filter(experiment=plain)]).all()


def test_a_round_tells_what_choosing_saved_or_that_it_cannot_be_told():
    experiment = begin(market.customer(), control_ratio=0.5, batch_size=20)
    picks = first(experiment)
    answers = [
        ObservationInput(p.key, None if p.arm == "control" and p.row % 4 else p.row % 3, "blurred" if p.row % 4 else "")
        for p in picks[:-1]
    ]
    observations.record(experiment_id=experiment.pk, observations=answers)
    experiments.train_and_evaluate(experiment_id=experiment.pk, number=1)
    savings = Round.objects.get().metrics["savings"]
    control = [p for p in picks[:-1] if p.arm == "control"]
    n_usable = 10 + sum(p.row % 4 == 0 for p in control)
    assert savings["is_shown"] == (savings["saved_low"] is not None)
    expected = n_usable / (sum(p.row % 4 == 0 for p in control) / len(control)) - 19
    assert savings["saved"] == pytest.approx(expected, abs=0.01)
    assert savings["words"].startswith(f"{expected:.0f} records saved")
    plain = begin_without_junk(experiment)
    assert plain["is_shown"] is False
    assert (plain["saved"], plain["words"][:9]) == (None, "Not shown")


def begin_without_junk(like) -> dict:
    """Every answer is a class: there is nothing to save."""
    other = experiments.create(
        actor=market.actor_of(like.organization), dataset_id=like.dataset_id, name="plain", batch_size=8
    )
    picks = first(other)
    answer(other, picks)
    experiments.train_and_evaluate(experiment_id=other.pk, number=1)
    return Round.objects.get(experiment=other).metrics["savings"]

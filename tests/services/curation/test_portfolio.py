"""A portfolio in an experiment: arms and chances on the picks, rewards with the rounds, the same after a crash."""

import numpy as np
import pytest

from curation.core import large
from curation.core.strategies import drawing
from curation.models import Experiment, Pick, Round
from curation.services import experiments, problems
from curation.services.outputs import Outputs
from tests import market
from tests.services.curation.test_experiments import BATCH, N, _folder, answer, begin  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def play(experiment: Experiment, n_rounds: int, first: int = 1) -> None:
    for number in range(first, first + n_rounds):
        answer(experiment, experiments.start_round(experiment_id=experiment.pk, number=number))
        experiments.train_and_evaluate(experiment_id=experiment.pk, number=number)


@pytest.mark.parametrize("is_large", [False, True], ids=["all rows compared", "from a sketch"])
def test_arms_chances_and_rewards_are_kept_and_taken_up_again(monkeypatch, is_large):
    if is_large:
        monkeypatch.setattr(large, "LARGE", 20)
    experiment = begin(market.customer(), strategy="portfolio")
    play(experiment, 3)
    turns = problems.turns_of(experiment)
    kept = [row.metrics["turn"] for row in Round.objects.order_by("number")]
    assert [len(turn.rows) for turn in turns] == [BATCH] * 3
    assert all(turn.reward is not None and 0 < turn.probability <= 1 for turn in turns)
    assert kept[0] == {"rate": 0.0, "growth": 0.0}
    assert kept[2]["growth"] == pytest.approx(np.log(3 / 2))
    asked = problems.asked_of(experiment)
    judged = drawing.judged(problems.training_problem_of(experiment, asked)[0])
    assert [turn.reward for turn in judged] == [turn.reward for turn in turns]
    for number in (1, 2, 3):
        picks = Pick.objects.filter(round__number=number).exclude(arm="control")
        assert len({(pick.arm, pick.parts["arm_probability"]) for pick in picks}) == 1
        assert all(pick.propensity is None for pick in picks)
        control = Pick.objects.filter(round__number=number, arm="control")
        assert all(pick.propensity > 0 and "arm_probability" not in pick.parts for pick in control)


def test_a_round_by_embeddings_of_some_records_takes_its_turn_too():
    experiment = begin(market.customer(), strategy="portfolio")
    play(experiment, 2)
    rng = np.random.default_rng(0)
    given = {f"r{i}": rng.normal(size=3).tolist() for i in range(20, N)}  # not of all that were asked
    assert Pick.objects.filter(row__lt=20).exists()
    outputs = Outputs(embeddings=given)
    answer(experiment, experiments.start_round(experiment_id=experiment.pk, number=3, outputs=outputs))
    experiments.train_and_evaluate(experiment_id=experiment.pk, number=3)
    play(experiment, 1, first=4)
    assert len(problems.turns_of(experiment)) == 4


def test_a_round_lost_in_a_crash_is_drawn_again_the_same():
    experiment = begin(market.customer(), strategy="portfolio")
    play(experiment, 2)
    first = experiments.start_round(experiment_id=experiment.pk, number=3)
    Round.objects.filter(number=3).delete()
    assert experiments.start_round(experiment_id=experiment.pk, number=3) == first


def test_rewards_not_kept_are_worked_out_from_labels_and_picks():
    experiment = begin(market.customer(), strategy="portfolio")
    play(experiment, 2)
    kept = problems.turns_of(experiment)
    for row in Round.objects.all():
        row.metrics.pop("turn")
        row.save()
    again = problems.problem_of(experiment, problems.asked_of(experiment))
    assert all(turn.reward is None for turn in again.turns)
    assert [turn.reward for turn in drawing.judged(again)] == [turn.reward for turn in kept]


def test_other_strategies_keep_no_turns():
    experiment = begin(market.customer(), strategy="margin")
    play(experiment, 1)
    assert problems.turns_of(experiment) == []
    assert "turn" not in Round.objects.get().metrics

"""Chosen and random experiments on one dataset beside each other: rounds and hours to the target, or not reached."""

import datetime

import pytest

from common.errors import NotFoundError
from common.models import Organization
from curation.models import Dataset, Round
from curation.services import experiments
from marketplace.models import Campaign
from marketplace.selectors import convergence
from tests import market
from tests.loops import Loop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def loop(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    made = Loop(max_rounds=3)
    made.run()
    return made


def by_hand(loop, name, strategy, accuracies):
    """Return another experiment on the loop's dataset with rounds of such accuracies, an hour each."""
    made = experiments.create(
        actor=loop.actor, dataset_id=Dataset.objects.get().pk, name=name, strategy=strategy, batch_size=12, seed=1
    )
    for number, accuracy in enumerate(accuracies, start=1):
        at = datetime.datetime(2026, 1, 1, number, tzinfo=datetime.UTC)
        metrics = {"accuracy": accuracy, "n_asked": 12 * number, "n_labeled": 10 * number}
        one = Round.objects.create(experiment=made, number=number, metrics=metrics, evaluated_at=at)
        Round.objects.filter(pk=one.pk).update(created_at=at - datetime.timedelta(hours=1))
    return made


def test_rounds_and_hours_to_the_target_of_each_arm(loop, django_assert_num_queries):
    chance = by_hand(loop, "chance", "random", [0.1, 0.2, 0.25])
    by_hand(loop, "blind", "margin", [None])
    by_hand(loop, "new", "random", [])
    with django_assert_num_queries(4):
        found = convergence.compare(loop.actor, loop.campaign.experiment_id)
    assert found.target == 0.25  # the best that chance has reached
    arms = {arm.experiment.name: arm for arm in found.arms}
    assert found.arms[0].experiment.pk == loop.campaign.experiment_id
    assert (arms["chance"].reached.rounds, arms["chance"].reached.hours) == (3, 3.0)
    assert (arms["chance"].usable_per_round, arms["chance"].is_control) == (10.0, True)
    assert (arms["blind"].reached, arms["blind"].best) == (None, None)
    assert (arms["new"].reached, arms["new"].usable_per_round) == (None, None)
    chosen = arms["e"].reached
    first = Round.objects.filter(experiment_id=loop.campaign.experiment_id, metrics__accuracy__gte=0.25).first()
    assert (chosen.rounds, chosen.n_asked) == (first.number, 12 * first.number)
    assert chosen.lasted == first.evaluated_at - Campaign.objects.get().created_at
    assert convergence.compare(loop.actor, chance.pk).target == 0.25


def test_a_target_not_reached_is_told(loop):
    by_hand(loop, "chance", "random", [0.1])
    found = convergence.compare(loop.actor, loop.campaign.experiment_id, target=1.0)
    assert [arm.reached for arm in found.arms] == [None, None]
    assert found.target == 1.0


def test_without_a_target_and_without_chance_nothing_is_reached(loop):
    found = convergence.compare(loop.actor, loop.campaign.experiment_id)
    assert (found.target, [arm.reached for arm in found.arms]) == (None, [None])


def test_the_campaign_s_own_target_comes_first(loop):
    by_hand(loop, "chance", "random", [0.1])
    Campaign.objects.update(target_accuracy=0.3)
    assert convergence.compare(loop.actor, loop.campaign.experiment_id).target == 0.3


def test_a_stranger_compares_nothing(loop):
    stranger = market.actor_of(Organization.objects.create(name="Stranger", kind="customer"))
    with pytest.raises(NotFoundError):
        convergence.compare(stranger, loop.campaign.experiment_id)

"""Campaigns on pages: started, looked at, held and stopped by those whose they are."""

import pytest
from django.db import transaction
from django.test import Client

from common.ids import uuid7
from curation.models import Dataset, Experiment, Round
from curation.selectors import compute
from curation.selectors.compute import Cost
from curation.services import datasets, experiments
from marketplace.models import Campaign
from portal.customer.campaigns import curve
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here():
    return world.make()


@pytest.fixture
def client(here) -> Client:
    return world.signed_in(here.customer)


def experiment_of(actor, **changes):
    """Return an experiment on a pool of its own that has a test set."""
    dataset = datasets.create(
        actor=actor, name="Pool", modality="image", file_name="d.npz", data=world.pool_file(**changes)
    )
    return experiments.create(actor=actor, dataset_id=dataset.pk, name="Learn", batch_size=4, seed=1)


def test_a_campaign_is_started_by_form(here, client):
    experiment = experiment_of(here.customer)
    shown = client.get("/campaigns/").content.decode()
    assert "Learn" in shown
    assert here.job.title in shown
    terms = {"rounds": 7, "target_accuracy": 92.5, "value_of_point": "3.50", "value_of_day": "40", "asks_again": "on"}
    terms["max_cpu_s"] = 600
    answer = client.post("/campaigns/start/", {"experiment": experiment.pk, "job": here.job.pk, **terms})
    campaign = Campaign.objects.get()
    assert answer.url == f"/campaigns/{campaign.public_id}/"
    assert (campaign.max_rounds, campaign.target_accuracy, campaign.asks_again) == (7, 0.925, True)
    assert (campaign.value_of_point_micro, campaign.value_of_day_micro) == (3_500_000, 40_000_000)
    assert campaign.max_cpu_s == 600
    assert "The first records are being chosen." in client.get(answer.url).content.decode()
    assert "A campaign needs an experiment" in client.get("/campaigns/").content.decode()  # both are taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rounds": 0}, "greater than or equal to 1"),
        ({"rounds": "many"}, "whole number"),
        ({"target_accuracy": 101}, "less than or equal to 100"),
        ({"value_of_point": "-1"}, "greater than or equal to 0.01"),
        ({"max_cpu_s": 0}, "greater than or equal to 1"),
        ({"experiment": ""}, "required"),
        ({"experiment": "not-an-id"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field(here, client, given, words):
    experiment = experiment_of(here.customer)
    answer = client.post("/campaigns/start/", {"experiment": experiment.pk, "job": here.job.pk, "rounds": 3} | given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Campaign.objects.exists()


def test_accuracy_without_a_test_set_is_refused_beside_its_field(here, client):
    experiment = experiment_of(here.customer, with_test=False)
    terms = {"experiment": experiment.pk, "job": here.job.pk, "rounds": 3, "value_of_point": "2"}
    answer = client.post("/campaigns/start/", terms)
    assert answer.status_code == 422
    assert "The dataset has no test set" in answer.content.decode()


@pytest.mark.parametrize("stolen", ["experiment", "job"])
def test_nobody_starts_with_what_is_not_theirs(here, client, stolen):
    stranger = market.customer()
    pair = {"experiment": experiment_of(here.customer).pk, "job": here.job.pk}
    theirs = {"experiment": experiment_of(stranger).pk, "job": market.job(stranger).pk}
    answer = client.post("/campaigns/start/", pair | {stolen: theirs[stolen], "rounds": 3})
    assert answer.status_code == 422
    assert "not one of the available choices" in answer.content.decode()
    assert not Campaign.objects.exists()


def test_a_campaign_shows_what_it_has_learned_and_why_it_is_confused(here, client):
    world.add_campaign(here)
    with transaction.atomic():
        newest = Round.objects.latest("number")
        example = {"key": "r-7", "words": "Near two classes.", "action": "Sharpen the instructions."}
        newest.metrics["confusion"] = {"n_looked_at": 9, "by_cause": {"ambiguous": 6}, "examples": [example]}
        newest.save()
    shown = client.get(f"/campaigns/{Campaign.objects.get().public_id}/").content.decode()
    assert "<polyline" in shown
    assert shown.count('<th scope="row">') == 2 + 1  # rounds learned from, and the one whose time is shown
    assert "6 of 9" in shown
    assert "Sharpen the instructions." in shown


def test_a_campaign_shows_where_its_time_went_and_what_it_computed(here, client):
    world.add_campaign(here)
    campaign = Campaign.objects.get()
    shown = client.get(f"/campaigns/{campaign.public_id}/").content.decode()
    assert shown.count('class="turn"') == 1  # nothing was ordered: one round, still selecting
    assert 'aria-label="selecting 100%"' in shown
    total = Cost.total(one.total for one in compute.of_rounds(campaign.experiment_id))
    assert f"Compute: {total.cpu_s:.2f} CPU seconds, measured in 4 attempts" in shown
    assert "Beside others on this dataset" not in shown


def test_a_campaign_is_shown_beside_chance(here, client):
    world.add_campaign(here)
    Campaign.objects.update(target_accuracy=0.01, max_cpu_s=77)
    campaign, dataset = Campaign.objects.get(), Dataset.objects.get()
    experiments.create(actor=here.customer, dataset_id=dataset.pk, name="By chance", strategy="random", seed=1)
    shown = client.get(f"/campaigns/{campaign.public_id}/").content.decode()
    assert "1 round, 4 records" in shown
    assert "not reached" in shown
    assert "By chance" in shown
    assert "of at most 77" in shown


def test_a_campaign_is_held_goes_on_and_is_stopped(here, client):
    world.add_campaign(here)
    at = f"/campaigns/{Campaign.objects.get().public_id}"
    for verb, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert client.post(f"{at}/{verb}/").url == f"{at}/"
        assert Campaign.objects.get().state == state
    assert "cannot resume" in client.post(f"{at}/resume/", follow=True).content.decode()
    assert client.post(f"{at}/burn/").status_code == 404
    assert f"{at}/stop/" not in client.get(f"{at}/").content.decode()


def test_nobody_sees_or_stops_the_campaign_of_another(here):
    world.add_campaign(here)
    at = f"/campaigns/{Campaign.objects.get().public_id}"
    stranger = world.signed_in(here.stranger)
    assert stranger.get(f"{at}/").status_code == 404
    assert stranger.post(f"{at}/stop/").status_code == 404
    assert stranger.get(f"/campaigns/cmp_{uuid7().hex}/").status_code == 404
    assert Campaign.objects.get().state == "running"


def test_an_experiment_is_made_by_form_and_trusts_its_anchor(here, client):
    data = world.pool_file(n_anchor=25)
    of = {"actor": here.customer, "modality": "image", "file_name": "d.npz"}
    trusted = datasets.create(**of, name="Trusted", data=data)
    plain = datasets.create(**of, name="Plain", data=world.pool_file())
    shown = client.get("/experiments/new/").content.decode()
    assert "Trusted (40 records, 25 trusted)" in shown
    assert "a wanted kind that these lack, too rarely." in shown
    given = {"name": "By form", "strategy": "", "batch_size": 6, "trusts_anchor": "on", "max_cpu_s": 60}
    refused = client.post("/experiments/new/", given | {"dataset": plain.pk})
    assert refused.status_code == 422
    assert "The dataset has 0 trusted records, 20 are needed to steer by" in refused.content.decode()
    assert client.post("/experiments/new/", given | {"dataset": trusted.pk}).url == "/campaigns/"
    made = Experiment.objects.get()
    assert (made.kind, made.trusts_anchor, made.max_cpu_s, made.batch_size) == ("auto", True, 60, 6)
    again = client.post("/experiments/new/", given | {"dataset": trusted.pk})
    assert "You already have an experiment of this name" in again.content.decode()
    assert "By form" in client.get("/campaigns/").content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dataset": "not-an-id"}, "not one of the available choices"),
        ({"strategy": "nonsense"}, "not one of the available choices"),
        ({"batch_size": 0}, "greater than or equal to 1"),
        ({"name": ""}, "required"),
        ({"classes": "only"}, "Give at least two different classes."),
        ({"dataset": "bare", "classes": "a\n" + "b" * 201}, "A class has a name of 1 to 200 characters"),
        ({"dataset": "bare", "classes": "\n".join(map(str, range(1001)))}, "There can be 1000 classes, not 1001."),
        ({"classes": "a\nb"}, "The dataset names other classes."),
        ({"strategy": "random", "trusts_anchor": "on"}, "Nothing is steered where records are drawn at random"),
    ],
)
def test_an_experiment_that_cannot_be_meant_is_told_beside_its_field(here, client, given, words):
    of = {"actor": here.customer, "modality": "image", "file_name": "d.npz"}
    dataset = datasets.create(**of, name="Pool", data=world.pool_file(n_anchor=25))
    if given.get("dataset") == "bare":
        bare = world.pool_file(with_test=False, classes=())
        given = given | {"dataset": datasets.create(**of, name="Bare", data=bare).pk}
    answer = client.post("/experiments/new/", {"dataset": dataset.pk, "name": "E", "batch_size": 4} | given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Experiment.objects.exists()


def test_an_experiment_is_made_of_ones_own_dataset_only(here, client):
    theirs = experiment_of(market.customer()).dataset
    answer = client.post("/experiments/new/", {"dataset": theirs.pk, "name": "E", "batch_size": 4})
    assert answer.status_code == 422
    assert "An experiment needs a dataset" in answer.content.decode()


def test_a_curve_needs_two_rounds_with_an_accuracy():
    one = {"n_asked": 10, "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6}
    assert curve([one]) is None
    assert curve([one, one]) is None
    assert curve([one, {"n_asked": 20, "accuracy": None}]) is None
    flat = curve([one | {"accuracy_low": 0.5, "accuracy_high": 0.5}, one | {"n_asked": 30}])
    assert flat["line"] == "0.0,20.0 100.0,20.0"

"""A class that turns up mid-way: labels, picks and model stay, the loop goes on with it, both sides agree."""

import pytest

from common.errors import NotFoundError, ValidationFailedError
from curation.models import Experiment, Observation, Pick
from curation.services import problems
from marketplace.errors import CampaignStateError
from marketplace.models import Annotation, Campaign, Job, JobRecord, LabelSchema, Lot
from marketplace.services import campaigns, new_classes
from tests import market
from tests.loops import BATCH, CLASSES, Loop

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "10"


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


@pytest.fixture
def paused():
    """A campaign paused after its first round; from now on sevens are answered as the new class."""
    answered = {"as": 7}
    loop = Loop(answer=lambda _, truth: answered["as"] if truth == 7 else truth, max_rounds=6)
    loop.until(lambda: Campaign.objects.get().round == 2 and Lot.objects.filter(state="open").exists() is False)
    campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="pause")
    if Lot.objects.filter(state="open").exists():
        loop.until(lambda: not Lot.objects.filter(state="open").exists())
    answered["as"] = int(NEW)
    return loop


def append(loop, classes=(NEW,)):
    return new_classes.append(actor=loop.actor, experiment_id=loop.campaign.experiment_id, classes=classes)


def test_a_class_added_mid_way_keeps_everything_and_is_learnt(paused):
    picks = list(Pick.objects.order_by("pk").values())
    labels = list(Observation.objects.order_by("row").values("row", "label", "confidence"))
    beliefs = {row.pk: row.posterior for row in JobRecord.objects.exclude(posterior=None)}
    experiment = append(paused)
    assert experiment.classes == [*CLASSES, NEW] == Job.objects.get().label_schema.classes
    assert append(paused).classes == experiment.classes
    assert LabelSchema.objects.count() == 2
    assert list(Pick.objects.order_by("pk").values()) == picks
    assert list(Observation.objects.order_by("row").values("row", "label", "confidence")) == labels
    assert beliefs
    for row in JobRecord.objects.filter(pk__in=beliefs):
        assert row.posterior == [*beliefs[row.pk][:-1], 0.0, beliefs[row.pk][-1]]
    campaigns.control(actor=paused.actor, campaign_id=paused.campaign.pk, verb="resume")
    paused.run()
    assert Campaign.objects.get().reason == "All 6 rounds are done."
    experiment = Experiment.objects.get()
    assert Observation.objects.filter(label=10).count() >= 1
    assert Annotation.objects.filter(label=10).count() >= 1
    problem = problems.problem_of(experiment, problems.asked_of(experiment))
    assert 10 in problem.model.seen
    assert (problem.proba.argmax(axis=1) == 10).sum() >= 5
    assert Pick.objects.count() == 6 * BATCH
    kept = {row["row"]: row["label"] for row in labels}
    assert {o.row: o.label for o in Observation.objects.filter(row__in=kept)} == kept


def test_what_was_measured_on_gold_before_still_counts(paused):
    before = Experiment.objects.get()
    append(paused)
    experiment = Experiment.objects.get()
    asked = problems.asked_of(experiment)
    old, new = (problems.said_of(one, asked) for one in (before, experiment))
    assert old is not None
    assert new.gold.shape[1:] == (11, 11)
    assert (new.gold[:, :10, :10] == old.gold).all()
    assert old.gold.sum() == new.gold.sum() > 0


def test_nothing_changes_while_work_is_out_or_when_names_are_wrong(paused):
    for classes in ((), ("3",), ("new", "new"), (" ",)):
        with pytest.raises(ValidationFailedError):
            append(paused, classes)
    with pytest.raises(NotFoundError):
        new_classes.append(actor=market.customer(), experiment_id=paused.campaign.experiment_id, classes=[NEW])
    campaigns.control(actor=paused.actor, campaign_id=paused.campaign.pk, verb="resume")
    with pytest.raises(CampaignStateError):
        append(paused)
    campaigns.advance(campaign_id=paused.campaign.pk)
    campaigns.control(actor=paused.actor, campaign_id=paused.campaign.pk, verb="pause")
    with pytest.raises(CampaignStateError, match="vetted"):
        append(paused)
    assert Experiment.objects.get().classes == CLASSES == Job.objects.get().label_schema.classes

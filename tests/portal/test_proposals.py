"""Proposals on pages: looked at, vetoed, added to, approved; human choices measured on the campaign's page."""

import pytest
from django.test import Client

from curation.models import Experiment, Pick
from marketplace.models import Campaign
from marketplace.services import override_reports
from tests.portal import world
from tests.portal.test_campaigns import experiment_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here():
    made = world.make()
    world.add_campaign(made)
    world.add_proposal()
    return made


@pytest.fixture
def client(here) -> Client:
    return world.signed_in(here.customer)


def at():
    return f"/campaigns/{Campaign.objects.get().public_id}"


def open_keys():
    return list(Pick.objects.filter(round__number=3, vetoed_at=None).order_by("rank").values_list("key", flat=True))


def test_a_proposal_is_shown_with_reasons_and_until_when(client):
    keys = open_keys()
    shown = client.get(f"{at()}/proposal/").content.decode()
    assert all(f'value="{key}"' in shown for key in keys)
    assert "4 records to be ordered" in shown
    assert "what you have not vetoed is ordered." in shown
    assert "vetoed: we know the answer" in shown
    assert "by hand" in shown
    assert "is proposed</a>: in <time" in client.get(f"{at()}/").content.decode()
    assert "A round waits for you" in client.get("/campaigns/").content.decode()


def test_the_news_on_the_first_page_lead_to_the_proposal(here, client):
    shown = client.get("/jobs/").content.decode()
    assert f'<a href="{at()}/proposal/">Round 3 of {here.job.title} is proposed, 4 records: those not vetoed' in shown
    for other in (here.stranger, here.staff):
        assert "is proposed, 4 records" not in world.signed_in(other).get("/jobs/").content.decode()


def test_ticked_records_are_vetoed(client):
    keys = open_keys()
    answer = client.post(f"{at()}/proposal/veto/", {"keys": keys[:2], "reason": "sensitive", "note": "A face."})
    assert answer.url == f"{at()}/proposal/"
    assert open_keys() == keys[2:]
    assert set(Pick.objects.filter(key__in=keys[:2]).values_list("veto_reason", flat=True)) == {"sensitive"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": "known"}, "Tick the records"),
        ({"keys": "r-1\0", "reason": "known"}, "is not proposed in this round"),
        ({"keys": "r-1", "reason": "ugly"}, "not one of the available choices"),
    ],
)
def test_a_veto_that_cannot_be_meant_is_told_and_changes_nothing(client, given, words):
    before = open_keys()
    answer = client.post(f"{at()}/proposal/veto/", given)
    if answer.status_code == 302:
        answer = client.get(answer.url)
    assert words in answer.content.decode()
    assert open_keys() == before


def test_keys_are_added_and_those_that_cannot_be_are_named(client):
    free = next(key for key in (f"r-{i}" for i in range(40)) if not Pick.objects.filter(key=key).exists())
    answer = client.post(f"{at()}/proposal/add/", {"keys": f"{free}\nnobody"})
    assert answer.status_code == 422
    assert "&#x27;nobody&#x27; is not in the dataset." in answer.content.decode()
    assert free not in open_keys()
    assert client.post(f"{at()}/proposal/add/", {"keys": f"\n {free} \n"}).url == f"{at()}/proposal/"
    assert open_keys()[-1] == free
    many = client.post(f"{at()}/proposal/add/", {"keys": "k\n" * 1001})
    assert "Give 1 to 1000 keys at once, got 1001." in many.content.decode()


def test_a_round_is_approved_only_as_it_was_looked_at(client):
    shown = client.post(f"{at()}/proposal/2/approve/", follow=True).content.decode()
    assert "Round 3 is proposed now, not round 2" in shown
    shown = client.post(f"{at()}/proposal/3/approve/", follow=True).content.decode()
    assert "Round 3 is approved and is being ordered." in shown
    assert "it is being ordered" in shown
    Campaign.objects.update(phase="label")
    assert "Nothing is proposed at the moment." in client.get(f"{at()}/proposal/").content.decode()
    answer = client.post(f"{at()}/proposal/veto/", {"keys": open_keys()[:1], "reason": "known"}, follow=True)
    assert "These records are ordered already" in answer.content.decode()


def test_human_choices_are_measured_on_the_campaigns_page(client):
    Pick.objects.filter(round__number=1).update(arm="manual")
    shown = client.get(f"{at()}/").content.decode()
    assert "By hand and by the machine" in shown
    assert "By hand against the machine: No clear difference in usable labels: +0 points" in shown
    assert "Vetoed: we know the answer (1)." in shown
    told = override_reports.tell(Campaign.objects.get(), Experiment.objects.get())
    assert [line.chosen.n_picked for line in told.lines] == [8, 5, 0]


def test_who_has_the_last_word_is_chosen_by_form(here, client):
    job = world.market.job(here.customer)
    pair = {"experiment": experiment_of(here.customer).pk, "job": job.pk, "rounds": 3}
    answer = client.post("/campaigns/start/", pair | {"mode": "approve", "review_hours": 4})
    assert answer.status_code == 422
    assert "goes with the mode veto" in answer.content.decode()
    assert client.post("/campaigns/start/", pair | {"mode": "veto", "review_hours": "0.5"}).status_code == 302
    assert Campaign.objects.get(job=job).review_s == 1800


def test_staff_looks_and_cannot_act(here):
    staff = world.signed_in(here.staff)
    shown = staff.get(f"{at()}/proposal/").content.decode()
    assert "Records" in shown
    assert "<textarea" not in shown
    assert staff.post(f"{at()}/proposal/3/approve/").status_code == 404

"""Where a campaign's time went adds up to it exactly, and a round that would use too much compute is not begun."""

import datetime

import pytest

from common.ids import from_public
from curation.models import ComputeEntry
from curation.selectors import compute as ledger
from curation.services import experiments
from marketplace.models import Batch, Campaign, Lot, RoutingEvent
from marketplace.selectors import times
from marketplace.services import campaigns, offers
from tests.loops import Loop

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3
NONE = datetime.timedelta()


@pytest.fixture(autouse=True)
def stored(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


def check(found: times.Times) -> None:
    """The rounds follow on each other, the steps of each too, and nothing is left out."""
    for before, after in zip(found.rounds, found.rounds[1:], strict=False):
        assert before.end == after.start
    for one in found.rounds:
        assert sum((step.lasted for step in one.steps), NONE) == one.lasted
        assert sum(one.by_stage.values(), NONE) == one.lasted
        assert [step.end for step in one.steps][:-1] == [step.start for step in one.steps][1:]
    assert sum(found.by_stage.values(), NONE) == found.lasted


def test_the_steps_of_a_campaign_add_up_to_it_exactly(django_assert_num_queries):
    loop = Loop(max_rounds=ROUNDS)
    loop.run()
    campaign = Campaign.objects.get()
    with django_assert_num_queries(5):
        found = times.of_campaign(campaign)
    check(found)
    assert len(found.rounds) == ROUNDS
    assert set(found.by_stage) == {"select", "offer", "label", "vet", "close", "train"}
    evaluated = RoutingEvent.objects.filter(kind="round.evaluated").latest("pk").created_at
    assert found.lasted == evaluated - campaign.created_at
    for one in found.rounds:
        last = Batch.objects.get(pk=from_public("bat", one.last_batch))
        assert last.lot.number == one.number
        assert one.by_stage[one.longest] == max(one.by_stage.values())


def test_a_lot_asked_for_more_answers_and_refused_work_add_up_too():
    loop = Loop(lambda seller, truth: 3 if seller == 0 else truth, max_rounds=2)
    loop.until(lambda: Campaign.objects.get().round == 2)
    kinds = set(RoutingEvent.objects.values_list("kind", flat=True))
    assert {"verdict.rejected", "overlap.added"} & kinds
    found = times.of_campaign(Campaign.objects.get())
    check(found)
    assert len(found.rounds) == 2


def test_waiting_for_a_vendor_is_told_from_the_vendor_s_work():
    loop = Loop(max_rounds=1)
    loop.until(Lot.objects.exists)
    campaign = Campaign.objects.get()
    before = times.of_campaign(campaign)
    check(before)
    loop.run()
    after = times.of_campaign(Campaign.objects.get())
    assert after.rounds[0].start == before.rounds[0].start
    slowest = Batch.objects.get(pk=from_public("bat", after.rounds[0].last_batch))
    work = slowest.assignments.latest("pk")
    labeled = [step for step in after.rounds[0].steps if step.stage == "label"]
    assert labeled[-1].start == work.created_at
    delivered = RoutingEvent.objects.filter(kind="batch.delivered", batch=slowest).latest("pk")
    assert labeled[-1].end == delivered.created_at


def test_a_pause_and_a_stop_are_told():
    loop = Loop(max_rounds=ROUNDS)
    control = {"actor": loop.actor, "campaign_id": loop.campaign.pk}
    campaigns.control(**control, verb="pause")
    campaigns.control(**control, verb="resume")
    loop.until(lambda: Campaign.objects.get().round == 2)
    campaigns.control(**control, verb="stop")
    found = times.of_campaign(Campaign.objects.get())
    check(found)
    assert found.rounds[0].steps[1].stage == "paused"
    stopped = RoutingEvent.objects.get(kind="campaign.stopped").created_at
    assert found.rounds[-1].end == stopped
    assert times.of_campaign(Campaign.objects.get()) == found


def costly(monkeypatch, seconds_per_record):
    """Let a round cost so many CPU seconds for each record asked for so far."""
    real = ComputeEntry.objects.create

    def create(**entry):
        if entry["is_end"] and entry["stage"] == "train":
            n_asked = ledger.n_asked(entry["experiment_id"])[entry["round"]]
            entry["cpu_us"] = round(seconds_per_record * n_asked * 1e6)
        elif entry["is_end"]:
            entry["cpu_us"] = 0
        return real(**entry)

    monkeypatch.setattr(ComputeEntry.objects, "create", create)


def test_a_campaign_ends_before_a_round_that_would_exceed_its_compute_cap(monkeypatch):
    loop = Loop(max_rounds=9, max_cpu_s=100)  # rounds of 12, 24, 36, 48 CPU seconds: 72 after three, 120 after four
    costly(monkeypatch, 1.0)
    loop.run()
    campaign = Campaign.objects.get()
    assert campaign.reason == (
        "The compute cap of 100 CPU seconds is reached: 72.0 are used, and round 4 is forecast to take 48.0."
    )
    assert Lot.objects.filter(state="closed").count() == Lot.objects.count() == 3
    check(times.of_campaign(campaign))


def test_a_campaign_pauses_at_its_experiments_cap_and_goes_on_once_that_is_raised(monkeypatch):
    loop = Loop(max_rounds=4)
    experiment_id = loop.campaign.experiment_id
    experiments.cap_compute(actor=loop.actor, experiment_id=experiment_id, max_cpu_s=100)
    costly(monkeypatch, 1.0)
    loop.until(lambda: Campaign.objects.get().state == "paused")
    campaign = Campaign.objects.get()
    assert (campaign.round, campaign.phase) == (4, "select")
    assert campaign.reason.endswith("round 4 is forecast to take 48.0. Raise `max_cpu_s`, or end here.")
    experiments.cap_compute(actor=loop.actor, experiment_id=experiment_id, max_cpu_s=None)
    campaigns.control(actor=loop.actor, campaign_id=campaign.pk, verb="resume")
    loop.run()
    loop.check(4)


def test_what_an_attempt_has_used_is_not_forecast_once_more(monkeypatch):
    loop = Loop(max_rounds=3, max_cpu_s=75)
    costly(monkeypatch, 1.0)
    loop.until(lambda: Campaign.objects.get().round == 3)
    entry = {"experiment_id": loop.campaign.experiment_id, "round": 3, "stage": "select", "attempt": loop.campaign.pk}
    ComputeEntry(**entry, is_end=False).save()
    ComputeEntry(**entry, is_end=True, cpu_us=30_000_000).save()
    loop.run()
    assert Campaign.objects.get().reason == "All 3 rounds are done."


def test_a_round_never_measured_is_begun_and_nothing_is_capped_without_a_cap():
    loop = Loop(max_rounds=1, max_cpu_s=1)
    loop.run()
    assert Campaign.objects.get().reason == "The only round is done."


def test_an_offer_declined_is_waited_for_as_well():
    loop = Loop(max_rounds=1)
    real, seen = loop.work, []

    def work(number, one, offer):
        if not seen:
            seen.append(offer.batch_id)
            offers.decline(actor=one.actor, offer_id=offer.pk, reason="too busy")
        else:
            real(number, one, offer)

    loop.work = work
    loop.run()
    check(times.of_campaign(Campaign.objects.get()))

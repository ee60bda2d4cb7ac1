"""Campaigns ask again where a further opinion is worth more than a new record: once each, of the right vendor, paid."""

from dataclasses import replace

import numpy as np
import pytest

from common import ledger
from curation.core import joint
from curation.models import Experiment, Observation, Pick, Round
from marketplace.models import Annotation, Batch, Campaign, Candidate, Job, JobRecord, Lot, RoutingEvent, Settlement
from marketplace.services import cadences, campaigns, offers, opinions, vetting
from tests.loops import BATCH, Loop, right

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


class Mixed:
    """Sellers that guess every second time, each for itself: one answer tells little, two that agree much."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)

    def __call__(self, seller: int, truth: int) -> int:
        return int(self.rng.integers(10)) if self.rng.random() < 0.5 else truth


@pytest.fixture
def loop(settings, tmp_path, monkeypatch):
    """Return a campaign of a customer to whom a new record is worth a fourth of what it usually is."""
    real = joint._new
    cheaper = lambda *given: [replace(one, worth_per_price=one.worth_per_price / 4) for one in real(*given)]  # noqa: E731
    monkeypatch.setattr(joint, "_new", cheaper)
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    terms = {"min_overlap": 1, "max_overlap": 3, "accuracy_floor": 0.3, "gold_ratio": 0.2, "target_confidence": 0.5}
    return Loop(Mixed(), terms, max_rounds=ROUNDS, asks_again=True)


def further():
    return Batch.objects.filter(wanted_vendor__isnull=False).order_by("pk")


def check(n_rounds: int) -> None:
    """Nothing is asked twice of a vendor, lost or doubled; every answer is in what the experiment knows."""
    assert Round.objects.filter(evaluated_at__isnull=False).count() == n_rounds
    assert Lot.objects.filter(state="closed").count() == Lot.objects.count() == n_rounds
    assert not JobRecord.objects.filter(state="open").exists()
    keys = sorted(Pick.objects.values_list("key", flat=True))
    assert sorted(JobRecord.objects.values_list("key", flat=True)) == keys
    given = Annotation.objects.filter(is_current=True, record__isnull=False)
    pairs = list(given.values_list("record_id", "vendor_id"))
    assert len(set(pairs)) == len(pairs)
    known = sum(len(o.answers) for o in Observation.objects.all())
    assert known == given.filter(record__state="labeled", label__gte=0).count()
    assert Settlement.objects.count() == Settlement.objects.values("assignment").distinct().count()
    assert ledger.discrepancies() == []


def test_a_round_spends_a_part_of_its_money_on_further_opinions(loop):
    loop.run()
    check(ROUNDS)
    assert further().exists()
    by_round = [Pick.objects.filter(round__number=n).count() for n in range(1, ROUNDS + 1)]
    assert by_round[0] == BATCH
    assert min(by_round[1:]) < BATCH
    for batch in further():
        records = batch.items.filter(record__isnull=False)
        asked = RoutingEvent.objects.get(batch=batch, kind="opinions.asked")
        assert asked.facts["n_records"] == batch.n_items >= records.count() > 0
        answered = Annotation.objects.filter(record__in=records.values("record"), created_at__lt=batch.created_at)
        vendors = set(answered.values_list("vendor_id", flat=True))
        assert vendors <= set(batch.barred_vendors)
        assert batch.wanted_vendor_id not in vendors
        places = Candidate.objects.filter(run=batch.ranking)
        assert places.get(sequence=0).vendor_id == batch.wanted_vendor_id
        assert "expected to tell most" in places.get(sequence=0).words
        barred = places.filter(vendor__in=batch.barred_vendors)
        assert {row.words for row in barred} == {"The vendor has answered records of this batch before."}
        assert set(barred.values_list("sequence", flat=True)) == {None}
    counts = list(Experiment.objects.get().gold_counts.values())
    gold = Annotation.objects.filter(gold__isnull=False, is_current=True)
    assert sum(np.sum(table) for table in counts) == gold.count() > 0


def test_a_campaign_that_does_not_ask_again_buys_new_records_alone(loop):
    Campaign.objects.update(asks_again=False)
    Job.objects.update(max_overlap=1)
    loop.run()
    check(ROUNDS)
    assert not further().exists()
    assert Pick.objects.count() == ROUNDS * BATCH


def refuse_further_opinions(loop, monkeypatch):
    """Have every seller decline what asks for a further opinion."""
    real = loop.work

    def work(number, one, offer):
        if offer.batch.wanted_vendor_id is None:
            return real(number, one, offer)
        return offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")

    monkeypatch.setattr(loop, "work", work)


def test_an_opinion_that_nobody_gives_is_done_without(loop, monkeypatch):
    """The campaign goes on, the labels stay what they were, and nobody has to decide anything."""
    refuse_further_opinions(loop, monkeypatch)
    loop.until(lambda: further().exists())
    batch = further().first()
    records = JobRecord.objects.filter(pk__in=batch.items.filter(record__isnull=False).values("record"))
    before = dict(records.values_list("pk", "label"))
    loop.run()
    check(ROUNDS)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("cancelled", "opinion_not_given")
    assert RoutingEvent.objects.filter(batch=batch, kind="opinions.not_given").count() == 1
    assert dict(records.values_list("pk", "label")) == before
    assert not Batch.objects.filter(state="escalated").exists()


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


@pytest.mark.parametrize(
    ("module", "name"),
    [(opinions, "order"), (opinions, "plan"), (opinions, "give_up"), (vetting.consensus, "conclude")],
    ids=["order", "plan", "give_up", "conclude"],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_asking_again_neither_loses_nor_doubles(loop, monkeypatch, module, name, when):
    if name == "give_up":
        refuse_further_opinions(loop, monkeypatch)
    real, calls = getattr(module, name), []

    def dying(*args, **kwargs):
        calls.append(name)
        is_now = len(calls) == 3
        if is_now and when == "before":
            raise Crash
        result = real(*args, **kwargs)
        if is_now:
            raise Crash
        return result

    monkeypatch.setattr(module, name, dying)
    with pytest.raises(Crash):
        loop.run()
    monkeypatch.setattr(module, name, real)
    loop.run()
    check(ROUNDS)
    assert further().exists()


def test_labels_that_a_person_corrected_or_confirmed_are_not_asked_about_again(loop):
    loop.until(lambda: further().exists())
    campaign = Campaign.objects.select_related("job").get()
    loop.run()
    campaign.round += 1
    planned = opinions.plan(campaign, BATCH)
    for record in JobRecord.objects.filter(key__in=[one.key for one in planned.again]):
        record.reviews.create(job=campaign.job, drawing=0, chance=1, pool_size=1, cause="model")
    assert opinions.plan(campaign, BATCH) == planned
    reviewed = planned.again[0].key
    JobRecord.objects.get(key=reviewed).reviews.update(is_right=True, decided_at="2026-01-01T00:00Z")
    assert reviewed not in {one.key for one in opinions.plan(campaign, BATCH).again}


def test_the_size_of_a_round_follows_from_what_a_day_is_worth(loop):
    loop.answer = right
    Campaign.objects.update(asks_again=False, value_of_day_micro=10**15)
    loop.run()
    campaign = Campaign.objects.get()
    sizes = [Pick.objects.filter(round__number=n).count() for n in range(1, campaign.round + 1)]
    assert sizes[0] == BATCH
    assert sum(sizes) == ROUNDS * BATCH
    assert sizes[1] > BATCH  # waiting is dear: fewer rounds than usual
    assert campaign.reason == f"All records of {ROUNDS} usual rounds are asked for, in {len(sizes)} rounds."
    only = Campaign(max_rounds=1, round=1, value_of_day_micro=1, experiment_id=campaign.experiment_id)
    assert campaigns._ending(only, None) == "All records of 1 usual round are asked for, in 1 round."
    Pick.objects.filter(round__number__gt=1).delete()
    Campaign.objects.update(value_of_day_micro=1)
    assert cadences.next_size(Campaign.objects.get()) == 10  # a day is worth nothing: as small as it may be
    Lot.objects.update(state="open")
    assert cadences.next_size(Campaign.objects.get()) == BATCH  # nothing is measured yet

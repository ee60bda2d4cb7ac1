"""Hard records go to those who are good at hard records, and to those who take them."""

import random

import pytest

from marketplace.core.routing import Weights
from marketplace.models import Offer
from marketplace.services import jobs, offering, offers, routing
from marketplace.services.jobs import JobTerms
from marketplace.services.lots import RecordInput
from tests import market
from vendors.models import RatioPosterior, Vendor
from vendors.selectors import scorecards
from vendors.services import posteriors
from vendors.services.posteriors import Counts

pytestmark = pytest.mark.django_db(transaction=True)

N_EASY, N_HARD = 300, 60
ERROR = {"generalist": {"easy": 0.03, "hard": 0.35}, "specialist": {"easy": 0.16, "hard": 0.10}}


@pytest.fixture
def world():
    market.gold_set()
    return {name: market.seller(40_000) for name in ERROR}


def seen(rng: random.Random, error: float, n: int) -> Counts:
    wrong = sum(rng.random() < error for _ in range(n))
    return Counts((n - wrong) / 2, wrong / 2, n)


def teach(world, seed: int) -> None:
    """What vetting would have recorded of past work: everything once, hard records once more."""
    rng = random.Random(seed)
    for name, one in world.items():
        easy, hard = (seen(rng, ERROR[name][kind], n) for kind, n in (("easy", N_EASY), ("hard", N_HARD)))
        posteriors.record_accuracy(seen={one.capability_id: easy})
        posteriors.record_accuracy(seen={one.capability_id: hard})
        posteriors.record_hard_accuracy(seen={one.capability_id: hard})


def mixed_job(actor):
    """Twelve records, half of them hard, in batches of six."""
    schema = jobs.create_schema(actor=actor, name="Animals", task_type="classification", classes=["cat", "dog"])
    terms = JobTerms(
        title="Mixed",
        instructions="Say what it is.",
        modality="image",
        budget_micro=10**9,
        weights=Weights.of("accuracy"),
        batch_size=6,
        min_overlap=1,
        max_overlap=1,
        gold_ratio=0.0,
    )
    records = [RecordInput(f"r{i}", difficulty=0.9 if i % 2 else 0.1) for i in range(12)]
    return jobs.create(actor=actor, label_schema_id=schema.pk, terms=terms, records=records)


@pytest.mark.parametrize("seed", range(5))
def test_hard_batches_go_to_the_specialist_and_others_to_the_generalist(world, seed):
    """At equal price the error on hard records falls by far more than 30 % of the best average vendor's."""
    teach(world, seed)
    job = mixed_job(market.customer())
    offering.advance()
    name_of = {one.vendor_id: name for name, one in world.items()}
    asked = {offer.batch.is_hard: name_of[offer.vendor_id] for offer in Offer.objects.filter(job=job)}
    assert asked == {True: "specialist", False: "generalist"}
    best_average = min(ERROR, key=lambda name: N_EASY * ERROR[name]["easy"] + N_HARD * ERROR[name]["hard"])
    assert best_average == "generalist"
    assert ERROR[asked[True]]["hard"] <= 0.7 * ERROR[best_average]["hard"]


def test_who_declines_hard_batches_falls_behind_on_hard_ones_alone(world):
    """After ten hard offers declined, nothing else known of either."""
    picky, other = world.values()
    posteriors.record_hard_responses(missed=[picky.capability_id] * 10)
    job = mixed_job(market.customer())

    def order(hard_ratio: float) -> list[object]:
        return [facts.vendor_id for facts, _ in routing.preview(job, 6, hard_ratio=hard_ratio)]

    assert order(1.0) == [other.vendor_id, picky.vendor_id]
    declined = {facts.vendor_id: row.parts["response"] for facts, row in routing.preview(job, 6)}
    assert declined[picky.vendor_id] == declined[other.vendor_id]
    (score,) = scorecards.of_vendor(Vendor.objects.get(pk=picky.vendor_id))
    assert score.cherry_picking is not None
    assert score.cherry_picking.index > 0
    assert score.cherry_picking.low < score.cherry_picking.index < score.cherry_picking.high
    assert score.cherry_picking.n_hard_offers == 10


def test_answers_to_hard_offers_are_counted_on_their_own(world):
    mixed_job(market.customer())
    offering.advance()
    hard = Offer.objects.get(batch__hard_ratio=1.0, state="live")
    one = next(one for one in world.values() if one.vendor_id == hard.vendor_id)
    offers.decline(actor=one.actor, offer_id=hard.pk, reason="out_of_skill")
    offering.advance()
    again = Offer.objects.get(batch__hard_ratio=1.0, state="live")
    other = next(one for one in world.values() if one.vendor_id == again.vendor_id)
    offers.accept(actor=other.actor, offer_id=again.pk)
    rows = {
        row.capability_id: (row.successes, row.failures)
        for row in RatioPosterior.objects.filter(metric=RatioPosterior.Metric.ACCEPTANCE_HARD)
    }
    assert rows == {one.capability_id: (0.0, 0.5), other.capability_id: (1.0, 0.0)}

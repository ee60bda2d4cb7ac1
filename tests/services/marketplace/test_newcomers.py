"""One cheap, public batch in twenty is offered to a newcomer first, and the ranking says so."""

import pytest

from marketplace.core.routing import EXPLORED
from marketplace.models import Batch, Candidate
from tests import market
from vendors.models import RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


def known(one):
    """Let a vendor have ended enough work to be no newcomer."""
    RatioPosterior.objects.create(capability_id=one.capability_id, metric="completion", successes=9, n_observed=9)
    return one


def first_of(batch):
    return Candidate.objects.get(run_id=batch.ranking_id, sequence=0)


def test_explored_batches_go_to_the_newcomer_first_all_others_to_the_best():
    market.gold_set()
    best, newcomer = known(market.seller(10_000)), market.seller(90_000)
    job = market.job(market.customer(), n_records=300, batch_size=1, n_gold=0, min_overlap=1)
    batches = list(Batch.objects.filter(job=job))
    explored = [batch for batch in batches if batch.pk.int % EXPLORED == 0]
    assert 0 < len(explored) < 60
    for batch in batches:
        expected = newcomer if batch in explored else best
        assert first_of(batch).vendor_id == expected.vendor_id
    words = {first_of(batch).words.startswith("First as a newcomer") for batch in explored}
    assert words == {True}
    assert len({batch.ranking_id for batch in batches}) == 2


@pytest.mark.parametrize("terms", [{"weights": market.Weights.of("speed")}, {"weights": market.Weights.of("accuracy")}])
def test_other_work_takes_no_chances(terms):
    market.gold_set()
    known(market.seller(10_000))
    market.seller(90_000)
    job = market.job(market.customer(), n_records=100, batch_size=1, n_gold=0, min_overlap=1, **terms)
    assert len(set(Batch.objects.filter(job=job).values_list("ranking_id", flat=True))) == 1

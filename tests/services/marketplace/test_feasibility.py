"""A job nobody could take is refused when it is posted, with the nearest change that would do."""

import pytest

from marketplace.errors import InfeasibleJobError
from marketplace.models import Job
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price, min_batch=4) for price in (30_000, 40_000)]


@pytest.mark.parametrize(
    ("terms", "field", "nearest"),
    [
        ({"max_price_micro": 10_000}, "max_price_micro", 30_000),
        ({"batch_size": 3}, "batch_size", 4),
        ({"currency": "EUR"}, "currency", "USD"),
        ({"budget_micro": 100_000, "min_overlap": 2}, "budget_micro", 7 * 33_000 + 7 * 44_000),
    ],
)
def test_each_limit_names_the_nearest_value_that_would_do(sellers, terms, field, nearest):
    with pytest.raises(InfeasibleJobError) as caught:
        market.job(market.customer(), **terms)
    assert caught.value.facts["nearest"] == {field: nearest}
    assert caught.value.errors[0]["field"] == field
    assert not Job.objects.exists()
    market.job(market.customer(), **(terms | {field: nearest}))


def test_an_accuracy_nobody_has_proven_is_refused_with_the_best_there_is(sellers):
    with pytest.raises(InfeasibleJobError) as caught:
        market.job(market.customer(), min_accuracy=0.999)
    best = caught.value.facts["nearest"]["min_accuracy"]
    assert 0.8 < best < 0.999
    market.job(market.customer(), min_accuracy=best)


def test_limits_that_only_together_can_be_met_say_so(sellers):
    with pytest.raises(InfeasibleJobError) as caught:
        market.job(market.customer(), max_price_micro=10_000, batch_size=3)
    assert caught.value.errors[0]["field"] == "limits"


def test_a_market_without_vendors_refuses_nothing():
    assert market.job(market.customer(), max_price_micro=1).state == "open"

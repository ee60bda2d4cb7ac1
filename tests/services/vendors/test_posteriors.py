"""The statements that teach the posteriors do what the pure functions say."""

import random

import pytest
from django.db import connection

from tests import market
from vendors.core.posteriors import Acceptance
from vendors.models import DurationPosterior, RatioPosterior
from vendors.services import posteriors

pytestmark = pytest.mark.django_db(transaction=True)


def wait(capability_id, seconds: float) -> None:
    """Let time pass: move what was told into the past."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vendors_ratioposterior SET told_at = told_at - %s * interval '1 second' WHERE capability_id = %s",
            [seconds, capability_id],
        )


@pytest.mark.parametrize("seed", range(5))
def test_statements_and_functions_agree_on_random_histories(seed):
    rng = random.Random(seed)
    one = market.applicant()
    belief, n_answers, n_told = Acceptance(), 0, 0
    for _ in range(40):
        seconds, kind = rng.choice([0.0, 60.0, 5e3, 1e5, 1e7]), rng.choice(["accepted", "declined", "silent"])
        wait(one.capability_id, seconds)
        if belief.since_s is not None:
            belief = belief.after(seconds)
        n = rng.randint(1, 3) if kind == "silent" else 1
        if kind == "silent":
            posteriors.record_silences(capability_ids=[one.capability_id] * n)
            belief = belief.silent(n)
        else:
            posteriors.record_response(capability_id=one.capability_id, accepted=kind == "accepted", seconds=30)
            belief = belief.accepted() if kind == "accepted" else belief.declined()
            n_answers += 1
        n_told += n
    row = RatioPosterior.objects.get(capability_id=one.capability_id, metric="acceptance")
    assert (row.successes, row.failures) == pytest.approx((belief.successes, belief.failures), rel=1e-3)
    # The test's own clock goes on by some milliseconds between two events.
    assert row.p_away == pytest.approx(belief.p_away, abs=1e-4)
    assert row.n_observed == n_told
    assert DurationPosterior.objects.get(capability_id=one.capability_id, metric="response").n_observed == n_answers


def test_a_thousand_silences_at_once_and_counts_forgotten_to_nothing_stay_within_a_float():
    """Either used to raise inside PostgreSQL, and then no sweep ended and no such vendor could accept any more."""
    one = market.applicant()
    for _ in range(2):
        posteriors.record_silences(capability_ids=[one.capability_id] * 1000)
    RatioPosterior.objects.update(successes=1e-307, failures=1e-307)
    posteriors.record_silences(capability_ids=[one.capability_id] * 1000)
    RatioPosterior.objects.update(successes=1e-307, failures=1e-307)
    posteriors.record_response(capability_id=one.capability_id, accepted=True, seconds=1.0)
    row = RatioPosterior.objects.get(capability_id=one.capability_id, metric="acceptance")
    assert (row.successes, row.failures, row.n_observed) == (1.0, 0.0, 3001)
    RatioPosterior.objects.update(metric="completion", failures=1e-308)
    posteriors.record_completion(capability_id=one.capability_id, completed=True)
    assert RatioPosterior.objects.get(metric="completion").failures == 0.0

"""The market's rules on vendors: what they measure, do once, undo, and what staff may try."""

import datetime

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from common.clock import Now, database_now
from common.errors import PermissionDeniedError
from marketplace.models import Assignment, Offer
from marketplace.services import offering, vendor_rules
from tests import market
from vendors.core import rules
from vendors.models import Capability, CapacityWindow, RatioPosterior, VendorRule, VendorRuleAction
from vendors.selectors.candidates import of_kind
from vendors.services import appeals, rule_actions

DAY = datetime.timedelta(days=1)
database = pytest.mark.django_db(transaction=True)


@given(st.floats(0, 1), st.integers(0, 100), st.sampled_from(list(rules.DEFAULTS.values())))
def test_too_few_observations_never_break_a_rule_and_more_of_it_never_mends_one(value, n, rule):
    if n < rule.min_n:
        assert not rules.is_broken(rule, value, n)
    if rules.is_broken(rule, value, n):
        assert rules.is_broken(rule, value + 1, n + 1)


@pytest.mark.parametrize(
    "changes",
    [{"metric": "mood"}, {"comparator": "<"}, {"action": "scold"}, {"min_n": 0}, {"window_s": 0}, {"duration_s": -1}],
)
def test_a_rule_that_cannot_be_meant_is_refused(changes):
    stated = {"metric": "fail_ratio", "comparator": ">", "threshold": 0.1, "min_n": 1}
    stated |= {"action": "away", "window_s": 1.0, "duration_s": None}
    with pytest.raises(ValueError, match=r"is one of|positive"):
        rules.Rule(**(stated | changes))


def expire_one(one):
    """Let the vendor's live offer run out."""
    offer = market.live_offer(one)
    Offer.objects.filter(pk=offer.pk).update(expires_at=Now())
    offering.expire()
    Offer.objects.filter(state="live").update(state="withdrawn")


def silent(n):
    """Return a vendor that has let so many offers run out."""
    market.gold_set()
    one = market.seller()
    customer = market.customer()
    for _ in range(n):
        market.job(customer, min_overlap=1)
        expire_one(one)
    return one


def check():
    VendorRule.objects.update(check_due_at=Now())
    return vendor_rules.sweep_due()


@database
def test_three_silent_expiries_send_a_vendor_away_once_and_time_brings_it_back():
    one = silent(2)
    vendor_rules.ensure_defaults()
    assert check() == 0
    market.job(market.customer(), min_overlap=1)
    expire_one(one)
    assert [check(), check()] == [1, 0]
    action = VendorRuleAction.objects.get()
    assert "3 offers in a row ran out without an answer" in action.reason
    assert "paused until" in of_kind(**market.KIND, customer_id=None)[0].exclusion
    past = database_now()
    VendorRuleAction.objects.update(expires_at=past)
    CapacityWindow.objects.update(paused_until=past)
    assert [check(), check()] == [1, 0], "it ends, and is not repeated for the same silence"
    assert of_kind(**market.KIND, customer_id=None)[0].exclusion is None
    assert CapacityWindow.objects.get().paused_until is None
    told = list(one.vendor.events.order_by("pk").values_list("kind", flat=True))[-2:]
    assert told == ["rule.applied", "rule.ended"]


@database
def test_an_answer_ends_the_streak():
    one = silent(2)
    market.job(market.customer(), min_overlap=1)
    market.work(one)
    market.job(market.customer(), min_overlap=1)
    expire_one(one)
    vendor_rules.ensure_defaults()
    assert check() == 0


@database
def test_a_longer_pause_of_the_vendors_own_stays():
    one = silent(3)
    own = database_now() + 30 * DAY
    CapacityWindow.objects.update(paused_until=own)
    assert vendor_rules.sweep_due() == 1
    appeal = appeals.file(actor=one.actor, text="We were on holiday.")
    appeals.decide(actor=market.staff(), appeal_id=appeal.pk, is_granted=True, reason="Right.")
    assert CapacityWindow.objects.get().paused_until == own
    assert VendorRuleAction.objects.get().end_reason == "Right."


@database
def test_unfinished_work_means_probation_until_its_time_is_over():
    market.gold_set()
    one = market.seller()
    market.job(market.customer(), min_overlap=1)
    market.work(one)
    Assignment.objects.update(state="failed")
    vendor_rules.ensure_defaults()
    assert check() == 0, "one failure of one is too few to judge"
    VendorRule.objects.update(min_n=1)
    assert check() == 1
    assert one.vendor.state == "probation"
    VendorRuleAction.objects.update(expires_at=Now())
    assert check() == 1
    assert one.vendor.state == "active"


@database
def test_accuracy_below_the_floor_suspends_the_capability_until_a_new_test_is_passed():
    market.gold_set()
    one = market.seller()
    vendor_rules.ensure_defaults()
    assert check() == 0
    RatioPosterior.objects.filter(metric="accuracy").update(successes=30, failures=30, n_observed=60)
    assert [check(), check()] == [1, 0]
    assert Capability.objects.get().status == "inactive"
    assert "has not passed" in of_kind(**market.KIND, customer_id=None)[0].exclusion
    assert market.qualify(one)
    assert check() == 1, "the act is closed by the test"
    assert Capability.objects.get().status == "active"
    assert VendorRuleAction.objects.get().end_reason == "Passed the test again."


@database
def test_a_granted_objection_gives_the_capability_back_as_it_was():
    market.gold_set()
    one = market.seller()
    before = Capability.objects.get().qualified_until
    RatioPosterior.objects.filter(metric="accuracy").update(successes=30, failures=30, n_observed=60)
    assert vendor_rules.sweep_due() == 1
    appeal = appeals.file(actor=one.actor, text="The gold was wrong.")
    appeals.decide(actor=market.staff(), appeal_id=appeal.pk, is_granted=True, reason="It was.")
    after = Capability.objects.get()
    assert (after.status, after.qualified_until) == ("active", before)
    assert check() == 0, "not repeated on the same labels"


@database
def test_staff_tries_a_rule_without_changing_anything():
    one = silent(3)
    vendor_rules.ensure_defaults()
    rule = VendorRule.objects.get(metric="silent_streak")
    for _ in range(2):
        (hit,) = vendor_rules.attempt(actor=market.staff(), rule_id=rule.pk, days=1)
        assert (hit.vendor_id, hit.value) == (one.vendor_id, 3)
    assert not VendorRuleAction.objects.exists()
    with pytest.raises(PermissionDeniedError):
        vendor_rules.attempt(actor=one.actor, rule_id=rule.pk)


@database
def test_a_rule_switched_off_does_nothing():
    silent(3)
    vendor_rules.ensure_defaults()
    rule = VendorRule.objects.get(metric="silent_streak")
    assert not vendor_rules.switch(actor=market.staff(), rule_id=rule.pk, is_on=False).is_enabled
    assert check() == 0


@database
def test_an_action_is_ended_once():
    silent(3)
    vendor_rules.sweep_due()
    action = VendorRuleAction.objects.get()
    with transaction.atomic():
        ends = [rule_actions.end(action_id=action.pk, actor=market.staff(), reason="A mistake.") for _ in range(2)]
    assert ends == [True, False]

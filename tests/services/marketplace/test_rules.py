"""Rules on real work: tried on history, switched on, laid once, expiring, reversed."""

from dataclasses import replace

import pytest
from django.db.models.functions import Now

from common.errors import ConflictError, NotFoundError, ValidationFailedError
from marketplace.core.rules import Rule as Terms
from marketplace.errors import EffectEndedError, RuleNotTriedError
from marketplace.models import Assignment, Batch, Candidate, Offer, RoutingEvent, Rule, RuleEffect
from marketplace.services import annotations, offers, routing, rules, rulings, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
GOLD = Terms("annotator", "gold_accuracy", "<", 0.6, 3, "pause_annotator", duration_s=3600)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000, 50_000)]


@pytest.fixture
def owner():
    return market.customer()


@pytest.fixture
def job(owner):
    return market.job(owner, n_records=12, batch_size=6, n_gold=12, gold_ratio=0.5, min_overlap=1, max_overlap=2)


def made(actor, job, terms=GOLD, name="Gold", *, is_on=True):
    rule = rules.create(actor=actor, job_id=job.pk if job else None, name=name, terms=terms)
    if is_on:
        rules.attempt(actor=actor, rule_id=rule.pk)
        rules.switch(actor=actor, rule_id=rule.pk, is_on=True)
    return rule


def start(one):
    return offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)


def deliver(one, assignment, *, limit, wrong=0, who="", gold=False):
    """Answer open items in order (with ``gold``: gold ones only, all of them wrongly)."""
    answers = [replace(a, annotator=who) for a in market.answers_of(assignment, wrong=99 if gold else wrong)]
    if gold:
        known = set(assignment.items.filter(gold__isnull=False).values_list("pk", flat=True))
        answers = [a for a in answers if a.item_id in known]
    return annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers[:limit])


def test_a_rule_stops_the_annotator_it_hits_and_nobody_else(sellers, job, owner):
    rule = made(owner, job)
    one = sellers[0]
    work = start(one)
    deliver(one, work, limit=3, gold=True, who="bad")
    assert rulings.enforce_due() == 1
    effect = RuleEffect.objects.get()
    assert (effect.rule_id, effect.annotator, effect.action, effect.value) == (rule.pk, "bad", "pause_annotator", 0.0)
    assert (effect.expires_at - effect.starts_at).total_seconds() == pytest.approx(3600, abs=5)
    assert "0.0% over 3 answers; the rule is < 60.0%" in effect.words
    with pytest.raises(ValidationFailedError) as refused:
        deliver(one, work, limit=1, who="bad")
    assert [(e["field"], e["code"]) for e in refused.value.errors] == [("annotations[0].annotator", "pause_annotator")]
    assert "Let another annotator do it" in refused.value.errors[0]["detail"]
    assert deliver(one, work, limit=1, who="good").n_new == 1
    assert RoutingEvent.objects.filter(kind="rule.pause_annotator", subject=effect.pk, vendor_id=one.vendor_id).exists()


def test_enforcing_twice_lays_an_effect_once(sellers, job, owner):
    made(owner, job)
    work = start(sellers[0])
    deliver(sellers[0], work, limit=3, gold=True)
    rulings.enforce_due()
    Assignment.objects.update(rules_due_at=Now())
    assert rulings.enforce_due() == 0
    assert RuleEffect.objects.count() == 1
    assert Assignment.objects.filter(rules_due_at__isnull=False).count() == 0


def test_a_dry_run_tells_whom_it_would_have_hit_and_does_nothing(sellers, job, owner):
    work = start(sellers[0])
    deliver(sellers[0], work, limit=3, gold=True, who="bad")
    rule = made(owner, job, is_on=False)
    trial = rules.attempt(actor=owner, rule_id=rule.pk)
    assert (trial.n_answers, trial.n_subjects, trial.n_subjects_hit, trial.n_hits) == (3, 1, 1, 1)
    (hit,) = trial.hits
    assert (hit["annotator"], hit["value"], hit["n"]) == ("bad", 0.0, 3)
    assert RuleEffect.objects.count() == 0
    assert deliver(sellers[0], work, limit=1, who="bad").n_new == 1


def test_a_rule_must_be_tried_as_it_stands_before_it_acts(job, owner):
    rule = made(owner, job, is_on=False)
    with pytest.raises(RuleNotTriedError):
        rules.switch(actor=owner, rule_id=rule.pk, is_on=True)
    rules.attempt(actor=owner, rule_id=rule.pk)
    assert rules.switch(actor=owner, rule_id=rule.pk, is_on=True).is_on
    changed = rules.change(actor=owner, rule_id=rule.pk, terms=replace(GOLD, threshold=0.7))
    assert (changed.revision, changed.is_on) == (2, False)
    with pytest.raises(RuleNotTriedError):
        rules.switch(actor=owner, rule_id=rule.pk, is_on=True)


def test_switching_on_punishes_nobody_for_the_past_but_counts_it(sellers, job, owner):
    work = start(sellers[0])
    deliver(sellers[0], work, limit=2, gold=True)
    made(owner, job, replace(GOLD, min_n=2))
    Assignment.objects.update(rules_due_at=Now())
    assert rulings.enforce_due() == 0
    deliver(sellers[0], work, limit=1, gold=True)
    assert rulings.enforce_due() == 1
    assert RuleEffect.objects.get().n == 3


def test_a_reversed_effect_frees_and_its_evidence_is_used_up(sellers, job, owner):
    made(owner, job)
    work = start(sellers[0])
    deliver(sellers[0], work, limit=3, gold=True, who="bad")
    rulings.enforce_due()
    effect = RuleEffect.objects.get()
    done = rulings.reverse(actor=owner, effect_id=effect.pk, reason="The gold was wrong.")
    assert done.reversed_at is not None
    assert rulings.reverse(actor=owner, effect_id=effect.pk, reason="Again.").reversal == "The gold was wrong."
    assert deliver(sellers[0], work, limit=1, who="bad").n_new == 1
    rulings.enforce_due()
    assert RuleEffect.objects.filter(reversed_at=None).count() == 0


def test_an_effect_that_ran_out_cannot_be_reversed(sellers, job, owner):
    made(owner, job, replace(GOLD, duration_s=1))
    work = start(sellers[0])
    deliver(sellers[0], work, limit=3, gold=True, who="bad")
    rulings.enforce_due()
    RuleEffect.objects.update(expires_at=Now())
    with pytest.raises(EffectEndedError):
        rulings.reverse(actor=owner, effect_id=RuleEffect.objects.get().pk, reason="Too late.")
    assert deliver(sellers[0], work, limit=1, who="bad").n_new == 1


def test_a_paused_vendor_gets_no_offer_of_the_job_and_its_live_one_goes_on(sellers, job, owner):
    made(owner, job, replace(GOLD, subject="vendor", action="pause_vendor", threshold=0.9))
    cheapest = sellers[0]
    work = start(cheapest)
    assert Offer.objects.filter(vendor_id=cheapest.vendor_id, state="live").exists()
    deliver(cheapest, work, limit=3, gold=True)
    rulings.enforce_due()
    assert not Offer.objects.filter(vendor_id=cheapest.vendor_id, state="live").exists()
    assert market.live_offer(cheapest) is None
    assert market.live_offer(sellers[1]) is not None
    ranked = {facts.vendor_id: row for facts, row in routing.preview(job, 6)}
    assert ranked[cheapest.vendor_id].sequence is None
    assert "Paused on this job by a rule" in ranked[cheapest.vendor_id].words
    assert Candidate.objects.filter(vendor_id=cheapest.vendor_id, sequence__isnull=False).exists()  # ranked before


def test_extra_overlap_asks_one_more_opinion_on_what_the_suspect_answered(sellers, owner):
    job = market.job(owner, n_records=6, n_gold=0, min_overlap=2, max_overlap=3, accuracy_floor=0.5)
    made(owner, job, Terms("vendor", "n_answers", ">", 4, 1, "extra_overlap", window_s=3600, duration_s=3600))
    market.work(sellers[0])
    rulings.enforce_due()
    market.work(sellers[1])
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert Batch.objects.get(job=job, layer=2).n_items == 6


def test_agreement_is_judged_once_labels_are_decided(sellers, owner):
    job = market.job(owner, n_records=6, n_gold=0, min_overlap=2, max_overlap=3, accuracy_floor=0.3)
    made(owner, job, Terms("vendor", "consensus_agreement", "<", 0.9, 6, "warn"))
    for one, wrong in zip(sellers[:2], (3, 0), strict=True):
        market.work(one, wrong=wrong)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert rulings.enforce_due() == 0
    market.work(sellers[2])
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert job.lots.get().state == "closed"
    assert rulings.enforce_due() == 1
    effect = RuleEffect.objects.get()
    assert (effect.vendor_id, effect.action, effect.value) == (sellers[0].vendor_id, "warn", 0.5)


def test_platform_rules_put_the_answers_of_all_jobs_together_and_act_on_all(sellers, owner):
    made(market.staff(), None, replace(GOLD, action="ban_annotator", duration_s=None, min_n=5), name="Market")
    works = []
    for one, who in ((sellers[0], owner), (sellers[0], market.customer())):
        terms = {"min_overlap": 1, "pinned_vendors": (one.vendor_id,), "is_manual": True}
        market.job(who, n_records=6, n_gold=12, gold_ratio=0.5, **terms)
        works.append(start(one))
        assert rulings.enforce_due() == 0
        deliver(one, works[-1], limit=3, gold=True, who="bad")
    assert rulings.enforce_due() == 1
    assert RuleEffect.objects.values_list("job_id", "action", "expires_at", "annotator", "n").get() == (
        None,
        "ban_annotator",
        None,
        "bad",
        5,
    )
    for work in works:
        with pytest.raises(ValidationFailedError, match="that a rule stops"):
            deliver(sellers[0], work, limit=1, who="bad")


def test_rules_belong_to_their_job_and_names_to_one_rule(job, owner):
    stranger = market.customer()
    with pytest.raises(NotFoundError):
        rules.create(actor=stranger, job_id=job.pk, name="x", terms=GOLD)
    with pytest.raises(ValidationFailedError) as refused:
        rules.create(actor=owner, job_id=None, name="x", terms=GOLD)
    assert refused.value.errors[0]["field"] == "job"
    rule = made(owner, job, is_on=False)
    with pytest.raises(ConflictError):
        made(owner, job, is_on=False)
    with pytest.raises(NotFoundError):
        rules.attempt(actor=stranger, rule_id=rule.pk)
    assert Rule.objects.count() == 1

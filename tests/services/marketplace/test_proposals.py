"""The customer's say in each round: what it vetoes is never sent, what it adds is, and both are measured."""

from datetime import timedelta

import pytest

from common.clock import Now
from common.errors import ValidationFailedError
from common.models import AuditEvent
from curation.models import Experiment, Observation, Pick, Round
from curation.models.experiments import VetoReason
from curation.services import overrides
from curation.services.opinions import Again, Plan
from marketplace.errors import CampaignStateError, ProposalClosedError
from marketplace.models import Batch, Campaign, Lot, Notice, RoutingEvent
from marketplace.selectors import times
from marketplace.services import campaigns, opinions, override_reports, reminders, sweeper
from marketplace.services.campaign_terms import CampaignTerms
from tests.loops import BATCH, Loop
from tests.proposals import add, approve, pass_deadline, propose, proposed, sent, told, unasked, veto

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 2


@pytest.fixture
def storage(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"


@pytest.fixture
def loop(storage):
    return Loop(max_rounds=ROUNDS, mode="veto")


@pytest.fixture
def asking(storage):
    return Loop(max_rounds=ROUNDS, mode="approve")


def test_without_a_say_nothing_is_proposed(storage):
    loop = Loop(max_rounds=1)
    loop.run()
    loop.check(1)
    assert not RoutingEvent.objects.filter(kind="round.proposed").exists()


def test_the_rest_is_ordered_when_the_time_to_veto_is_over_and_not_before(loop):
    keys = propose(loop)
    campaign = Campaign.objects.get()
    assert timedelta(hours=23) < campaign.review_due_at - campaign.created_at < timedelta(hours=25)
    assert campaign.next_check_at == campaign.review_due_at  # the sweeper looks then, and no sooner
    veto(loop, keys[:3], VetoReason.SENSITIVE, "A face.")
    loop.tick()
    assert not Lot.objects.exists()
    pass_deadline()
    loop.tick()
    assert sent() == sorted(keys[3:])
    first = times.of_campaign(Campaign.objects.get()).rounds[0]
    assert [step.stage for step in first.steps[:2]] == ["select", "decide"]  # the customer's time is not the machine's
    event = RoutingEvent.objects.get(kind="proposal.vetoed")
    assert (event.facts["keys"], event.facts["reason"], event.facts["note"]) == (keys[:3], "sensitive", "A face.")
    trail = AuditEvent.objects.get(action="proposal.vetoed")
    assert (trail.organization_id, trail.facts["keys"]) == (loop.actor.organization_id, keys[:3])


def test_nothing_is_ordered_before_the_customer_approves(asking):
    keys = propose(asking)
    for _ in range(3):
        Campaign.objects.update(next_check_at=Now())
        asking.tick()
    assert not Lot.objects.exists()
    with pytest.raises(ProposalClosedError, match="Round 1 is proposed now, not round 2"):
        approve(asking, 2)
    first = approve(asking, 1)
    assert approve(asking, 1).review_due_at == first.review_due_at
    assert RoutingEvent.objects.filter(kind="proposal.approved").count() == 1
    asking.tick()
    assert sent() == sorted(keys)
    with pytest.raises(ProposalClosedError):
        approve(asking, 1)


def test_a_veto_after_the_order_is_refused_and_changes_nothing(loop):
    keys = propose(loop)
    approve(loop, 1)
    loop.tick()
    before = list(Pick.objects.order_by("pk").values()), sent(), RoutingEvent.objects.count()
    for deed in (lambda: veto(loop, keys[:1], VetoReason.CORRUPTED), lambda: add(loop, unasked(1))):
        with pytest.raises(ProposalClosedError, match="ordered already"):
            deed()
    assert (list(Pick.objects.order_by("pk").values()), sent(), RoutingEvent.objects.count()) == before
    assert not Observation.objects.exists()
    propose(loop)
    with pytest.raises(ValidationFailedError, match="is not proposed in this round"):
        veto(loop, keys[:1])  # one of the round before, while the next one is proposed
    assert not Pick.objects.filter(vetoed_at__isnull=False).exists()


def test_a_late_veto_counts_as_long_as_nothing_is_ordered(loop):
    keys = propose(loop)
    campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="pause")
    pass_deadline()
    loop.tick()
    veto(loop, keys[:1])
    campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="resume")
    loop.tick()
    assert sent() == sorted(keys[1:])


def test_a_veto_is_final_its_first_reason_stands_and_it_is_never_proposed_again(loop):
    keys = propose(loop)
    veto(loop, keys[:2], VetoReason.KNOWN)
    veto(loop, keys[:3], VetoReason.OUT_OF_SCOPE)
    reasons = dict(Pick.objects.filter(vetoed_at__isnull=False).values_list("key", "veto_reason"))
    assert reasons == {keys[0]: "known", keys[1]: "known", keys[2]: "out_of_scope"}
    with pytest.raises(ValidationFailedError, match="a veto is final"):
        add(loop, keys[:1])
    pass_deadline()
    again = propose(loop)
    assert set(again).isdisjoint(keys)
    assert len(again) == BATCH


def test_only_a_reason_that_nobody_could_label_it_teaches_anything(loop):
    keys = propose(loop)
    veto(loop, keys[:1], VetoReason.SENSITIVE)
    veto(loop, keys[1:3], VetoReason.OUT_OF_SCOPE)
    taught = Observation.objects.values_list("row", "label", "reason", "confidence")
    rows = Pick.objects.filter(key__in=keys[1:3]).order_by("row").values_list("row", flat=True)
    assert list(taught.order_by("row")) == [(row, None, "out_of_scope", 1.0) for row in rows]
    pass_deadline()
    propose(loop)
    metrics = Round.objects.get(number=1).metrics
    assert (metrics["n_asked"], metrics["n_labeled"], metrics["n_unlabelable"]) == (BATCH - 3, BATCH - 3, 0)


def test_a_round_vetoed_whole_buys_nothing_and_the_next_follows(loop):
    keys = propose(loop)
    veto(loop, keys)
    pass_deadline()
    again = propose(loop)
    assert Campaign.objects.get().round == 2
    assert not Lot.objects.exists()
    assert set(again).isdisjoint(keys)
    pass_deadline()
    loop.run()
    assert sent() == sorted(again)


def test_records_added_by_key_are_ordered_with_the_rest_and_measured_beside_it(loop):
    keys = propose(loop)
    mine = unasked(4)
    add(loop, mine)
    veto(loop, [keys[0], mine[0]], VetoReason.KNOWN)
    pass_deadline()
    loop.until(lambda: Campaign.objects.get().round == 2)
    assert sent() == sorted([*keys[1:], *mine[1:]])
    told = override_reports.tell(Campaign.objects.get(), Experiment.objects.get())
    report, (machine, manual, control) = told.report, (line.chosen for line in told.lines)
    assert (manual.n_picked, manual.n_vetoed, len(manual.keys), manual.label_yield.n_usable) == (4, 1, 3, 3)
    assert (machine.n_picked + control.n_picked, machine.n_vetoed + control.n_vetoed) == (2 * BATCH, 1)
    assert report.vetoes == {"known": 2}
    assert "usable labels" in report.manual.words
    costs = [line.cost_micro for line in told.lines]
    assert told.has_overrides
    assert 0 < costs[1] < sum(costs) <= Campaign.objects.get().job.spent_micro
    assert told.lines[1].per_usable_micro == round(costs[1] / 3)


def test_further_opinions_wait_for_the_customer_too(asking, monkeypatch):
    first = propose(asking)
    approve(asking, 1)
    wanted = [Again(first[0], str(asking.sellers[3].vendor_id))]
    monkeypatch.setattr(opinions, "plan", lambda campaign, n_records: Plan(n_records, tuple(wanted)))
    propose(asking)
    assert not Batch.objects.filter(wanted_vendor__isnull=False).exists()
    monkeypatch.undo()  # what is ordered is what was proposed, whatever would be planned by now
    approve(asking, 2)
    asking.tick()
    asked = Batch.objects.get(wanted_vendor=asking.sellers[3].vendor_id)
    assert asked.items.get(record__isnull=False).record.key == first[0]


def test_keys_that_cannot_be_added_are_named_each(loop):
    keys = propose(loop)
    new = unasked(1)[0]
    with pytest.raises(ValidationFailedError) as caught:
        add(loop, ["nobody", keys[0], new, new])
    found = [(error["field"], error["code"]) for error in caught.value.errors]
    assert found == [("keys[0]", "unknown_key"), ("keys[1]", "asked_before"), ("keys[3]", "duplicate_key")]
    type(loop.campaign.job).objects.update(budget_micro=1)
    with pytest.raises(ValidationFailedError, match="With these the round is expected to cost"):
        add(loop, [new])
    assert proposed() == keys


def test_a_record_added_twice_at_once_is_there_once(loop, monkeypatch):
    propose(loop)
    key, real = unasked(1), overrides.by_hand

    def beaten(**given):
        picks = real(**given)
        monkeypatch.setattr(overrides, "by_hand", real)
        add(loop, key)
        return picks

    monkeypatch.setattr(overrides, "by_hand", beaten)
    with pytest.raises(overrides.ConflictError, match="added meanwhile"):
        add(loop, key)
    assert proposed().count(key[0]) == 1


@pytest.mark.parametrize("verb", ["stop", "finish"])
def test_a_campaign_that_is_over_takes_no_veto(loop, verb):
    keys = propose(loop)
    if verb == "stop":
        campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="stop")
    else:
        type(loop.campaign.job).objects.update(state="closed")
        loop.tick()
        assert Campaign.objects.get().reason == "The job is closed."
    with pytest.raises(CampaignStateError, match="nothing more is ordered"):
        veto(loop, keys[:1])


def test_a_time_to_veto_goes_with_that_mode_alone(loop):
    with pytest.raises(ValidationFailedError, match="goes with the mode veto"):
        campaigns.start(
            actor=loop.actor,
            experiment_id=loop.campaign.experiment_id,
            job_id=loop.campaign.job_id,
            terms=CampaignTerms(max_rounds=1, mode="approve", review_s=60),
        )


def remind_now():
    Campaign.objects.update(remind_at=Now())


def test_a_proposal_is_told_once_and_reminded_of_once_before_its_time_is_over(loop):
    propose(loop)
    campaign = Campaign.objects.get()
    passed = (campaign.remind_at - campaign.review_due_at + timedelta(days=1)) / timedelta(days=1)
    assert passed == pytest.approx(0.8)
    campaigns.advance(campaign_id=campaign.pk)
    assert (sweeper.is_due(), told()) == (False, ["proposal.to_veto"])
    remind_now()
    assert sweeper.is_due()
    for _ in range(3):
        sweeper.sweep()
    assert told() == ["proposal.to_veto", "proposal.closes"]
    newest = Notice.objects.latest("pk")
    assert (newest.customer_id, newest.subject) == (loop.actor.organization_id, campaign.pk)
    assert (newest.facts["round"], newest.facts["job"]) == (1, "Digits")
    assert RoutingEvent.objects.get(kind="proposal.reminded").job_id == campaign.job_id
    pass_deadline()
    propose(loop)
    assert told() == ["proposal.to_veto", "proposal.closes", "proposal.to_veto"]


def test_one_that_waits_for_approval_is_reminded_of_after_a_day(asking):
    propose(asking)
    campaign = Campaign.objects.get()
    rests = campaign.remind_at - RoutingEvent.objects.get(kind="round.proposed").created_at
    assert rests.total_seconds() == pytest.approx(86_400, abs=5)
    remind_now()
    assert [reminders.send_due() for _ in range(2)] == [1, 0]
    assert told() == ["proposal.to_approve", "proposal.waits"]


@pytest.mark.parametrize("how", ["approved", "over", "ordered", "paused"])
def test_nobody_is_reminded_of_a_round_that_does_not_wait_for_them(loop, how):
    propose(loop)
    if how == "paused":
        campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="pause")
    elif how == "over":
        pass_deadline()
    else:
        approve(loop, 1)
    if how == "ordered":
        loop.tick()
    remind_now()
    assert reminders.send_due() == 0
    assert not sweeper.is_due() or how != "paused"
    assert told() == ["proposal.to_veto"]
    if how == "paused":
        campaigns.control(actor=loop.actor, campaign_id=loop.campaign.pk, verb="resume")
        assert reminders.send_due() == 1

"""The closed loop in process: it goes round, resumes after a crash at any step, and loses or doubles nothing."""

import threading

import pytest
from django.db import connection

from common.errors import ConflictError, ValidationFailedError
from curation.models import Dataset, Pick, Round
from curation.services import datasets, experiments, observations, problems
from curation.services.observations import ObservationInput
from marketplace.models import Campaign, JobRecord, Lot, Review
from marketplace.selectors import times
from marketplace.services import campaigns, lots, sweeper, vetting
from marketplace.services.campaigns import CampaignTerms
from tests import market
from tests.loops import BATCH, Loop, digits
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


@pytest.fixture
def loop(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    return Loop(max_rounds=ROUNDS)


def test_the_loop_goes_round_and_learns(loop):
    loop.run()
    loop.check(ROUNDS)
    accuracies = [r.metrics["accuracy"] for r in Round.objects.order_by("number")]
    assert accuracies[-1] > accuracies[0] > 0.2


def test_labels_that_the_model_doubts_are_called_to_review_once(loop, monkeypatch):
    monkeypatch.setattr(problems, "doubted", lambda dataset, problem, rows: [doubtful(problem.asked)])

    def doubtful(asked):
        return f"digit-{asked.rows[0]}"

    loop.run()
    called = Review.objects.get(cause="model")
    assert called.record.key == Pick.objects.order_by("round__number", "rank").first().key


STEPS = [
    (experiments, "_save"),
    (observations, "record"),
    (experiments.measuring, "measure"),
    (lots, "make_batches"),
    (campaigns, "_move"),
    (vetting, "_close"),
    (vetting.consensus, "conclude"),
    (vetting.verdicts, "decide_all"),
    (sweeper.offering, "advance"),
]


@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_neither_loses_nor_doubles(loop, monkeypatch, module, name, when):
    real = getattr(module, name)
    calls = {"n": 0}

    def dying(*args, **kwargs):
        calls["n"] += 1
        if calls["n"] == 2 and when == "before":
            raise Crash
        result = real(*args, **kwargs)
        if calls["n"] == 2:
            raise Crash
        return result

    monkeypatch.setattr(module, name, dying)
    with pytest.raises(Crash):
        loop.run()
    monkeypatch.setattr(module, name, real)
    loop.run()
    loop.check(ROUNDS)


def test_the_campaign_stops_before_a_round_its_budget_cannot_cover(loop):
    job = loop.campaign.job
    type(job).objects.filter(pk=job.pk).update(budget_micro=3_000_000)
    loop.run()
    campaign = Campaign.objects.get()
    assert campaign.reason.startswith("The budget is used up: A round is expected to cost")
    job.refresh_from_db()
    assert 0 < job.spent_micro <= 3_000_000
    assert Lot.objects.filter(state="closed").count() == Lot.objects.count() < ROUNDS


class Flat:
    """A model that stays at one accuracy, whatever it is taught."""

    def __init__(self, monkeypatch, loop, value_of_point_micro) -> None:
        real = experiments.measuring.measure
        monkeypatch.setattr(experiments.measuring, "measure", lambda e: real(e) | {"accuracy": 0.9})
        Campaign.objects.update(max_rounds=5, value_of_point_micro=value_of_point_micro)
        self.loop = loop

    def run(self) -> tuple[str, int]:
        self.loop.run()
        return Campaign.objects.get().reason, Round.objects.filter(evaluated_at__isnull=False).count()


def test_a_campaign_stops_when_labels_bring_less_than_they_cost(loop, monkeypatch):
    reason, n_rounds = Flat(monkeypatch, loop, 10_000).run()
    assert reason.startswith("Further labels are not worth their price, at 0.")
    assert "USD for a point of accuracy. Stop: the next" in reason
    assert 3 <= n_rounds < 5
    assert Lot.objects.count() == n_rounds


def test_without_a_value_of_accuracy_a_flat_curve_stops_nothing(loop, monkeypatch):
    assert Flat(monkeypatch, loop, None).run() == ("All 5 rounds are done.", 5)


@pytest.mark.parametrize("term", [{"value_of_point_micro": 1}, {"target_accuracy": 0.9}])
def test_accuracy_asked_for_needs_a_test_set(loop, term):
    Dataset.objects.update(n_test=0)
    with pytest.raises(ValidationFailedError, match="no test set to measure accuracy on"):
        campaigns.start(
            actor=loop.actor,
            experiment_id=loop.campaign.experiment_id,
            job_id=loop.campaign.job_id,
            terms=CampaignTerms(max_rounds=ROUNDS, **term),
        )


@pytest.mark.parametrize("name", ["_finish", "_move", "_ending"])
def test_a_crash_while_stopping_stops_once_all_the_same(loop, monkeypatch, name):
    flat = Flat(monkeypatch, loop, 10_000)
    real = campaigns._ending
    monkeypatch.setattr(campaigns, "_ending", lambda campaign, accuracy: dying(real(campaign, accuracy)))
    step, died = getattr(campaigns, name) if name != "_ending" else None, []

    def dying(ending):
        if ending and not died:
            if step is None:
                died.append(True)
                raise Crash
            monkeypatch.setattr(campaigns, name, after)
        return ending

    def after(*args, **kwargs):
        step(*args, **kwargs)
        died.append(True)
        monkeypatch.setattr(campaigns, name, step)
        raise Crash

    with pytest.raises(Crash):
        loop.run()
    assert Campaign.objects.get().state == "running"
    reason, n_rounds = flat.run()
    assert died == [True]
    assert reason.startswith("Further labels are not worth their price")
    assert Lot.objects.count() == n_rounds < 5


def test_two_runners_at_once_take_each_step_once(loop, monkeypatch):
    """Another runner that does the whole step in between must not double it."""
    real = experiments.start_round
    entered = []

    def twice(**kwargs):
        picks = real(**kwargs)
        if not entered:
            entered.append(True)
            campaigns.advance(campaign_id=loop.campaign.pk)
        return picks

    monkeypatch.setattr(experiments, "start_round", twice)
    loop.run()
    loop.check(ROUNDS)


def test_a_step_that_cannot_succeed_pauses_the_campaign_with_its_reason(loop, monkeypatch):
    def broken(**kwargs):
        raise ValueError("the pool has 3 features, the anchor 4")

    monkeypatch.setattr(experiments, "start_round", broken)
    campaigns.advance(campaign_id=loop.campaign.pk)
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.reason) == ("paused", "the pool has 3 features, the anchor 4")


def by_hand(experiment_id, number, n_labeled=None):
    """Choose a round as a person would who labels without a campaign; return its keys."""
    picks = experiments.start_round(experiment_id=experiment_id, number=number)
    labels = [ObservationInput(one.key, int(digits().target[one.row])) for one in picks[:n_labeled]]
    observations.record(experiment_id=experiment_id, observations=labels)
    return {one.key for one in picks}


@pytest.fixture
def turned(settings, tmp_path, monkeypatch):
    """Return a campaign that is started on an experiment two rounds of which were turned by hand, and their keys."""
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    start, keys = campaigns.start, set()

    def later(*, experiment_id, **more):
        for number in (1, 2):
            keys.update(by_hand(experiment_id, number))
            experiments.train_and_evaluate(experiment_id=experiment_id, number=number)
        return start(experiment_id=experiment_id, **more)

    monkeypatch.setattr(campaigns, "start", later)
    return Loop, keys


@pytest.mark.parametrize("terms", [{}, {"value_of_day_micro": 10**9}])
def test_a_campaign_goes_on_where_hands_have_stopped_and_buys_nothing_of_theirs(turned, terms):
    make, keys = turned
    loop = make(max_rounds=2, **terms)
    loop.run()
    campaign = Campaign.objects.get()
    bought = set(JobRecord.objects.values_list("key", flat=True))
    assert (campaign.first_round, campaign.last_round) == (3, 4)
    assert len(bought) == 2 * BATCH
    assert bought.isdisjoint(keys)
    assert campaign.reason.startswith("All 2 rounds are done." if not terms else "All records of 2 usual rounds")
    found = times.of_campaign(campaign)
    assert [one.number for one in found.rounds] == list(range(3, campaign.round + 1))
    assert found.rounds[0].start == campaign.created_at


def test_a_round_that_is_partly_labeled_is_finished_by_hand_first(loop):
    job = loop.campaign.job
    Campaign.objects.all().delete()
    again = {"actor": loop.actor, "experiment_id": loop.campaign.experiment_id, "job_id": job.pk}
    by_hand(loop.campaign.experiment_id, 1, n_labeled=1)
    with pytest.raises(ConflictError, match="Round 1 of the experiment is open and partly labeled; evaluate it first"):
        campaigns.start(**again, terms=CampaignTerms(max_rounds=1))
    assert not Campaign.objects.exists()
    experiments.train_and_evaluate(experiment_id=loop.campaign.experiment_id, number=1)
    assert campaigns.start(**again, terms=CampaignTerms(max_rounds=1)).first_round == 2


def test_of_jobs_that_want_an_experiment_at_once_one_gets_it(settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    actor = market.customer()
    of = {"actor": actor, "modality": "image", "file_name": "d.npz"}
    dataset = datasets.create(**of, name="Pool", data=world.pool_file())
    experiment_id = experiments.create(actor=actor, dataset_id=dataset.pk, name="E").pk
    jobs = [market.job(actor, n_records=0, n_gold=0) for _ in range(4)]
    barrier, outcomes = threading.Barrier(4), []

    def start(job):
        barrier.wait(10)
        try:
            terms = CampaignTerms(max_rounds=1)
            outcomes.append(campaigns.start(actor=actor, experiment_id=experiment_id, job_id=job.pk, terms=terms))
        except ConflictError as error:
            outcomes.append(str(error))
        connection.close()

    threads = [threading.Thread(target=start, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    refused = [one for one in outcomes if isinstance(one, str)]
    assert refused == ["The job or the experiment is part of another campaign."] * 3
    assert Campaign.objects.count() == 1

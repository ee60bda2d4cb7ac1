"""The closed loop in process: it goes round, resumes after a crash at any step, and loses or doubles nothing."""

import io

import numpy as np
import pytest
from sklearn.datasets import load_digits

from common.errors import ValidationFailedError
from curation.models import Dataset, Observation, Pick, Round
from curation.services import datasets, experiments
from marketplace.models import Annotation, Campaign, JobRecord, Lot, Review
from marketplace.services import annotations, campaigns, jobs, lots, offers, sweeper, vetting
from marketplace.services.annotations import Answer
from marketplace.services.campaigns import CampaignTerms
from marketplace.services.jobs import GoldInput, JobTerms
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
CLASSES = [str(digit) for digit in range(10)]
N_POOL = 200
ROUNDS = 3
BATCH = 12


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture
def loop(digits, settings, tmp_path):
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000, 50_000, 60_000)]
    actor = market.customer()
    buffer = io.BytesIO()
    X, y = digits.data, digits.target
    np.savez(
        buffer,
        X=X[:N_POOL],
        key=np.array([f"digit-{i}" for i in range(N_POOL)]),
        X_test=X[-300:],
        y_test=y[-300:],
        classes=np.array(CLASSES),
    )
    dataset = datasets.create(actor=actor, name="d", modality="image", file_name="d.npz", data=buffer.getvalue())
    experiment = experiments.create(actor=actor, dataset_id=dataset.pk, name="e", batch_size=BATCH, seed=5)
    schema = jobs.create_schema(actor=actor, name="s", task_type="classification", classes=CLASSES)
    terms = JobTerms(
        title="Digits",
        instructions="Name the digit.",
        modality="image",
        budget_micro=10**10,
        weights=market.Weights.of("cost"),
        batch_size=BATCH,
        round_pause_s=0.0,
    )
    gold = [GoldInput(f"digit-{i}", str(y[i])) for i in range(N_POOL, N_POOL + 20)]
    job = jobs.create(actor=actor, label_schema_id=schema.pk, terms=terms, gold=gold)
    campaign = campaigns.start(
        actor=actor, experiment_id=experiment.pk, job_id=job.pk, terms=CampaignTerms(max_rounds=ROUNDS)
    )
    return Loop(campaign, sellers, y, actor)


class Loop:
    """A campaign with the people who work for it."""

    def __init__(self, campaign, sellers, y, actor) -> None:
        self.campaign, self.sellers, self.y, self.actor = campaign, sellers, y, actor

    def tick(self) -> None:
        """Let everyone do what is to be done once."""
        campaigns.advance(campaign_id=self.campaign.pk)
        sweeper.sweep()
        for one in self.sellers:
            offer = market.live_offer(one)
            if offer is not None:
                self.work(one, offer)
        for lot in Lot.objects.filter(state="open"):
            vetting.vet_lot(lot_id=lot.pk)

    def work(self, one, offer) -> None:
        assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
        items = assignment.items.select_related("record", "gold")
        answers = [Answer(item.pk, str(self.y[int((item.record or item.gold).key.split("-")[1])])) for item in items]
        annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)

    def run(self) -> None:
        for _ in range(60):
            self.tick()
            if Campaign.objects.get().state == "finished":
                return
        raise AssertionError(Campaign.objects.values())

    def check(self) -> None:
        """Every pick was ordered, labeled and observed exactly once."""
        assert Campaign.objects.get().reason == f"All {ROUNDS} rounds are done."
        assert Round.objects.filter(evaluated_at__isnull=False).count() == ROUNDS
        assert Lot.objects.filter(state="closed").count() == ROUNDS
        keys = sorted(Pick.objects.values_list("key", flat=True))
        assert len(keys) == len(set(keys)) == ROUNDS * BATCH
        assert sorted(JobRecord.objects.values_list("key", flat=True)) == keys
        assert Observation.objects.count() == ROUNDS * BATCH
        doubled = Annotation.objects.filter(is_current=True, record__isnull=False).values_list("record_id", "vendor_id")
        assert len(set(doubled)) == len(doubled) >= 2 * ROUNDS * BATCH
        for record in JobRecord.objects.all():
            assert record.label == self.y[int(record.key.split("-")[1])]


def test_the_loop_goes_round_and_learns(loop):
    loop.run()
    loop.check()
    accuracies = [r.metrics["accuracy"] for r in Round.objects.order_by("number")]
    assert accuracies[-1] > accuracies[0] > 0.2


def test_labels_that_the_model_doubts_are_called_to_review_once(loop, monkeypatch):
    monkeypatch.setattr(experiments.problems, "doubted", lambda dataset, problem, rows: [doubtful(problem.asked)])

    def doubtful(asked):
        return f"digit-{asked.rows[0]}"

    loop.run()
    called = Review.objects.get(cause="model")
    assert called.record.key == Pick.objects.order_by("round__number", "rank").first().key


STEPS = [
    (experiments, "_save"),
    (experiments, "record_observations"),
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
    loop.check()


def test_the_campaign_stops_before_a_round_its_budget_cannot_cover(loop):
    job = loop.campaign.job
    type(job).objects.filter(pk=job.pk).update(budget_micro=2_500_000)
    loop.run()
    campaign = Campaign.objects.get()
    assert campaign.reason.startswith("The budget is used up: A round is expected to cost")
    job.refresh_from_db()
    assert 0 < job.spent_micro <= 2_500_000
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
    loop.check()


def test_a_step_that_cannot_succeed_pauses_the_campaign_with_its_reason(loop, monkeypatch):
    def broken(**kwargs):
        raise ValueError("the pool has 3 features, the anchor 4")

    monkeypatch.setattr(experiments, "start_round", broken)
    campaigns.advance(campaign_id=loop.campaign.pk)
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.reason) == ("paused", "the pool has 3 features, the anchor 4")

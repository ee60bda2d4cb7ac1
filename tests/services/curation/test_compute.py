"""The ledger of compute: every attempt counts as what it cost, once, and its sum is what is shown."""

import subprocess
import sys
import time

import pytest
from django.db import DatabaseError
from django.db.models import Sum

from common.models import AuditEvent
from curation.core import large
from curation.errors import ComputeCapError
from curation.models import ComputeEntry, ComputeStage, Experiment, Pick
from curation.selectors import compute as ledger
from curation.services import compute, experiments, sharded
from tests import market
from tests.services.curation.test_sharded import N, experiment, rounds, small_is_large  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "LARGE", 50_000)
    return experiment(settings, f"file://{tmp_path}")


def spent(made):
    return ledger.Cost.total(one.total for one in ledger.of_rounds(made.pk))


def test_the_sum_of_the_entries_is_the_total_shown(made, django_assert_num_queries):
    rounds(*made)
    with django_assert_num_queries(1):
        shown = ledger.of_rounds(made[0].pk)
    assert [one.number for one in shown] == [1, 2, 3]
    assert all(set(one.stages) == {"select", "train"} for one in shown)
    assert {one.stages["select"].n_rows for one in shown} == {N}
    entries = ledger.entries(market.actor_of(made[0].organization), made[0].pk)
    sums = entries.aggregate(Sum("cpu_us"), Sum("wall_us"), Sum("n_rows"))
    total = spent(made[0])
    assert tuple(sums.values()) == (total.cpu_us, total.wall_us, total.n_rows)
    assert (total.n_attempts, total.n_open) == (6, 0)
    assert 0 < total.cpu_s <= total.wall_s * 2


def test_asked_again_nothing_is_measured_twice(made):
    rounds(*made, n=1)
    experiments.start_round(experiment_id=made[0].pk, number=1)
    experiments.train_and_evaluate(experiment_id=made[0].pk, number=1)
    assert spent(made[0]).n_attempts == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_attempt_that_fails_counts_and_so_does_the_next(made, monkeypatch, error):
    real = experiments._save

    def dies(*_):
        raise error

    monkeypatch.setattr(experiments, "_save", dies)
    with pytest.raises(error):
        experiments.start_round(experiment_id=made[0].pk, number=1)
    first = spent(made[0])
    assert (first.n_attempts, first.n_open) == (1, 0)
    assert first.cpu_us > 0
    monkeypatch.setattr(experiments, "_save", real)
    experiments.start_round(experiment_id=made[0].pk, number=1)
    both = spent(made[0])
    assert both.n_attempts == 2
    assert both.cpu_us > first.cpu_us


def test_an_attempt_without_an_end_is_told_and_nothing_is_put_in_its_place(made):
    entry = {"experiment": made[0], "round": 1, "stage": ComputeStage.SELECT, "attempt": made[0].pk}
    ComputeEntry.objects.create(**entry, is_end=False)
    total = spent(made[0])
    assert (total.n_attempts, total.n_open, total.cpu_us, total.wall_us) == (1, 1, 0, 0)


def test_an_entry_is_never_changed_nor_removed(made):
    experiments.start_round(experiment_id=made[0].pk, number=1)
    with pytest.raises(DatabaseError, match="append-only"):
        ComputeEntry.objects.update(cpu_us=1)
    with pytest.raises(DatabaseError, match="append-only"):
        ComputeEntry.objects.first().delete()


def test_time_spent_by_children_counts_and_waiting_does_not(made):
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    with compute.measured(experiment_id=made[0].pk, number=1, stage=ComputeStage.TRAIN):
        subprocess.run([sys.executable, "-c", burn], check=True)
        time.sleep(0.2)
    total = spent(made[0])
    assert 300_000 <= total.cpu_us < total.wall_us - 100_000


def test_an_attempt_within_another_is_counted_once(made):
    began = time.process_time()
    with compute.measured(experiment_id=made[0].pk, number=1, stage=ComputeStage.SELECT):
        with compute.measured(experiment_id=made[0].pk, number=1, stage=ComputeStage.SHARD, shard=0):
            compute.read(7)
            _burn(0.2)
        compute.read(3)
    took = time.process_time() - began
    stages = ledger.of_rounds(made[0].pk)[0].stages
    assert stages["shard"].cpu_us >= 200_000
    assert (stages["select"].n_rows, stages["shard"].n_rows) == (3, 7)
    assert spent(made[0]).cpu_s <= took
    assert stages["select"].cpu_us < 100_000


def _burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_shards_of_a_large_pool_are_entered_by_who_draws_them(settings, tmp_path, small_is_large):  # noqa: F811
    made, truth = experiment(settings, f"file://{tmp_path}")
    rounds(made, truth)
    by_round = ledger.of_rounds(made.pk)
    assert [one.stages["shard"].n_attempts for one in by_round] == [7, 7, 7]
    assert all(one.stages["shard"].n_rows >= N for one in by_round)
    shards = ComputeEntry.objects.filter(stage="shard", is_end=True, round=1)
    assert sorted(shards.values_list("shard", flat=True)) == list(range(7))


def test_shards_drawn_before_a_kill_count_in_the_ledger(settings, tmp_path, monkeypatch, small_is_large):  # noqa: F811
    made, _ = experiment(settings, f"file://{tmp_path}")
    real, seen = sharded.scoring.score_shard, []

    def dies(here, shard, *rest):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(shard)
        return real(here, shard, *rest)

    monkeypatch.setattr(sharded.scoring, "score_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        experiments.start_round(experiment_id=made.pk, number=1)
    monkeypatch.setattr(sharded.scoring, "score_shard", real)
    experiments.start_round(experiment_id=made.pk, number=1)
    stages = ledger.of_rounds(made.pk)[0].stages
    assert stages["shard"].n_attempts == 3 + 1 + 4
    assert stages["select"].n_attempts == 2


def test_a_round_forecast_to_exceed_the_cap_is_refused_until_it_is_raised(made):
    actor = market.actor_of(made[0].organization)
    rounds(*made, n=1)
    used = spent(made[0]).cpu_s
    experiments.cap_compute(actor=actor, experiment_id=made[0].pk, max_cpu_s=1)
    Experiment.objects.filter(pk=made[0].pk).update(batch_size=round(40 * 2 / used))  # forecast to take 2 s
    before = Pick.objects.count(), spent(made[0]).n_attempts
    for _ in range(2):
        with pytest.raises(ComputeCapError, match=r"cap of 1 CPU seconds is reached.*round 2 is forecast") as caught:
            experiments.start_round(experiment_id=made[0].pk, number=2)
    assert caught.value.facts["used_cpu_s"] == pytest.approx(used)
    assert caught.value.facts["forecast_cpu_s"] > 1.5
    assert (Pick.objects.count(), spent(made[0]).n_attempts) == before
    assert experiments.start_round(experiment_id=made[0].pk, number=1)  # what is begun is shown all the same
    experiments.cap_compute(actor=actor, experiment_id=made[0].pk, max_cpu_s=None)
    assert experiments.start_round(experiment_id=made[0].pk, number=2)
    told = AuditEvent.objects.filter(action="experiment.capped").order_by("pk")
    assert [(row.target, row.facts["max_cpu_s"]) for row in told] == [(made[0].public_id, 1), (made[0].public_id, None)]


def test_the_first_round_may_begin_and_attempts_that_failed_count(made):
    Experiment.objects.filter(pk=made[0].pk).update(max_cpu_s=1)
    entry = {"experiment": made[0], "round": 1, "stage": ComputeStage.SELECT, "attempt": made[0].pk}
    ComputeEntry.objects.create(**entry, is_end=False)
    ComputeEntry.objects.create(**entry, is_end=True, cpu_us=1_500_000)
    with pytest.raises(ComputeCapError, match=r"1\.5 are used"):
        experiments.start_round(experiment_id=made[0].pk, number=1)
    Experiment.objects.filter(pk=made[0].pk).update(max_cpu_s=2)
    assert experiments.start_round(experiment_id=made[0].pk, number=1)

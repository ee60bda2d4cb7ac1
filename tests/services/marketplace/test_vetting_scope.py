"""Vetting in a large job: what a run reads does not grow with the job, and says what the whole job would say."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.vetting_run import measure
from benchmarks.vetting_run.world import Size, World
from marketplace.models import Annotation, JobRecord, Lot, Settlement
from marketplace.services import evidence, scope, vetting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def large(monkeypatch):
    """Treat every job as a large one."""
    monkeypatch.setattr(scope, "WHOLE", 0)
    monkeypatch.setattr(scope, "PER_ANNOTATOR", 60)


def of_last_lot(world: World) -> evidence.Evidence:
    records = list(JobRecord.objects.filter(lot=world.lots[-1]).values_list("pk", flat=True))
    return evidence.of_chunks(world.job, list(world.lots[-1].batches.all()), records)


def test_a_run_reads_as_much_in_a_job_three_times_as_large(large):
    n_read = []
    for n_lots in (5, 15):
        world = World(Size(n_lots=n_lots, n_records=60, n_vendors=4, n_gold=30))
        with CaptureQueriesContext(connection) as queries:
            facts = of_last_lot(world)
        assert len(queries) <= 11
        n_read.append(int(facts.n_answers_of.sum()))
        assert {given.assignment_id for given in facts.given} == set(
            world.lots[-1].batches.values_list("assignments", flat=True)
        )
    assert n_read[1] <= 1.3 * n_read[0]
    assert n_read[1] < Annotation.objects.filter(job=world.job).count() / 2


def test_it_says_what_the_whole_job_says_wherever_either_is_sure(large):
    world = World(Size(n_lots=12, n_records=100, n_vendors=6, n_gold=60, overlap=3), seed=3)
    records = list(JobRecord.objects.filter(lot=world.lots[-1]).order_by("pk"))
    figures = measure.distance(world, records, of_last_lot(world), evidence.of_job(world.job))
    assert figures["same label where either is sure"] == 1
    assert figures["same decision to ask again"] >= 0.9
    assert figures["confidence off by, mean"] < 0.05
    assert figures["accuracy"] >= figures["accuracy with the whole job"] - 0.03


def test_a_small_job_is_read_whole():
    world = World(Size(n_lots=3, n_records=60, n_vendors=4, n_gold=30))
    whole, near = evidence.of_job(world.job), of_last_lot(world)
    assert near.n_answers_of.sum() == whole.n_answers_of.sum()
    for pk in JobRecord.objects.filter(lot=world.lots[-1]).values_list("pk", flat=True):
        assert near.posterior(pk).tolist() == whole.posterior(pk).tolist()


def test_many_ready_chunks_are_vetted_in_several_transactions_in_one_go(monkeypatch):
    monkeypatch.setattr(vetting, "AT_ONCE", 2)
    world = World(Size(n_lots=2, n_records=50, batch_size=10, n_vendors=3, overlap=3, n_gold=30, accuracy=(90, 2)))
    world.job.max_overlap = 3
    world.job.save(update_fields=["max_overlap"])
    vetting.vet_lot(lot_id=world.lots[-1].pk)
    assert set(JobRecord.objects.filter(lot=world.lots[-1]).values_list("state", flat=True)) == {"labeled"}
    assert Lot.objects.get(pk=world.lots[-1].pk).state == "closed"
    assert Settlement.objects.count() == 15

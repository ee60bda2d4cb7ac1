"""What is measured of a vetting run: seconds, queries, and the distance from the evidence of the whole job."""

import time
from dataclasses import asdict

import numpy as np
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.vetting_run.world import Size, World
from marketplace.models import Batch, JobRecord, Lot
from marketplace.services import evidence, vetting
from marketplace.services.evidence import Evidence

Figures = dict[str, float | int]


def all_of(size: Size) -> Figures:
    """Return the figures of one job: evidence of the last lot both ways, then one chunk vetted, then all the rest."""
    world = World(size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    lot = world.lots[-1]
    figures: Figures = {name: value for name, value in asdict(size).items() if name != "accuracy"}
    figures |= evidence_figures(world, lot)
    Batch.objects.filter(lot=lot, chunk__gt=0).update(state="in_progress")
    figures |= {f"one chunk, {name}": value for name, value in vet(lot).items()}
    Batch.objects.filter(lot=lot, state="in_progress").update(state="delivered")
    figures |= {f"all other chunks, {name}": value for name, value in vet(lot).items()}
    return figures


def vet(lot: Lot) -> Figures:
    """Run the vetting once."""
    started, cpu = time.perf_counter(), time.process_time()
    with CaptureQueriesContext(connection) as queries:
        vetting.vet_lot(lot_id=lot.pk)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    return {"seconds": seconds, "CPU seconds": cpu_seconds, "queries": len(queries)}


def evidence_figures(world: World, lot: Lot) -> Figures:
    """Compare what a vetting run believes with what the whole job says, on the records to decide."""
    records = list(JobRecord.objects.filter(lot=lot).order_by("pk"))
    started = time.process_time()
    near = evidence.of_chunks(world.job, list(lot.batches.all()), [record.pk for record in records])
    seconds = time.process_time() - started
    started = time.process_time()
    whole = evidence.of_job(world.job)
    return {
        "evidence, CPU seconds": seconds,
        "evidence of the whole job, CPU seconds": time.process_time() - started,
    } | distance(world, records, near, whole)


def distance(world: World, records: list[JobRecord], near: Evidence, whole: Evidence) -> Figures:
    """Return how far two bodies of evidence are apart, and how often each is right."""
    first = np.stack([near.posterior(record.pk) for record in records])
    second = np.stack([whole.posterior(record.pk) for record in records])
    truth = np.array([world.truth[record.pk] for record in records])
    is_sure = np.stack([first.max(axis=1), second.max(axis=1)]) >= world.job.target_confidence
    confidence = np.abs(first.max(axis=1) - second.max(axis=1))
    return {
        "same label": float((first.argmax(axis=1) == second.argmax(axis=1)).mean()),
        "same label where either is sure": float(
            (first.argmax(axis=1) == second.argmax(axis=1))[is_sure.any(axis=0)].mean()
        ),
        "same decision to ask again": float((is_sure[0] == is_sure[1]).mean()),
        "confidence off by, mean": float(confidence.mean()),
        "confidence off by, 99th percentile": float(np.percentile(confidence, 99)),
        "accuracy": float((first.argmax(axis=1) == truth).mean()),
        "accuracy with the whole job": float((second.argmax(axis=1) == truth).mean()),
    }

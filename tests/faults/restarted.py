"""The crowd of `test_restarts`, in a process of its own: it plays, waits for its database, checks, and finishes."""

import logging
import os
import sys
import time
from pathlib import Path

import django

LOST = ("OperationalError", "InterfaceError")
"""What a process dies of when its database goes away; the next one takes its place."""


def main() -> int:
    """Play for some seconds while somebody restarts the servers; print what is wrong, or "clean"."""
    logging.disable(logging.WARNING)
    django.setup()
    from benchmarks.races import audit, crowd, world

    world.make_sellers(8)
    world.open_market(200)
    sys.stdout.write("started\n")
    sys.stdout.flush()
    plan = crowd.Plan(
        n_deciders=3, seconds=9.0, statements_per_death=None, seconds_per_kill=None, n_lapsing=10, seed=3, pause_s=0.2
    )
    story = crowd.run(plan, Path(os.environ["CROWD_FOLDER"]), tolerate=lambda error: error.startswith(LOST))
    wait_for_database()
    found = audit.findings(story)
    decided = audit.decisions()
    if not found and story.n_ended and min(decided["accepted"], decided["expired"]):
        found = finish()
    sys.stdout.write("\n".join(found) or f"clean after {story.n_ended} broken processes: {dict(decided)}")
    return 1 if found or not story.n_ended else 0


def wait_for_database() -> None:
    """Wait until the database takes connections again."""
    from django.db import OperationalError, connection

    for _ in range(300):
        try:
            connection.close()
            connection.ensure_connection()
        except OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the database did not come back")


def finish() -> list[str]:
    """Cancel the jobs as their customers; after that nothing is left open."""
    from benchmarks.races import invariants
    from common.actors import Actor
    from marketplace.models import Batch, Job, Offer
    from marketplace.services import cancellations, sweeper

    for job in Job.objects.all():
        actor = Actor(job.organization_id, "customer", scopes=frozenset({"*"}))
        cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    n_open = Batch.objects.exclude(state="cancelled").count() + Offer.objects.filter(state="live").count()
    return [str(one) for one in invariants.violations()] + ([f"{n_open} are left open"] if n_open else [])


if __name__ == "__main__":
    sys.exit(main())

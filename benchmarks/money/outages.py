"""PostgreSQL killed (kill -9) again and again under workers that move money; then both sides' books are compared."""

import os
import random
import signal
import time
from typing import Final

from django.db import InterfaceError, OperationalError, connections

from benchmarks.market.database import Database
from benchmarks.money import checker, deeds, world
from benchmarks.money.tally import Tally
from common.models import MoneyOp

AT_ONCE: Final = 3


def one(tally: Tally, rng: random.Random, database: Database, n_outages: int) -> None:
    """Run a world through so many outages and take what the checker finds into the tally."""
    with world.opened() as place:
        since, n_ops = checker.mark(), MoneyOp.objects.count()
        deeds.begin(place, rng)
        for _ in range(n_outages):
            connections.close_all()
            workers = [_work(place, rng.getrandbits(32)) for _ in range(AT_ONCE)]
            time.sleep(rng.uniform(0.5, 2.0))
            database.kill()
            for worker in workers:
                os.waitpid(worker, 0)
            database.start()
        tally.n_outages += n_outages
        tally.findings += deeds.settle(place)
        tally.findings += checker.findings(place.control("books"), since)
        tally.n_operations += MoneyOp.objects.count() - n_ops
        tally.n_worlds += 1
        deeds.end(place)


def _work(place: world.World, seed: int) -> int:
    """Let a process do things until its database is gone; return its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        rng = random.Random(seed)
        while True:
            deeds.one(place, rng)
    except (OperationalError, InterfaceError):
        os._exit(0)
    finally:
        os.kill(os.getpid(), signal.SIGKILL)

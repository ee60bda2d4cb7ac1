"""Accepts by the real service, from several processes at once."""

import multiprocessing
import time
import uuid
from collections.abc import Sequence

from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from benchmarks.market.world import Seller
from marketplace.models import Offer
from marketplace.services import offers

Pair = tuple[uuid.UUID, uuid.UUID]


def accepts_per_second(sellers: dict[uuid.UUID, Seller], n_accepts: int, n_processes: int) -> float:
    """Return accepts per second of so many processes together; every one of them must succeed."""
    pairs = list(Offer.objects.filter(state="live").order_by("?").values_list("pk", "vendor_id")[:n_accepts])
    parts = [pairs[number::n_processes] for number in range(n_processes)]
    connections.close_all()
    context = multiprocessing.get_context("fork")
    ready, go = context.Semaphore(0), context.Event()
    workers = [context.Process(target=_accept, args=(part, sellers, ready, go)) for part in parts]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - started
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("an accept failed")
    return len(pairs) / seconds


def _accept(pairs: Sequence[Pair], sellers: dict[uuid.UUID, Seller], ready: object, go: object) -> None:
    connection.ensure_connection()
    ready.release()  # type: ignore[attr-defined]
    go.wait()  # type: ignore[attr-defined]
    for offer_id, vendor_id in pairs:
        offers.accept(actor=sellers[vendor_id].actor, offer_id=offer_id)


def statements_per_accept(sellers: dict[uuid.UUID, Seller]) -> list[str]:
    """Return the statements of one accept."""
    offer = Offer.objects.filter(state="live").order_by("pk").first()
    if offer is None:
        raise RuntimeError("no offer is live")
    with CaptureQueriesContext(connection) as captured:
        offers.accept(actor=sellers[offer.vendor_id].actor, offer_id=offer.pk)
    return [query["sql"] for query in captured.captured_queries]

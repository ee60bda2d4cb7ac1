"""How soon the next candidate is asked after an offer has run out, at a given tick."""

import threading
import time

import numpy as np
from django.db import connection

from benchmarks.market import world
from marketplace.services import offering

_SPREAD = """
UPDATE marketplace_offer SET created_at = statement_timestamp() - interval '1 hour',
    expires_at = statement_timestamp() + random() * %s * interval '1 second'
WHERE id IN (SELECT id FROM marketplace_offer WHERE state = 'live' ORDER BY id DESC LIMIT %s)
RETURNING id
"""
_DELAYS = """
SELECT extract(epoch FROM n.created_at - o.expires_at)
FROM marketplace_offer o JOIN LATERAL (
    SELECT created_at FROM marketplace_offer n
    WHERE n.batch_id = o.batch_id AND n.id > o.id ORDER BY n.id LIMIT 1) n ON true
WHERE o.id = ANY(%s)
"""


def percentile_s(*, tick_s: float, per_second: int, seconds: float, percent: float = 95) -> float:
    """Return the percentile of due -> next offer in seconds, with deadlines spread evenly over a time."""
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD, [seconds, int(per_second * seconds)])
        ids = [row[0] for row in cursor.fetchall()]
    stop = threading.Event()
    thread = threading.Thread(target=_sweep, args=(tick_s, stop))
    thread.start()
    time.sleep(seconds + 2 * tick_s + 1)
    stop.set()
    thread.join()
    with connection.cursor() as cursor:
        cursor.execute(_DELAYS, [ids])
        delays = [float(row[0]) for row in cursor.fetchall()]
    if len(delays) < len(ids):
        raise RuntimeError(f"{len(ids) - len(delays)} of {len(ids)} offers were not handed on")
    return float(np.percentile(delays, percent))


def _sweep(tick_s: float, stop: threading.Event) -> None:
    try:
        while not stop.is_set():
            started = time.monotonic()
            offering.expire()
            offering.advance()
            stop.wait(max(tick_s - (time.monotonic() - started), 0))
    finally:
        connection.close()


def commits_per_second(n_commits: int = 300) -> float:
    """Return how many one-row transactions this machine makes durable per second: the limit of one writer."""
    world.execute("CREATE TABLE IF NOT EXISTS benchmark_limit (n int)")
    world.execute("INSERT INTO benchmark_limit VALUES (0)")
    started = time.perf_counter()
    for _ in range(n_commits):
        world.execute("UPDATE benchmark_limit SET n = n + 1")
    seconds = time.perf_counter() - started
    world.execute("DROP TABLE benchmark_limit")
    return n_commits / seconds


def statement_ms(n_statements: int = 2000) -> float:
    """Return the milliseconds of a statement that does nothing, as Django sends it."""
    started = time.perf_counter()
    for _ in range(n_statements):
        world.execute("SELECT 1")
    return (time.perf_counter() - started) / n_statements * 1e3

"""Who takes part: vendors that decide, sweepers, and the death that comes at some statement. Each runs as a process."""

import os
import random
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.db import connection

from benchmarks.races import world
from common.actors import Actor
from common.errors import ConflictError
from marketplace.models import Batch, Offer
from marketplace.services import assignments, cancellations, offering, offers, routing, sweeper

Say = Callable[[str], None]

AT_ONCE: Final = 12
"""Live offers a decider looks at before it decides: old enough for others to have decided meanwhile."""


def die_at(n_statements: int) -> None:
    """Kill this process, as `kill -9` does, before its so many-th statement from now."""
    left = n_statements

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(count)


def decide(rng: random.Random, sellers: dict[uuid.UUID, world.Seller], say: Say, stop_at: float) -> None:
    """Accept, decline, accept twice, release, as vendors do; say what each was told."""
    while time.monotonic() < stop_at:
        # Those about to run out, where sweepers race us, or any, where other vendors' requests do.
        order, reach = ("expires_at", 60) if rng.random() < 0.5 else ("-pk", 400)
        live = Offer.objects.filter(state="live").order_by(order)[rng.randrange(reach) :][:AT_ONCE]
        rows = list(live.values_list("pk", "vendor_id"))
        rng.shuffle(rows)
        for offer_id, vendor_id in rows:
            _decide_one(rng, sellers[vendor_id], offer_id, say)
        if not rows:
            time.sleep(0.02)


def _decide_one(rng: random.Random, one: world.Seller, offer_id: uuid.UUID, say: Say) -> None:
    drawn = rng.random()
    try:
        if drawn < 0.4:
            work = offers.accept(actor=one.actor, offer_id=offer_id)
            say(f"accepted {offer_id} {work.pk}")
            if rng.random() < 0.2:
                again = offers.accept(actor=one.actor, offer_id=offer_id)
                say(f"accepted {offer_id} {again.pk}")
            if rng.random() < 0.9:
                assignments.release(actor=one.actor, assignment_id=work.pk, reason="other")
        elif drawn < 0.95:
            offers.decline(actor=one.actor, offer_id=offer_id, reason="other")
            say(f"declined {offer_id}")
        else:
            staff = Actor(one.actor.organization_id, "platform", scopes=frozenset({"*"}))
            cancellations.withdraw_offer(actor=staff, offer_id=offer_id, reason="other")
            say(f"withdrawn {offer_id}")
    except ConflictError as error:
        say(f"refused {error.code}")


def sweep(rng: random.Random, say: Say, stop_at: float, n_lapsing: int) -> None:
    """Let offers run out and make the next ones; now and then do all that a sweep does."""
    while time.monotonic() < stop_at:
        world.draw_lapsing(rng, n_lapsing)
        n_expired = offering.expire(limit=rng.choice([40, 400, 2000]))
        say(f"expired {n_expired}")
        offering.advance(limit=rng.choice([100, 1000, 2000]))
        if rng.random() < 0.1:
            sweeper.sweep()
        _new_rounds()
        if not n_expired:
            time.sleep(0.02)


def _new_rounds() -> None:
    """Rank anew what has asked everybody in its round."""
    waiting = list(Batch.objects.filter(state="waiting").order_by("pk").values_list("pk", flat=True)[:500])
    if waiting:
        routing.rank_batches(batch_ids=waiting)

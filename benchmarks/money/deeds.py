"""What happens to money, at random: paid in, given back, earned, paid out, reversed; and deaths within it."""

import os
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.db import connection, connections, transaction

from benchmarks.money.world import FAULTS, Payee, World
from benchmarks.races.players import die_at
from common import ledger
from common.actors import Actor
from common.errors import ValidationFailedError
from common.ledger import InsufficientFundsError, Posting
from common.models import MoneyOp, PayoutAccount, ProviderEvent
from common.payment_types import BusyError, RefusedError, UnknownOutcomeError
from marketplace.services import holds, money_flows, payouts, wallets

FIVE_DAYS_S: Final = 5 * 86_400
FURTHEST: Final = 18
"""A death comes before one of so many next statements; a deed has about as many."""
_PROVIDER_SAID_NO: Final = (BusyError, RefusedError, UnknownOutcomeError)


class Died(BaseException):
    """The process is gone."""


def one(world: World, rng: random.Random) -> None:
    """Do one thing; what the rules refuse changes nothing."""
    deeds: list[Callable[[World, random.Random], None]] = [_pay_in, _pay_in, _give_back, _earn, _pay_out, _hear, _twice]
    with suppress(ValidationFailedError, InsufficientFundsError, *_PROVIDER_SAID_NO):
        rng.choice(deeds)(world, rng)
    for op_id in _open(world, rng)[:3]:
        money_flows.run_op(op_id=op_id)


def _pay_in(world: World, rng: random.Random) -> None:
    wallets.top_up(actor=rng.choice(world.customers), amount_minor=rng.randint(50, 90_000), currency="USD")


def _give_back(world: World, rng: random.Random) -> None:
    actor = rng.choice(world.customers)
    done = MoneyOp.objects.filter(kind="top_up", state="done", organization_id=_home(actor))
    paid = done.order_by("?").first()
    if paid is not None:
        wallets.refund(actor=actor, top_up_id=paid.pk, amount_minor=rng.randint(1, 20_000))


def _earn(world: World, rng: random.Random) -> None:
    payee, payer = rng.choice(world.payees), rng.choice(world.customers)
    earn(payee, _home(payer), rng.randint(1, 40_000_000))


def _home(actor: Actor) -> uuid.UUID:
    if actor.organization_id is None:
        raise LookupError("everybody here belongs to an organization")
    return actor.organization_id


def earn(payee: Payee, organization_id: uuid.UUID, micro: int) -> None:
    """Move wallet money to what a vendor is owed, as a settlement does."""
    wallet = holds.wallet_of(organization_id, "USD")
    payable = holds.payable_to(payee.vendor_id, payee.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting(f"earned/{uuid.uuid4()}", wallet, payable, micro, "Labels")])


def _pay_out(world: World, rng: random.Random) -> None:
    payouts.pay_out_due()
    sent = MoneyOp.objects.filter(kind="payout", state="done", organization_id=rng.choice(world.payees).organization_id)
    made = sent.order_by("?").first()
    if made is not None and rng.random() < 0.2:
        body = {"amount": str(rng.randint(1, made.amount_minor))}
        with suppress(Exception):  # the provider is as faulty to us
            world.post(f"/v1/transfers/{made.provider_id}/reversals", data=body)


def _hear(world: World, rng: random.Random) -> None:
    money_flows.catch_up()
    waiting = list(ProviderEvent.objects.filter(due_at__isnull=False).values_list("pk", flat=True)[:200])
    for event_id in rng.sample(waiting, min(5, len(waiting))):
        money_flows.act_on(event_id=event_id)


def _twice(world: World, rng: random.Random) -> None:
    """Let two runners take the same operation at once."""
    due = _open(world, rng)
    if due:
        runners = [threading.Thread(target=_run_apart, args=(due[0],)) for _ in range(2)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()


def _run_apart(op_id: uuid.UUID) -> None:
    try:
        money_flows.run_op(op_id=op_id)
    finally:
        connections.close_all()


def _open(world: World, rng: random.Random) -> list[uuid.UUID]:
    due = list(MoneyOp.objects.filter(next_attempt_at__isnull=False).values_list("pk", flat=True)[:200])
    rng.shuffle(due)
    return due


@contextmanager
def dying(rng: random.Random) -> Iterator[list[bool]]:
    """Die before one of the next statements; the list says whether it came that far."""
    left, died = rng.randint(1, FURTHEST), [False]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(count):
            yield died
    except Died:
        died[0] = True
        connection.close()


def crash(world: World, rng: random.Random) -> int:
    """Do one thing that dies within; return 1 when it did."""
    with dying(rng) as died:
        one(world, rng)
    return int(died[0])


def kill_workers(world: World, rng: random.Random, n_kills: int, at_once: int = 3) -> int:
    """Let processes do things side by side, each until it is killed at some statement; return how many were."""
    connections.close_all()
    n_killed, n_started, running = 0, 0, set[int]()
    while running or n_started < n_kills:
        while len(running) < at_once and n_started < n_kills:
            running.add(_fork(world, rng.getrandbits(32)))
            n_started += 1
        pid, status = os.wait()
        running.discard(pid)
        n_killed += os.WIFSIGNALED(status)
    return n_killed


def _fork(world: World, seed: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        rng = random.Random(seed)
        die_at(1 + int(rng.expovariate(1 / 40)))
        for _ in range(200):
            one(world, rng)
    finally:
        os._exit(3)  # alive to the end, or ended by an error: no kill


def settle(world: World) -> list[str]:
    """Let the network behave, time pass and banks answer, and everything open come to its end.

    Returns the payments that a network which behaves did not bring further before days passed: a provider that forgets
    its keys meanwhile would cover up what hung on them. (Payouts and refunds may wait for money.)
    """
    world.control("faults")
    for _ in range(4):
        _all_open()
    planned = MoneyOp.objects.filter(kind="top_up", state="planned").values_list("pk", flat=True)
    hanging = [f"top_up {pk} hangs though the network behaves" for pk in planned]
    for _ in range(8):
        world.control("clock", advance_s=FIVE_DAYS_S)  # a bank debit that begins only now needs its days as well
        _all_open()
    return hanging


def _all_open() -> None:
    money_flows.catch_up()
    for event_id in list(ProviderEvent.objects.filter(due_at__isnull=False).values_list("pk", flat=True)):
        money_flows.act_on(event_id=event_id)
    for op_id in list(MoneyOp.objects.filter(next_attempt_at__isnull=False).values_list("pk", flat=True)):
        money_flows.run_op(op_id=op_id)


def begin(world: World, rng: random.Random, faults: Mapping[str, float] = FAULTS) -> None:
    """Fill wallets, then let the faults begin."""
    payouts.LEAST_MINOR = 10  # type: ignore[misc]  # more transfers for the same money
    for _ in range(6):
        _pay_in(world, rng)
    for op_id in _open(world, rng):
        money_flows.run_op(op_id=op_id)
    world.control("faults", **faults)


def end(world: World) -> None:
    """Close the accounts of a world whose provider goes away."""
    PayoutAccount.objects.filter(organization_id__in=[payee.organization_id for payee in world.payees]).update(
        is_ready=False
    )

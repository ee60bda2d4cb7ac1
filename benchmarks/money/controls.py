"""Safeguards taken away one by one: the checker must notice each, or its silence elsewhere means nothing."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest import mock

from django.db import transaction

from common import ledger, money_ops
from common.models import MoneyOp
from common.money_ops import Flow
from marketplace.services import money_flows

Patch = Callable[[], Any]


def _flows(change: Callable[[Flow], Flow]) -> Any:
    changed: Mapping[str, Flow] = {kind: change(flow) for kind, flow in money_flows.FLOWS.items()}
    return mock.patch.object(money_flows, "FLOWS", changed)


def _without_looking() -> Any:
    return _flows(lambda flow: replace(flow, find=lambda op: None))


def _fresh_keys() -> Any:
    return _flows(lambda flow: replace(flow, call=lambda op, key: flow.call(op, f"{key}-{uuid.uuid4()}")))


def _nothing_given_back() -> Any:
    return _flows(lambda flow: replace(flow, undone=lambda op: []))


@contextmanager
def _same_key_for_ever() -> Iterator[None]:
    real = money_ops._attempt

    def attempt(op: MoneyOp, flow: Flow) -> Any:
        return real(op, replace(flow, call=lambda op, _: flow.call(op, f"{op.pk}-0")))

    with mock.patch.object(money_ops, "_attempt", attempt):
        yield


@contextmanager
def _two_transactions() -> Iterator[None]:
    """Close an operation in one transaction, and book it in the next."""
    real = money_ops._close

    def close(op: MoneyOp, flow: Flow, moved: Any, *given: Any) -> None:
        if MoneyOp.objects.filter(pk=op.pk, next_attempt_at=None).exists():
            return
        real(op, replace(flow, booked=lambda *_: [], undone=lambda *_: []), moved, *given)
        row = MoneyOp.objects.get(pk=op.pk)
        postings = flow.booked(row, moved) if moved else flow.undone(row)
        if postings:
            with transaction.atomic():
                ledger.post(postings)

    with mock.patch.object(money_ops, "_close", close):
        yield


ALL: Final[Mapping[str, Patch]] = {
    "no look at the provider before another try": _without_looking,
    "a fresh key for every call": _fresh_keys,
    "no new key after a saved error": _same_key_for_ever,
    "state and entries in two transactions": _two_transactions,
    "a refused transfer is not owed again": _nothing_given_back,
}

"""A payment provider of its own, customers with cards and a bank account, vendors that are paid, one not onboarded."""

import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from django.conf import settings

from common import payments
from common.actors import Actor
from common.models import Organization, PayoutAccount, ProviderEvent
from embedded import ports
from embedded.home import PROJECT
from marketplace.services import payouts, wallets
from vendors.services import onboarding

FAULTS: Final = {"saved_500": 0.08, "lost_answer": 0.08, "lost_request": 0.08, "busy": 0.08, "in_flight": 0.08}
METHODS: Final = ("pm_card_visa", "pm_card_mastercard", "pm_usBankAccount_success", "pm_card_chargeDeclined")
N_VENDORS: Final = 3
_ALL: Final = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Payee:
    """A vendor as the ledger knows it."""

    vendor_id: uuid.UUID
    organization_id: uuid.UUID


@dataclass(slots=True)
class World:
    """Who takes part, and the provider's address."""

    url: str
    key: str
    customers: list[Actor] = field(default_factory=list)
    payees: list[Payee] = field(default_factory=list)

    def control(self, action: str, **given: Any) -> Any:
        """Set the provider's faults or clock, let banks act, or fetch its books."""
        return self.post(f"/_stand_in/{action}", json=given).raise_for_status().json()

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send a request to the provider that is none of the service's."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.post(f"{self.url}{path}", headers=headers, timeout=30.0, trust_env=False, **options)


@contextmanager
def opened() -> Iterator[World]:
    """Start a provider with empty books, point the service at it, and let everybody join."""
    key, port = f"sk_test_{secrets.token_hex(8)}", ports.choose(0)
    command = [sys.executable, "-m", "embedded.payments", "--port", str(port)]
    environment = dict(os.environ) | {"STRIPE_SECRET_KEY": key}
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE)  # noqa: S603 (our own program)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        world = World(f"http://{ports.LOOPBACK}:{port}", key)
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.BILLING_ENABLED = key, world.url, True
        payments.forget_client()
        ProviderEvent.objects.update(listed_at_s=None)  # the last provider's clock is of no meaning to this one
        _join(world)
        yield world
    finally:
        process.terminate()
        process.wait(10)


def _join(world: World) -> None:
    for token in METHODS:
        actor = _actor("customer")
        wallets.add_method(actor=actor, token=token)
        world.customers.append(actor)
    for number in range(N_VENDORS):
        actor = _actor("vendor")
        vendor = onboarding.register(actor=actor, name=f"Vendor {uuid.uuid4()}", languages=[], regions=[])
        link = payouts.open_account(actor=actor, return_url=world.url)
        if number:
            httpx.post(link, timeout=30.0, trust_env=False)
        # The first was never onboarded, and we believe it was: its transfers are refused by the provider.
        PayoutAccount.objects.filter(organization_id=vendor.organization_id).update(is_ready=True)
        world.payees.append(Payee(vendor.pk, vendor.organization_id))


def _actor(kind: str) -> Actor:
    return Actor(Organization.objects.create(name=f"{kind} {uuid.uuid4()}", kind=kind).pk, kind, scopes=_ALL)

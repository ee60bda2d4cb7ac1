"""The stand-in payment provider for tests, and the books of both sides beside each other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.conf import settings as django_settings

from common import payments
from embedded.payments.server import Provider

KEY = "sk_test_of_the_tests"


@contextmanager
def running() -> Iterator[Provider]:
    """Run a provider on a free port, known to the settings for the time."""
    provider = Provider(0, KEY)
    thread = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        provider.server_close()
        thread.join()


def use(provider: Provider, settings: Any = django_settings) -> None:
    """Point the adapter at a provider."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, provider.url
    settings.BILLING_ENABLED = True
    payments.forget_client()


def control(provider: Provider, action: str, **given: Any) -> Any:
    """Set faults or the clock, open a dispute, fetch the books."""
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{provider.url}/_stand_in/{action}", json=given, headers=headers, timeout=10)
    return answer.raise_for_status().json()

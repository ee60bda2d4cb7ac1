"""The broker is away at once, without the time a connection takes to fail; money is on."""

import pytest
from celery import current_app
from kombu.exceptions import OperationalError


@pytest.fixture
def fast_market(settings, monkeypatch):
    """Bill jobs, and let every nudge fail at once: the sweeper has to find everything by itself (invariant 16)."""

    def is_away(*args, **kwargs):
        raise OperationalError("the broker is away")

    settings.BILLING_ENABLED = True
    monkeypatch.setattr(current_app, "send_task", is_away)

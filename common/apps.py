"""Application configuration."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Accounts, audit, outbox, idempotency."""

    name = "common"

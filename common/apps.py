"""Application configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    """Accounts, audit, outbox, idempotency."""

    name = "common"

    def ready(self) -> None:
        """Import every app's ``consumers`` module, so that the outbox knows whom to call."""
        autodiscover_modules("consumers")

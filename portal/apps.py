"""Application configuration."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Server-rendered pages."""

    name = "portal"

    def ready(self) -> None:
        """Make the id converters known before any URL table is read."""
        from portal import converters

        converters.register()

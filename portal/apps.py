"""Application configuration."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Server-rendered pages."""

    name = "portal"

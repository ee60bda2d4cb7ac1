"""Application configuration."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """Jobs, routing, offers, annotations, vetting, campaigns."""

    name = "marketplace"

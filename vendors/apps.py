"""Application configuration."""

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """Who can label."""

    name = "vendors"

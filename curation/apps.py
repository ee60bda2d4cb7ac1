"""Application configuration."""

from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Which records are worth labeling, and why."""

    name = "curation"

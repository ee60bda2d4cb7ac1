"""Application configuration."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST API: HTTP in, one service call, JSON out."""

    name = "api"

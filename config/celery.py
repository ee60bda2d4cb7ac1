"""The Celery application: one queue per kind of work, deadlines in columns, never in an ETA."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("labelyard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

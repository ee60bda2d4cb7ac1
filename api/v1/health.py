"""Whether the service can work."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.permissions import OPEN
from api.serializers import Resource


class HealthOut(Resource):
    """The state of what the service stands on."""

    status = serializers.ChoiceField(choices=["ok", "degraded"])
    database = serializers.BooleanField(help_text="The truth; nothing works without it.")
    broker = serializers.BooleanField(help_text="Speeds things up; without it, work waits for the next sweep.")


class HealthView(views.Resource):
    """Health checks need no key."""

    authentication_classes = ()
    action_scopes = {"retrieve": OPEN}

    @extend_schema(responses={200: HealthOut, 503: HealthOut})
    def retrieve(self, request: Request) -> Response:
        """Return 200 when database and broker answer, else 503."""
        database, broker = is_database_up(), is_broker_up()
        is_well = database and broker
        state = {"status": "ok" if is_well else "degraded", "database": database, "broker": broker}
        return Response(HealthOut(state).data, status=200 if is_well else 503)


def is_database_up() -> bool:
    """Return whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_broker_up() -> bool:
    """Return whether the broker answers within half a second."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False

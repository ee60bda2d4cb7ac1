"""Time: deadlines are compared with the database's clock, never with a host's."""

import datetime

from django.db import connection
from django.db.models.functions import Now

__all__ = ["Now", "database_now"]


def database_now() -> datetime.datetime:
    """Return the database's clock (start of the statement), UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        row = cursor.fetchone()
    now: datetime.datetime = row[0]
    return now

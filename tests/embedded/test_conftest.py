"""The servers that the tests themselves run on."""

import redis
from django.conf import settings
from django.db import connection


def test_django_talks_to_the_servers_of_this_run(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync')")
        assert cursor.fetchone() == (18, "off")
    assert "labelyard-test-" in str(settings.HOME)


def test_valkey_answers_when_a_test_asks_for_it(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        assert client.info("server")["valkey_version"].startswith("8.")

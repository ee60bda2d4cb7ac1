"""One PostgreSQL and one Valkey per test run, shared by all its processes and gone with it.

They start when the first test asks for a database or for ``valkey_url``; tests of ``core`` start nothing.
A DATABASE_URL in the environment is used as it is.
"""

import os
import sys
import tempfile
from pathlib import Path

import django
import hypothesis
import pytest

from embedded.home import Home
from embedded.postgres import Postgres
from tests import servers

HOME_VARIABLE = "LABELYARD_TEST_HOME"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"

if HOME_VARIABLE not in os.environ:  # the controller; its workers inherit what is set here, before Django reads it
    if "django.conf" in sys.modules and sys.modules["django.conf"].settings.configured:
        raise pytest.UsageError(
            "Unset DJANGO_SETTINGS_MODULE: the tests choose their servers before the settings are read."
        )
    _home = Path(tempfile.mkdtemp(prefix="labelyard-test-"))
    os.environ[HOME_VARIABLE] = os.environ["LABELYARD_HOME"] = str(_home)
    os.environ["REDIS_URL"] = NOBODY_LISTENS
    os.environ["PGOPTIONS"] = "-c labelyard.allow_truncate=on"
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    Home(_home).prepare()
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = Postgres.of(Home(_home), is_durable=False).url()
        os.environ["LABELYARD_TEST_POSTGRES"] = "ours"

# Set here and not in pyproject.toml: pytest-django would read the settings before this file has named the servers.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
HOME = Path(os.environ[HOME_VARIABLE])

# What an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile(
    "labelyard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("labelyard")


def pytest_configure(config: pytest.Config) -> None:
    """Start the holder of the servers in the controller."""
    if not hasattr(config, "workerinput"):
        config.stash[_HOLDER] = servers.start_holder(HOME)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers; should we die before, the kernel tells the holder."""
    holder = config.stash.get(_HOLDER, None)
    if holder is not None:
        holder.terminate()
        holder.wait(30)


_HOLDER: pytest.StashKey = pytest.StashKey()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Wait for the database server, and let each worker copy the migrated template."""
    from django.conf import settings

    if os.environ.get("LABELYARD_TEST_POSTGRES") == "ours":
        servers.ask(HOME, "postgres")
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = servers.TEMPLATE


@pytest.fixture(scope="session")
def valkey_url() -> str:
    """Return the URL of the run's Valkey."""
    return servers.ask(HOME, "valkey")


@pytest.fixture(scope="session")
def payment_server():
    """Run the stand-in payment provider for the session."""
    from tests import payments

    with payments.running() as server:
        yield server


@pytest.fixture
def provider(payment_server, settings):
    """Point the service at an empty payment provider that behaves; billing is on."""
    from common import payments as adapter
    from tests import payments

    payment_server.forget_all()
    payments.use(payment_server, settings)
    yield payment_server
    adapter.forget_client()

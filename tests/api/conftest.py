"""A client that speaks JSON with a key, and organizations to speak for."""

import pytest
from django.test import Client

from common.services import accounts
from tests.api import world
from tests.api.client import Api


@pytest.fixture
def anonymous():
    """Return a client without a key."""
    return Api(Client(raise_request_exception=False), None)


@pytest.fixture
def sign_up(transactional_db):
    """Return a function that signs an organization up and returns its client."""

    def make(kind="customer", email=None):
        make.n += 1
        result = accounts.sign_up(name=f"{kind} {make.n}", kind=kind, email=email or f"{kind}{make.n}@example.org")
        return Api(Client(raise_request_exception=False), result.issued.token)

    make.n = 0
    return make


@pytest.fixture
def customer(sign_up):
    """Return the client of a customer."""
    return sign_up("customer")


@pytest.fixture
def vendor(sign_up):
    """Return the client of a vendor organization."""
    return sign_up("vendor")


@pytest.fixture
def staff(transactional_db):
    """Return the client of the platform's staff."""
    return Api(Client(raise_request_exception=False), accounts.create_platform_key(name="tests").token)


@pytest.fixture
def storage(settings, tmp_path):
    """Keep array files in the test's own folder."""
    settings.DATASET_STORAGE_URL = f"file://{tmp_path}"
    return tmp_path


@pytest.fixture
def everything(customer, vendor, staff, sign_up, storage, provider, settings):
    """Return a world with one of everything and strangers of both kinds."""
    settings.BILLING_ENABLED = False  # jobs cost nothing here; money has bodies of its own
    strangers = {kind: sign_up(kind) for kind in ("customer", "vendor")}
    return world.make(customer, vendor, staff, strangers, sign_up("vendor"))

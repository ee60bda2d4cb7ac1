"""A local S3 server from a package; the real client finds it by the environment, as in production."""

import os
import uuid

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def server():
    """Run the S3 server."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (KEYS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            patch.setenv(name, value)
        yield os.environ["AWS_ENDPOINT_URL"]
    running.stop()


@pytest.fixture
def bucket(server):
    """Return a new bucket."""
    name = f"pools-{uuid.uuid4().hex[:8]}"
    boto3.client("s3", endpoint_url=server).create_bucket(Bucket=name)
    return name

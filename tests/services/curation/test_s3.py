"""Datasets and large pools in an object store: a local S3 server from a package, the real client."""

import boto3
import numpy as np
import pytest

from curation.core.pool import ShardError
from curation.services import shards


def put(server, bucket, key, data):
    boto3.client("s3", endpoint_url=server).put_object(Bucket=bucket, Key=key, Body=data)


def test_shards_are_read_from_the_store(server, bucket, tmp_path):
    X = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    for number, part in enumerate(np.array_split(X, 3)):
        np.save(tmp_path / "part.npy", part)
        put(server, bucket, f"{number}.npy", (tmp_path / "part.npy").read_bytes())
    pool = shards.open_pool([f"s3://{bucket}/{number}.npy" for number in range(3)])
    assert np.array_equal(pool.rows(np.arange(300)), X)


def test_a_shard_that_is_missing_or_cut_short_is_named(server, bucket, tmp_path):
    np.save(tmp_path / "part.npy", np.zeros((50, 3), np.float32))
    put(server, bucket, "cut.npy", (tmp_path / "part.npy").read_bytes()[:-20])
    with pytest.raises(ShardError, match=r"cut\.npy cannot be read, it may be cut short"):
        shards.open_pool([f"s3://{bucket}/cut.npy"])
    with pytest.raises(ShardError, match=r"gone\.npy is missing"):
        shards.open_pool([f"s3://{bucket}/gone.npy"])

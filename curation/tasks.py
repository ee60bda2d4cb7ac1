"""Celery entry points of curation: places in, one service call each, safe to run twice."""

import logging

from celery import shared_task

from curation.services import sharded

logger = logging.getLogger(__name__)


@shared_task
def draw_shard(storage_url: str, folder: str, shard: int) -> None:
    """Draw one shard of a round that is being chosen; too late, there is nothing to do."""
    try:
        sharded.draw_shard(storage_url, folder, shard)
    except FileNotFoundError as error:
        logger.info("shard %d is not wanted any more: %s", shard, error)

"""The trail of who did what: one call, inside the transaction of the deed."""

from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError

from common.actors import Actor
from common.models import AuditEvent, BaseModel, User


def record(*, actor: Actor, action: str, target: BaseModel | User | None = None, **facts: Any) -> AuditEvent:
    """Write one line of the trail; it commits or vanishes together with what it tells of.

    Parameters
    ----------
    action
        ``noun.verb`` in the past, such as ``api_key.revoked``.
    facts
        What is needed to understand the deed later: JSON values, no secrets.

    Raises
    ------
    TransactionManagementError
        When called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"the audit of {action} must share the transaction of the deed")
    return AuditEvent.objects.create(
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        api_key_id=actor.api_key_id,
        action=action,
        target=target.public_id if target is not None else "",
        facts=facts,
    )

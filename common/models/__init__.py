"""Models of the common app."""

from common.models.accounts import ApiKey, Membership, Organization, User
from common.models.audit import AuditEvent
from common.models.base import BaseModel
from common.models.idempotency import IdempotencyRecord
from common.models.ledger import LedgerAccount, LedgerEntry
from common.models.outbox import OutboxMessage, OutboxReceipt

__all__ = [
    "ApiKey",
    "AuditEvent",
    "BaseModel",
    "IdempotencyRecord",
    "LedgerAccount",
    "LedgerEntry",
    "Membership",
    "Organization",
    "OutboxMessage",
    "OutboxReceipt",
    "User",
]

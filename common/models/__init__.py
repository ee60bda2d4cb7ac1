"""Models of the common app."""

from common.models.accounts import ApiKey, Membership, Organization, User
from common.models.audit import AuditEvent
from common.models.base import BaseModel
from common.models.idempotency import IdempotencyRecord
from common.models.ledger import LedgerAccount, LedgerEntry
from common.models.outbox import OutboxMessage, OutboxReceipt
from common.models.payments import MoneyOp, PaymentCustomer, PaymentMethod, PayoutAccount, ProviderEvent
from common.models.reconciliation import ReconciliationDifference, ReconciliationRun
from common.models.sign_ins import SignInFailure

__all__ = [
    "ApiKey",
    "AuditEvent",
    "BaseModel",
    "IdempotencyRecord",
    "LedgerAccount",
    "LedgerEntry",
    "Membership",
    "MoneyOp",
    "Organization",
    "OutboxMessage",
    "OutboxReceipt",
    "PaymentCustomer",
    "PaymentMethod",
    "PayoutAccount",
    "ProviderEvent",
    "ReconciliationDifference",
    "ReconciliationRun",
    "SignInFailure",
    "User",
]

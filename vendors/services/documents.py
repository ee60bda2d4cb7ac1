"""Papers: handed in by vendors, checked by staff; what they cover lasts as long as they do, to the second."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, connection, transaction

from common.actors import Actor
from common.clock import database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from vendors.core.evidence import KINDS
from vendors.core.requirements import evidence_until
from vendors.models import Capability, Vendor, VendorDocument
from vendors.selectors import vendors
from vendors.selectors.standing import papers_of
from vendors.services import record

State = VendorDocument.State


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """A paper: what it is, where the vendor or we keep it, its checksum, and from when until when it holds."""

    kind: str
    number: str
    uri: str
    sha256: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    capability_id: uuid.UUID | None = None
    file_url: str = ""
    media_type: str = ""


def hand_in(*, actor: Actor, document: DocumentInput) -> VendorDocument:
    """Hand a paper in for checking.

    Raises
    ------
    ValidationFailedError
        When the kind is unknown, or the paper has run out, ends before it begins, or is from the future.
    NotFoundError
        When the capability is not the vendor's.
    ConflictError
        When the same paper was handed in for the same capability before.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = vendors.own(actor)
        _check(document, database_now())
        wanted = document.capability_id
        if wanted is not None and not Capability.objects.filter(pk=wanted, vendor=vendor).exists():
            raise NotFoundError("There is no such capability.")
        try:
            with transaction.atomic():
                made = VendorDocument.objects.create(
                    vendor=vendor, **{name: getattr(document, name) for name in document.__dataclass_fields__}
                )
        except IntegrityError:
            raise ConflictError("You have handed in this very paper before.") from None
        record.add(vendor, "document.handed_in", actor, document=made.public_id, paper=document.kind)
        return made


def _check(document: DocumentInput, now: datetime.datetime) -> None:
    if document.kind not in KINDS:
        raise ValidationFailedError.of("kind", "unknown", f"Give one of {', '.join(KINDS)}.")
    if document.issued_at > now:
        raise ValidationFailedError.of("issued_at", "in_the_future", "The paper is dated in the future.")
    if document.expires_at is not None and document.expires_at <= document.issued_at:
        raise ValidationFailedError.of("expires_at", "before_start", "The paper ends before it begins.")
    if document.expires_at is not None and document.expires_at <= now:
        raise ValidationFailedError.of("expires_at", "expired", "The paper has run out; hand in the renewed one.")


def decide(*, actor: Actor, document_id: uuid.UUID, is_accepted: bool, reason: str) -> VendorDocument:
    """Accept or refuse a paper as staff; what it covers follows at once. Asked again for the same, nothing changes.

    Raises
    ------
    ConflictError
        When it was decided otherwise before: hand in a new one instead.
    """
    actor.require("vendors:review")
    if not actor.is_staff:
        raise PermissionDeniedError
    target = State.VERIFIED if is_accepted else State.REJECTED
    with transaction.atomic(durable=True):
        found = VendorDocument.objects.select_related("vendor").filter(pk=document_id).first()
        if found is None:
            raise NotFoundError("There is no such document.")
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=found.vendor_id)
        document = VendorDocument.objects.get(pk=found.pk)
        if document.state == target:
            return document
        if document.state == State.REJECTED:
            raise ConflictError("This paper was refused; the vendor hands in another one.")
        document.state, document.reason, document.decided_at = target, reason, database_now()
        document.save(update_fields=["state", "reason", "decided_at"])
        refresh(vendor)
        record.add(vendor, f"document.{target}", actor, reason, document=document.public_id, paper=document.kind)
        named = f"{document.kind.replace('_', ' ')} {document.number}"
        record.tell(vendor, f"document.{target}", document.pk, document=named, why=reason)
        return document


def refresh(vendor: Vendor) -> None:
    """Write down until when each capability of a locked vendor is covered by papers."""
    now = database_now()
    capabilities = list(Capability.objects.filter(vendor=vendor).order_by("pk"))
    papers = papers_of(vendor)
    for capability in capabilities:
        covering = papers[None] + papers[capability.pk]
        kind = (capability.language, capability.domain)
        capability.evidence_until = evidence_until(*kind, covering, now, capability.data_class)
    Capability.objects.bulk_update(capabilities, ["evidence_until"])


_WARN: Final = """
WITH due AS MATERIALIZED (
    SELECT d.id, CASE WHEN d.expires_at <= statement_timestamp() + interval '7 days' THEN 2 ELSE 1 END AS n
    FROM vendors_vendordocument d
    WHERE d.state = 'verified' AND d.expires_at > statement_timestamp()
      AND d.expires_at <= statement_timestamp() + CASE d.n_warnings
          WHEN 0 THEN interval '30 days' WHEN 1 THEN interval '7 days' END
      AND NOT EXISTS (
          SELECT 1 FROM vendors_vendordocument n
          WHERE n.vendor_id = d.vendor_id AND n.kind = d.kind AND n.state = 'verified'
            AND n.capability_id IS NOT DISTINCT FROM d.capability_id
            AND (n.expires_at IS NULL OR n.expires_at > d.expires_at))
    ORDER BY d.expires_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE vendors_vendordocument d SET n_warnings = due.n FROM due WHERE d.id = due.id
    RETURNING d.id, d.vendor_id, d.kind, d.number, d.expires_at, due.n
), told AS (
    INSERT INTO vendors_vendorevent (created_at, vendor_id, kind, reason, facts)
    SELECT statement_timestamp(), vendor_id, 'document.expiring',
           'The ' || replace(kind, '_', ' ') || ' runs out within ' || CASE n WHEN 1 THEN '30' ELSE '7' END
               || ' days; hand in the renewed one.',
           jsonb_build_object('document', id, 'expires_at', expires_at)
    FROM done
), put AS (
    INSERT INTO common_outboxmessage (id, created_at, topic, payload, attempts, next_attempt_at, last_error)
    SELECT uuidv7(), statement_timestamp(), 'vendor.notice', jsonb_build_object(
               'vendor', vendor_id, 'kind', 'document.expires', 'about', jsonb_agg(jsonb_build_object(
                   'subject', id, 'facts', jsonb_build_object(
                       'document', replace(kind, '_', ' ') || ' ' || number, 'until', expires_at)) ORDER BY id)),
           0, statement_timestamp(), ''
    FROM done GROUP BY vendor_id
)
SELECT count(*) FROM done
"""


def warn_due() -> int:
    """Warn of papers that run out within 30 and within 7 days, once each; return how many warnings were sent.

    One statement counts the warning, records it and puts the notice into the outbox. A paper that was renewed is not
    warned of; one handed in with less than a week left is warned of once. Any number may run: locked rows are skipped.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WARN)
        return int(cursor.fetchone()[0])

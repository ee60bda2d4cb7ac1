"""Papers: handed in by vendors, checked by staff; what they cover lasts as long as they do, to the second."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from vendors.core.evidence import KINDS
from vendors.core.requirements import evidence_until
from vendors.models import Capability, Vendor, VendorDocument
from vendors.selectors import vendors
from vendors.selectors.standing import papers_of
from vendors.services import record

WARNINGS: Final = (datetime.timedelta(days=30), datetime.timedelta(days=7))
State = VendorDocument.State


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """A paper: what it is, where the vendor keeps it, its checksum, and from when until when it holds."""

    kind: str
    number: str
    uri: str
    sha256: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    capability_id: uuid.UUID | None = None


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
        vendor = Vendor.objects.select_for_update().get(pk=found.vendor_id)
        document = VendorDocument.objects.get(pk=found.pk)
        if document.state == target:
            return document
        if document.state == State.REJECTED:
            raise ConflictError("This paper was refused; the vendor hands in another one.")
        document.state, document.reason, document.decided_at = target, reason, database_now()
        document.save(update_fields=["state", "reason", "decided_at"])
        refresh(vendor)
        record.add(vendor, f"document.{target}", actor, reason, document=document.public_id, paper=document.kind)
        return document


def refresh(vendor: Vendor) -> None:
    """Write down until when each capability of a locked vendor is covered by papers."""
    now = database_now()
    capabilities = list(Capability.objects.filter(vendor=vendor).order_by("pk"))
    papers = papers_of(vendor)
    for capability in capabilities:
        covering = papers[None] + papers[capability.pk]
        capability.evidence_until = evidence_until(capability.language, capability.domain, covering, now)
    Capability.objects.bulk_update(capabilities, ["evidence_until"])


def warn_due() -> int:
    """Warn of papers that run out in 30 and in 7 days, once each; return how many warnings were recorded.

    Two runners never warn twice: the conditional update counts the warning, and only who made it records it.
    """
    warned = 0
    for number, notice in enumerate(WARNINGS):
        due = VendorDocument.objects.filter(
            Q(expires_at__lte=Now() + notice, expires_at__gt=Now()), state=State.VERIFIED, n_warnings__lte=number
        )
        for document in due.select_related("vendor").order_by("pk")[:500]:
            with transaction.atomic():
                mine = VendorDocument.objects.filter(pk=document.pk, n_warnings=document.n_warnings)
                if mine.update(n_warnings=number + 1):
                    what = document.kind.replace("_", " ")
                    reason = f"The {what} runs out within {notice.days} days; hand in the renewed one."
                    facts = {"document": document.public_id}
                    record.add(document.vendor, "document.expiring", Actor.system(), reason, **facts)
                    warned += 1
    return warned

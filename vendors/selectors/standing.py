"""The facts that decide what a vendor owes, in five queries whatever it has, six where money moves."""

import uuid
from collections import defaultdict

from django.conf import settings

from common.clock import database_now
from common.models import PayoutAccount
from vendors.core.requirements import CapabilityFacts, Facts, Paper, Requirements, requirements_of
from vendors.models import Capability, Vendor, VendorDocument

_BEST_FIRST = {"verified": 0, "pending": 1, "rejected": 2}


def papers_of(vendor: Vendor) -> dict[uuid.UUID | None, list[Paper]]:
    """Return a vendor's papers by the capability they are for (None: for all), the best ones first.

    The best is a verified one that lasts longest; then one that waits; then the newest refused.
    """
    found: dict[uuid.UUID | None, list[Paper]] = defaultdict(list)
    documents = sorted(VendorDocument.objects.filter(vendor=vendor).order_by("-pk"), key=_rank)
    for document in documents:
        paper = Paper(document.kind, document.state, document.expires_at, document.reason)
        found[document.capability_id].append(paper)
    return found


def _rank(document: VendorDocument) -> tuple[int, float]:
    lasts = float("inf") if document.expires_at is None else document.expires_at.timestamp()
    return _BEST_FIRST[document.state], -lasts


def facts_of(vendor: Vendor) -> Facts:
    """Return what the requirements follow from."""
    papers = papers_of(vendor)
    is_ready, missing = _payout(vendor)
    capabilities = Capability.objects.filter(vendor=vendor).prefetch_related("prices").order_by("pk")
    return Facts(
        has_signed_agreement=vendor.agreements.exists(),
        capabilities=[
            CapabilityFacts(
                name=capability.words,
                language=capability.language,
                domain=capability.domain,
                is_active=capability.status == Capability.Status.ACTIVE,
                has_price=bool(capability.prices.all()),
                qualified_until=capability.qualified_until,
                papers=papers[capability.pk] + papers[None],
                data_class=capability.data_class,
            )
            for capability in capabilities
        ],
        now=database_now(),
        is_payout_ready=is_ready,
        payout_missing=missing,
    )


def _payout(vendor: Vendor) -> tuple[bool, list[str]]:
    """Return whether a vendor can be sent money, and what its account lacks; nothing is due where nobody is charged."""
    if not settings.BILLING_ENABLED:
        return True, []
    account = PayoutAccount.objects.filter(organization_id=vendor.organization_id).first()
    return (account.is_ready, list(account.missing)) if account else (False, [])


def requirements(vendor: Vendor) -> Requirements:
    """Return what a vendor owes, by urgency."""
    return requirements_of(facts_of(vendor))

"""The facts that decide what a vendor owes, in five queries whatever it has."""

import uuid
from collections import defaultdict

from common.clock import database_now
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
    )


def requirements(vendor: Vendor) -> Requirements:
    """Return what a vendor owes, by urgency."""
    return requirements_of(facts_of(vendor))

"""Fixtures for what moves money, and for a vendor's papers: used by `world`."""

import datetime
from typing import Any

from common.clock import database_now
from common.ids import from_public
from marketplace.models import Assignment, Clawback, Settlement
from marketplace.services import statements
from tests import wallets
from tests.api import shop
from tests.api.client import Api

PAPER = {
    "kind": "identity",
    "number": "A-1",
    "uri": "https://vendor.example/a.pdf",
    "sha256": "a" * 64,
    "issued_at": "2026-01-01T00:00:00Z",
}


def money(customer: Api, vendor: Api) -> dict[str, Any]:
    """Pay something in and open a payout account; return the bodies of what moves money."""
    method = customer.made("/wallet/payment-methods/", {"token": "pm_card_visa"})
    paid = customer.made("/wallet/top-ups/", {"amount_minor": 500, "currency": "USD"})
    wallets.run_all()
    profile = {"legal_name": "Owls Ltd", "address": "1 Tree", "country": "GB", "tax_id": "GB1", "tax_note": "None."}
    customer.put("/billing-profile/", profile)
    vendor.put("/billing-profile/", profile)
    account = {"return_url": "https://vendor.example/back"}
    vendor.post("/vendor/payout-account/", account)
    return {
        "POST wallet/payment-methods/": {"token": "pm_card_mastercard"},
        "POST wallet/top-ups/": {"amount_minor": 500, "currency": "USD", "payment_method": method["id"]},
        "POST wallet/card-holds/": {"amount_minor": 500, "currency": "USD"},
        "POST wallet/refunds/": {"top_up": paid["id"], "amount_minor": 5},
        "POST vendor/payout-account/": account,
        "PUT billing-profile/": profile,
        "POST batches/<str:public_id>/bonus/": {"amount_micro": 5, "reason": "Well done."},
    }


def rejected(vendor: Api, staff: Api) -> str:
    """Return the appeal of another vendor that was rejected."""
    shop.apply_as_vendor(vendor)
    vendor.made("/vendor/submit/")
    vendor_id = vendor.get("/vendor/").body["id"]
    answer = staff.post(f"/vendors/{vendor_id}/review/", {"decision": "reject", "reason": "No."})
    assert answer.status == 200, answer.body
    return str(vendor.made("/vendor/appeals/", {"text": "Look again."})["id"])


def statement(customer: Api) -> str:
    """Close the running month; return the customer's invoice."""
    next_month = (database_now().date().replace(day=1) + datetime.timedelta(days=32)).replace(day=2)
    assert statements.issue_due(today=next_month) > 0
    return str(customer.get("/statements/").body["results"][0]["id"])


def credit(customer: Api, staff: Api, ids: dict[str, str]) -> dict[str, Any]:
    """Let a customer pay by invoice; add the terms' id, return the bodies."""
    organization = customer.get("/organization/").body["id"]
    terms = {"organization": organization, "currency": "USD", "limit_micro": 5_000_000, "days": 30}
    ids["invoice-terms"] = staff.made("/invoice-terms/", terms)["id"]
    return {"POST invoice-terms/": terms, "POST invoice-terms/<str:public_id>/revoke/": {}}


def clawback(assignment: str, ids: dict[str, str]) -> dict[str, Any]:
    """Have taken pay back for a piece of work, and given it back; add the clawback's id, return the bodies."""
    work = Assignment.objects.get(pk=from_public("asg", assignment))
    amounts = {"n_paid": 9, "price_micro": 10, "vendor_micro": 90, "fee_micro": 0, "currency": "USD"}
    paid = Settlement.objects.create(assignment=work, job_id=work.job_id, vendor_id=work.vendor_id, **amounts)
    taken = {"n_labels": 1, "vendor_micro": 10, "fee_micro": 0, "reason": "Copied."}
    ids["clawbacks"] = Clawback.objects.create(settlement=paid, reversed_at=database_now(), **taken).public_id
    return {
        "POST clawbacks/": {"assignment": assignment, "n_labels": 1, "reason": "Copied."},
        "POST clawbacks/<str:public_id>/reverse/": {"reason": "It was not."},
    }

"""The market driven over HTTP only: what a customer, a vendor and the staff would send."""

import itertools
from dataclasses import dataclass
from typing import Any

from tests.api.client import Api

CLASSES = ["cat", "dog", "bird"]
KIND = {"task_type": "classification", "modality": "image"}
AGREEMENT = {
    "accept_window_s": {"cost": 60, "speed": 60, "accuracy": 60},
    "min_batch": 1,
    "max_concurrent": 4,
    "start_window_s": 60,
    "seconds_per_label": 5.0,
    "signed_by": "A. Signer",
}
_numbers = itertools.count(1)


def truth(key: str) -> str:
    """Return the true label behind a key: its number modulo 3."""
    return CLASSES[int(key.rsplit("-", 1)[1]) % 3]


def add_gold_set(staff: Api, n: int = 80) -> Any:
    """Add the qualification test."""
    records = [{"key": f"gold-{i}", "uri": f"s3://gold/{i}", "label": CLASSES[i % 3]} for i in range(n)]
    return staff.made("/gold-sets/", KIND | {"classes": CLASSES, "records": records})


@dataclass(frozen=True)
class Seller:
    """A vendor's client with the ids of what it has made."""

    api: Api
    vendor_id: str
    capability_id: str


def apply_as_vendor(api: Api, price_micro: int = 50_000, **terms: Any) -> Seller:
    """Register, declare, price and sign."""
    vendor = api.made("/vendor/", {"name": f"Vendor {next(_numbers)}", "languages": ["en"], "regions": ["EU"]})
    capability = api.made("/vendor/capabilities/", KIND)
    api.made("/vendor/prices/", {"capability": capability["id"], "price_micro": price_micro, "currency": "USD"})
    api.made("/vendor/agreement/", AGREEMENT | terms)
    return Seller(api, vendor["id"], capability["id"])


def admit(staff: Api, seller: Seller) -> Seller:
    """Bring an applicant all the way into the market."""
    seller.api.made("/vendor/submit/")
    staff.made(f"/vendors/{seller.vendor_id}/review/", {"decision": "approve", "reason": "Welcome."})
    attempt = seller.api.made(f"/vendor/capabilities/{seller.capability_id}/qualification/")
    answers = [{"key": record["key"], "label": truth(record["key"])} for record in attempt["records"]]
    result = seller.api.made(f"/vendor/qualifications/{attempt['id']}/answers/", {"answers": answers})
    assert result["passed"]
    return seller


def label_schema(customer: Api) -> str:
    """Make a schema and return its id."""
    body = {"name": f"schema {next(_numbers)}", "task_type": "classification", "classes": CLASSES}
    return customer.made("/label-schemas/", body)["id"]


def job_body(customer: Api, n_records: int = 4, **terms: Any) -> dict[str, Any]:
    """Return an order of so many records."""
    return {
        "label_schema": label_schema(customer),
        "title": "Animals",
        "instructions": "Say what it is.",
        "modality": "image",
        "priority": "cost",
        "budget_micro": 10**9,
        "batch_size": 4,
        "round_pause_s": 0.0,
        "min_overlap": 1,
        "gold": [{"key": f"known-{i}", "label": CLASSES[i % 3]} for i in range(3)],
        "records": [{"key": f"record-{i}", "uri": f"s3://x/{i}", "metadata": {"n": i}} for i in range(n_records)],
    } | terms


def post_job(customer: Api, n_records: int = 4, **terms: Any) -> Any:
    """Post an order."""
    return customer.made("/jobs/", job_body(customer, n_records, **terms))


def live_offers(seller: Seller) -> list[Any]:
    """Return the vendor's live offers, after the sweeper has run."""
    from marketplace.services import sweeper

    sweeper.sweep()
    return seller.api.get("/offers/?state=live").body["results"]


def accept_one(seller: Seller) -> Any:
    """Accept the vendor's newest live offer and return the assignment with its records."""
    accepted = seller.api.made(f"/offers/{live_offers(seller)[0]['id']}/accept/")
    return seller.api.get(f"/assignments/{accepted['id']}/").body


def annotations_for(work: Any) -> list[dict[str, Any]]:
    """Return the right answers on an assignment's records."""
    return [{"key": record["key"], "label": truth(record["key"]), "seconds": 2.0} for record in work["records"]]

"""Rules, disputes and reviews in the world of the matrix tests."""

from typing import Any

from common.clock import Now
from common.ids import from_public
from marketplace.models import Adjudication, Assignment, JobRecord, Verdict
from marketplace.services import sweeper
from tests.api import shop
from tests.api.client import Api

WARNING = {
    "subject": "vendor",
    "collector": "n_answers",
    "comparator": ">",
    "threshold": 0.5,
    "min_n": 1,
    "window_s": 3600,
    "action": "warn",
}


def add_rule(customer: Api, job: str, name: str) -> str:
    """Make a rule that warns at every answer, and switch it on."""
    rule = customer.made("/rules/", WARNING | {"job": job, "name": name})["id"]
    customer.made(f"/rules/{rule}/try/")
    customer.made(f"/rules/{rule}/switch/", {"on": True})
    return str(rule)


def make_rule(customer: Api, vendor: Api, job: Any, work: Any) -> tuple[str, str]:
    """Return a rule and what it did."""
    rule = add_rule(customer, job["id"], "Warn")
    answers = shop.annotations_for(work)[-2:]
    vendor.send("PUT", f"/assignments/{work['id']}/annotations/", {"annotations": answers})
    sweeper.sweep()
    return rule, vendor.get("/rule-effects/").body["results"][0]["id"]


def second_looks(customer: Api, vendor: Api, staff: Api, job: str, work: str) -> dict[str, str]:
    """Return a dispute, what staff has to decide of it, and a review; what vetting would have done is set in place."""
    records = JobRecord.objects.filter(pk__in=JobRecord.objects.order_by("-pk").values("pk")[:6])
    records.update(state="labeled", label=0, confidence=0.8)
    assignment = Assignment.objects.get(pk=from_public("asg", work))
    refuse(assignment)
    dispute = vendor.made(f"/assignments/{work}/disputes/", {"text": "It is right."})["id"]
    customer.made(f"/jobs/{job}/reviews/", {"n": 1})
    first, second = (row["id"] for row in staff.get("/adjudications/").body["results"])
    Adjudication.objects.update(vendor=assignment.vendor_id, handed_at=Now())
    return {
        "disputes": dispute,
        "adjudications": first,
        "vendor/adjudications": second,
        "reviews": customer.get(f"/jobs/{job}/reviews/").body["results"][0]["id"],
    }


def refuse(assignment: Assignment) -> None:
    """Refuse the answers of a piece of work, as a verdict would."""
    figures = {"error_estimate": 0.5, "error_low": 0.4, "error_high": 0.6}
    Verdict.objects.create(assignment=assignment, outcome="accepted", words="So it is.", **figures)
    assignment.annotations.update(state="rejected")


def bodies(job: str, key: str) -> dict[str, Any]:
    """Return a valid body for every write."""
    return {
        "POST rules/": WARNING | {"job": job, "name": "Another", "window_answers": None, "duration_s": None},
        "PUT rules/<str:public_id>/": WARNING | {"threshold": 2.5},
        "POST rules/<str:public_id>/try/": {},
        "POST rules/<str:public_id>/switch/": {"on": False},
        "POST assignments/<str:public_id>/disputes/": {"text": "It is right.", "key": key},
        "POST adjudications/<str:public_id>/decide/": {"label": "cat", "note": "Plain to see."},
        "POST adjudications/<str:public_id>/hand-out/": {"vendor": None},
        "POST vendor/adjudications/<str:public_id>/decide/": {"label": "cat", "note": "Plain to see."},
        "POST jobs/<str:public_id>/reviews/": {"n": 1, "seed": 1},
        "POST reviews/<str:public_id>/decide/": {"label": "cat", "note": "Looked again."},
        "POST rule-effects/<str:public_id>/reverse/": {"reason": "A mistake."},
    }

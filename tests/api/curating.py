"""Experiments and campaigns for the matrix tests, made over HTTP."""

from typing import Any

from common.ids import from_public
from marketplace.services import campaigns
from tests.api import pool, shop
from tests.api.client import Api


def proposing(customer: Api, dataset: str) -> str:
    """Return a campaign whose first round waits for its customer."""
    pair = _pair(customer, dataset, "two", batch_size=4)
    campaign = customer.made("/campaigns/", pair | {"rounds": 1, "mode": "approve"})
    campaigns.advance(campaign_id=from_public("cmp", campaign["id"]))
    return campaign["id"]


def _pair(customer: Api, dataset: str, name: str, **changes: Any) -> dict[str, str]:
    """Return an experiment and a standing job that fit each other."""
    schema = customer.made("/label-schemas/", {"name": name, "task_type": "classification", "classes": pool.CLASSES})
    terms = {"label_schema": schema["id"], "gold": [], "records": []}
    job = customer.made("/jobs/", shop.job_body(customer) | terms)
    run = customer.made("/experiments/", {"dataset": dataset, "name": name} | changes)
    return {"experiment": run["id"], "job": job["id"]}


def bodies(customer: Api, dataset: Any, campaign: str) -> dict[str, Any]:
    """Return a valid body for every write of curation and campaigns."""
    run = customer.get(f"/campaigns/{campaign}/").body["experiment"]
    picks = {pick["key"] for pick in customer.get(f"/experiments/{run}/rounds/1/picks/").body["results"]}
    free = next(key for key in (f"record-{i}" for i in range(40)) if key not in picks)
    return {
        "POST datasets/": {},
        "POST experiments/": {
            "dataset": dataset["id"],
            "name": "three",
            "type": "rule_based",
            "rules": [{"strategy": "herding", "share": 0.5}, {"strategy": "metadata_weighted", "share": 0.5}],
            "wishes": {"parts": [{"strategy": "diversity", "input": "embeddings"}]},
            "classes": pool.CLASSES,
            "batch_size": 5,
            "control_ratio": 0.1,
            "seed": 1,
            "trusts_anchor": False,
            "max_cpu_s": 600,
        },
        "PATCH experiments/<str:public_id>/": {"max_cpu_s": 600},
        "POST experiments/<str:public_id>/classes/": {"classes": ["straight on"]},
        "POST experiments/<str:public_id>/observations/": {
            "labels": [{"key": "record-1", "label": "left", "confidence": 0.5}]
        },
        "POST experiments/<str:public_id>/rounds/": {},
        "POST experiments/<str:public_id>/rounds/<int:number>/evaluate/": {},
        "POST campaigns/": _pair(customer, dataset["id"], "four") | {"rounds": 1, "target_accuracy": 0.9},
        "POST campaigns/<str:public_id>/veto/": {"keys": [min(picks)], "reason": "known", "note": "Seen."},
        "POST campaigns/<str:public_id>/add/": {"keys": [free]},
        "POST campaigns/<str:public_id>/approve/": {"round": 1},
        "POST campaigns/<str:public_id>/pause/": {},
        "POST campaigns/<str:public_id>/resume/": {},
        "POST campaigns/<str:public_id>/stop/": {},
    }

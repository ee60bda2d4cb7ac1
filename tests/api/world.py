"""One of everything, made over HTTP, and a valid body for every write: what the matrix tests need."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from tests.api import papers, pool, rulings, shop
from tests.api.client import Api
from tests.api.routes import Route

OTHER_KIND = {"task_type": "multilabel", "modality": "text"}


@dataclass(frozen=True)
class World:
    """Who owns what, and strangers of both kinds."""

    customer: Api
    vendor: Api
    staff: Api
    strangers: dict[str, Api]
    ids: dict[str, str]
    bodies: dict[str, Any]

    def owner(self, route: Route) -> Api:
        """Return who may use a route, and owns what its fixture names."""
        kinds = ("vendor", "customer", "platform")
        for kind in kinds[1:] if route.noun == "statements" else kinds:
            if kind in route.kinds:
                return self.by_kind(kind)
        raise LookupError(f"nobody can hold the scope {route.scope!r} of {route}")

    def by_kind(self, kind: str) -> Api:
        """Return the owner of a kind."""
        return {"customer": self.customer, "vendor": self.vendor, "platform": self.staff}[kind]

    def id_of(self, route: Route) -> str:
        """Return the id for a route's address; a route without a fixture fails here."""
        return self.ids[route.noun] if route.has_id else ""

    def body_of(self, route: Route) -> Any:
        """Return a valid body for a write; a write without a fixture fails here."""
        return self.bodies[str(route)] if route.is_write else None


def make(customer: Api, vendor: Api, staff: Api, strangers: dict[str, Api], sign_up_vendor: Api) -> World:
    """Make one of everything."""
    shop.add_gold_set(staff)
    seller = shop.admit(staff, shop.apply_as_vendor(vendor))
    job = shop.post_job(customer, n_records=8)
    work = shop.accept_one(seller)
    offer = shop.live_offers(seller)[0] if shop.live_offers(seller) else {"id": work["offer"]}
    attempt = _open_attempt(staff, vendor)
    rule, effect = rulings.make_rule(customer, vendor, job, work)
    second_looks = rulings.second_looks(customer, vendor, staff, job["id"], work["id"])
    dataset = pool.upload(customer, pool.archive()).body
    experiment = customer.made("/experiments/", {"dataset": dataset["id"], "name": "one", "batch_size": 4})
    customer.made(f"/experiments/{experiment['id']}/rounds/")
    ids = {
        "api-keys": vendor.made("/api-keys/", {"name": "to revoke"})["id"],
        "vendor/capabilities": attempt["capability"],
        "vendor/qualifications": attempt["id"],
        "vendors": seller.vendor_id,
        "vendor-rules": staff.get("/vendor-rules/").body["results"][0]["id"],
        "offers": offer["id"],
        "assignments": work["id"],
        "jobs": job["id"],
        "private-vendors": customer.made("/private-vendors/", {"name": "To withdraw"})["id"],
        "functions": customer.made(f"/jobs/{job['id']}/functions/", {"name": "one", "csv": "key,label\n"})["id"],
        "batches": customer.get(f"/jobs/{job['id']}/batches/").body["results"][0]["id"],
        "rules": rule,
        "rule-effects": effect,
        **second_looks,
        "datasets": dataset["id"],
        "experiments": experiment["id"],
        "campaigns": customer.made("/campaigns/", _pair(customer, dataset["id"], "two") | {"rounds": 1})["id"],
    }
    money = papers.money(customer, vendor) | papers.credit(customer, staff, ids) | papers.clawback(work["id"], ids)
    paper = vendor.made("/vendor/documents/", papers.PAPER)
    ids |= {"documents": paper["id"], "appeals": papers.rejected(sign_up_vendor, staff)}
    ids["statements"] = papers.statement(customer)
    strangers["vendor"].made("/vendor/", {"name": "Stranger"})
    return World(customer, vendor, staff, strangers, ids, _bodies(customer, work, attempt, dataset, ids) | money)


def _open_attempt(staff: Api, vendor: Api) -> Any:
    """Open a test of a second capability."""
    records = [{"key": f"g-{i}", "label": [shop.CLASSES[i % 3]]} for i in range(4)]
    kind = OTHER_KIND | {"classes": shop.CLASSES, "records": records, "n_records_per_attempt": 2}
    staff.made("/gold-sets/", kind)
    capability = vendor.made("/vendor/capabilities/", OTHER_KIND)
    return vendor.made(f"/vendor/capabilities/{capability['id']}/qualification/")


def _pair(customer: Api, dataset: str, name: str) -> dict[str, str]:
    """Return an experiment and a standing job that fit each other."""
    schema = customer.made("/label-schemas/", {"name": name, "task_type": "classification", "classes": pool.CLASSES})
    terms = {"label_schema": schema["id"], "gold": [], "records": []}
    job = customer.made("/jobs/", shop.job_body(customer) | terms)
    run = customer.made("/experiments/", {"dataset": dataset, "name": name})
    return {"experiment": run["id"], "job": job["id"]}


def _bodies(customer: Api, work: Any, attempt: Any, dataset: Any, ids: dict[str, str]) -> dict[str, Any]:
    """Return a valid body for every write, in an order in which the owner could send them."""
    return (
        _of_accounts()
        | _of_vendor(attempt, ids)
        | _of_staff()
        | _of_work(work["records"][0]["key"])
        | _of_jobs(customer)
        | rulings.bodies(ids["jobs"], work["records"][-1]["key"])
        | _of_curation(customer, dataset)
    )


def _of_accounts() -> dict[str, Any]:
    return {
        "POST organizations/": {"name": "N", "kind": "customer", "email": "new@example.org"},
        "PATCH organization/": {"name": "New name", "region": "EU"},
        "POST api-keys/": {"name": "k", "scopes": ["organization:read"], "expires_at": "2100-01-01T00:00:00Z"},
        "POST api-keys/<str:public_id>/revoke/": {},
    }


def _of_vendor(attempt: Any, ids: dict[str, str]) -> dict[str, Any]:
    return {
        "POST vendor/": {"name": "V", "languages": ["en"], "regions": ["EU"]},
        "POST vendor/capabilities/": {"task_type": "bbox", "modality": "image", "language": "en", "domain": "cars"}
        | {"data_class": "public"},
        "POST vendor/capabilities/<str:public_id>/qualification/": {},
        "POST vendor/qualifications/<str:public_id>/answers/": {
            "answers": [{"key": attempt["records"][0]["key"], "label": ["cat"]}]
        },
        "POST vendor/prices/": {
            "capability": ids["vendor/capabilities"],
            "price_micro": 5,
            "currency": "USD",
            "valid_from": "2100-01-01T00:00:00Z",
            "valid_until": "2101-01-01T00:00:00Z",
        },
        "POST vendor/agreement/": shop.AGREEMENT | {"base_s": 5},
        "PATCH vendor/availability/": {"accepting": True, "paused_until": None, "slots": 3, "daily_limit": 10_000},
        "PUT vendor/hours/": {
            "time_zone": "Europe/Berlin",
            "weekly": {"mon": [{"opens": "09:00", "closes": "12:00"}, {"opens": "13:00", "closes": "24:00"}]},
            "closures": [{"first_day": "2100-12-24", "last_day": "2100-12-26"}],
        },
        "POST vendor/hours/drop/": {},
        "POST vendor/submit/": {},
        "POST vendor/documents/": papers.PAPER | {"sha256": "b" * 64, "expires_at": "2100-01-01T00:00:00Z"},
        "POST vendor/appeals/": {"text": "Not so."},
        "POST vendor/close/": {"reason": "Enough."},
    }


def _of_staff() -> dict[str, Any]:
    return {
        "POST offers/<str:public_id>/withdraw/": {"reason": "By mistake."},
        "POST vendors/<str:public_id>/review/": {
            "decision": "suspend",
            "reason": "To see.",
            "until": "2100-01-01T00:00:00Z",
        },
        "POST documents/<str:public_id>/decide/": {"is_accepted": True, "reason": "Fine."},
        "POST appeals/<str:public_id>/decide/": {"is_accepted": True, "reason": "Right."},
        "POST vendor-rules/<str:public_id>/try/": {"days": 30},
        "POST vendor-rules/<str:public_id>/switch/": {"on": False},
        "POST gold-sets/": {
            "task_type": "spans",
            "modality": "text",
            "language": "en",
            "domain": "law",
            "classes": ["a", "b"],
            "records": [
                {
                    "key": "1",
                    "label": [{"class": "a", "start": 0, "end": 3}],
                    "metadata": {"text": "Ann met Bob."},
                    "uri": "s3://x",
                },
                {"key": "2", "cannot_label": "other", "metadata": {"length": 10}},
            ],
            "n_records_per_attempt": 1,
            "floor": 0.8,
            "fee_micro": 5,
        },
    }


def _of_work(key: str) -> dict[str, Any]:
    return {
        "POST offers/<str:public_id>/accept/": {},
        "POST offers/<str:public_id>/interest/": {},
        "POST offers/<str:public_id>/decline/": {"reason": "other"},
        "PUT assignments/<str:public_id>/annotations/": {
            "annotations": [{"key": key, "label": shop.truth(key), "annotator": "a", "seconds": 1.5}]
        },
        "POST assignments/<str:public_id>/release/": {"reason": "too much"},
    }


def _of_jobs(customer: Api) -> dict[str, Any]:
    return {
        "POST private-vendors/": {"name": "Our own"},
        "POST private-vendors/<str:public_id>/withdraw/": {},
        "POST label-schemas/": {"name": "S", "task_type": "classification", "classes": ["a", "b"]},
        "POST jobs/": shop.job_body(customer, n_records=2) | _further_terms(),
        "POST jobs/quote/": shop.job_body(customer, n_records=2) | _further_terms() | {"n_records": 2},
        "POST jobs/<str:public_id>/lots/": {"records": [{"key": "n1", "uri": "s3://x", "metadata": {"a": [1]}}]},
        "POST jobs/<str:public_id>/instructions/": {"text": "Say what it is, anew.", "replaces": 1},
        "PUT jobs/<str:public_id>/first-pass/": {
            "blind_ratio": 0.1,
            "audit_ratio": 0.1,
            "required_accuracy": 0.9,
            "is_auto_accept": True,
        },
        "POST jobs/<str:public_id>/prelabels/": {
            "model": "v1",
            "prelabels": [{"key": "new-1", "label": "cat", "confidence": 0.9, "probabilities": [0.9, 0.1, 0.0]}],
        },
        "POST jobs/<str:public_id>/functions/": {"name": "by size", "description": "Large.", "votes": []},
        "POST functions/<str:public_id>/drop/": {},
        "POST jobs/<str:public_id>/budget/": {"budget_micro": 10**9},
        "POST jobs/<str:public_id>/cancel/": {},
        "POST batches/<str:public_id>/review/": {"decision": "accept"},
        "POST batches/<str:public_id>/cancel/": {},
        "POST batches/<str:public_id>/resolve/": {
            "choice": "raise_price",
            "max_price_micro": 10**6,
            "min_accuracy": 0.5,
        },
    }


def _of_curation(customer: Api, dataset: Any) -> dict[str, Any]:
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
        },
        "POST experiments/<str:public_id>/classes/": {"classes": ["straight on"]},
        "POST experiments/<str:public_id>/observations/": {"labels": [{"key": "record-1", "label": "left"}]},
        "POST experiments/<str:public_id>/rounds/": {},
        "POST experiments/<str:public_id>/rounds/<int:number>/evaluate/": {},
        "POST campaigns/": _pair(customer, dataset["id"], "four") | {"rounds": 1, "target_accuracy": 0.9},
        "POST campaigns/<str:public_id>/pause/": {},
        "POST campaigns/<str:public_id>/resume/": {},
        "POST campaigns/<str:public_id>/stop/": {},
    }


def _further_terms() -> dict[str, Any]:
    return {
        "language": "en",
        "domain": "pets",
        "data_class": "public",
        "currency": "USD",
        "max_price_micro": 10**6,
        "min_accuracy": 0.5,
        "due_at": "2100-01-01T00:00:00Z",
        "gold_ratio": 0.1,
        "max_overlap": 3,
        "aql": 2.5,
        "max_relabels": 2,
        "target_confidence": 0.9,
        "accuracy_floor": 0.7,
        "pinned_vendors": [],
        "denied_vendors": [],
        "is_manual": False,
        "max_rounds": 2,
        "max_offers": 3,
    }


_CHANGING = {"common_idempotencyrecord", "common_apikey", "django_migrations"}


_PRINT = "SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {table} t"


def snapshot() -> dict[str, str]:
    """Return a fingerprint of every table, to show that nothing changed (keys note their last use, so are left out)."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in _CHANGING]
        prints = {}
        for table in tables:
            cursor.execute(_PRINT.format(table=table))
            prints[table] = cursor.fetchone()[0]
    return prints

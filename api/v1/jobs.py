"""Jobs: order labels, see who is asked, read what comes back."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import PublicIdField
from api.serializers import EmptyBody, Resource, own_id
from api.v1.job_bodies import BudgetIn, JobIn, LotIn, gold_of, records_of, terms_of
from api.v1.label_schemas import LabelSchemaOut
from marketplace.models import Job
from marketplace.selectors import jobs as selectors
from marketplace.services import budgets, cancellations, jobs, routing

MAX_PREVIEW = 10_000


class JobOut(Resource):
    """An order."""

    id = own_id("job")
    title = serializers.CharField()
    state = serializers.CharField()
    label_schema = LabelSchemaOut()
    modality = serializers.CharField()
    language = serializers.CharField()
    domain = serializers.CharField()
    data_class = serializers.CharField()
    weights = serializers.SerializerMethodField()
    max_price_micro = serializers.IntegerField(allow_null=True)
    min_accuracy = serializers.FloatField(allow_null=True)
    currency = serializers.CharField()
    budget_micro = serializers.IntegerField()
    committed_micro = serializers.IntegerField()
    spent_micro = serializers.IntegerField()
    batch_size = serializers.IntegerField()
    is_splittable = serializers.BooleanField()
    wave_size = serializers.IntegerField()
    review_window_s = serializers.IntegerField()
    gold_ratio = serializers.FloatField()
    min_overlap = serializers.IntegerField()
    max_overlap = serializers.IntegerField()
    target_confidence = serializers.FloatField()
    aql = serializers.FloatField(allow_null=True)
    max_relabels = serializers.IntegerField()
    pinned_vendors = serializers.ListField(child=PublicIdField("ven"))
    denied_vendors = serializers.ListField(child=PublicIdField("ven"))
    is_manual = serializers.BooleanField()
    due_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_weights(self, job: Job) -> dict[str, float]:
        """Return what matters how much."""
        return {"cost": job.weight_cost, "speed": job.weight_speed, "accuracy": job.weight_accuracy}


class JobProgressOut(JobOut):
    """An order with how far it has come: records, batches and lots by state."""

    records = serializers.DictField(child=serializers.IntegerField())
    batches = serializers.DictField(child=serializers.IntegerField())
    lots = serializers.DictField(child=serializers.IntegerField())


class LotOut(Resource):
    """Records ordered together."""

    id = own_id("lot")
    job = PublicIdField("job", source="job_id")
    number = serializers.IntegerField()
    state = serializers.CharField()
    n_records = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class CandidateOut(Resource):
    """A vendor's place in the ranking a batch would get now, or why it has none."""

    vendor = PublicIdField("ven", source="vendor_id")
    name = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    is_pinned = serializers.BooleanField()
    exclusion = serializers.CharField()
    index = serializers.FloatField(allow_null=True)
    parts = serializers.DictField(child=serializers.FloatField())
    words = serializers.CharField()
    price_micro = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()


class CandidatesOut(Resource):
    """The ranking."""

    n_records = serializers.IntegerField()
    results = CandidateOut(many=True)


def progress_of(job: Job) -> dict[str, Any]:
    """Return an order with its counts (three queries)."""
    return JobOut(job).data | {
        "records": _by_state(job.records.values("state")),
        "batches": _by_state(job.batches.values("state")),
        "lots": _by_state(job.lots.values("state")),
    }


def _by_state(rows: Any) -> dict[str, int]:
    counted: Iterable[tuple[str, int]] = rows.annotate(n=Count("pk")).values_list("state", "n").order_by("state")
    return dict(counted)


class JobsView(views.Resource):
    """The caller's jobs; staff sees all."""

    action_scopes = {
        "list": "jobs:read",
        "create": "jobs:write",
        "retrieve": "jobs:read",
        "add_lot": "jobs:write",
        "raise_budget": "jobs:write",
        "cancel": "jobs:write",
        "candidates": "jobs:read",
    }
    action_parameters = {"candidates": frozenset({"n_records"})}

    @extend_schema(responses=JobOut(many=True))
    def list(self, request: Request) -> Response:
        """List jobs, newest first."""
        return self.page(selectors.for_actor(self.actor), JobOut)

    @extend_schema(request=JobIn, responses={201: JobProgressOut})
    def create(self, request: Request) -> Response:
        """Post a job; with records, its first lot is on offer when the answer comes."""
        given = self.given(JobIn)
        job = jobs.create(
            actor=self.actor,
            label_schema_id=given["label_schema"],
            terms=terms_of(given),
            gold=gold_of(given),
            records=records_of(given),
            card_hold_id=given.get("card_hold"),
        )
        return Response(progress_of(job), status=201)

    @extend_schema(responses=JobProgressOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a job and how far it has come."""
        return Response(progress_of(selectors.get(self.actor, views.id_in_path("job", public_id))))

    @extend_schema(request=LotIn, responses={201: LotOut})
    def add_lot(self, request: Request, public_id: str) -> Response:
        """Order labels for more records."""
        job_id = views.id_in_path("job", public_id)
        lot = jobs.add_lot(actor=self.actor, job_id=job_id, records=records_of(self.given(LotIn)))
        return self.answer(lot, LotOut, 201)

    @extend_schema(request=BudgetIn, responses=JobProgressOut)
    def raise_budget(self, request: Request, public_id: str) -> Response:
        """Raise a job's budget; batches that wait for somebody are looked at again."""
        job_id = views.id_in_path("job", public_id)
        return Response(progress_of(budgets.raise_to(actor=self.actor, job_id=job_id, **self.given(BudgetIn))))

    @extend_schema(request=EmptyBody, responses=JobProgressOut)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Cancel a job; delivered labels are kept and paid."""
        self.given(EmptyBody)
        return Response(
            progress_of(cancellations.cancel_job(actor=self.actor, job_id=views.id_in_path("job", public_id)))
        )

    @extend_schema(parameters=[OpenApiParameter("n_records", int)], responses=CandidatesOut)
    def candidates(self, request: Request, public_id: str) -> Response:
        """Return the ranking a batch of this size would get now, with reasons."""
        job = selectors.get(self.actor, views.id_in_path("job", public_id))
        n_records = self.number("n_records", default=job.batch_size, least=1, most=MAX_PREVIEW)
        rows = [
            {field: getattr(ranked, field) for field in _RANKED}
            | {"name": facts.name, "price_micro": facts.price_micro, "currency": facts.currency}
            for facts, ranked in routing.preview(job, n_records)
        ]
        return self.answer({"n_records": n_records, "results": rows}, CandidatesOut)


_RANKED = ("vendor_id", "sequence", "is_pinned", "exclusion", "index", "parts", "words")

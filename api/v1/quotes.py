"""Quotes: what a job would cost, take and be worth, before it is posted."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, TextField
from api.serializers import Resource
from api.v1.job_bodies import MAX_BUDGET_MICRO, JobIn, gold_of, terms_of
from common.clock import database_now
from marketplace.services import jobs, quotes
from marketplace.services.lots import MAX_RECORDS


class QuoteIn(JobIn):
    """An order that is only asked about: title, instructions and budget may be left out, records be counted."""

    title = TextField(required=False)
    instructions = TextField(required=False, max_length=50_000)
    budget_micro = IntegerField(required=False, min_value=1, max_value=MAX_BUDGET_MICRO, help_text="Fees included.")
    n_records = IntegerField(required=False, min_value=1, max_value=MAX_RECORDS, help_text="Instead of the records.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the number of records is told once."""
        attrs = super().validate(attrs)
        n_given = len(attrs.get("records", []))
        if not n_given and "n_records" not in attrs:
            raise serializers.ValidationError({"n_records": "Say how many records, or send them."}, code="required")
        if n_given and attrs.get("n_records", n_given) != n_given:
            detail = f"You sent {n_given} records and say {attrs['n_records']}; leave n_records out."
            raise serializers.ValidationError({"n_records": detail}, code="contradiction")
        return attrs


class AmountOut(Resource):
    """A median with its 80 % interval, micro-units with fees."""

    low = serializers.IntegerField()
    median = serializers.IntegerField()
    high = serializers.IntegerField()


class QuotedEstimateOut(Resource):
    """A median with its 80 % interval."""

    low = serializers.FloatField()
    median = serializers.FloatField()
    high = serializers.FloatField()


class PointOut(Resource):
    """The probability that a batch is taken within a time."""

    within_s = serializers.FloatField()
    probability = serializers.FloatField()


class FillOut(Resource):
    """Whether and when batches are taken; ``all_probability``: that every one is done without your help."""

    probability = serializers.FloatField()
    all_probability = serializers.FloatField()
    taken_s = QuotedEstimateOut(allow_null=True)
    curve = PointOut(many=True)


class OptionOut(Resource):
    """The chance of a batch to be taken under another wave size, and another time to accept (times the agreed one)."""

    wave_size = serializers.IntegerField()
    window = serializers.FloatField()
    probability = serializers.FloatField()
    median_s = serializers.FloatField(allow_null=True)


class ObstacleOut(Resource):
    """What keeps the job from being done, and the nearest value of the field that would do."""

    field = serializers.CharField()
    detail = serializers.CharField()
    nearest = serializers.JSONField()


class QuoteOut(Resource):
    """What to expect; with an obstacle, everything else is null."""

    is_feasible = serializers.BooleanField()
    n_records = serializers.IntegerField()
    n_eligible = serializers.IntegerField()
    currency = serializers.CharField()
    price_micro = AmountOut(allow_null=True)
    eta_s = QuotedEstimateOut(allow_null=True)
    accuracy = QuotedEstimateOut(allow_null=True)
    answers_per_record = serializers.FloatField(allow_null=True)
    on_time_probability = serializers.FloatField(allow_null=True)
    fill = FillOut(allow_null=True)
    options = OptionOut(many=True)
    obstacles = ObstacleOut(many=True)


class QuotesView(views.Resource):
    """Quotes."""

    action_scopes = {"create": "jobs:write"}

    @extend_schema(request=QuoteIn, responses=QuoteOut)
    def create(self, request: Request) -> Response:
        """Quote a job without posting it: price, time and accuracy with 80 % intervals, and the chance to be taken."""
        given = self.given(QuoteIn)
        stated = {"title": "", "instructions": "", "budget_micro": quotes.UNLIMITED_MICRO} | given
        due_at = given.get("due_at")
        n_records = given.get("n_records") or len(given["records"])
        jobs.check_gold(actor=self.actor, label_schema_id=given["label_schema"], gold=gold_of(given))
        told = quotes.quote(
            actor=self.actor,
            label_schema_id=given["label_schema"],
            terms=terms_of(stated),
            n_records=n_records,
            has_gold=bool(given.get("gold")),
            due_in_s=(due_at - database_now()).total_seconds() if due_at else None,
        )
        return self.answer(_shown(told, n_records), QuoteOut)


def _shown(told: quotes.Told, n_records: int) -> dict[str, Any]:
    found = asdict(told.quote) if told.quote else {"price_micro": None, "eta_s": None, "accuracy": None, "options": []}
    if found["price_micro"]:
        found["price_micro"] = {part: int(value) for part, value in found["price_micro"].items()}
    fill = found.pop("fill", None)
    if fill:
        fill["curve"] = [{"within_s": at_s, "probability": probability} for at_s, probability in fill["curve"]]
    return found | {
        "is_feasible": not told.obstacles,
        "n_records": n_records,
        "n_eligible": told.n_eligible,
        "currency": told.currency,
        "answers_per_record": told.quote.answers if told.quote else None,
        "on_time_probability": told.on_time,
        "fill": fill,
        "obstacles": [asdict(obstacle) for obstacle in told.obstacles],
    }

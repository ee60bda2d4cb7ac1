"""What a customer sends to order labels."""

import uuid
from dataclasses import fields
from typing import Any

from rest_framework import serializers

from api.fields import (
    BooleanField,
    InstantField,
    IntegerField,
    MetadataField,
    NumberField,
    PublicIdField,
    RatioField,
    TextField,
    choice,
)
from api.serializers import Body, many
from api.v1.answers import AnswerIn, check_one
from marketplace.core.routing import PRIORITIES, Weights
from marketplace.services.jobs import MAX_RELABELS, GoldInput, JobTerms
from marketplace.services.lots import MAX_RECORDS, RecordInput
from vendors.core.evidence import DATA_CLASSES

MAX_BUDGET_MICRO = 10**15
MAX_GOLD = 10_000
_DEFAULTS = {field.name: field.default for field in fields(JobTerms)}


class RecordIn(Body):
    """A record to label; it stays where it is, at ``uri``."""

    key = TextField()
    uri = TextField(required=False, allow_blank=True, max_length=2000)
    metadata = MetadataField(required=False)
    difficulty = RatioField(
        required=False,
        allow_null=True,
        help_text="0 trivial to 1; hard records go out together, to the skilled.",
    )


class GoldIn(AnswerIn):
    """A record whose label the customer knows; it is mixed in unseen."""

    uri = TextField(required=False, allow_blank=True, max_length=2000)
    metadata = MetadataField(required=False)


class WeightsIn(Body):
    """What matters how much; together 1."""

    cost = RatioField()
    speed = RatioField()
    accuracy = RatioField()


class LotIn(Body):
    """Records ordered together."""

    records = many(RecordIn, allow_empty=False, max_items=MAX_RECORDS)


class JobIn(Body):
    """An order. What is left out takes the default of `JobTerms`."""

    label_schema = PublicIdField("sch")
    title = TextField()
    instructions = TextField(max_length=50_000)
    modality = TextField(max_length=32)
    language = TextField(required=False, allow_blank=True, max_length=16)
    domain = TextField(required=False, allow_blank=True, max_length=64)
    data_class = choice(*DATA_CLASSES, required=False)
    priority = choice(*PRIORITIES, required=False)
    weights = WeightsIn(required=False)
    budget_micro = IntegerField(min_value=1, max_value=MAX_BUDGET_MICRO, help_text="Fees included; 1 USD = 1,000,000.")
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    card_hold = PublicIdField(
        "chd", required=False, help_text="An amount held on a card that pays for the job, instead of the wallet."
    )
    max_price_micro = IntegerField(required=False, allow_null=True, min_value=1, max_value=10**12)
    min_accuracy = RatioField(required=False, allow_null=True)
    due_at = InstantField(required=False, allow_null=True)
    batch_size = IntegerField(required=False, min_value=1, max_value=10_000)
    is_splittable = BooleanField(required=False, help_text="Whether a vendor may take a part of a batch. Default: yes.")
    gold_ratio = NumberField(required=False, min_value=0.0, max_value=0.5)
    min_overlap = IntegerField(required=False, min_value=1, max_value=20)
    max_overlap = IntegerField(required=False, min_value=1, max_value=20)
    target_confidence = RatioField(required=False)
    accuracy_floor = RatioField(required=False)
    aql = NumberField(
        required=False,
        allow_null=True,
        min_value=0.01,
        max_value=10.0,
        help_text="Judge work by a sampling plan of ISO 2859-1 (single, normal, level II) with this limit in percent. "
        "Left out: by the sequential test.",
    )
    max_relabels = IntegerField(
        required=False,
        max_value=MAX_RELABELS,
        help_text="Times a refused batch goes out again by itself; then it waits for you. Default: 3.",
    )
    pinned_vendors = serializers.ListField(child=PublicIdField("ven"), required=False, max_length=100)
    denied_vendors = serializers.ListField(child=PublicIdField("ven"), required=False, max_length=1000)
    is_manual = BooleanField(required=False)
    max_rounds = IntegerField(required=False, min_value=1, max_value=100)
    max_offers = IntegerField(required=False, min_value=1, max_value=1000)
    round_pause_s = NumberField(required=False, min_value=0.0, max_value=30 * 24 * 3600.0)
    review_window_s = IntegerField(
        required=False,
        max_value=30 * 24 * 3600,
        help_text="Time to refuse labels before they are paid; 0: none. Default: 72 h. Labels can be used at once.",
    )
    wave_size = IntegerField(
        required=False, min_value=1, max_value=3, help_text="Offers at once after the first miss; with speed first."
    )
    gold = many(GoldIn, required=False, max_items=MAX_GOLD)
    records = many(RecordIn, required=False, max_items=MAX_RECORDS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check what two fields say together."""
        if ("priority" in attrs) == ("weights" in attrs):
            raise serializers.ValidationError({"priority": "Give either a priority or weights."}, code="one_of")
        low, high = (attrs.get(name, _DEFAULTS[name]) for name in ("min_overlap", "max_overlap"))
        if low > high:
            detail = f"max_overlap ({high}) is less than min_overlap ({low})."
            raise serializers.ValidationError({"max_overlap": detail}, code="too_small")
        return attrs

    def validate_weights(self, value: dict[str, float]) -> dict[str, float]:
        """Refuse weights that do not sum to 1."""
        try:
            Weights(**value)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="sum") from None
        return value


def terms_of(given: dict[str, Any]) -> JobTerms:
    """Return the terms a checked body states."""
    weights = Weights(**given["weights"]) if "weights" in given else Weights.of(given["priority"])
    stated = {name: value for name, value in given.items() if name in _DEFAULTS} | {"weights": weights}
    for name in ("pinned_vendors", "denied_vendors"):
        stated[name] = tuple[uuid.UUID, ...](given.get(name, ()))
    return JobTerms(**stated)


def gold_of(given: dict[str, Any]) -> list[GoldInput]:
    """Return the gold records of a checked body."""
    return [
        GoldInput(row["key"], check_one(row, f"gold[{n}]"), row.get("uri", ""), row.get("metadata", {}))
        for n, row in enumerate(given.get("gold", []))
    ]


def records_of(given: dict[str, Any]) -> list[RecordInput]:
    """Return the records of a checked body."""
    return [
        RecordInput(row["key"], row.get("uri", ""), row.get("metadata", {}), row.get("difficulty"))
        for row in given.get("records", [])
    ]


class BudgetIn(Body):
    """A higher budget for a job that is under way."""

    budget_micro = IntegerField(min_value=1, max_value=MAX_BUDGET_MICRO, help_text="The new budget, fees included.")

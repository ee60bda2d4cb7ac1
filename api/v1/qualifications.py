"""Qualification: blind records out, answers in, a verdict back."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import PublicIdField
from api.serializers import Body, EmptyBody, Resource, many, own_id
from api.v1.answers import AnswerIn, check_one
from common.errors import ValidationFailedError
from marketplace.services import qualifying
from vendors.models import QualificationAttempt
from vendors.selectors import qualifications
from vendors.services import qualification

MAX_ANSWERS = 10_000


class QualificationIn(Body):
    """The answers; records left out count as wrong."""

    answers = many(AnswerIn, allow_empty=False, max_items=MAX_ANSWERS)


class QualificationRecordOut(Resource):
    """A record to label."""

    key = serializers.CharField(source="gold_item.key")
    uri = serializers.CharField(source="gold_item.uri")
    metadata = serializers.DictField(source="gold_item.metadata")


class AttemptOut(Resource):
    """An open test."""

    id = own_id("qua")
    capability = PublicIdField("cpb", source="capability_id")
    number = serializers.IntegerField()
    state = serializers.CharField()
    floor = serializers.FloatField()
    fee_micro = serializers.IntegerField(
        help_text="What the test is paid, passed or not, when at least half of its records are answered."
    )
    fee_currency = serializers.CharField()
    classes = serializers.SerializerMethodField()
    rules = serializers.SerializerMethodField()
    records = QualificationRecordOut(source="items", many=True)

    def get_classes(self, attempt: QualificationAttempt) -> list[str]:
        """Return the classes to choose from."""
        return classes_of(attempt)

    def get_rules(self, attempt: QualificationAttempt) -> dict[str, Any]:
        """Return what a label has to keep to."""
        items = list(attempt.items.all())
        return dict(items[0].gold_item.gold_set.rules) if items else {}


class QualificationOut(Resource):
    """How a test ended: passed when the lower bound of the proven accuracy clears the floor."""

    passed = serializers.BooleanField(source="is_passed")
    n_records = serializers.IntegerField()
    n_correct = serializers.IntegerField()
    lower_bound = serializers.FloatField()
    upper_bound = serializers.FloatField()
    floor = serializers.FloatField()


def classes_of(attempt: QualificationAttempt) -> list[str]:
    """Return the classes of an attempt's gold set."""
    items = list(attempt.items.all())
    return list(items[0].gold_item.gold_set.classes) if items else []


class QualificationView(views.Resource):
    """Tests of the caller's capabilities."""

    action_scopes = {"start": "vendor:write", "answers": "vendor:write"}

    @extend_schema(request=EmptyBody, responses={201: AttemptOut})
    def start(self, request: Request, public_id: str) -> Response:
        """Open an attempt at a capability's test, or return the open one."""
        self.given(EmptyBody)
        started = qualification.start(actor=self.actor, capability_id=views.id_in_path("cpb", public_id))
        return self.answer(qualifications.attempt(self.actor, started.pk), AttemptOut, 201)

    @extend_schema(request=QualificationIn, responses=QualificationOut)
    def answers(self, request: Request, public_id: str) -> Response:
        """Answer an attempt; it is judged at once."""
        given = self.given(QualificationIn)["answers"]
        attempt = qualifications.attempt(self.actor, views.id_in_path("qua", public_id))
        item_of = {item.gold_item.key: item.pk for item in attempt.items.all()}
        answers: dict[uuid.UUID, Any] = {}
        places: dict[uuid.UUID, str] = {}
        for number, answer in enumerate(given):
            place = f"answers[{number}]"
            item_id = item_of.get(answer["key"])
            if item_id is None or item_id in answers:
                detail = "This record is not part of the attempt, or is answered twice."
                raise ValidationFailedError.of(f"{place}.key", "unknown_or_repeated", detail)
            answers[item_id], places[item_id] = check_one(answer, place), place
        result = qualifying.answer(actor=self.actor, attempt=attempt, answers=answers, places=places)
        return self.answer(result, QualificationOut)

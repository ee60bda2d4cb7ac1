"""Labeling functions: their votes as JSON or CSV, and how they do."""

import csv
import io

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import TextField
from api.serializers import Body, EmptyBody, Resource, many, own_id
from common.errors import ValidationFailedError
from marketplace.services import function_reports, functions
from marketplace.services.functions import MAX_VOTES, Vote

MAX_CSV = 20_000_000


class VoteIn(Body):
    """A class for a record, by its key; null abstains."""

    key = TextField()
    label = TextField(allow_null=True)  # type: ignore[assignment]


class FunctionIn(Body):
    """A function with all its votes: as ``votes``, or as ``csv`` with the columns key and label (empty abstains)."""

    name = TextField(max_length=100)
    description = TextField(required=False, allow_blank=True, max_length=5000)
    votes = many(VoteIn, required=False, max_items=MAX_VOTES)
    csv = TextField(required=False, max_length=MAX_CSV, help_text="First line: key,label")


class FunctionOut(Resource):
    """A labeling function."""

    id = own_id("lbf")
    name = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()


class FunctionReportOut(Resource):
    """A function and how it does, by people's answers and gold alone."""

    function = FunctionOut()
    n_votes = serializers.IntegerField()
    coverage = serializers.FloatField(help_text="Share of the records on which it votes.")
    overlap = serializers.FloatField(help_text="Share of its votes where another function votes too.")
    conflict = serializers.FloatField(help_text="Share of its votes where another function votes something else.")
    n_judged = serializers.IntegerField()
    accuracy = serializers.FloatField(allow_null=True)
    accuracy_low = serializers.FloatField(allow_null=True, help_text="90 % interval.")
    accuracy_high = serializers.FloatField(allow_null=True)
    same_as = serializers.ListField(
        child=serializers.CharField(), help_text="Functions that count as one with it where they vote together."
    )


class FunctionsOut(Resource):
    """All functions of a job, oldest first."""

    results = FunctionReportOut(many=True)


class JobFunctionsView(views.Resource):
    """The labeling functions of a job."""

    action_scopes = {"report": "jobs:read", "put": "jobs:write"}

    @extend_schema(responses=FunctionsOut)
    def report(self, request: Request, public_id: str) -> Response:
        """Tell how each function does: coverage, conflicts, accuracy, copies."""
        found = function_reports.of_job(actor=self.actor, job_id=views.id_in_path("job", public_id))
        return self.answer({"results": found}, FunctionsOut)

    @extend_schema(request=FunctionIn, responses={201: FunctionOut})
    def put(self, request: Request, public_id: str) -> Response:
        """Give a function with all its votes; those it had under this name are replaced."""
        job_id = views.id_in_path("job", public_id)
        given = self.given(FunctionIn)
        if ("votes" in given) == ("csv" in given):
            raise ValidationFailedError.of("votes", "one_of", "Give either votes or csv.")
        field = "votes" if "votes" in given else "csv"
        votes = [Vote(**row) for row in given["votes"]] if field == "votes" else _parsed(given["csv"])
        row = functions.put(
            actor=self.actor,
            job_id=job_id,
            name=given["name"],
            description=given.get("description", ""),
            votes=votes,
            field=field,
        )
        return self.answer(row, FunctionOut, 201)


class FunctionsView(views.Resource):
    """One function."""

    action_scopes = {"drop": "jobs:write"}

    @extend_schema(request=EmptyBody, responses=FunctionOut)
    def drop(self, request: Request, public_id: str) -> Response:
        """Take a function away; labels that it helped to decide stay."""
        function_id = views.id_in_path("lbf", public_id)
        self.given(EmptyBody)
        return self.answer(functions.drop(actor=self.actor, function_id=function_id), FunctionOut)


def _parsed(text: str) -> list[Vote]:
    """Return the votes of a CSV text; errors name the row, counted from 0 after the heading."""
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise ValidationFailedError.of("csv", "malformed", f"This is no CSV: {error}.") from None
    if not rows or rows[0] != ["key", "label"]:
        raise ValidationFailedError.of("csv", "heading", "The first line has to be: key,label")
    votes = []
    for number, row in enumerate(rows[1:]):
        if len(row) != 2 or not row[0] or len(row[0]) > 200:
            detail = "Each row has a key of 1 to 200 characters and a label, empty to abstain."
            raise ValidationFailedError.of(f"csv[{number}]", "columns", detail)
        votes.append(Vote(row[0], row[1] or None))
    return votes

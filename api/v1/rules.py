"""Rules as data: make one, try it on history, switch it on, see and reverse what it did."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.errors import InvalidParameterError
from api.fields import BooleanField, IntegerField, NumberField, PublicIdField, TextField
from api.serializers import Body, EmptyBody, Resource, own_id
from common.ids import from_public
from marketplace.core import rules as core
from marketplace.models import Rule
from marketplace.selectors import rules as selectors
from marketplace.services import rules, rulings

_MAX = 10**9


def _words(table: dict[str, Any]) -> str:
    return "; ".join(f"`{name}`: {one.words}" for name, one in table.items()) + "."


class TermsIn(Body):
    """When the collector over the window compares so with the threshold, do the action."""

    subject = TextField(max_length=32, help_text="Whose answers are put together: `annotator` or `vendor`.")
    collector = TextField(max_length=64, help_text=_words(core.COLLECTORS))
    comparator = TextField(max_length=8, help_text="`<`, `<=`, `>` or `>=`.")
    threshold = NumberField()
    min_n = IntegerField(max_value=_MAX, help_text="Answers that tell something, below which nothing is judged.")
    window_answers = IntegerField(required=False, allow_null=True, max_value=_MAX, help_text="Only the last so many.")
    window_s = IntegerField(required=False, allow_null=True, max_value=_MAX, help_text="Only the last so many seconds.")
    action = TextField(max_length=64, help_text=_words(core.ACTIONS))
    duration_s = IntegerField(required=False, allow_null=True, max_value=_MAX, help_text="How long the action holds.")


class RuleIn(TermsIn):
    """A rule for one job; for staff without a job, for the whole market."""

    job = PublicIdField("job", required=False, allow_null=True)
    name = TextField()


class SwitchIn(Body):
    """On or off."""

    on = BooleanField()


class ReversalIn(Body):
    """Why an effect is taken back."""

    reason = TextField(max_length=2000)


class RuleOut(Resource):
    """A rule."""

    id = own_id("rul")
    job = PublicIdField("job", source="job_id", allow_null=True)
    name = serializers.CharField()
    revision = serializers.IntegerField()
    on = serializers.BooleanField(source="is_on")
    on_since_at = serializers.DateTimeField(allow_null=True)
    subject = serializers.CharField()
    collector = serializers.CharField()
    comparator = serializers.CharField()
    threshold = serializers.FloatField()
    min_n = serializers.IntegerField()
    window_answers = serializers.IntegerField(allow_null=True)
    window_s = serializers.IntegerField(allow_null=True)
    action = serializers.CharField()
    duration_s = serializers.IntegerField(allow_null=True)
    words = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_words(self, rule: Rule) -> str:
        """Return the rule as a sentence."""
        return rule.terms.words


class HitOut(Resource):
    """Somebody a dry run would have hit: when, and with which numbers."""

    vendor = serializers.CharField()
    annotator = serializers.CharField()
    at = serializers.FloatField(help_text="Time of the answer, seconds since 1970.")
    value = serializers.FloatField()
    n = serializers.IntegerField()
    words = serializers.CharField()


class TrialOut(Resource):
    """A dry run; `hits` holds the newest 200."""

    id = own_id("rtr")
    rule = PublicIdField("rul", source="rule_id")
    revision = serializers.IntegerField()
    n_answers = serializers.IntegerField()
    n_subjects = serializers.IntegerField()
    n_subjects_hit = serializers.IntegerField()
    n_hits = serializers.IntegerField()
    hits = HitOut(many=True)


class EffectOut(Resource):
    """What a rule did to an annotator or vendor, why, until when, and whether it was taken back."""

    id = own_id("eff")
    rule = PublicIdField("rul", source="rule_id")
    rule_name = serializers.CharField(source="rule.name")
    job = PublicIdField("job", source="job_id", allow_null=True)
    vendor = PublicIdField("ven", source="vendor_id")
    annotator = serializers.CharField()
    action = serializers.CharField()
    value = serializers.FloatField()
    n = serializers.IntegerField()
    words = serializers.CharField()
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    reversed_at = serializers.DateTimeField(allow_null=True)
    reversal = serializers.CharField()


def terms_of(given: dict[str, Any]) -> core.Rule:
    """Return the terms of a checked body."""
    return core.Rule(**{name: given[name] for name in core.Rule.__dataclass_fields__ if name in given})


class RulesView(views.Resource):
    """The rules of the caller's jobs; staff sees all."""

    action_scopes = {
        "list": "rules:read",
        "create": "rules:write",
        "retrieve": "rules:read",
        "update": "rules:write",
        "attempt": "rules:write",
        "switch": "rules:write",
    }
    action_parameters = {"list": frozenset({"job"})}

    @extend_schema(parameters=[OpenApiParameter("job", str)], responses=RuleOut(many=True))
    def list(self, request: Request) -> Response:
        """List rules, newest first."""
        rows = selectors.for_actor(self.actor)
        job = self.parameter("job")
        if job is not None:
            try:
                rows = rows.filter(job_id=from_public("job", job))
            except ValueError:
                raise InvalidParameterError("job is the id of a job.") from None
        return self.page(rows, RuleOut)

    @extend_schema(request=RuleIn, responses={201: RuleOut})
    def create(self, request: Request) -> Response:
        """Make a rule; it is off until it was tried and is switched on."""
        given = self.given(RuleIn)
        rule = rules.create(actor=self.actor, job_id=given.get("job"), name=given["name"], terms=terms_of(given))
        return self.answer(rule, RuleOut, 201)

    @extend_schema(responses=RuleOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a rule."""
        return self.answer(selectors.get(self.actor, views.id_in_path("rul", public_id)), RuleOut)

    @extend_schema(request=TermsIn, responses=RuleOut)
    def update(self, request: Request, public_id: str) -> Response:
        """Change what a rule says; it goes off and has to be tried again."""
        rule_id = views.id_in_path("rul", public_id)
        terms = terms_of(self.given(TermsIn))
        return self.answer(rules.change(actor=self.actor, rule_id=rule_id, terms=terms), RuleOut)

    @extend_schema(request=EmptyBody, responses={201: TrialOut})
    def attempt(self, request: Request, public_id: str) -> Response:
        """Try a rule on the answers there are, without any effect."""
        self.given(EmptyBody)
        trial = rules.attempt(actor=self.actor, rule_id=views.id_in_path("rul", public_id))
        return self.answer(trial, TrialOut, 201)

    @extend_schema(request=SwitchIn, responses=RuleOut)
    def switch(self, request: Request, public_id: str) -> Response:
        """Switch a rule on, for answers given from now on, or off."""
        rule_id = views.id_in_path("rul", public_id)
        return self.answer(rules.switch(actor=self.actor, rule_id=rule_id, is_on=self.given(SwitchIn)["on"]), RuleOut)


class EffectsView(views.Resource):
    """What rules did: staff sees all, a customer that on its jobs, a vendor that to its annotators."""

    action_scopes = {"list": "rule_effects:read", "reverse": "rules:write"}

    @extend_schema(responses=EffectOut(many=True))
    def list(self, request: Request) -> Response:
        """List effects, newest first."""
        return self.page(selectors.effects(self.actor), EffectOut)

    @extend_schema(request=ReversalIn, responses=EffectOut)
    def reverse(self, request: Request, public_id: str) -> Response:
        """Take an effect back, with the reason."""
        effect_id = views.id_in_path("eff", public_id)
        return self.answer(rulings.reverse(actor=self.actor, effect_id=effect_id, **self.given(ReversalIn)), EffectOut)

"""Paths of the pages on rules."""

from django.urls import path

from portal.rulings import disputes, rules

urlpatterns = [
    path("work/<assignment:assignment_id>/dispute/", disputes.dispute, name="dispute"),
    path("adjudications/", disputes.adjudications, name="adjudications"),
    path("adjudications/<adjudication:adjudication_id>/decide/", disputes.decide, name="adjudicate"),
    path("second-opinions/", disputes.own_adjudications, name="own-adjudications"),
    path("second-opinions/<adjudication:adjudication_id>/decide/", disputes.own_decide, name="own-adjudicate"),
    path("rules/", rules.listing, name="rules"),
    path("rules/new/", rules.new, name="rule-new"),
    path("rules/<rule:rule_id>/", rules.detail, name="rule"),
    path("rules/<rule:rule_id>/change/", rules.change, name="rule-change"),
    path("rules/<rule:rule_id>/try/", rules.attempt, name="rule-try"),
    path("rules/<rule:rule_id>/switch/", rules.switch, name="rule-switch"),
    path("rule-effects/<effect:effect_id>/reverse/", rules.reverse, name="effect-reverse"),
]

"""Rules, their dry runs and their effects, as an actor may see them."""

import uuid

from django.db.models import Q, QuerySet

from common.actors import CUSTOMER, VENDOR, Actor
from common.clock import Now
from common.errors import NotFoundError
from marketplace.models import Rule, RuleEffect, RuleTrial
from marketplace.selectors import jobs


def for_actor(actor: Actor) -> QuerySet[Rule]:
    """Return the rules an actor may see and change: staff all, a customer those of its jobs."""
    rows = Rule.objects.select_related("job").order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER:
        return rows.filter(job__in=jobs.for_actor(actor))
    return rows.none()


def get(actor: Actor, rule_id: uuid.UUID) -> Rule:
    """Return a rule of the actor, or raise NotFoundError."""
    rule = for_actor(actor).filter(pk=rule_id).first()
    if rule is None:
        raise NotFoundError("There is no such rule.")
    return rule


def last_trial(rule: Rule) -> RuleTrial | None:
    """Return the newest dry run of the rule as it stands, or None."""
    return rule.trials.filter(revision=rule.revision).order_by("-id").first()


def effects(actor: Actor) -> QuerySet[RuleEffect]:
    """Return what rules did, newest first: staff all, a customer on its jobs, a vendor to itself."""
    rows = RuleEffect.objects.select_related("rule", "vendor", "job").order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER:
        return rows.filter(job__in=jobs.for_actor(actor))
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()


def in_force(job_id: uuid.UUID, *actions: str) -> QuerySet[RuleEffect]:
    """Return the effects of the given actions that hold on a job now, those on the whole market included."""
    return in_force_anywhere(*actions).filter(Q(job_id=job_id) | Q(job=None))


def in_force_anywhere(*actions: str) -> QuerySet[RuleEffect]:
    """Return the effects of the given actions that hold now, on whatever job."""
    has_not_ended = Q(expires_at=None) | Q(expires_at__gt=Now())
    return RuleEffect.objects.filter(has_not_ended, action__in=actions, reversed_at=None)

"""Rules: make, change, try on history, switch on and off."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict

from django.db import IntegrityError, transaction

from common import audit
from common.actors import Actor
from common.clock import Now
from common.errors import ConflictError, PermissionDeniedError, ValidationFailedError
from common.ids import to_public
from marketplace.core import rules as core
from marketplace.errors import RuleNotTriedError
from marketplace.models import Rule, RuleTrial
from marketplace.selectors import jobs
from marketplace.selectors import rules as selectors
from marketplace.services import histories

MAX_HITS_KEPT = 200


def create(*, actor: Actor, job_id: uuid.UUID | None, name: str, terms: core.Rule) -> Rule:
    """Make a rule, switched off: a customer for one of its jobs, staff for a job or (no job) for the whole market.

    Raises
    ------
    ValidationFailedError
        When the rule cannot be meant; the errors name the fields.
    NotFoundError
        When the job is not the actor's.
    ConflictError
        When a rule of this name is there already.
    """
    actor.require("rules:write")
    _refuse_findings(terms)
    if job_id is None and not actor.is_staff:
        raise ValidationFailedError.of("job", "required", "Name one of your jobs; only staff makes rules for all.")
    job = jobs.get(actor, job_id) if job_id is not None else None
    try:
        with transaction.atomic(durable=True):
            rule = Rule.objects.create(job=job, name=name, **asdict(terms))
            audit.record(actor=actor, action="rule.created", target=rule, words=terms.words)
            return rule
    except IntegrityError:
        raise ConflictError("There is a rule of this name already; choose another name.") from None


def _refuse_findings(terms: core.Rule) -> None:
    findings = core.check(terms)
    if findings:
        raise ValidationFailedError(findings[0].detail, errors=[asdict(f) for f in findings])  # type: ignore[misc]


def change(*, actor: Actor, rule_id: uuid.UUID, terms: core.Rule) -> Rule:
    """Change what a rule says; it goes off and has to be tried again. What it did stays. Locks the rule.

    Asked for what the rule says already, it is returned as it is.

    Raises
    ------
    ValidationFailedError
        When the rule cannot be meant.
    """
    actor.require("rules:write")
    _refuse_findings(terms)
    with transaction.atomic(durable=True):
        rule = _locked(actor, rule_id)
        if rule.terms == terms:
            return rule
        for field, value in asdict(terms).items():
            setattr(rule, field, value)
        rule.revision, rule.on_since_at = rule.revision + 1, None
        rule.save()
        audit.record(actor=actor, action="rule.changed", target=rule, revision=rule.revision, words=terms.words)
        return rule


def _locked(actor: Actor, rule_id: uuid.UUID) -> Rule:
    rule = selectors.get(actor, rule_id)
    if rule.job_id is None and not actor.is_staff:
        raise PermissionDeniedError("Only staff changes rules of the whole market.")
    return Rule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)


def attempt(*, actor: Actor, rule_id: uuid.UUID) -> RuleTrial:
    """Try a rule on the answers there are, without any effect: whom it would have hit, when, with the numbers.

    The dry run is kept; the rule may be switched on after it. The same function decides live.
    """
    actor.require("rules:write")
    with transaction.atomic(durable=True):
        rule = _locked(actor, rule_id)
        told = histories.load(job_id=rule.job_id, by=rule.subject)
        found = [
            _shown(rule.terms, subject, one, hit)
            for subject, one in sorted(told.items())
            for hit in core.hits(rule.terms, one.history)
        ]
        return RuleTrial.objects.create(
            rule=rule,
            revision=rule.revision,
            n_answers=sum(len(one.history) for one in told.values()),
            n_subjects=len(told),
            n_subjects_hit=len({(hit["vendor"], hit["annotator"]) for hit in found}),
            n_hits=len(found),
            hits=_latest(found),
        )


def _shown(
    terms: core.Rule, subject: histories.Subject, told: histories.Told, hit: core.Hit
) -> dict[str, str | float | int]:
    return {
        "vendor": to_public("ven", subject.vendor_id),
        "annotator": subject.annotator,
        "at": float(told.history.at[hit.position]),
        "value": hit.value,
        "n": hit.n,
        "words": terms.explain(hit.value, hit.n),
    }


def _latest(found: Sequence[dict[str, str | float | int]]) -> list[dict[str, str | float | int]]:
    return sorted(found, key=lambda hit: -float(hit["at"]))[:MAX_HITS_KEPT]


def switch(*, actor: Actor, rule_id: uuid.UUID, is_on: bool) -> Rule:
    """Switch a rule on or off; asked for the state it has, it is returned as it is. Locks the rule.

    On, it acts upon answers given from now on; earlier ones count as evidence only. Off, effects run out by themselves.

    Raises
    ------
    RuleNotTriedError
        When the rule, as it stands, was not tried on history.
    """
    actor.require("rules:write")
    with transaction.atomic(durable=True):
        rule = _locked(actor, rule_id)
        if rule.is_on == is_on:
            return rule
        if is_on and selectors.last_trial(rule) is None:
            raise RuleNotTriedError
        Rule.objects.filter(pk=rule.pk).update(on_since_at=Now() if is_on else None)
        rule.refresh_from_db()
        audit.record(actor=actor, action="rule.switched", target=rule, is_on=is_on)
        return rule

"""What rules do: held against the answers of every piece of work as they come in, each effect once, with its reason."""

import datetime
import uuid

from django.db import transaction
from django.db.models import Q

from common import audit, locks
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core import rules as core
from marketplace.core.states import OfferState
from marketplace.errors import EffectEndedError
from marketplace.models import Annotation, Assignment, Offer, Review, Rule, RuleEffect
from marketplace.selectors import rules as selectors
from marketplace.services import events, histories, second_looks, withdrawals
from marketplace.services.histories import Subject, Told

MOST_REVIEWED = 50
"""Records that a rule without a window of answers sends to review at most."""


def enforce_due(*, limit: int = 100) -> int:
    """Hold the rules against work with new answers, each in a transaction of its own; return the effects laid.

    Any number may run at once: one vendor's work is judged by one runner at a time, and an answer sets a rule off once.
    """
    due = Assignment.objects.filter(rules_due_at__lte=Now()).order_by("rules_due_at").values_list("pk", flat=True)
    n_effects = sum(_enforce(pk) for pk in list(due[:limit]))
    _withdraw_from_paused()
    return n_effects


def _enforce(assignment_id: uuid.UUID) -> int:
    with transaction.atomic(durable=True):
        work = Assignment.objects.select_related("batch").get(pk=assignment_id)
        due_at = work.rules_due_at
        if due_at is None or not locks.try_advisory(f"rules:{work.vendor_id}"):
            return 0
        in_force = Rule.objects.filter(Q(job_id=work.job_id) | Q(job=None), on_since_at__isnull=False).order_by("pk")
        told: dict[tuple[uuid.UUID | None, str], dict[Subject, Told]] = {}
        n_effects = 0
        for rule in in_force:
            key = (rule.job_id, rule.subject)
            if key not in told:
                told[key] = histories.load(job_id=rule.job_id, vendor_id=work.vendor_id, by=rule.subject)
            n_effects += sum(_judge(rule, work, subject, one) for subject, one in sorted(told[key].items()))
        # Answers that came meanwhile have moved the column on: it is then still due.
        Assignment.objects.filter(pk=work.pk, rules_due_at=due_at).update(rules_due_at=None)
        return n_effects


def _judge(rule: Rule, work: Assignment, subject: Subject, told: Told) -> bool:
    """Lay the rule's effect on a subject if it is hit anew; return whether it was."""
    mine = RuleEffect.objects.filter(rule=rule, vendor_id=subject.vendor_id, annotator=subject.annotator)
    last = mine.select_related("trigger").order_by("-pk").first()
    since = rule.on_since_at.timestamp() if rule.on_since_at else float("inf")
    found = core.hits(rule.terms, told.history, earlier=_used_up(last), armed_at=since)
    is_barred = last is not None and last.reversed_at is None and last.expires_at is None and _is_lasting(rule)
    if not found or is_barred:
        return False
    hit = found[0]
    seconds = rule.duration_s
    effect, is_new = RuleEffect.objects.get_or_create(
        rule=rule,
        vendor_id=subject.vendor_id,
        annotator=subject.annotator,
        trigger_id=told.annotation_ids[hit.position],
        defaults={
            "revision": rule.revision,
            "job_id": rule.job_id,
            "action": rule.action,
            "value": hit.value,
            "n": hit.n,
            "words": rule.terms.explain(hit.value, hit.n),
            "expires_at": None if seconds is None else database_now() + datetime.timedelta(seconds=seconds),
        },
    )
    if is_new:
        facts = {"rule": rule.name, "annotator": subject.annotator, "words": effect.words}
        events.of_batch(work.batch, f"rule.{rule.action}", vendor_id=work.vendor_id, subject=effect.pk, **facts)
        if rule.action == "review":
            _call_to_review(rule, told.annotation_ids[: hit.position + 1], effect.words)
    return is_new


def _call_to_review(rule: Rule, answered: list[uuid.UUID], words: str) -> None:
    """Have a person look at the newest records that the subject answered, as many as the rule looks at."""
    newest = answered[-(rule.window_answers or MOST_REVIEWED) :]
    rows = Annotation.objects.filter(pk__in=newest, record__isnull=False).values_list("job", "record")
    by_job: dict[uuid.UUID, set[uuid.UUID]] = {}
    for job_id, record_id in rows:
        by_job.setdefault(job_id, set()).add(record_id)
    for job_id, records in sorted(by_job.items()):
        second_looks.call_for(job_id, records, Review.Cause.RULE, words)


def _is_lasting(rule: Rule) -> bool:
    return rule.action == "ban_annotator"


def _used_up(last: RuleEffect | None) -> core.Earlier | None:
    """Return until when answers are used up: while the effect held, or up to its trigger when it was reversed."""
    if last is None:
        return None
    trigger_at = last.trigger.created_at
    ends_at = last.expires_at if last.expires_at is not None and last.reversed_at is None else trigger_at
    return core.Earlier(max(trigger_at, ends_at).timestamp())


def _withdraw_from_paused() -> None:
    """Take back the live offers of vendors that a rule keeps from the job."""
    paused = selectors.in_force_anywhere("pause_vendor").values_list("vendor_id", "job_id")
    for vendor_id, job_id in paused:
        live = Offer.objects.filter(vendor_id=vendor_id, state=OfferState.LIVE)
        live = live if job_id is None else live.filter(job_id=job_id)
        for offer_id in live.order_by("pk").values_list("pk", flat=True):
            withdrawals.one(offer_id, "paused_by_rule")


def reverse(*, actor: Actor, effect_id: uuid.UUID, reason: str) -> RuleEffect:
    """Take an effect back, with the reason; it stays on record. Asked again, it is returned as it is.

    Raises
    ------
    EffectEndedError
        When it has run out by itself.
    """
    actor.require("rules:write")
    if not reason.strip():
        raise ValidationFailedError.of("reason", "required", "Say why; the vendor reads it.")
    with transaction.atomic(durable=True):
        visible = selectors.effects(actor).filter(pk=effect_id).values_list("pk", flat=True)
        effect = RuleEffect.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=visible).first()
        if effect is None:
            raise NotFoundError("There is no such effect.")
        if effect.reversed_at is not None:
            return effect
        if effect.expires_at is not None and effect.expires_at <= database_now():
            raise EffectEndedError(f"It ended at {effect.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
        RuleEffect.objects.filter(pk=effect.pk).update(reversed_at=Now(), reversal=reason)
        effect.refresh_from_db()
        audit.record(actor=actor, action="rule_effect.reversed", target=effect, reason=reason)
        return effect

"""Verdicts on delivered work, from gold, peers and the vendor's record; each kept with its evidence."""

import datetime
import uuid
from collections import defaultdict
from dataclasses import asdict

import numpy as np
from django.conf import settings

from common.clock import Now, database_now
from marketplace.core import acceptance
from marketplace.core.acceptance import Plan
from marketplace.core.cutting import HARD
from marketplace.core.states import AnnotationState, AssignmentState, BatchState, Outcome
from marketplace.models import Annotation, Assignment, Batch, BatchItem, Job, JobRecord, Lot, Verdict
from marketplace.services import events, settlements
from marketplace.services.evidence import Evidence, Given
from vendors.models import RatioPosterior
from vendors.selectors.candidates import ACCURACY_PRIOR
from vendors.services import onboarding, posteriors
from vendors.services.capacity import take_back

_PEER_WEIGHT = 0.5
"""Gold-equivalents of one answer judged by its peers in a vendor's record."""


def decide_all(batches: list[Batch], facts: Evidence, *, is_final: bool) -> bool:
    """Judge the undecided work of a chunk; return whether any of it went back to be done again.

    While further answers are to come (``is_final`` False), work whose error could lie on either side of the limit is
    left undecided.
    """
    by_assignment: dict[uuid.UUID, list[Given]] = defaultdict(list)
    for given in facts.given:
        by_assignment[given.assignment_id].append(given)
    # What is decided here is new evidence for the rules as well.
    Assignment.objects.filter(batch__in=batches, settlement=None).update(rules_due_at=Now())
    undecided = Assignment.objects.select_for_update(of=("self",), no_key=True).select_related("job", "batch", "vendor")
    undecided = undecided.filter(
        batch__in=batches, state__in=[AssignmentState.SUBMITTED, AssignmentState.FAILED], settlement=None
    ).order_by("pk")
    outcomes: list[tuple[uuid.UUID, str]] = []
    for assignment in undecided:
        if by_assignment[assignment.pk]:
            outcome = _decide(assignment, by_assignment[assignment.pk], facts, is_final=is_final)
            outcomes.append((assignment.batch_id, outcome))
    waiting = [batch_id for batch_id, outcome in outcomes if outcome != Outcome.ACCEPTED]
    done = Batch.objects.filter(pk__in=[batch.pk for batch in batches], state=BatchState.DELIVERED)
    done.exclude(pk__in=waiting).update(state=BatchState.DONE, reason="vetted")
    return any(outcome in {Outcome.REWORK, Outcome.REJECTED} for _, outcome in outcomes)


def _decide(assignment: Assignment, given: list[Given], facts: Evidence, *, is_final: bool) -> str:
    """Return the outcome, or ``escalated`` while it is open."""
    answers = [g for g in given if g.record_id is not None]
    gold = [g for g in given if g.gold_id is not None]
    verdict = _verdict(assignment, _evidence(assignment, answers, gold, facts), is_final=is_final)
    decision = _feasible(assignment, verdict)
    if decision == "escalated":
        return decision
    _record(assignment, verdict, decision, len(answers))
    if decision == Outcome.REWORK:
        _send_back(assignment, verdict.rework_keys)
        return decision
    _teach(assignment, answers, gold, facts)
    if decision == Outcome.REJECTED:
        _reject(assignment)
    else:
        _accept(assignment)
    return decision


def _verdict(assignment: Assignment, found: acceptance.Evidence, *, is_final: bool) -> acceptance.Verdict:
    """Return the verdict by the job's test; a sample is drawn from the work's id, so that a retry draws the same."""
    plan, aql = _plan(assignment.job), assignment.job.aql
    if aql is None:
        return acceptance.decide(found, plan, is_final=is_final)
    rng = np.random.default_rng(assignment.pk.int)
    return acceptance.decide_by_sampling(found, aql, rng, plan, is_final=is_final)


def _evidence(assignment: Assignment, answers: list[Given], gold: list[Given], facts: Evidence) -> acceptance.Evidence:
    history = RatioPosterior.objects.filter(
        capability_id=assignment.capability_id, metric=RatioPosterior.Metric.ACCURACY
    ).first()
    prior = ACCURACY_PRIOR.with_counts(history.successes, history.failures) if history else ACCURACY_PRIOR
    conduct = facts.seen.of([*answers, *gold])
    return acceptance.Evidence(
        keys=[str(g.annotation_id) for g in answers],
        proba_right=np.array([facts.proba_right(g) for g in answers]),
        gold_hits=len(gold),
        gold_correct=sum(facts.is_gold_correct(g) for g in gold),
        prior_right=prior.alpha,
        prior_wrong=prior.beta,
        spam_probability=facts.spam_of([*answers, *gold], conduct),
        conduct=tuple(one.reason for one in conduct),
    )


def _record(assignment: Assignment, verdict: acceptance.Verdict, decision: str, n_answers: int) -> None:
    Verdict.objects.create(
        assignment=assignment,
        outcome=decision,
        error_estimate=verdict.error,
        error_low=verdict.error_low,
        error_high=verdict.error_high,
        reasons=[asdict(reason) for reason in verdict.reasons],
        words=" ".join(reason.detail for reason in verdict.reasons),
    )
    events.of_batch(
        assignment.batch,
        f"verdict.{decision}",
        vendor_id=assignment.vendor_id,
        subject=assignment.pk,
        error=round(verdict.error, 4),
        n_answers=n_answers,
        words=verdict.reasons[0].detail,
    )


def _plan(job: Job) -> Plan:
    return Plan(max_error=1 - job.accuracy_floor)


def _feasible(assignment: Assignment, verdict: acceptance.Verdict) -> str:
    """Rework is asked of a vendor once, if it has a slot, and never for work that ended before it was complete.

    Where it cannot be asked, the expected error decides.
    """
    if verdict.decision != "rework":
        return verdict.decision
    may_be_asked = assignment.n_reworks == 0 and assignment.state == AssignmentState.SUBMITTED
    if may_be_asked and take_back(vendor_id=assignment.vendor_id):
        return Outcome.REWORK
    if assignment.job.aql is not None and verdict.reasons[0].code == "sample_refused":
        return Outcome.REJECTED
    return Outcome.ACCEPTED if verdict.error <= _plan(assignment.job).max_error else Outcome.REJECTED


def _teach(assignment: Assignment, answers: list[Given], gold: list[Given], facts: Evidence) -> None:
    proba = np.array([facts.proba_right(g) for g in answers])
    proba = proba[~np.isnan(proba)]
    n_correct = sum(facts.is_gold_correct(g) for g in gold)
    right = n_correct + _PEER_WEIGHT * float(proba.sum())
    wrong = len(gold) - n_correct + _PEER_WEIGHT * float((1 - proba).sum())
    counts = posteriors.Counts(right, wrong, len(gold) + len(proba))
    posteriors.record_accuracy(seen={assignment.capability_id: counts})
    hard = _teach_hard(assignment, answers, facts) if assignment.batch.hard_ratio else None
    events.of_batch(
        assignment.batch,
        "vendor.taught",
        vendor_id=assignment.vendor_id,
        subject=assignment.pk,
        accuracy=asdict(counts),
        accuracy_hard=asdict(hard) if hard else None,
    )


def _teach_hard(assignment: Assignment, answers: list[Given], facts: Evidence) -> posteriors.Counts | None:
    ids = [g.record_id for g in answers if g.record_id is not None]
    hard = set(JobRecord.objects.filter(pk__in=ids, difficulty__gte=HARD).values_list("pk", flat=True))
    proba = np.array([facts.proba_right(g) for g in answers if g.record_id in hard])
    proba = proba[~np.isnan(proba)]
    if not len(proba):
        return None
    right, wrong = _PEER_WEIGHT * float(proba.sum()), _PEER_WEIGHT * float((1 - proba).sum())
    counts = posteriors.Counts(right, wrong, len(proba))
    posteriors.record_hard_accuracy(seen={assignment.capability_id: counts})
    return counts


def _send_back(assignment: Assignment, annotation_ids: tuple[str, ...]) -> None:
    """Reopen the contradicted records for the vendor that answered them, with as long as a fresh batch would get."""
    items = Annotation.objects.filter(pk__in=[uuid.UUID(i) for i in annotation_ids]).values("item_id")
    n_open = BatchItem.objects.filter(pk__in=items).update(is_done=False)
    allowance = max(assignment.due_at - assignment.start_due_at, datetime.timedelta(seconds=1))
    window = assignment.start_due_at - assignment.offer.decided_at if assignment.offer.decided_at else allowance
    assignment.state, assignment.n_reworks = AssignmentState.REWORK, assignment.n_reworks + 1
    now = database_now()
    assignment.due_at = now + allowance + window
    assignment.warn_at = now + settings.WORK_WARNING_RATIO * (allowance + window)
    assignment.save(update_fields=["state", "n_reworks", "due_at", "warn_at"])
    Batch.objects.filter(pk=assignment.batch_id).update(state=BatchState.REWORK, n_open=n_open)


def _reject(assignment: Assignment) -> None:
    """Refuse the work: nothing of it counts or is paid, and its records go to the next candidate."""
    assignment.annotations.filter(is_current=True).update(state=AnnotationState.REJECTED, is_current=False)
    n_open = assignment.items.update(is_done=False, assignment=None)
    assignment.state, assignment.reason = AssignmentState.REJECTED, "failed_vetting"
    assignment.save(update_fields=["state", "reason"])
    Assignment.objects.filter(pk=assignment.pk).update(closed_at=Now())
    settlements.settle(assignment)
    _offer_again(assignment, n_open)


def _offer_again(assignment: Assignment, n_open: int) -> None:
    """Put a refused batch on offer once more; after too often, stop and leave it to the customer."""
    batch = Batch.objects.select_for_update(no_key=True).get(pk=assignment.batch_id)
    if batch.state == BatchState.CANCELLED:  # it stays so; the next vetting concludes without this work
        Lot.objects.filter(pk=batch.lot_id).update(vet_due_at=Now())
        return
    n_refused = Assignment.objects.filter(batch=batch, state=AssignmentState.REJECTED).count()
    is_over = n_refused > assignment.job.max_relabels
    batch.state, batch.n_open = BatchState.ESCALATED if is_over else BatchState.OFFERING, n_open
    batch.reason = "relabel_limit" if is_over else batch.reason
    batch.save(update_fields=["state", "n_open", "reason"])
    Batch.objects.filter(pk=batch.pk).update(offer_due_at=None if is_over else Now())
    if is_over:
        events.of_batch(batch, "batch.escalated", subject=batch.pk, reason="relabel_limit", n_refused=n_refused)


def _accept(assignment: Assignment) -> None:
    if assignment.state == AssignmentState.SUBMITTED:
        onboarding.count_batch(vendor_id=assignment.vendor_id)
    assignment.state, assignment.reason = AssignmentState.ACCEPTED, assignment.reason or "passed_vetting"
    assignment.save(update_fields=["state", "reason"])
    Assignment.objects.filter(pk=assignment.pk).update(closed_at=Now())

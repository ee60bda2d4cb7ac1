"""Verdicts that rested on wrong gold, decided anew from the stored evidence; the old ones stay on record."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from marketplace.core import acceptance
from marketplace.core.states import AssignmentState, Outcome, RecordState
from marketplace.models import Annotation, Assignment, Correction, GoldRecord, Verdict
from marketplace.services import adjustments, events
from vendors.selectors.candidates import ACCURACY_PRIOR


def of_work(assignment_ids: Iterable[uuid.UUID], correction: Correction) -> list[Verdict]:
    """Decide rejected work anew after its gold was corrected, in the caller's transaction; return the new verdicts.

    Where it would not have been rejected, its answers that agree with the decided labels are paid after all.
    """
    rejected = Assignment.objects.filter(pk__in=set(assignment_ids), state=AssignmentState.REJECTED)
    found = [_decide(work, correction) for work in rejected.select_related("job", "batch").order_by("pk")]
    return [verdict for verdict in found if verdict is not None]


def _decide(work: Assignment, correction: Correction) -> Verdict | None:
    answers = list(work.annotations.filter(state="rejected").select_related("record").order_by("pk"))
    golds = GoldRecord.objects.in_bulk([a.gold_id for a in answers if a.gold_id is not None])
    on_gold = [a for a in answers if a.gold_id is not None]
    on_records = [a for a in answers if a.record is not None]
    n_right = sum(golds[a.gold_id].label == a.label and golds[a.gold_id].value == a.value for a in on_gold)
    evidence = acceptance.Evidence(
        keys=[str(a.pk) for a in on_records],
        proba_right=np.array([_proba(a) for a in on_records], dtype=np.float64),
        gold_hits=len(on_gold),
        gold_correct=n_right,
        prior_right=ACCURACY_PRIOR.alpha,
        prior_wrong=ACCURACY_PRIOR.beta,
    )
    found = acceptance.decide(evidence, acceptance.Plan(max_error=1 - work.job.accuracy_floor), is_final=True)
    if found.decision == "rejected":
        return None
    why = acceptance.Reason("gold_corrected", f"Decided anew after gold was corrected: {correction.reason}")
    verdict = Verdict.objects.create(
        assignment=work,
        outcome=Outcome.ACCEPTED,
        error_estimate=found.error,
        error_low=found.error_low,
        error_high=found.error_high,
        reasons=[asdict(reason) for reason in (why, *found.reasons)],
        words=" ".join(reason.detail for reason in (why, *found.reasons)),
    )
    facts = {"correction": str(correction.pk), "error": round(found.error, 4)}
    events.of_batch(work.batch, "verdict.corrected", vendor_id=work.vendor_id, subject=work.pk, **facts)
    for answer in answers:
        gold = golds.get(answer.gold_id) if answer.gold_id is not None else None
        is_right = gold.label == answer.label if gold is not None else _proba(answer) > 0.5
        if is_right:
            adjustments.pay(answer, correction=correction)
    return verdict


def _proba(answer: Annotation) -> float:
    """Return the belief in an answer by what is known of its record now; NaN where nothing is."""
    record = answer.record
    if record is None or record.state not in {RecordState.LABELED, RecordState.UNLABELABLE}:
        return float("nan")
    if record.posterior is None:
        said = record.value == answer.value
        confidence = record.confidence or 0.5
        return confidence if said else 1 - confidence
    return float(record.posterior[answer.label if answer.label >= 0 else len(record.posterior) - 1])

"""The market's rules on vendors: measured on offers, work and proven accuracy, acted on, and tried on history."""

import datetime
import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from common import audit
from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, PermissionDeniedError
from vendors.core import rules
from vendors.core.posteriors import FORGETTING
from vendors.models import VendorRule
from vendors.selectors.candidates import ACCURACY_PRIOR
from vendors.services import rule_actions

_CHECK_EVERY: Final = datetime.timedelta(seconds=60)

# Only what happened after the rule's last action counts, so that an action that has ended is not repeated for the
# same cause. A trial on history (`%(rule)s` null) counts everything in the window.
_SINCE: Final = """
since AS (
    SELECT v.id AS vendor_id, greatest(
        statement_timestamp() - %(window_s)s * interval '1 second',
        (SELECT max(coalesce(a.ended_at, a.created_at)) FROM vendors_vendorruleaction a
         WHERE a.vendor_id = v.id AND a.rule_id = %(rule)s)) AS at
    FROM vendors_vendor v WHERE v.state IN ('probation', 'active')
)
"""
_STREAKS: Final = f"""
WITH {_SINCE}, answered AS (
    SELECT s.vendor_id, greatest(s.at, max(o.decided_at)) AS at
    FROM since s LEFT JOIN marketplace_offer o
        ON o.vendor_id = s.vendor_id AND o.state IN ('accepted', 'declined') AND o.decided_at > s.at
    GROUP BY s.vendor_id, s.at
)
SELECT o.vendor_id, NULL::uuid, count(*)::float8, count(*)
FROM answered a JOIN marketplace_offer o ON o.vendor_id = a.vendor_id
WHERE o.state = 'expired' AND NOT o.is_cut AND o.decided_at > a.at GROUP BY o.vendor_id
"""  # noqa: S608 (constants only)
_FAILURES: Final = f"""
WITH {_SINCE}
SELECT a.vendor_id, NULL::uuid, avg((a.state = 'failed')::int)::float8, count(*)
FROM since s JOIN marketplace_assignment a ON a.vendor_id = s.vendor_id
WHERE a.created_at > s.at AND a.state IN ('submitted', 'accepted', 'rejected', 'failed') GROUP BY a.vendor_id
"""  # noqa: S608 (constants only)
_ACCURACIES: Final = """
SELECT k.vendor_id, k.id, r.successes, r.failures, r.n_observed, g.floor, last.facts
FROM vendors_ratioposterior r JOIN vendors_capability k ON k.id = r.capability_id
JOIN vendors_vendor v ON v.id = k.vendor_id
JOIN vendors_goldset g ON (g.task_type, g.modality, g.language, g.domain) =
                          (k.task_type, k.modality, k.language, k.domain)
LEFT JOIN LATERAL (
    SELECT a.facts::text AS facts FROM vendors_vendorruleaction a
    WHERE a.capability_id = k.id AND a.rule_id = %(rule)s ORDER BY a.id DESC LIMIT 1
) last ON true
WHERE r.metric = 'accuracy' AND k.status = 'active' AND v.state IN ('probation', 'active')
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule's metric came to for a vendor, or for one of its capabilities."""

    vendor_id: uuid.UUID
    capability_id: uuid.UUID | None
    value: float
    n: int
    basis: dict[str, float]


def ensure_defaults() -> None:
    """Make the rules the market begins with, where there is none of their name; safe to repeat."""
    VendorRule.objects.bulk_create(
        (VendorRule(name=name, **asdict(terms)) for name, terms in rules.DEFAULTS.items()), ignore_conflicts=True
    )


def measure(terms: rules.Rule, *, rule_id: uuid.UUID | None) -> list[Measured]:
    """Return what a rule's metric comes to for everybody who may work, since the rule's last action on each."""
    facts: dict[str, Any] = {"window_s": terms.window_s, "rule": rule_id}
    statement = {rules.SILENT_STREAK: _STREAKS, rules.FAIL_RATIO: _FAILURES}.get(terms.metric, _ACCURACIES)
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        rows = cursor.fetchall()
    if terms.metric != rules.ACCURACY_SHORTFALL:
        return [Measured(vendor_id, None, value, n, {}) for vendor_id, _, value, n in rows]
    return [_accuracy(*row) for row in rows]


def _accuracy(
    vendor_id: uuid.UUID, capability_id: uuid.UUID, yes: float, no: float, n: int, floor: float, last: str | None
) -> Measured:
    """Return how far the upper bound lies below the floor, by what was seen since the rule's last action.

    What that action was for is taken out as far as it has not been forgotten: a new test starts afresh.
    """
    former: dict[str, Any] = json.loads(last) if last else {"successes": 0.0, "failures": 0.0, "n_observed": 0}
    kept = FORGETTING ** (n - former["n_observed"])
    counts = (max(yes - kept * former["successes"], 0.0), max(no - kept * former["failures"], 0.0))
    shortfall = floor - ACCURACY_PRIOR.with_counts(*counts).upper()
    basis = {"successes": yes, "failures": no, "n_observed": n}
    return Measured(vendor_id, capability_id, shortfall, n - former["n_observed"], basis)


def sweep_due() -> int:
    """Hold the rules that are due against the market, act, and end what is over; return how many acts and ends.

    A rule is claimed by moving its next check a minute on, so that of many sweepers one does it.
    """
    if not VendorRule.objects.exists():
        ensure_defaults()
    due = VendorRule.objects.filter(is_enabled=True, check_due_at__lte=Now())
    n_done = rule_actions.end_due()
    for rule in due:
        claimed = VendorRule.objects.filter(pk=rule.pk, check_due_at=rule.check_due_at)
        if not claimed.update(check_due_at=Now() + _CHECK_EVERY):
            continue
        for seen in _broken(rule.terms, measure(rule.terms, rule_id=rule.pk)):
            acted = rule_actions.apply(
                rule=rule,
                vendor_id=seen.vendor_id,
                capability_id=seen.capability_id,
                value=seen.value,
                n=seen.n,
                basis=seen.basis,
            )
            n_done += acted is not None
    return n_done


def _broken(terms: rules.Rule, measured: list[Measured]) -> list[Measured]:
    return [seen for seen in measured if rules.is_broken(terms, seen.value, seen.n)]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whom a rule would hit, with the words it would be told."""

    vendor_id: uuid.UUID
    capability_id: uuid.UUID | None
    value: float
    n: int
    words: str


def attempt(*, actor: Actor, rule_id: uuid.UUID, days: int = 90) -> list[Hit]:
    """Return whom a rule would hit on the last days, as if it had never acted; nothing is changed."""
    rule = _own(actor, rule_id, "vendors:review")
    stated = asdict(rule.terms) | {"window_s": days * 86_400.0}
    terms = rules.Rule(**stated)
    return [
        Hit(seen.vendor_id, seen.capability_id, seen.value, seen.n, rules.words_of(terms, seen.value, seen.n))
        for seen in sorted(_broken(terms, measure(terms, rule_id=None)), key=lambda seen: (-seen.value, seen.vendor_id))
    ]


def switch(*, actor: Actor, rule_id: uuid.UUID, is_on: bool) -> VendorRule:
    """Switch a rule on or off; what it did stands until its time is over. Safe to repeat."""
    rule = _own(actor, rule_id, "vendors:review")
    with transaction.atomic(durable=True):
        VendorRule.objects.filter(pk=rule.pk).update(is_enabled=is_on, check_due_at=F("check_due_at"))
        audit.record(actor=actor, action="vendor_rule.switched", target=rule, is_on=is_on)
    rule.refresh_from_db()
    return rule


def _own(actor: Actor, rule_id: uuid.UUID, scope: str) -> VendorRule:
    actor.require(scope)
    if not actor.is_staff:
        raise PermissionDeniedError
    rule = VendorRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NotFoundError("There is no such rule.")
    return rule

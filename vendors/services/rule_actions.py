"""Carrying out what a rule on vendors says, and taking it back; both leave a line in the vendor's record."""

import datetime
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from common.actors import Actor
from common.clock import database_now
from vendors.core import rules, states
from vendors.models import Capability, CapacityWindow, Vendor, VendorRule, VendorRuleAction
from vendors.services import onboarding, record
from vendors.services.qualification import TERM

Status = Capability.Status


def apply(
    *,
    rule: VendorRule,
    vendor_id: uuid.UUID,
    capability_id: uuid.UUID | None,
    value: float,
    n: int,
    basis: dict[str, float],
) -> VendorRuleAction | None:
    """Do what a broken rule says; None when it acts on this vendor already, or has nothing to act on.

    Locks the vendor row, so that of two sweepers one acts. Emits the event ``rule.applied`` and tells the vendor.
    """
    with transaction.atomic():
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendor_id)
        standing = VendorRuleAction.objects.filter(rule=rule, vendor=vendor, ended_at=None)
        acts_on = set(standing.values_list("capability_id", flat=True))
        if vendor.state not in states.MAY_RECEIVE_OFFERS or capability_id in acts_on:
            return None
        until = None if rule.duration_s is None else database_now() + datetime.timedelta(seconds=rule.duration_s)
        reason = f"{rule.name}: {rules.words_of(rule.terms, value, n)}"
        undo = _act(rule.action, vendor, capability_id, until, reason)
        if undo is None:
            return None
        action = VendorRuleAction.objects.create(
            rule=rule,
            vendor=vendor,
            capability_id=capability_id,
            action=rule.action,
            reason=reason,
            facts=undo | basis | {"value": value, "n": n},
            expires_at=until,
        )
        record.add(vendor, "rule.applied", Actor.system(), reason, action=str(action.pk), act=rule.action)
        record.tell(vendor, "vendor.rule", vendor.pk, action=rule.action.replace("_", " "), why=reason)
        return action


def _act(
    kind: str, vendor: Vendor, capability_id: uuid.UUID | None, until: datetime.datetime | None, reason: str
) -> dict[str, Any] | None:
    """Act on a locked vendor and return what is needed to take it back, or None when there is nothing to do."""
    if kind == rules.AWAY:
        windows = CapacityWindow.objects.filter(vendor=vendor)
        windows.update(paused_until=Greatest(F("paused_until"), until))
        return {"paused_until": until.isoformat() if until else None}
    if kind == rules.PROBATION:
        if vendor.state != states.ACTIVE:
            return None
        onboarding.move(vendor, states.PROBATION, Actor.system(), reason)
        Vendor.objects.filter(pk=vendor.pk).update(n_batches_done=0)
        return {"n_batches_done": vendor.n_batches_done}
    capability = Capability.objects.filter(vendor=vendor, pk__in=[capability_id], status=Status.ACTIVE).first()
    if capability is None:
        return None
    former = capability.qualified_until
    # The tries of a test are counted from a year before its end: so the vendor has all of them again.
    Capability.objects.filter(pk=capability.pk).update(status=Status.INACTIVE, qualified_until=database_now() + TERM)
    return {"qualified_until": former.isoformat() if former else None}


def end(*, action_id: uuid.UUID, actor: Actor, reason: str, undo: bool = True) -> bool:
    """Take an action back in the caller's transaction, or only close it; return whether it was still standing.

    Locks the vendor row. A capability that was suspended is back only by a new test or a granted objection.
    """
    found = VendorRuleAction.objects.get(pk=action_id)
    vendor = Vendor.objects.select_for_update(no_key=True).get(pk=found.vendor_id)
    closed = VendorRuleAction.objects.filter(pk=action_id, ended_at=None).update(
        ended_at=database_now(), end_reason=reason
    )
    if not closed:
        return False
    if undo:
        _undo(found, vendor, reason, actor)
    record.add(vendor, "rule.ended", actor, reason, action=str(action_id), act=found.action)
    return True


def _undo(action: VendorRuleAction, vendor: Vendor, reason: str, actor: Actor) -> None:
    if action.action == rules.AWAY:
        # Only the pause the rule set: one that the vendor set for longer stays.
        CapacityWindow.objects.filter(vendor=vendor, paused_until=action.expires_at).update(paused_until=None)
    elif action.action == rules.PROBATION:
        if vendor.state == states.PROBATION:
            onboarding.move(vendor, states.ACTIVE, actor, reason)
    else:
        Capability.objects.filter(pk__in=[action.capability_id], status=Status.INACTIVE).update(
            status=Status.ACTIVE, qualified_until=action.facts["qualified_until"]
        )


def end_due() -> int:
    """End actions whose time is over, and those on capabilities that have passed a new test; return how many."""
    over = Q(expires_at__lte=database_now()) | Q(
        action=rules.SUSPEND_CAPABILITY, capability__status=Capability.Status.ACTIVE
    )
    due = VendorRuleAction.objects.filter(over, ended_at=None).order_by("pk").values_list("pk", "action")[:100]
    n_ended = 0
    for action_id, kind in list(due):
        words = "Passed the test again." if kind == rules.SUSPEND_CAPABILITY else "Its time is over."
        with transaction.atomic():
            undo = kind != rules.SUSPEND_CAPABILITY
            n_ended += end(action_id=action_id, actor=Actor.system(), reason=words, undo=undo)
    return n_ended

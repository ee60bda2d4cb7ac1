"""What a vendor owes, sorted by urgency: computed here once, and shown, enforced and explained from the same object."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vendors.core.evidence import needed_for

NOTICE: Final = datetime.timedelta(days=30)
"""How long before a paper or a qualification runs out its renewal becomes due."""

MISSING, PENDING, VERIFIED, REJECTED = "missing", "pending", "verified", "rejected"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing to do: machine-readable code, where it is entered, words that say the way out, and until when."""

    code: str
    field: str
    detail: str
    deadline: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is open, by urgency.

    Attributes
    ----------
    currently_due
        Has to be done before the vendor gets any further.
    eventually_due
        Has to be done by its deadline; nothing is withheld yet.
    past_due
        Its deadline has passed; what depends on it is withheld.
    pending_verification
        Done by the vendor, waits for staff.
    """

    currently_due: tuple[Requirement, ...] = ()
    eventually_due: tuple[Requirement, ...] = ()
    past_due: tuple[Requirement, ...] = ()
    pending_verification: tuple[Requirement, ...] = ()

    @property
    def open(self) -> tuple[Requirement, ...]:
        """What the vendor itself has to do now."""
        return self.past_due + self.currently_due


@dataclass(frozen=True, slots=True)
class Paper:
    """The best document of a kind for a capability: its state, when it runs out, and why it was refused."""

    kind: str
    state: str
    expires_at: datetime.datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CapabilityFacts:
    """A capability as far as requirements go."""

    name: str
    language: str
    domain: str
    is_active: bool
    has_price: bool
    qualified_until: datetime.datetime | None = None
    papers: Sequence[Paper] = ()
    data_class: str = "public"


@dataclass(frozen=True, slots=True)
class Facts:
    """A vendor as far as requirements go; ``payout_missing`` is what the payment provider still asks of it."""

    has_signed_agreement: bool
    capabilities: Sequence[CapabilityFacts] = ()
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    is_payout_ready: bool = True
    payout_missing: Sequence[str] = ()


class _Open:
    def __init__(self, now: datetime.datetime) -> None:
        self.now = now
        self.lists: dict[str, list[Requirement]] = {
            name: [] for name in ("currently_due", "eventually_due", "past_due", "pending_verification")
        }

    def add(self, bucket: str, code: str, where: str, detail: str, deadline: datetime.datetime | None = None) -> None:
        self.lists[bucket].append(Requirement(code, where, detail, deadline))

    def by_deadline(self, deadline: datetime.datetime, code: str, where: str, what: str) -> None:
        if deadline <= self.now:
            self.add("past_due", code, where, f"{what} ran out on {deadline:%Y-%m-%d}; renew it.", deadline)
        elif deadline - self.now <= NOTICE:
            self.add("eventually_due", code, where, f"{what} runs out on {deadline:%Y-%m-%d}; renew it.", deadline)


def requirements_of(facts: Facts) -> Requirements:
    """Return what a vendor owes, in the order in which it can be done.

    >>> due = requirements_of(Facts(has_signed_agreement=False)).currently_due
    >>> [one.code for one in due]
    ['capability.declared', 'agreement.signature', 'qualification.passed']
    """
    found = _Open(facts.now)
    if not facts.capabilities:
        found.add("currently_due", "capability.declared", "capabilities", "Declare what you can label.")
    for capability in facts.capabilities:
        if not capability.has_price:
            detail = f"List a price for {capability.name}."
            found.add("currently_due", "price.listed", "prices", detail)
        for kind in needed_for(capability.language, capability.domain, capability.data_class):
            _paper(found, capability, kind)
        if capability.is_active and capability.qualified_until is not None:
            what = f"The qualification of {capability.name}"
            found.by_deadline(capability.qualified_until, "qualification.renewed", "qualification", what)
    if not facts.has_signed_agreement:
        found.add("currently_due", "agreement.signature", "agreement", "Sign the agreement.")
    if not any(capability.is_active for capability in facts.capabilities):
        detail = "Pass the qualification of at least one capability."
        found.add("currently_due", "qualification.passed", "qualification", detail)
    if not facts.is_payout_ready:
        missing = f" It still asks for: {', '.join(facts.payout_missing)}." if facts.payout_missing else ""
        detail = f"Complete your payout account at the payment provider; until then what you earn waits.{missing}"
        found.add("eventually_due", "payout.account", "payout-account", detail)
    return Requirements(**{name: tuple(rows) for name, rows in found.lists.items()})


def _paper(found: _Open, capability: CapabilityFacts, kind: str) -> None:
    words = kind.replace("_", " ")
    code, where = f"document.{kind}", "documents"
    paper = next((p for p in capability.papers if p.kind == kind), Paper(kind, MISSING))
    if paper.state == VERIFIED:
        if paper.expires_at is not None:
            found.by_deadline(paper.expires_at, code, where, f"The {words} for {capability.name}")
    elif paper.state == PENDING:
        found.add("pending_verification", code, where, f"Staff are checking the {words} for {capability.name}.")
    elif paper.state == REJECTED:
        detail = f"The {words} for {capability.name} was not accepted: {paper.reason} Hand in another one."
        found.add("currently_due", code, where, detail)
    else:
        found.add("currently_due", code, where, f"Hand in a {words} for {capability.name}.")


def evidence_until(
    language: str, domain: str, papers: Sequence[Paper], now: datetime.datetime, data_class: str = "public"
) -> datetime.datetime | None:
    """Return until when a capability's papers cover it: None for ever, ``now`` or earlier when they do not.

    >>> import datetime as dt
    >>> now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    >>> evidence_until("", "cars", [], now) is None, evidence_until("", "medical", [], now) == now
    (True, True)
    """
    ends = []
    for kind in needed_for(language, domain, data_class):
        good = [paper for paper in papers if paper.kind == kind and paper.state == VERIFIED]
        if not good:
            return now
        if all(paper.expires_at is not None for paper in good):
            ends.append(max(paper.expires_at for paper in good if paper.expires_at is not None))
    return min(ends, default=None)

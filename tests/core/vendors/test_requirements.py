"""What a vendor owes, by urgency."""

import datetime
from dataclasses import replace

import pytest

from vendors.core.requirements import (
    CapabilityFacts,
    Facts,
    Paper,
    evidence_until,
    requirements_of,
)

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def surgeon(*papers, **facts):
    stated = {"name": "x", "language": "", "domain": "medical", "is_active": True, "has_price": True} | facts
    return Facts(True, [CapabilityFacts(papers=papers, **stated)], NOW)


def codes(facts):
    found = requirements_of(facts)
    return {name: [r.code for r in getattr(found, name)] for name in found.__dataclass_fields__ if getattr(found, name)}


def licence(state, expires_at=None):
    return Paper("professional_licence", state, expires_at, "Too blurred.")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (surgeon(), {"currently_due": ["document.professional_licence"]}),
        (surgeon(licence("pending")), {"pending_verification": ["document.professional_licence"]}),
        (surgeon(licence("rejected")), {"currently_due": ["document.professional_licence"]}),
        (surgeon(licence("verified")), {}),
        (surgeon(licence("verified", NOW + 31 * DAY)), {}),
        (surgeon(licence("verified", NOW + 30 * DAY)), {"eventually_due": ["document.professional_licence"]}),
        (surgeon(licence("verified", NOW)), {"past_due": ["document.professional_licence"]}),
        (surgeon(domain="cars"), {}),
        (surgeon(domain="cars", qualified_until=NOW + 5 * DAY), {"eventually_due": ["qualification.renewed"]}),
        (surgeon(domain="cars", qualified_until=NOW - DAY), {"past_due": ["qualification.renewed"]}),
        (surgeon(domain="cars", has_price=False), {"currently_due": ["price.listed"]}),
        (surgeon(domain="cars", is_active=False), {"currently_due": ["qualification.passed"]}),
        (surgeon(domain="", language="fr>ja"), {"currently_due": ["document.language_certificate"]}),
    ],
)
def test_each_thing_stands_where_its_urgency_puts_it(facts, expected):
    assert codes(facts) == expected


def test_a_payout_account_is_due_before_the_first_payout_and_says_what_is_missing():
    facts = replace(surgeon(domain="cars"), is_payout_ready=False, payout_missing=["external_account"])
    assert codes(facts) == {"eventually_due": ["payout.account"]}
    assert "external_account" in requirements_of(facts).eventually_due[0].detail


def test_a_refused_paper_says_why():
    assert "Too blurred." in requirements_of(surgeon(licence("rejected"))).currently_due[0].detail


def test_papers_cover_until_the_first_kind_runs_out_by_the_longest_of_each_kind():
    papers = [
        licence("verified", NOW + DAY),
        licence("verified", NOW + 9 * DAY),
        Paper("language_certificate", "verified", NOW + 5 * DAY),
    ]
    assert evidence_until("fr>ja", "medical", papers, NOW) == NOW + 5 * DAY
    assert evidence_until("", "medical", papers, NOW) == NOW + 9 * DAY
    assert evidence_until("", "medical", [*papers, licence("verified")], NOW) is None
    assert evidence_until("", "medical", [licence("pending")], NOW) == NOW

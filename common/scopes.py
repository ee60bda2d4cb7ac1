"""What a key may be allowed to do, by kind of organization: the one table of scopes."""

from typing import Final

from common.actors import CUSTOMER, PLATFORM, VENDOR

_EVERYONE: Final = {
    "organization:read": "See the organization.",
    "organization:write": "Change the organization.",
    "api_keys:read": "See the organization's API keys.",
    "api_keys:write": "Make and revoke API keys.",
    "money:read": "See balances, payments and payouts.",
}
SCOPES: Final[dict[str, dict[str, str]]] = {
    CUSTOMER: _EVERYONE
    | {
        "wallet:write": "Pay into the wallet and give money back.",
        "jobs:read": "See jobs, batches, labels and events.",
        "jobs:write": "Post, extend and cancel jobs.",
        "vendors:read": "See the vendors of the market.",
        "vendors:invite": "Invite vendors of its own.",
        "datasets:read": "See datasets.",
        "datasets:write": "Upload datasets.",
        "experiments:read": "See experiments, rounds and picks.",
        "experiments:write": "Run experiments.",
        "campaigns:read": "See campaigns.",
        "campaigns:write": "Start and steer campaigns.",
        "rules:read": "See rules on answers.",
        "rule_effects:read": "See what rules did.",
        "disputes:read": "See disputes about the own jobs.",
        "rules:write": "Make, try and switch rules; reverse what they did.",
    },
    VENDOR: _EVERYONE
    | {
        "vendor:read": "See the own vendor record.",
        "vendor:write": "Register, price, sign, qualify.",
        "payouts:write": "Say where the vendor is paid.",
        "offers:read": "See offers.",
        "offers:decide": "Accept and decline offers.",
        "assignments:read": "See accepted work.",
        "assignments:write": "Release accepted work.",
        "annotations:write": "Deliver annotations.",
        "rule_effects:read": "See what rules did to the own annotators.",
        "disputes:read": "See the own disputes.",
        "disputes:write": "Dispute verdicts and refused answers.",
        "adjudications:decide": "Label anew, blind, what other vendors dispute.",
    },
    PLATFORM: _EVERYONE
    | {
        "vendors:read": "See all vendors.",
        "vendors:review": "Decide on vendors.",
        "gold_sets:read": "See qualification tests.",
        "gold_sets:write": "Add qualification tests.",
        "jobs:read": "See all jobs.",
        "campaigns:read": "See all campaigns.",
        "credit:write": "Give customers invoice terms, and end them.",
        "clawbacks:write": "Take back pay for work that broke the terms.",
        "reconciliation:read": "See how our books compare with the payment provider's.",
        "offers:read": "See all offers.",
        "offers:withdraw": "Take offers back.",
        "assignments:read": "See all accepted work.",
        "rules:read": "See all rules.",
        "rule_effects:read": "See what all rules did.",
        "disputes:read": "See all disputes.",
        "disputes:decide": "Label disputed records anew.",
        "rules:write": "Make, try and switch rules; reverse what they did.",
    },
}


def scopes_of(kind: str) -> frozenset[str]:
    """Return every scope an organization of a kind can hold.

    >>> "offers:decide" in scopes_of("vendor"), "offers:decide" in scopes_of("customer")
    (True, False)
    """
    return frozenset(SCOPES.get(kind, {}))

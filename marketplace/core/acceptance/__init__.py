"""What becomes of a delivered assignment: accepted, rework of named records, rejected, or escalated for inspection."""

from marketplace.core.acceptance.spam import copies, is_constant, spam_by_chance, spam_probability
from marketplace.core.acceptance.verdict import Evidence, Plan, Reason, Verdict, decide, inspections_needed

__all__ = [
    "Evidence",
    "Plan",
    "Reason",
    "Verdict",
    "copies",
    "decide",
    "inspections_needed",
    "is_constant",
    "spam_by_chance",
    "spam_probability",
]

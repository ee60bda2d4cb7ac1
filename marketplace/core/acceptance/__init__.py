"""What becomes of a delivered assignment: accepted, rework of named records, rejected, or escalated for inspection."""

from marketplace.core.acceptance.conduct import Conduct, Equal, constant, copied, equal_answers, too_fast, with_conduct
from marketplace.core.acceptance.sampling import AQLS, SamplingPlan, decide_by_sampling, plan_for
from marketplace.core.acceptance.spam import copies, is_constant, spam_by_chance, spam_probability
from marketplace.core.acceptance.verdict import Evidence, Plan, Reason, Verdict, decide, inspections_needed

__all__ = [
    "AQLS",
    "Conduct",
    "Equal",
    "Evidence",
    "Plan",
    "Reason",
    "SamplingPlan",
    "Verdict",
    "constant",
    "copied",
    "copies",
    "decide",
    "decide_by_sampling",
    "equal_answers",
    "inspections_needed",
    "is_constant",
    "plan_for",
    "spam_by_chance",
    "spam_probability",
    "too_fast",
    "with_conduct",
]

"""Models of the market."""

from marketplace.models.annotations import Annotation, RoutingEvent, Settlement, Verdict
from marketplace.models.batches import Assignment, Batch, BatchItem, Candidate, Offer, RankingRun
from marketplace.models.campaigns import Campaign
from marketplace.models.card_holds import CardHold
from marketplace.models.corrections import Adjudication, Clawback, Correction, Dispute, Review, SettlementAdjustment
from marketplace.models.first_pass import FirstPass, PreLabel
from marketplace.models.functions import FunctionVote, LabelingFunction
from marketplace.models.jobs import GoldRecord, InstructionVersion, Job, JobRecord, LabelSchema, Lot
from marketplace.models.notices import LateInterest, Notice
from marketplace.models.quotes import JobQuote
from marketplace.models.rules import Rule, RuleEffect, RuleTrial
from marketplace.models.statements import BillingProfile, InvoiceTerms, Statement, StatementNumber

__all__ = [
    "Adjudication",
    "Annotation",
    "Assignment",
    "Batch",
    "BatchItem",
    "BillingProfile",
    "Campaign",
    "Candidate",
    "CardHold",
    "Clawback",
    "Correction",
    "Dispute",
    "FirstPass",
    "FunctionVote",
    "GoldRecord",
    "InstructionVersion",
    "InvoiceTerms",
    "Job",
    "JobQuote",
    "JobRecord",
    "LabelSchema",
    "LabelingFunction",
    "LateInterest",
    "Lot",
    "Notice",
    "Offer",
    "PreLabel",
    "RankingRun",
    "Review",
    "RoutingEvent",
    "Rule",
    "RuleEffect",
    "RuleTrial",
    "Settlement",
    "SettlementAdjustment",
    "Statement",
    "StatementNumber",
    "Verdict",
]

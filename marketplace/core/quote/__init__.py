"""What a job will cost, take and be worth, before it is posted: the offer process played forward many times."""

from marketplace.core.quote.estimate import VERSION, Estimate, Fill, Option, Quote, quote
from marketplace.core.quote.terms import Bidder, Terms

__all__ = ["VERSION", "Bidder", "Estimate", "Fill", "Option", "Quote", "Terms", "quote"]

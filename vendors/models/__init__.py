"""Models of the vendor side."""

from vendors.models.capabilities import Capability, PriceListEntry
from vendors.models.documents import Appeal, VendorDocument, VendorEvent, VendorInvitation
from vendors.models.hours import OpenInterval, WorkingHours
from vendors.models.posteriors import DurationPosterior, RatioPosterior
from vendors.models.qualification import GoldItem, GoldSet, QualificationAttempt, QualificationItem
from vendors.models.rules import VendorRule, VendorRuleAction
from vendors.models.vendors import CapacityWindow, Vendor, VendorAgreement

__all__ = [
    "Appeal",
    "Capability",
    "CapacityWindow",
    "DurationPosterior",
    "GoldItem",
    "GoldSet",
    "OpenInterval",
    "PriceListEntry",
    "QualificationAttempt",
    "QualificationItem",
    "RatioPosterior",
    "Vendor",
    "VendorAgreement",
    "VendorDocument",
    "VendorEvent",
    "VendorInvitation",
    "VendorRule",
    "VendorRuleAction",
    "WorkingHours",
]

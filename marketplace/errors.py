"""Errors of the market."""

from common.errors import ConflictError, DomainError, ValidationFailedError


class OfferExpiredError(ConflictError):
    """The time to accept this offer has run out; it has gone to the next candidate."""

    code = "offer_expired"


class OfferClosedError(ConflictError):
    """This offer has been decided already."""

    code = "offer_closed"


class OfferTakenError(ConflictError):
    """This batch was taken by another vendor, who was faster; it does not count against you."""

    code = "offer_taken"


class CapacityExhaustedError(ConflictError):
    """All your slots are taken; deliver or release a batch, or raise your slots, then accept."""

    code = "capacity_exhausted"


class DailyLimitError(ConflictError):
    """Your limit of records a day is reached; accept a part, raise the limit, or accept tomorrow."""

    code = "daily_limit_reached"


class VendorNotAdmittedError(ConflictError):
    """You may not take work at present; see your requirements."""

    code = "vendor_not_admitted"


class BudgetExhaustedError(ConflictError):
    """The job's remaining budget does not cover this batch; the offer is withdrawn."""

    code = "budget_exhausted"


class AssignmentClosedError(ConflictError):
    """This assignment takes no more annotations."""

    code = "assignment_closed"


class BatchStateError(ConflictError):
    """The batch's state does not allow this."""

    code = "batch_state"


class JobClosedError(ConflictError):
    """The job is closed; post a new one."""

    code = "job_closed"


class InfeasibleJobError(ValidationFailedError):
    """No vendor meets the job's hard limits; loosen the limit named, or pin other vendors."""

    code = "infeasible_job"


class CampaignStateError(ConflictError):
    """The campaign's state does not allow this."""

    code = "campaign_state"


class ProposalClosedError(ConflictError):
    """These records are ordered already, or not proposed yet; what is ordered can be cancelled batch by batch."""

    code = "proposal_closed"


class NoAdjudicatorError(ConflictError):
    """No other vendor may judge this: those who could answered the record, or cannot be asked; decide it yourself."""

    code = "no_adjudicator"


class NotDecidedYetError(ConflictError):
    """This record has no label yet; review it once the answers are in."""

    code = "not_decided_yet"


class RuleNotTriedError(ConflictError):
    """Try the rule on history first: POST /rules/{id}/try/, then switch it on."""

    code = "rule_not_tried"


class EffectEndedError(ConflictError):
    """This effect has ended or was reversed already."""

    code = "effect_ended"


class PaymentRefusedError(ValidationFailedError):
    """The payment provider said no; use another payment method or ask your bank."""

    code = "payment_refused"


class PaymentProviderError(DomainError):
    """The payment provider cannot be reached at the moment; try again shortly."""

    code = "payment_provider_unavailable"
    http_status = 503


class DisputeWindowOverError(ConflictError):
    """The time to dispute this is over; disputes are taken for seven days after the decision."""

    code = "dispute_window_over"


class NothingToDisputeError(ConflictError):
    """No answer of this work was refused; there is nothing to dispute."""

    code = "nothing_to_dispute"


class AlreadyDecidedError(ConflictError):
    """This was decided already, and otherwise; what is decided stays."""

    code = "already_decided"


class InstructionsVersionError(ConflictError):
    """The instructions have a newer version than the one you started from; read it, then write yours."""

    code = "instructions_version"


class NothingToRewardError(ConflictError):
    """Nothing of the batch was paid, so there is nobody to give a bonus to."""

    code = "nothing_to_reward"


class CardHoldFixedError(ConflictError):
    """This job is paid by an amount held on a card, which cannot grow; post another job for more."""

    code = "card_hold_fixed"


class NothingToTakeBackError(ConflictError):
    """Nothing was paid for this work, or its pay is not booked yet."""

    code = "nothing_to_take_back"


class InvoiceOverdueError(DomainError):
    """An invoice is overdue: pay it into the wallet, then try again. Money of your own can be spent as ever."""

    code = "invoice_overdue"
    http_status = 402


class BonusGivenError(ConflictError):
    """A bonus of another amount was given for this batch; one batch gets one."""

    code = "bonus_given"

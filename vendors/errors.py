"""Errors of the vendor side."""

from common.errors import ConflictError, ValidationFailedError


class VendorStateError(ConflictError):
    """The vendor's state does not allow this."""

    code = "vendor_state"


class RequirementsOpenError(ConflictError):
    """Some requirements are still open; do them first."""

    code = "requirements_open"


class QualificationClosedError(ConflictError):
    """This qualification attempt is over."""

    code = "qualification_closed"


class NoMoreAttemptsError(ConflictError):
    """All qualification attempts for this capability are used up; write to the market's staff."""

    code = "no_more_attempts"


class NoEvidenceError(ConflictError):
    """This kind of work needs a paper that staff have accepted; hand it in first."""

    code = "no_evidence"


class AgreementVersionError(ConflictError):
    """The agreement has a newer version than the one you started from; read it, then sign again."""

    code = "agreement_version"


class NoGoldSetError(ConflictError):
    """There is no qualification test for this capability yet; staff has to add a gold set."""

    code = "no_gold_set"


class PriceOverlapError(ValidationFailedError):
    """A price is already listed from this moment; choose a later start."""

    code = "price_overlap"

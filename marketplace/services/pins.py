"""The vendors a customer names: each must be one who can be asked, or the job is refused with the way out."""

from common.errors import FieldError, ValidationFailedError
from marketplace.models import Job
from marketplace.services import routing


def refuse_wrong(job: Job, n_items: int) -> None:
    """Refuse a job whose pinned or denied vendors cannot be meant; nothing is dropped silently.

    Raises
    ------
    ValidationFailedError
        When a vendor is unknown for this kind of work, named twice, pinned and denied, or pinned and out of the
        question; when vendors are to be chosen by hand and none is; when everybody is denied.
    """
    errors = _contradictions(job)
    if not errors and (job.pinned_vendors or job.denied_vendors):
        errors = _against_market(job, n_items)
    if errors:
        raise ValidationFailedError(errors[0]["detail"], errors=errors)


def _contradictions(job: Job) -> list[FieldError]:
    pinned, denied = list(job.pinned_vendors), set(job.denied_vendors)
    errors = []
    if job.is_manual and not pinned:
        errors.append(_error("pinned_vendors", "required", "Name a vendor at least, or let Labelyard choose for you."))
    for place, vendor in enumerate(pinned):
        if vendor in pinned[:place]:
            errors.append(_error(f"pinned_vendors[{place}]", "duplicate", "This vendor stands in the list before."))
        elif vendor in denied:
            detail = "This vendor is pinned and denied at once; take it off one of the lists."
            errors.append(_error(f"pinned_vendors[{place}]", "denied", detail))
    return errors


def _against_market(job: Job, n_items: int) -> list[FieldError]:
    known = {facts.vendor_id: (facts, row) for facts, row in routing.preview(job, n_items)}
    errors = []
    for name in ("pinned_vendors", "denied_vendors"):
        for place, vendor in enumerate(getattr(job, name)):
            if vendor not in known:
                detail = "This vendor does not do this kind of work; take it off the list, or change the kind of work."
                errors.append(_error(f"{name}[{place}]", "unknown_vendor", detail))
    for place, vendor in enumerate(job.pinned_vendors):
        if vendor in known and known[vendor][1].exclusion:
            facts, row = known[vendor]
            detail = f"{facts.name} cannot be asked: {row.exclusion} Take it off the list, or change what keeps it out."
            errors.append(_error(f"pinned_vendors[{place}]", "not_eligible", detail))
    if not errors and known and set(known) <= set(job.denied_vendors):
        detail = "Every vendor of this kind of work is denied; take one off the list."
        errors.append(_error("denied_vendors", "excludes_everybody", detail))
    return errors


def _error(field: str, code: str, detail: str) -> FieldError:
    return {"field": field, "code": code, "detail": detail}

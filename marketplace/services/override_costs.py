"""What the records of each chooser of a campaign have cost, for the report on human overrides."""

from collections import defaultdict

from django.db.models import Sum

from curation.services.override_reports import Report
from marketplace.core import pricing
from marketplace.core.states import AnnotationState
from marketplace.models import Annotation, Campaign


def of_choosers(campaign: Campaign, report: Report) -> dict[str, int]:
    """Return what was paid for the records that came back, micro-units by chooser, fees included; one query.

    Answers that passed vetting, at their offers' prices; gold and adjustments, which belong to no record, are left out.
    """
    given = Annotation.objects.filter(
        job=campaign.job_id, record__isnull=False, is_current=True, state=AnnotationState.ACCEPTED
    )
    paid = dict(given.values_list("record__key").annotate(Sum("assignment__price_micro")).order_by())
    fee = campaign.job.fee_basis_points
    costs: dict[str, int] = defaultdict(int)
    for chosen in report.chosen:
        costs[chosen.by] = pricing.cost_micro(1, sum(paid.get(key, 0) for key in chosen.keys), fee)
    return dict(costs)

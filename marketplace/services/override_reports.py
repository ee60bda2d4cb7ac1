"""Human choices of a campaign measured against the machine's: what came back, and what it cost."""

from dataclasses import dataclass

from django.db.models import Sum

from curation.models import Experiment
from curation.services import override_reports
from curation.services.override_reports import Chosen, Report
from marketplace.core import pricing
from marketplace.core.states import AnnotationState
from marketplace.models import Annotation, Campaign


@dataclass(frozen=True, slots=True)
class Line:
    """The records of one chooser with what was paid for the answers on them, fees included."""

    chosen: Chosen
    cost_micro: int
    per_usable_micro: int | None


@dataclass(frozen=True, slots=True)
class Costed:
    """The report of a campaign's experiment with the costs of each chooser's records."""

    lines: tuple[Line, ...]
    report: Report

    @property
    def has_overrides(self) -> bool:
        """Whether anybody has vetoed or added a record."""
        return bool(self.report.vetoes) or any(line.chosen.is_by_hand for line in self.lines if line.chosen.n_picked)


def tell(campaign: Campaign, experiment: Experiment) -> Costed:
    """Return the report on a campaign's experiment so far; three queries.

    Paid are answers that passed vetting, at their offers' prices; gold and adjustments belong to no chooser's record
    and are left out.
    """
    report = override_reports.tell(experiment)
    given = Annotation.objects.filter(
        job=campaign.job_id, record__isnull=False, is_current=True, state=AnnotationState.ACCEPTED
    )
    paid = dict(given.values_list("record__key").annotate(Sum("assignment__price_micro")).order_by())
    return Costed(tuple(_line(campaign, one, paid) for one in report.chosen), report)


def _line(campaign: Campaign, chosen: Chosen, paid: dict[str, int]) -> Line:
    earned = sum(paid.get(key, 0) for key in chosen.keys)
    cost = pricing.cost_micro(1, earned, campaign.job.fee_basis_points)
    return Line(chosen, cost, round(cost / chosen.n_usable) if chosen.n_usable else None)

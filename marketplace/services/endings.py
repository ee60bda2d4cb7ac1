"""Why a campaign ends before its rounds are done: labels no longer pay, or compute would exceed what is allowed."""

from curation.core import compute as maths
from curation.selectors import compute
from curation.services import stopping
from marketplace.models import Campaign
from marketplace.services import cadences


def not_worth_it(campaign: Campaign) -> str:
    """Return why further labels are not worth their price, empty when they are, or nobody said what accuracy is worth.

    A record's price is what the job's records have cost so far, further opinions, gold and fees included.
    """
    value, price = campaign.value_of_point_micro, cadences.price_micro(campaign.job) / 1e6
    if value is None or not price:
        return ""
    advice = stopping.advise(experiment_id=campaign.experiment_id, value_of_point=value / 1e6, price=price)
    if advice is None or not advice.stops:
        return ""
    currency = campaign.job.currency
    terms = f"at {price:.2f} {currency} a record and {value / 1e6:.2f} {currency} for a point of accuracy"
    return f"Further labels are not worth their price, {terms}. {advice.words}"


def too_much_compute(campaign: Campaign, n_records: int) -> str:
    """Return why the campaign's next round, of so many records, must not begin; empty when it may, or there is no cap.

    What the round has used already, in attempts that failed, is part of what it is forecast to use. Before any round
    was measured nothing can be forecast, and the first one may begin. Reads only.
    """
    if campaign.max_cpu_s is None:
        return ""
    costs = {one.number: one.total.cpu_s for one in compute.of_rounds(campaign.experiment_id)}
    asked = compute.n_asked(campaign.experiment_id)
    measured = [number for number in asked if number in costs and number < campaign.round]
    before = max((asked[number] for number in measured), default=0)
    expected = maths.forecast(
        [asked[number] for number in measured], [costs[number] for number in measured], before + n_records
    )
    begun = costs.get(campaign.round, 0.0)
    used = sum(costs.values()) - begun
    if used + max(expected or 0.0, begun) <= campaign.max_cpu_s:
        return ""
    words = f"The compute cap of {campaign.max_cpu_s:,} CPU seconds is reached: {used + begun:.1f} are used"
    if expected is None:
        return f"{words}."
    return f"{words}, and round {campaign.round} is forecast to take {expected:.1f}."

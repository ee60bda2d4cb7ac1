"""Why a campaign ends before its rounds are done: labels no longer pay, or compute would exceed what is allowed."""

from curation.services import compute_caps, stopping
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

    Reads only.
    """
    found = compute_caps.excess(campaign.experiment_id, campaign.round, n_records, campaign.max_cpu_s)
    return "" if found is None else found.words

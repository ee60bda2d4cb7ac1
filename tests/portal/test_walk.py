"""A whole job through the pages alone, without JavaScript: posted with a pin, declined, taken, labeled, accepted."""

import pytest
from playwright.sync_api import Page

from marketplace.models import Batch, Job, Offer
from marketplace.services import offering, vetting
from tests import market
from tests.portal.browsing import WIDTHS, opened, visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
N_RECORDS = 4


@pytest.fixture(scope="module")
def browser():
    with opened() as chromium:
        yield chromium


@pytest.fixture(autouse=True)
def _plain_cookies(settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False


@pytest.fixture
def sellers(browser):
    market.gold_set()
    return {one.vendor.name: one for one in (market.seller(50_000), market.seller(60_000))}


def post_with_pin(page: Page, url: str, pinned: str) -> None:
    """Fill the form, look at quote and ranking, put the dearer vendor first, and post."""
    page.goto(f"{url}/jobs/new/")
    page.get_by_label("Title").fill("Animals at night")
    page.get_by_label("Instructions").fill("Say what it is.")
    page.get_by_label("Classes").fill("\n".join(market.CLASSES))
    page.locator("#id_records").fill("\n".join(f"record-{n}" for n in range(N_RECORDS)))
    page.get_by_label("Vendors per record, at least").fill("1")
    page.get_by_label("Vendors per record, at most").fill("1")
    page.get_by_label("Budget with fees").fill("50")
    page.get_by_role("button", name="Show quote").click()
    ranks = page.locator("#ranking .ranks > li")
    assert ranks.count() == 2
    assert pinned not in ranks.first.inner_text()
    ranks.first.get_by_text("Why").click()
    assert "of the usual price" in ranks.first.inner_text()
    page.get_by_label(f"Place of {pinned}").fill("1")
    page.get_by_role("button", name="Show quote").click()
    assert pinned in page.locator("#ranking .ranks > li").first.inner_text()
    assert page.get_by_label("Title").input_value() == "Animals at night"
    page.get_by_role("button", name="Post the job").click()
    assert page.get_by_text("The job is posted").is_visible()


def decline(page: Page, url: str) -> None:
    """Decline the offer in the inbox with a reason."""
    page.goto(f"{url}/inbox/")
    assert page.get_by_role("heading", name="Animals at night").is_visible()
    page.get_by_label("Why do you decline Animals at night?").select_option("price_too_low")
    page.get_by_role("button", name="Decline").click()
    assert page.get_by_text("Declined. The batch has gone").is_visible()


def label_all(page: Page, url: str) -> None:
    """Accept the offer, label one record, then the rest, which hands the batch in."""
    page.goto(f"{url}/inbox/")
    page.get_by_role("button", name="Accept").click()
    assert page.get_by_text("Accepted. The work is yours").is_visible()
    records = page.locator("fieldset.record")
    assert records.count() == N_RECORDS
    for n_saved in (1, N_RECORDS - 1):
        for place in range(n_saved):
            key = records.nth(place).locator("legend").inner_text()
            records.nth(place).get_by_label(market.truth(key), exact=True).check()
        page.get_by_role("button", name="Save answers").click()
        assert page.get_by_text(f"Saved {n_saved}.").is_visible()
    assert page.get_by_text("The batch is delivered and goes to vetting.").is_visible()


def accept(page: Page, url: str, job: Job, batch: Batch, names: tuple[str, str]) -> None:
    """Read the chain of offers, end the review, and see the labels."""
    page.goto(f"{url}/jobs/{job.public_id}/")
    page.get_by_role("link", name="Lot 1, batch 1, layer 1").click()
    steps = page.locator(".chain > li")
    assert [names[place] in steps.nth(place).inner_text() for place in range(2)] == [True, True]
    assert "Declined: the price is too low." in steps.first.inner_text()
    assert "it passed vetting" in steps.nth(1).inner_text()
    page.get_by_role("button", name="End the review").click()
    assert page.get_by_text("The batch is accepted.").is_visible()
    page.goto(f"{url}/jobs/{job.public_id}/labels/")
    shown = page.locator("table.list tbody tr")
    for place in range(N_RECORDS):
        key = shown.nth(place).locator("th").inner_text()
        assert shown.nth(place).locator("td").first.inner_text() == market.truth(key)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_job_goes_all_the_way_without_javascript(browser, live_server, sellers, width):
    customer, url = market.customer(), live_server.url
    cheap, dear = sellers
    page, complaints = visitor(browser, url, customer, width, scripts=False)
    post_with_pin(page, url, dear)
    job = Job.objects.get()
    batch = Batch.objects.get(job=job)
    for name, act in ((dear, decline), (cheap, label_all)):
        offering.advance()
        assert Offer.objects.get(state="live").vendor.name == name
        theirs, grumbles = visitor(browser, url, sellers[name].actor, width, scripts=False)
        act(theirs, url)
        assert grumbles == []
        theirs.context.close()
    vetting.vet_lot(lot_id=batch.lot_id)
    accept(page, url, job, batch, (dear, cheap))
    batch.refresh_from_db()
    assert (batch.state, batch.review) == ("done", "accepted")
    assert complaints == []
    page.context.close()

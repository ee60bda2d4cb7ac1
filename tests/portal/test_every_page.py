"""Every page for every kind of person, in Chromium: it fits, says nothing on the console, and bars nobody."""

import pytest

from common.models import Organization
from marketplace.services import second_looks
from tests import market
from tests.portal import world
from tests.portal.browsing import INLINE, UNNAMED, WIDTHS, barriers, opened, visitor
from tests.portal.test_access import ROUTES, people, url_of
from tests.portal.test_own_vendors import apply_with, invited
from vendors.services import posteriors

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
FILES = {"statement-csv", "work-file", "account-paper", "paper-file"}


@pytest.fixture(scope="module")
def browser():
    with opened() as chromium:
        yield chromium


@pytest.fixture(autouse=True)
def _plain_cookies(settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.STATUS_PAGE_IS_PUBLIC = False


@pytest.fixture
def here(browser):
    """A market with one of everything: an effect, a dispute, a paper, a corrected label, an own vendor."""
    made = world.make()
    world.add_effect(made)
    world.add_dispute(made)
    world.add_desk(made)
    world.add_second_look(made)
    world.add_statement(made)
    world.add_campaign(made)
    world.add_proposal()
    posteriors.record_hard_accuracy(seen={made.seller.capability_id: posteriors.Counts(9, 1, 10)})
    posteriors.record_hard_responses(missed=[made.seller.capability_id] * 3)
    return made


def pages_of(here: world.World, who: str) -> list[str]:
    """Return the address of every page a kind of person may look at."""
    return [
        url_of(name, here)
        for name, (how, allowed) in ROUTES.items()
        if how == "get" and who in allowed and name not in FILES
    ]


@pytest.mark.parametrize("who", ["customer", "stranger", "seller", "rival", "staff"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_is_silent_and_bars_nobody(browser, live_server, here, who, width):
    paths = pages_of(here, who)
    review = here.job.reviews.get()
    second_looks.decide(actor=here.customer, review_id=review.pk, label="bird", note="Look at the beak.")
    apply_with(invited(world.signed_in(here.customer))[0])
    page, complaints = visitor(browser, live_server.url, people(here)[who], width)
    for path in paths:
        assert page.goto(live_server.url + path).status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(INLINE) == [], path
        for summary in page.locator("main details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} opened"
        assert barriers(page) == [], path
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_before_there_is_anything_fit_too(browser, live_server, width):
    organization = Organization.objects.create(name="New", kind="vendor")
    page, complaints = visitor(browser, live_server.url, market.actor_of(organization), width)
    for path, status in (("/home/", 200), ("/scorecard/", 404), ("/nowhere/", 404)):
        assert page.goto(live_server.url + path).status == status
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert barriers(page) == [], path
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")
    assert barriers(page) == []
    assert [text for text in complaints if "404" not in text] == []
    page.context.close()

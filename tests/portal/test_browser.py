"""The pages in a real Chromium, wide and narrow, with and without JavaScript."""

import pytest

from marketplace.services import offers
from tests import kinds, market
from tests.portal import world
from tests.portal.browsing import WIDTHS, opened, visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(scope="module")
def browser():
    with opened() as chromium:
        yield chromium


@pytest.fixture(autouse=True)
def _plain_cookies(settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False


@pytest.fixture
def here(browser):
    return world.make()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scripts", [True, False])
def test_an_offer_is_accepted(browser, live_server, here, width, scripts):
    page, complaints = visitor(browser, live_server.url, here.seller.actor, width, scripts=scripts)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/work/asg_*/")
    assert page.get_by_text("Accepted. The work is yours").is_visible()
    here.offer.refresh_from_db()
    assert here.offer.state == "accepted"
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_offer_is_declined_and_records_are_labeled_by_keyboard(browser, live_server, here, scripts):
    page, _ = visitor(browser, live_server.url, here.seller.actor, 390, scripts=scripts)
    page.get_by_role("combobox").select_option("no_capacity")
    page.get_by_role("button", name="Decline").press("Enter")
    assert page.get_by_text("Declined. The batch has gone").is_visible()
    page.context.close()
    page, _ = visitor(browser, live_server.url, here.rival.actor, 390, scripts=scripts)
    page.goto(f"{live_server.url}/work/{here.assignment.public_id}/")
    page.get_by_role("radio").first.press("Space")
    page.get_by_role("button", name="Save answers").press("Enter")
    assert page.get_by_text("Saved 1.").is_visible()
    page.context.close()


def test_the_countdown_runs_and_new_offers_come_by_themselves(browser, live_server, here):
    page, complaints = visitor(browser, live_server.url, here.seller.actor, 1280)
    clock = page.locator("[data-countdown]").first
    first = clock.inner_text()
    page.wait_for_function("before => document.querySelector('[data-countdown]').textContent !== before", arg=first)
    assert clock.inner_text().endswith(" s")
    type(here.offer).objects.filter(pk=here.offer.pk).update(state="withdrawn", decided_at=here.offer.created_at)
    page.get_by_text("No offer waits for you.").wait_for(timeout=10_000)
    assert complaints == []
    page.context.close()


def test_the_ranking_follows_the_form_as_it_is_filled(browser, live_server, here):
    page, complaints = visitor(browser, live_server.url, here.customer, 1280)
    page.goto(f"{live_server.url}/jobs/new/")
    assert page.locator("#ranking .ranks > li").count() == 2
    assert page.get_by_text("All taken without you").is_visible()
    page.get_by_label("Highest price a label").fill("0.01")
    page.get_by_text("Nobody can be asked for this.").wait_for()
    page.get_by_role("button", name="Pay up to 0.05 USD a label").click()
    assert page.get_by_label("Highest price a label").input_value() == "0.05"
    page.get_by_label("Highest price a label").fill("")
    page.get_by_text("2 of 2 can be asked").wait_for()
    second = page.locator("#ranking .ranks > li strong").nth(1).inner_text().removeprefix("2. ")
    page.get_by_label(f"Place of {second}").fill("1")
    page.get_by_text(f"1. {second}").wait_for()
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("task_type", ["bbox", "multilabel", "ranking", "transcription"])
def test_the_forms_of_other_task_types_fit_and_work_without_javascript(browser, live_server, task_type, width):
    example = kinds.EXAMPLES[task_type]
    one = kinds.seller(task_type)
    kinds.job(market.customer(), example, n_records=2, n_gold=0)
    assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    page, complaints = visitor(browser, live_server.url, one.actor, width, scripts=False)
    page.goto(f"{live_server.url}/work/{assignment.public_id}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Save answers").click()
    assert page.get_by_text("Answer at least one record").is_visible()
    assert page.locator("fieldset.record").count() == 2
    assert [text for text in complaints if "422" not in text] == []


def test_a_job_is_posted_with_its_quote_by_keyboard_alone(browser, live_server, here):
    page, complaints = visitor(browser, live_server.url, here.customer, 390)
    page.goto(f"{live_server.url}/jobs/new/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_label("Title").focus()
    for text in ("Animals", "Say what it is.", "cat\ndog", "r-1\nr-2\nr-3"):
        page.keyboard.insert_text(text)
        page.keyboard.press("Tab")
    page.get_by_text("For 3 records;").wait_for()
    page.get_by_label("Budget with fees").press_sequentially("50")
    page.get_by_role("button", name="Post the job").press("Enter")
    page.wait_for_url("**/jobs/job_*/")
    assert page.get_by_text("The job is posted").is_visible()
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_batch_nobody_took_is_decided_on(browser, live_server, here, scripts):
    job = market.stuck_job(here.customer)
    page, complaints = visitor(browser, live_server.url, here.customer, 390, scripts=scripts)
    page.goto(f"{live_server.url}/jobs/{job.public_id}/")
    page.get_by_role("link", name="Lot 1, batch 1, layer 1").click()
    page.get_by_label("Pay more a label").check()
    page.get_by_label("New highest price a label").fill("0.20")
    page.get_by_role("button", name="Decide").click()
    assert page.get_by_text("The batch follows your choice.").is_visible()
    assert complaints == []
    page.context.close()

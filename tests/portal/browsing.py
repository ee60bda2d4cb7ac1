"""Chromium for the tests of pages: people who sign in, what their console complains of, what axe finds."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.portal import world

CHROMIUM = Path(shutil.which("chromium") or "/usr/bin/chromium")
WIDTHS = [1280, 390]

UNNAMED = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), select, textarea")]
    .filter(e => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map(e => e.outerHTML)"""
INLINE = (
    """() => [...document.querySelectorAll("[style], style, script:not([src]), [onclick]")].map(e => e.outerHTML)"""
)


@contextmanager
def opened() -> Iterator[Browser]:
    """Yield a Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install Debian's package chromium; the pages are tested in it.")
    with sync_playwright() as playwright:
        # Playwright's loop lives in this thread; Django would refuse its own fixtures there.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def failure_of(request: Request) -> list[str]:
    """Return what went wrong with a request; leaving the page before it came back is no failure."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


def visitor(browser: Browser, url: str, actor: object, width: int, *, scripts: bool = True) -> tuple[Page, list[str]]:
    """Return the page of a person who has signed in by the form, and the list its complaints go to."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page, complaints = context.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.extend(failure_of(request)))
    user = world.person(actor.organization_id)
    page.goto(f"{url}/sign-in/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(world.PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.wait_for_url(lambda there: "/sign-in/" not in there)
    return page, complaints


def barriers(page: Page) -> list[str]:
    """Return what axe finds serious or critical, with where."""
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in {"serious", "critical"}]
    return [
        f"{v['id']}: {node['html'][:200]}: {node['failureSummary'][:200]}" for v in found for node in v["nodes"][:3]
    ]

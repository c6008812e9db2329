"""The dashboard in a real browser, as people meet it."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from running_command import COMMAND, showing

from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

WORLD = World(apps=6, now=datetime(2016, 12, 12, 18, tzinfo=UTC))
LONG_MS = 15_000
AMPLE = ("--apps", "8", "--limit", "600", "--latency", "0.02")
# A window that begins with the first call is not over before the test is, whatever the clock says.
SCARCE = ("--apps", "3", "--window", "lazy", "--latency", "0.02")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def ample():
    """Give the address of a dashboard whose budget is large."""
    with showing(*AMPLE) as shown:
        yield shown.address


@contextmanager
def visiting(chromium, address, **look):
    """Open a page, and fail if it wrote an error or a warning into its console."""
    context = chromium.new_context(**look)
    context.set_default_timeout(LONG_MS)
    page, complaints = context.new_page(), []
    page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert complaints == []


def open_first_app(page):
    """Choose the first app of the list, and wait for all that belongs to it."""
    page.locator("#apps tbody a").first.click()
    expect(page.locator(".plot canvas")).to_have_count(2, timeout=LONG_MS)
    expect(page.locator("table.bars")).to_have_count(2, timeout=LONG_MS)


def show(page, *, is_hidden):
    """Let a page believe that its tab is looked at, or not."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


@contextmanager
def pulling(origin, budget, access, folder):
    """Run a pull in a process of its own, until the block ends."""
    plan = folder / "plan.toml"
    plan.write_text(
        '[[want]]\nwhat = "error_monitoring.pie"\ngraph = ["crashes", "appLoads"]\n'
        'group_by = ["os", "device", "carrier"]\n'
    )
    flags = [str(plan), "--base-url", origin, "--budget", budget, "--ledger", "ledger.sqlite", "--quiet"]
    environment = {**os.environ, **access}
    # What it complains about is shown where the test fails.
    process = subprocess.Popen([*COMMAND[:-1], "pull", *flags], env=environment, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_the_page_shows_apps_charts_and_cuts(chromium, ample, screenshot):
    """Apps with their figures, worst first; two lines with ink in them; bars by version and then by OS and device."""
    with visiting(chromium, ample) as page:
        expect(page.locator("#apps tbody tr")).to_have_count(8)
        rates = [float(text.split()[0]) for text in page.locator("#apps td:nth-child(2)").all_text_contents()]
        assert rates == sorted(rates, reverse=True)
        open_first_app(page)
        ink = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
        assert all(page.locator(".plot canvas").nth(place).evaluate(ink) > 3 for place in range(2))
        expect(page.locator("#apps [aria-current=true]")).to_have_count(1)
        assert page.locator("#app h2 bdi").text_content() == page.locator("#apps [aria-current=true]").text_content()
        screenshot(page)
        for name in ["OS", "device"]:
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("heading", name=f"Crash rate by {name}, 30 days")).to_be_visible(timeout=LONG_MS)
        assert page.url.endswith("&by=device")
        page.reload()
        expect(page.get_by_role("heading", name="App loads by device, 30 days")).to_be_visible(timeout=LONG_MS)
        page.go_back()
        expect(page.get_by_role("heading", name="App loads by OS, 30 days")).to_be_visible(timeout=LONG_MS)


def test_the_budget_moves(chromium, screenshot):
    """Charts that are asked for take calls off what is left, and the page tells so by itself."""
    with (
        showing(*SCARCE, "--limit", "30") as shown,
        visiting(chromium, shown.address) as page,
    ):
        left = page.locator(".left strong")
        before = int(left.text_content())
        open_first_app(page)
        expect(left).not_to_have_text(str(before), timeout=LONG_MS)
        assert 0 < int(left.text_content()) < before <= 29
        expect(page.locator("dl")).to_contain_text(re.compile(r"Reset\s*in \d+ s"))
        screenshot(page)


def test_an_exhausted_budget_shows_as_such(chromium, screenshot):
    """In the panel, to screen readers, and at every chart, which says when it is tried again; what was had stays."""
    with (
        showing(*SCARCE, "--limit", "3") as shown,
        visiting(chromium, shown.address) as page,
    ):
        page.locator("#apps tbody a").first.click()
        expect(page.locator(".badge")).to_have_text("Budget used up", timeout=LONG_MS)
        expect(page.locator("#announcer")).to_contain_text("Budget used up")
        expect(page.locator(".delayed").first).to_contain_text("Tried again by itself in", timeout=LONG_MS)
        expect(page.locator(".pending")).to_have_count(0, timeout=LONG_MS)
        expect(page.locator("#apps tbody tr")).to_have_count(3)
        expect(page.locator(".left strong")).to_have_text("0")
        screenshot(page)


def test_it_is_readable_on_a_phone_in_the_dark(chromium, ample, screenshot):
    """Nothing is wider than the screen, and the paper is dark where that is preferred."""
    with visiting(chromium, ample, color_scheme="dark", **PHONE) as page:
        open_first_app(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(
            "document.querySelector('.scroll').scrollWidth <= document.querySelector('.scroll').clientWidth"
        )
        expect(page.locator("#app h2")).to_be_in_viewport()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        screenshot(page)
        page.emulate_media(color_scheme="light")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        expect(page.locator(".plot canvas")).to_have_count(2)
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (dark, light)]
    assert brightness[0] < 150
    assert brightness[1] > 600


def test_a_keyboard_is_enough(chromium, ample, screenshot):
    """The skip link comes first, what has the focus is outlined, and Enter sorts the list and leads to an app."""
    with visiting(chromium, ample) as page:
        expect(page.locator("#apps tbody a")).to_have_count(8)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.locator("#sort-dau").focus()
        page.keyboard.press("Enter")
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Users")
        expect(page.locator("#sort-dau")).to_be_focused()
        page.locator("#apps tbody a").first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        screenshot(page)
        page.keyboard.press("Enter")
        expect(page.locator(".plot canvas")).to_have_count(2, timeout=LONG_MS)
        expect(page.locator("#app-title")).to_be_focused()


def test_a_page_that_nobody_looks_at_asks_for_nothing(chromium, ample):
    """Neither figures nor the budget while it is hidden; both at once when somebody looks again."""
    asked = []
    with visiting(chromium, ample) as page:
        page.clock.install()
        page.reload()
        expect(page.locator("#apps tbody a")).to_have_count(8)
        show(page, is_hidden=True)
        page.on("request", lambda request: asked.append(request.url))
        page.clock.fast_forward(200_000)
        page.wait_for_timeout(1500)
        assert asked == []
        expect(page.locator("#silence")).to_be_hidden()
        with page.expect_request("**/apps*"), page.expect_request("**/budget"):
            show(page, is_hidden=False)


def test_an_address_that_was_sent_as_a_link_lets_in(chromium):
    """The token works from a page of another site, as of a chat, and stays the only way in."""
    service = Service(WORLD, quota=QuotaSettings(limit=100))
    access = {"APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id)}
    with (
        serve(service) as origin,
        showing("--base-url", origin, notes=0, **access) as shown,
        visiting(chromium, "about:blank") as page,
    ):
        page.set_content(f'<a href="{shown.address}">Look!</a>')
        page.get_by_role("link").click()
        expect(page.locator("#apps tbody tr")).to_have_count(6, timeout=LONG_MS)
        assert "token" not in page.url


def test_who_waits_is_shown_beside_a_bulk_pull(chromium, screenshot, tmp_path):
    """A pull of another process spends the shared budget: the page sees it go, and the service refuses nobody."""
    service = Service(WORLD, quota=QuotaSettings(limit=12))
    token = service.issue_token(DEMO_ACCOUNT.client_id)
    budget = f"sqlite://{tmp_path / 'budget.db'}"
    access = {"APTELIGENT_TOKEN": token, "APTELIGENT_CLIENT_ID": DEMO_ACCOUNT.client_id}
    with (
        serve(service, latency=0.05) as origin,
        showing("--base-url", origin, "--budget", budget, notes=0, **access) as shown,
        visiting(chromium, shown.address) as page,
    ):
        expect(page.locator("#apps tbody tr")).to_have_count(6)
        with pulling(origin, budget, access, tmp_path):
            expect(page.locator("dl")).to_contain_text(re.compile(r"In other processes\s*\d+ bulk"), timeout=LONG_MS)
            expect(page.locator(".badge")).to_have_text("Budget used up", timeout=LONG_MS)
            screenshot(page)
        assert not [entry for entry in service.quota().log if entry.is_refused]

"""A real browser, where there is one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


@pytest.fixture(scope="module")
def chromium():
    """Give a browser without a window; it has a module of its own, as its event loop is in the way of others."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is installed")
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox needs rights that containers do not give; it opens nothing but loopback here.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def screenshot(request):
    """Give what keeps a picture of a page, named after the test, for people to look at."""
    _SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page, name=""):
        words = [request.node.name.removeprefix("test_"), name]
        page.screenshot(path=_SCREENSHOTS / f"{'-'.join(filter(None, words))}.png", full_page=True)

    return take

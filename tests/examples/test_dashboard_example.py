"""The backend of the example, whose dashboard is right while its pull runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import anyio
import pytest
from backend import running
from fastapi import FastAPI

from apteligent_async import MemoryCache
from apteligent_async.testing import ApteligentServer

PROGRAM = Path(__file__).parents[2] / "examples" / "dashboard.py"

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """Run in real time, as ledgers are written by threads, and on asyncio, which servers of FastAPI run on."""
    return "asyncio"


@pytest.fixture(scope="module")
def example():
    """Import the program without running it."""
    spec = importlib.util.spec_from_file_location("dashboard_example", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_dashboard_is_mounted_beside_what_the_backend_does(example, tmp_path):
    """The page, its panels, the backend's own endpoint and its readiness answer, and the pull fills its ledger."""
    server = ApteligentServer(apps=2, limit=1000)
    app = example.make_app(lambda: server.client(cache=MemoryCache()), tmp_path / "pull.sqlite")
    assert isinstance(app, FastAPI)
    async with running(app) as browser:
        browser.headers["Host"] = "localhost"
        addresses = ["/dashboard/", "/dashboard/apps", "/dashboard/assets/dashboard.css", "/worst", "/readyz"]
        answers = [await browser.get(address) for address in addresses]
    assert [answer.status_code for answer in answers] == [200] * len(addresses)
    assert len(re.findall('id="open-', answers[1].text)) == 2
    assert (tmp_path / "pull.sqlite").exists()


async def test_calls_of_people_go_before_those_of_the_pull(example, tmp_path):
    """With more to pull than the budget allows, a panel is answered at once, and the page shows what waits."""
    server = ApteligentServer(apps=12, limit=20)
    app = example.make_app(lambda: server.client(cache=MemoryCache()), tmp_path / "pull.sqlite")
    async with running(app) as browser:
        browser.headers["Host"] = "localhost"
        shown = await browser.get("/dashboard/apps")
        with anyio.fail_after(20):
            while not re.search(r"error monitoring: pie</th><td>bulk</td>", (await browser.get("/dashboard/")).text):
                pass
    assert shown.status_code == 200
    assert not [request for request in server.requests if request.status == 429]

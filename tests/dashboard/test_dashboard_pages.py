"""The page and its panels, asked for as browsers do, but without one."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from importlib.resources import files
from typing import get_args

import httpx
import pytest
from backend import running
from fastapi import FastAPI

from apteligent_async import ApteligentClient, MemoryBudget, MemoryCache, StaticToken
from apteligent_async.dashboard import dashboard_router
from apteligent_async.dashboard.figures import CUTS, METRICS, Sort
from apteligent_async.dashboard.rendering import render
from apteligent_async.integrations.fastapi import apteligent_lifespan
from apteligent_async.testing import ApteligentServer

pytestmark = pytest.mark.anyio

SCRIPT = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>\"'&"


@asynccontextmanager
async def browsing(client):
    """Serve a dashboard of a client under a prefix; give a browser of it."""
    app = FastAPI(lifespan=apteligent_lifespan(lambda: client))
    app.include_router(dashboard_router(), prefix="/board")
    async with running(app) as browser:
        browser.headers["Host"] = "localhost"
        browser.base_url = "http://localhost/board/"
        yield browser


def client_of(server, **options):
    """Make a client with a cache, as the dashboard wants it."""
    return server.client(cache=MemoryCache(**options))


def panels_of(app_id):
    """Name the addresses of all panels of one app."""
    yield "apps"
    yield f"app?app={app_id}"
    for metric in METRICS:
        yield f"chart?app={app_id}&metric={metric}"
        yield from (f"cut?app={app_id}&metric={metric}&by={by}" for by in CUTS)


class Tags(HTMLParser):
    """Reads a page's tags; the state is those that were found."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note a tag and its attributes."""
        self.found.append((tag, dict(attrs)))


async def test_the_page_costs_no_call_and_holds_nothing_that_its_policy_forbids():
    """It has landmarks and a live region, and neither a script, a style nor a handler of its own."""
    server = ApteligentServer(apps=3)
    async with browsing(client_of(server)) as browser:
        page = await browser.get("")
    assert page.status_code == 200
    assert server.requests == ()
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    tags = Tags(page.text).found
    names = [tag for tag, _ in tags]
    assert {"header", "main", "aside", "h1"} <= set(names)
    assert any(found.get("aria-live") == "polite" for _, found in tags)
    assert [found["src"] for tag, found in tags if tag == "script"]
    assert all("src" in found for tag, found in tags if tag == "script")
    assert "style" not in names
    assert not [key for _, found in tags for key in found if key == "style" or key.startswith("on")]


async def test_every_file_of_the_page_is_shipped_with_it():
    """Scripts, styles and the picture come from the same place, each as what it is; and nothing else is served."""
    async with browsing(client_of(ApteligentServer(apps=1))) as browser:
        tags = Tags((await browser.get("")).text).found
        wanted = {found.get("src") or found.get("href") for tag, found in tags if tag in {"script", "link", "img"}}
        assert len(wanted) == 6
        kinds = {name: (await browser.get(name)).headers["content-type"] for name in wanted}
        missing = [(await browser.get(f"assets/{name}")).status_code for name in ("page.html", "uplot.LICENSE", "x")]
    assert {kind.partition(";")[0] for kind in kinds.values()} == {"text/javascript", "text/css", "image/svg+xml"}
    assert missing == [404, 404, 404]


@pytest.mark.parametrize("library", ["htmx", "uplot"])
def test_what_others_wrote_comes_with_its_licence(library):
    """Beside the file, as its licence asks."""
    folder = files("apteligent_async.dashboard").joinpath("assets")
    assert "ermission" in folder.joinpath(f"{library}.LICENSE").read_text()
    assert folder.joinpath(f"{library}.min.js").is_file()


async def test_every_panel_costs_one_call_and_a_second_look_none():
    """Charts have a row for each day, cuts are bars with the longest first, and all say how old they are."""
    server = ApteligentServer(apps=3, limit=1000)
    app_id = next(iter(server.world.apps))
    addresses = list(panels_of(app_id))
    async with browsing(client_of(server)) as browser:
        for _ in range(2):
            shown = {address: (await browser.get(address)).text for address in addresses}
    assert len(server.requests) == len(addresses) - 1  # the name of the app is in the list of all
    for address, text in shown.items():
        assert text.count("<tr data-at") == (30 if address.startswith("chart") else 0)
        lengths = [float(length) for length in re.findall(r'class="fill" width="([\d.]+)%"', text)]
        assert lengths == sorted(lengths, reverse=True)
        assert bool(lengths) == address.startswith("cut")
        assert address.startswith("app?") or "data-age" in text


@pytest.mark.parametrize("sort", get_args(Sort))
async def test_apps_are_sorted_by_any_column(sort):
    """And the column says so to screen readers."""
    server = ApteligentServer(apps=5)
    async with browsing(client_of(server)) as browser:
        text = (await browser.get("apps", params={"sort": sort})).text
    ids = re.findall(r'id="open-([0-9a-f]+)"', text)
    async with server.client() as client:
        apps = (await client.apps.list()).by_id
    values = [apps[each].name.casefold() if sort == "name" else getattr(apps[each], sort) for each in ids]
    assert values == sorted(values, reverse=sort != "name")
    assert len(ids) == 5
    assert text.count("aria-sort") == 1


async def test_an_exhausted_budget_is_said_at_once_and_when_to_come_again():
    """503 and Retry-After; a script, whose console would call that an error, is told in words; neither waits."""
    server = ApteligentServer(apps=1, limit=1)
    app_id = next(iter(server.world.apps))
    async with browsing(client_of(server)) as browser:
        await browser.get("apps")
        plain = await browser.get(f"chart?app={app_id}&metric=dau")
        scripted = await browser.get(f"chart?app={app_id}&metric=dau", headers=SCRIPT)
    assert (plain.status_code, scripted.status_code) == (503, 200)
    assert 1 <= int(plain.headers["retry-after"]) <= 65
    assert re.search(r'hx-trigger="load delay:\d+\.\ds"', scripted.text)
    assert len(server.requests) == 1


async def test_the_longer_a_wait_the_more_is_said_of_it():
    """A short one is like any wait, a long one counts down, and what no time mends has a button and its reason."""
    problem = {"title": "Title", "detail": "Detail"}
    short, long, never = [
        render("trouble.html", problem=problem, retry_s=seconds, soon_s=3.0, address="apps")
        for seconds in (1.0, 40.0, None)
    ]
    assert "Title" not in short
    assert "delay:1.0s" in short
    assert "Title" in long
    assert 'data-left="40.0"' in long
    assert "Detail" in never
    assert "<button" in never
    assert "delay" not in never


async def test_what_was_had_is_shown_with_its_age_when_the_budget_is_used_up():
    """Stale figures stay on the page, and say that they are."""
    server, instant = ApteligentServer(apps=1, limit=1), [1000.0]
    async with browsing(client_of(server, clock=lambda: instant[0])) as browser:
        fresh = await browser.get("apps")
        instant[0] += 400
        stale = await browser.get("apps")
    assert "Stale" not in fresh.text
    assert stale.status_code == 200
    assert re.search(r"Stale: as of <span[^>]*>7\s*min</span>", stale.text)
    assert int(stale.headers["age"]) == 400


async def test_texts_of_the_service_are_harmless():
    """A name that is markup is shown as it is written."""

    def answer(request):
        return httpx.Response(200, json={"data": {"a" * 24: {"appName": HOSTILE, "appType": HOSTILE}}})

    client = ApteligentClient(
        StaticToken("t"),
        base_url="http://127.0.0.1:9",
        transport=httpx.MockTransport(answer),
        budget=MemoryBudget(),
        cache=MemoryCache(),
    )
    async with browsing(client) as browser:
        shown = [(await browser.get(address)).text for address in ("apps", f"app?app={'a' * 24}")]
        asked = (await browser.get("", params={"app": HOSTILE})).text
    assert all("&lt;script&gt;alert(1)" in text and "<script>alert" not in text for text in shown)
    assert "<script>alert" not in asked


async def test_no_secret_is_on_any_page():
    """Neither the token nor the client id is in a panel, in the budget or in a header."""
    server = ApteligentServer(apps=2, limit=1000)
    secrets = [server.token, server.account.client_id, server.account.password, server.account.username]
    async with browsing(client_of(server)) as browser:
        for address in ["", *panels_of(next(iter(server.world.apps)))]:
            answer = await browser.get(address)
            assert not [secret for secret in secrets if secret in answer.text + str(answer.headers)]


async def test_questions_that_cannot_be_are_refused():
    """An app that is not there is said in words; words that are none of ours cost no call."""
    server = ApteligentServer(apps=1)
    async with browsing(client_of(server)) as browser:
        assert "No such app" in (await browser.get("app?app=nothing")).text
        wrong = ["chart?app=x&metric=y", "apps?sort=id", "cut"]
        codes = [(await browser.get(address)).status_code for address in wrong]
    assert codes == [422, 422, 422]
    assert len(server.requests) == 1

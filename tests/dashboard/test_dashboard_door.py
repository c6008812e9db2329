"""Who is let in: names that browsers use, and the token that works once."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from backend import running
from fastapi import FastAPI

from apteligent_async.dashboard import Door, dashboard_router
from apteligent_async.integrations.fastapi import apteligent_lifespan
from apteligent_async.testing import ApteligentServer

pytestmark = pytest.mark.anyio

ADDRESSES = ["/", "/apps", "/budget", "/assets/dashboard.js"]


@asynccontextmanager
async def guarded(door):
    """Serve a dashboard behind a door; give a browser, and the server behind it."""
    server = ApteligentServer(apps=1)
    app = FastAPI(lifespan=apteligent_lifespan(server.client))
    app.include_router(dashboard_router(door=door, is_ending=lambda: True))
    async with running(app) as browser:
        browser.base_url = "http://localhost"
        yield browser, server


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "10.1.2.3", "[::2]", "[::", ""])
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_foreign_name_is_turned_away_everywhere(name, address):
    """A page that points its own name here learns nothing, and no call is spent."""
    async with guarded(Door()) as (browser, server):
        answer = await browser.get(address, headers={"Host": name})
    assert answer.status_code == 421
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert server.requests == ()


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:80", "board.example", "Board.Example.:443"]
)
async def test_names_of_ours_are_let_in(name):
    """Loopback with any port, and those that the door was given."""
    async with guarded(Door(["board.example"])) as (browser, _):
        assert (await browser.get("/", headers={"Host": name})).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_page_cannot_spend_the_budget(site):
    """A panel that it asks for as a picture, a frame or a window costs no call; a link to the page itself works."""
    async with guarded(Door()) as (browser, server):
        for kind, address in [("image", "/apps"), ("iframe", "/"), ("empty", "/cut"), ("document", "/apps")]:
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": kind}
            assert (await browser.get(address, headers=headers)).status_code == 403
        visit = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
        assert (await browser.get("/", headers=visit)).status_code == 200
        assert server.requests == ()
        own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
        assert (await browser.get("/apps", headers=own)).status_code == 200


async def test_a_token_is_exchanged_once_for_a_cookie():
    """Without it nothing is shown; with it one browser gets in, the address loses it, and a second one is refused."""
    async with guarded(Door(token="once")) as (browser, server):
        strangers = [await browser.get(address) for address in [*ADDRESSES, "/?token=wrong", "/?token="]]
        welcome = await browser.get("/?app=x&token=once")
        cookie = welcome.headers["set-cookie"]
        inside = await browser.get("/")
        browser.cookies.clear()
        again = await browser.get("/?token=once")
        forged = await browser.get("/", headers={"Cookie": f"{cookie.partition('=')[0]}=x"})
    assert {each.status_code for each in strangers} == {401}
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/?app=x")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax"))
    assert "once" not in cookie
    assert inside.status_code == 200
    assert (again.status_code, forged.status_code) == (401, 401)
    assert server.requests == ()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_cookie_that_came_over_tls_goes_over_nothing_else(scheme):
    """It is marked so where the page was asked for in that way."""
    async with guarded(Door(token="once")) as (browser, _):
        browser.base_url = f"{scheme}://localhost"
        cookie = (await browser.get("/?token=once")).headers["set-cookie"]
    assert ("Secure" in cookie) == (scheme == "https")


def test_a_door_shows_no_secret():
    """Neither the token nor what the cookie holds is in its repr."""
    door = Door(token="once-only")
    assert "once-only" not in repr(door)
    assert door._pass not in repr(door)

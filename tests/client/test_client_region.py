"""Apps of another site: refused where the requests surely go to the wrong one."""

from __future__ import annotations

import pytest
from counterparts import Scripted, bare

from apteligent_async import ApteligentClient, ConfigurationError, NotFoundError, Region, StaticToken, _session

pytestmark = pytest.mark.anyio

US, EU, UNKNOWN = "a" * 24, "b" * 32 + "00444503", "c" * 32 + "00555304"
CALLS = [
    lambda c, app_id: c.trends.app(app_id),
    lambda c, app_id: c.error_monitoring.pie(graph="crashes", group_by="os", app_ids=["no id", app_id]),
    lambda c, app_id: c.error_monitoring.graph(graph="dau", app_ids=(one for one in ["no id", app_id])),
    lambda c, app_id: anext(c.crashes.table(app_id).pages()),
    lambda c, app_id: anext(c.transactions.traces(app_id, "Login", "P1M").pages()),
    lambda c, app_id: c.transactions.group(link=f"/v2/transactions/{app_id}/group/Login"),
]


@pytest.fixture
def transport(monkeypatch):
    """Stand in for the sockets that the client would open itself."""
    scripted = Scripted(lambda request, number: bare(404, body={}))
    monkeypatch.setattr(_session, "open_stack", lambda *arguments, **options: scripted)
    return scripted


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("region", "foreign"), [(None, EU), (Region.US, EU), ("eu", US)])
async def test_an_app_of_another_site_is_refused(transport, call, region, foreign, monkeypatch):
    """The message names both sites and the way out; no call is spent."""
    monkeypatch.delenv("APTELIGENT_REGION", raising=False)
    monkeypatch.delenv("APTELIGENT_BASE_URL", raising=False)
    async with ApteligentClient(StaticToken("t"), region=region) as client:
        with pytest.raises(ConfigurationError, match=r"lives on the site (us|eu).*region='(us|eu)'"):
            await call(client, foreign)
    assert transport.requests == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("region", "own"), [("us", US), ("eu", EU), ("us", UNKNOWN), ("eu", UNKNOWN), ("eu", "x")])
async def test_own_apps_and_unknown_ones_pass(transport, call, region, own):
    """An id that does not say where it lives is the caller's to know."""
    async with ApteligentClient(StaticToken("t"), region=region) as client:
        with pytest.raises(NotFoundError):
            await call(client, own)
    assert [request.url.host for request in transport.requests] == [Region(region).origin.removeprefix("https://")]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("elsewhere", [{"base_url": "https://127.0.0.1:9"}, {"transport": None, "region": "us"}])
async def test_where_somebody_else_decides_every_app_passes(transport, call, elsewhere):
    """With a base URL or a transport of the user's own, a stand-in may hold the apps of both sites."""
    if "transport" in elsewhere:
        elsewhere = {**elsewhere, "transport": transport}
    async with ApteligentClient(StaticToken("t"), **elsewhere) as client:
        with pytest.raises(NotFoundError):
            await call(client, EU)
    assert len(transport.requests) == 1

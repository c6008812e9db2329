"""The simulated service that users get for their tests, without any plugin."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import httpx
import pytest

from apteligent_async import ApteligentClient, AuthenticationError, PasswordGrant, StaticToken
from apteligent_async.simulator import Call
from apteligent_async.simulator.faults import Fail, FaultRule, FaultSchedule, Refuse
from apteligent_async.testing import ApteligentServer


@pytest.mark.anyio
async def test_clients_are_ready_and_have_budgets_of_their_own():
    """Two clients of one server know nothing of each other."""
    server = ApteligentServer(apps=2)
    async with server.client() as first, server.client() as second:
        assert {app.id for app in await first.apps.list()} == set(server.world.apps)
        assert second.budget().limit is None
    assert [request.status for request in server.requests] == [200]


@pytest.mark.anyio
async def test_the_environment_has_no_say_in_a_client(monkeypatch):
    """A client goes to its server wherever the environment points."""
    monkeypatch.setenv("APTELIGENT_BASE_URL", "nonsense")
    monkeypatch.setenv("APTELIGENT_REGION", "eu")
    server = ApteligentServer(apps=1)
    async with server.client() as client:
        await client.apps.list()
    assert server.requests[0].call.headers["host"] == "developers.crittercism.com"


@pytest.mark.anyio
async def test_what_a_client_is_made_with_can_be_replaced():
    """Credentials, origin, transport or a whole httpx client are the caller's to choose."""
    server = ApteligentServer(apps=1)
    grant = PasswordGrant(server.account.client_id, server.account.username, server.account.password)
    async with server.client(credentials=grant, base_url="http://127.0.0.1:9") as client:
        await client.apps.list()
    async with httpx.AsyncClient(transport=server.transport()) as http, server.client(http_client=http) as client:
        await client.apps.list()
    async with server.client(credentials=StaticToken("unknown")) as client:
        with pytest.raises(AuthenticationError):
            await client.apps.list()
    assert [request.path for request in server.requests] == ["/v2/token", *["/v2/apps"] * 3]
    assert [request.status for request in server.requests] == [200, 200, 200, 401]


@pytest.mark.anyio
async def test_a_transport_takes_the_time_it_is_told():
    """Requests are seen at the instant of their arrival on the loop's clock."""
    server = ApteligentServer(apps=1)
    async with server.client(transport=server.transport(up=2, down=1, connect=4)) as client:
        await client.request("GET", "/v2/apps", params={"attributes": "dau"})
    (request,) = server.requests
    assert request.at == pytest.approx(6)
    assert (request.method, request.path, request.query) == ("GET", "/v2/apps", (("attributes", "dau"),))


def test_a_request_reads_like_a_line_of_a_log():
    """What was seen tells verb, path, status and instant, and no token."""
    server = ApteligentServer(apps=1, limit=1)
    call = Call.parse("GET", "/v2/apps?attributes=dau", {"Authorization": f"Bearer {server.token}"}, b"")
    for now in [7.0, 8.5]:
        server.service.handle(call, now=now)
    assert repr(server.requests) == "(<GET /v2/apps 200 at 7.000>, <GET /v2/apps 429 at 8.500>)"


@pytest.mark.anyio
async def test_faults_may_be_set_as_rules_or_as_a_schedule_at_any_time():
    """Each counts from the moment it is set, and none at all ends them."""
    server = ApteligentServer(apps=1, faults=[FaultRule(Fail(status=501), count=1)])
    given = [server.faults, FaultSchedule([FaultRule(Fail(status=502), count=1)]), iter([FaultRule(Refuse())]), ()]
    seen = []
    async with httpx.AsyncClient(transport=server.transport(), base_url="http://x") as http:
        for faults in given:
            server.faults = faults
            seen += [(await http.get("/allyourbase")).status_code for _ in range(2)]
    assert seen == [501, 200, 502, 200, 429, 429, 200, 200]
    assert server.faults == FaultSchedule()


def test_the_same_settings_make_the_same_service():
    """Figures and tokens are the same in every run; another seed makes another world."""
    one, same, other = ApteligentServer(seed=5), ApteligentServer(seed=5), ApteligentServer(seed=6)
    assert (one.token, set(one.world.apps)) == (same.token, set(same.world.apps))
    assert set(one.world.apps).isdisjoint(other.world.apps)
    assert one.world.now == datetime(2016, 12, 12, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"lmit": 3}, TypeError),
        ({"limit": 0}, ValueError),
        ({"window": "square"}, ValueError),
        ({"now": datetime(2016, 12, 12)}, ValueError),  # noqa: DTZ001  the point of it
    ],
)
def test_settings_that_cannot_be_are_refused(settings, error):
    """A slip of the pen is no silent default."""
    with pytest.raises(error):
        ApteligentServer(**settings)


def test_the_same_server_listens_on_loopback():
    """Over a socket it has the same world, token, budget and memory as in process."""
    server = ApteligentServer(apps=2, limit=1)
    with server.listening() as url:
        request = Request(f"{url}/v2/apps", headers={"Authorization": f"Bearer {server.token}"})
        with urlopen(request) as response:
            assert set(json.load(response)["data"]) == set(server.world.apps)
            assert response.headers["Rate-Limit-Limit"] == "1"
    assert [request.status for request in server.requests] == [200]


def test_a_client_is_one_of_ours():
    """Making one does nothing yet."""
    server = ApteligentServer(apps=1)
    assert isinstance(server.client(source="tests"), ApteligentClient)
    assert server.requests == ()

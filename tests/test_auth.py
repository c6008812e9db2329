"""The token: fetched once for all, renewed in time, and never shown."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs

import anyio
import pytest
from counterparts import Scripted, bare, fine, gather
from secrets_hunt import assert_hidden, texts_of

from apteligent_async import (
    ApteligentClient,
    AuthenticationError,
    MemoryBudget,
    PasswordGrant,
    RatePolicy,
    RetryPolicy,
    ServerError,
    StaticToken,
)
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World

pytestmark = pytest.mark.anyio

CLIENT_ID, USERNAME, PASSWORD = "PlantedClientId0001", "planted@example.com", "planted p&ssword"
TOKEN = "PlantedToken00000000000000000001"
GRANT = PasswordGrant(CLIENT_ID, USERNAME, PASSWORD)
DEMO = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
NOW = datetime(2016, 12, 12, tzinfo=UTC)
EXCLUSIVE = RatePolicy(mode="exclusive")


def client_of(transport, credentials=GRANT, **options):
    """Make a client with a budget of its own."""
    options = {"budget": MemoryBudget(), "policy": EXCLUSIVE, **options}
    return ApteligentClient(credentials, base_url="http://127.0.0.1:9", transport=transport, **options)


def token_body(number=1, expires_in=3600):
    """Write what the service gives for a password."""
    return {"access_token": f"{TOKEN[:-1]}{number}", "token_type": "bearer", "expires_in": expires_in}


class Issuer(Scripted):
    """A service that gives out numbered tokens and asks a function about every other call."""

    def __init__(self, judge=lambda request, token: fine(), *, expires_in=3600, trip_s=0.1):
        super().__init__(self._answer)
        self.judge, self.expires_in, self.trip_s = judge, expires_in, trip_s
        self.issued = 0
        self.is_down = False

    async def _answer(self, request, number):
        await anyio.sleep(self.trip_s)
        if request.url.path != "/v2/token":
            return self.judge(request, request.headers["authorization"].removeprefix("Bearer "))
        if self.is_down:
            return fine(status=503)
        self.issued += 1
        return fine(body=token_body(self.issued, self.expires_in))

    @property
    def token_calls(self):
        """How often a token was asked for."""
        return self.paths.count("/v2/token")


async def test_the_token_call_is_that_of_rfc_6749():
    """Section 4.3.2: POST, a form in the body, Basic with the client id and an empty password; nothing in the query."""
    issuer = Issuer()
    grant = PasswordGrant(CLIENT_ID, USERNAME, PASSWORD, scope="app/1/transactions", duration=120)
    async with client_of(issuer, grant) as client:
        await client.apps.list()
    asked, used = issuer.requests
    assert (asked.method, str(asked.url)) == ("POST", "http://127.0.0.1:9/v2/token")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == f"{CLIENT_ID}:".encode()
    assert parse_qs(asked.content.decode(), strict_parsing=True) == {
        "grant_type": ["password"],
        "username": [USERNAME],
        "password": [PASSWORD],
        "scope": ["app/1/transactions"],
        "duration": ["120"],
    }
    assert used.headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_token_is_fetched_once_for_fifty_waiting_calls():
    """One token call, whoever came first; and it spends budget like any other."""
    service = Service(World(now=NOW, apps=2), quota=QuotaSettings(limit=20))
    transport = SimulatorTransport(service, up=0.1, down=0.1)
    async with client_of(transport, DEMO) as client:
        ends = await gather(*[client.apps.list] * 50)
    assert all(len(apps) == 2 for apps in ends)
    assert transport.calls == 51
    assert not [entry for entry in service.quota().log if entry.is_refused]


async def test_a_token_is_renewed_before_it_ends():
    """No call is answered 401, however long the client lives or a call waits in line."""
    service = Service(World(now=NOW, apps=1), quota=QuotaSettings(limit=20))
    transport = SimulatorTransport(service, up=0.1, down=0.1)
    statuses = []
    handle = service.handle

    def watched(call, *, now):
        answer = handle(call, now=now)
        statuses.append((call.path, answer.status))
        return answer

    service.handle = watched
    grant = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password, duration=30)
    async with client_of(transport, grant) as client:
        await gather(*[client.apps.list] * 70)
        await anyio.sleep(29)
        await client.apps.list()
    assert {status for _, status in statuses} == {200}
    assert 4 <= sum(path == "/v2/token" for path, _ in statuses) <= 6


@pytest.mark.parametrize("expires_in", [0, -5, None, 1])
async def test_a_token_of_no_life_is_used_all_the_same(expires_in):
    """What the service says of its end may be nonsense; it must not lead to a token call per call without end."""
    issuer = Issuer(expires_in=expires_in, trip_s=2.0)
    async with client_of(issuer) as client:
        await client.apps.list()
    assert issuer.token_calls <= 2
    assert issuer.paths[-1] == "/v2/apps"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_renewed_once_for_all_calls_under_way(status):
    """Each call is sent once more, with the new token, and all of them are answered."""
    issuer = Issuer(lambda request, token: fine() if token.endswith("2") else fine(status=status, body={}))
    async with client_of(issuer) as client:
        ends = await gather(*[client.apps.list] * 12)
    assert all(len(apps) == 1 for apps in ends)
    assert issuer.token_calls == 2
    assert all(apps.http.timeline.attempts <= 2 for apps in ends)


async def test_a_late_refusal_of_the_old_token_does_not_cost_the_new_one():
    """It arrives when the token has been renewed already: the call is sent again, and nothing is fetched."""

    async def judge(request, token):
        if not token.endswith("1"):
            return fine()
        late.append(5 * len(late))
        await anyio.sleep(late[-1])
        return fine(status=401, body={})

    late = []

    class Slow(Issuer):
        async def _answer(self, request, number):
            answer = await super()._answer(request, number)
            return await answer if hasattr(answer, "__await__") else answer

    issuer = Slow(lambda request, token: fine())
    async with client_of(issuer) as client:
        await client.apps.list()
        issuer.judge = judge
        ends = await gather(*[client.apps.list] * 2)
        assert all(len(apps) == 1 for apps in ends)
    assert issuer.token_calls == 2


async def test_refused_calls_rejoin_at_their_old_places():
    """After the renewal they go before those who stood behind them."""
    sent = []

    def judge(request, token):
        if request.url.path == "/v2/apps":
            return fine(left=50)
        sent.append(re.search(r"0000a(\d)", str(request.url))[1])
        body = {"data": {"series": [], "start": "", "end": "", "interval": 86400}}
        return fine(left=50, body=body) if token.endswith("2") else fine(left=50, status=401, body={})

    async with client_of(Issuer(judge), policy=RatePolicy(mode="exclusive", max_in_flight=1)) as client:

        async def late(number):
            await anyio.sleep(number / 1000)
            await client.error_monitoring.graph(graph="dau", app_id=f"{'0' * 22}a{number}")

        await client.apps.list()
        await gather(*[partial(late, number) for number in range(8)])
    # The instant of the renewal belongs to whoever stood next in line; then the old order holds again.
    assert sent == list("02013456")[:4] + list("34567")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_that_persists_does_not_renew_for_ever(status):
    """One renewal; then the error, at once for every further call to that path."""
    issuer = Issuer(lambda request, token: fine(status=status, body={"message": "no"}))
    async with client_of(issuer) as client:
        for _ in range(5):
            with pytest.raises(AuthenticationError) as caught:
                await client.apps.list()
            assert caught.value.status == status
    assert issuer.token_calls == 2
    assert issuer.paths.count("/v2/apps") == 6


async def test_tokens_that_die_twice_in_a_row_do_not_close_a_path_for_ever():
    """A path that opened again is forgotten; and where all were denied, one of them is tried anew a minute later."""
    dead = {"1", "2"}
    issuer = Issuer(lambda request, token: fine(status=401, body={}) if token[-1] in dead else fine())
    async with client_of(issuer) as client:
        with pytest.raises(AuthenticationError):
            await client.apps.list()
        await anyio.sleep(61)
        assert len(await client.apps.list()) == 1
        assert issuer.token_calls == 3
        dead.add("3")
        assert len(await client.apps.list()) == 1
    assert issuer.token_calls == 4


async def test_a_missing_right_costs_one_renewal_however_many_paths_it_closes():
    """403 with a token that replaced a denied one is about rights; a 401 later on still renews."""
    issuer = Issuer(lambda request, token: fine(status=403, body={}))
    async with client_of(issuer) as client:
        for number in range(8):
            with pytest.raises(AuthenticationError):
                await client.trends.app(f"{number:024}")
        assert len(set(issuer.paths)) == 9
        assert (issuer.token_calls, len(issuer.requests)) == (2, 2 + 9)
        issuer.judge = lambda request, token: fine() if token.endswith("3") else fine(status=401, body={})
        assert len(await client.apps.list()) == 1
    assert issuer.token_calls == 3


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_password_costs_one_call(status):
    """However many wait: all get the error, which names the credentials, and the service is not asked again."""
    body = {"error": "invalid_grant", "error_description": f"{PASSWORD} is wrong for {USERNAME}"}
    transport = Scripted(lambda request, number: fine(status=status, body=body))
    async with client_of(transport) as client:
        ends = await gather(*[client.apps.list] * 30)
        with pytest.raises(AuthenticationError):
            await client.apps.list()
    assert transport.paths == ["/v2/token"]
    for end in ends:
        assert isinstance(end, AuthenticationError)
        assert "refused the credentials" in str(end)
        assert (end.endpoint, end.status, end.attempts, end.body) == ("token", status, 1, None)
        assert_hidden(texts_of(end), [CLIENT_ID, PASSWORD])


async def test_a_wrong_password_at_the_simulator():
    """The same, against the service's own rules."""
    service = Service(World(now=NOW, apps=1))
    transport = SimulatorTransport(service)
    async with client_of(transport, PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, "wrong")) as client:
        ends = await gather(*[client.apps.list] * 5)
    assert {type(end) for end in ends} == {AuthenticationError}
    assert transport.calls == 1


async def test_a_service_that_is_down_is_asked_once_for_all_who_wait():
    """The others share the failure instead of trying one after the other; who comes later tries again."""
    issuer = Issuer()
    issuer.is_down = True
    async with client_of(issuer, retry=RetryPolicy(max_attempts=2)) as client:
        ends = await gather(*[client.apps.list] * 20)
        assert {type(end) for end in ends} == {ServerError}
        assert all((end.endpoint, end.attempts, end.status) == ("token", 2, 503) for end in ends)
        assert issuer.token_calls == 2
        issuer.is_down = False
        assert len(await client.apps.list()) == 1


async def test_a_failure_to_renew_an_old_token_is_shared_too():
    """Also when there is a token in hand, past its end."""
    issuer = Issuer(expires_in=100)
    async with client_of(issuer, retry=RetryPolicy(max_attempts=1)) as client:
        await client.apps.list()
        await anyio.sleep(200)
        issuer.is_down = True
        ends = await gather(*[client.apps.list] * 20)
    assert {type(end) for end in ends} == {ServerError}
    assert issuer.token_calls == 2


async def test_the_caller_who_fetches_the_token_may_leave():
    """Another takes over, and all others are served."""
    issuer = Issuer(trip_s=1.0)

    async def hasty():
        with anyio.move_on_after(0.5):
            await client.apps.list()

    async def late():
        await anyio.sleep(0.1)
        return await client.apps.list()

    async with client_of(issuer) as client:
        ends = await gather(hasty, *[late] * 5)
    assert sum(end is not None and len(end) == 1 for end in ends) == 5
    assert issuer.token_calls == 2


async def test_a_pasted_token_that_is_refused_says_what_to_do():
    """It cannot be renewed: one call, and advice."""
    transport = Scripted(lambda request, number: fine(status=401, body={"message": f"bad token {TOKEN}"}))
    async with client_of(transport, StaticToken(TOKEN, client_id=CLIENT_ID)) as client:
        with pytest.raises(AuthenticationError, match=r"make a new one.*or pass PasswordGrant") as caught:
            await client.apps.list()
    assert len(transport.requests) == 1
    assert_hidden(texts_of(caught.value), [TOKEN, CLIENT_ID])


async def test_a_token_is_not_asked_for_where_none_is_needed():
    """Discovery is open to everybody."""
    transport = Scripted(lambda request, number: bare(body={"versions": {}, "links": {}}))
    async with client_of(transport) as client:
        await client.discover()
    assert transport.paths == ["/allyourbase"]
    assert "authorization" not in transport.requests[0].headers


def _raise(error):
    raise error


async def test_many_closed_paths_are_not_remembered_for_ever():
    """The memory of denied paths is bounded."""
    from apteligent_async._auth import MOST_DENIED, TokenKeeper

    keeper = TokenKeeper(GRANT, partial(_raise, AssertionError()))
    for number in range(MOST_DENIED + 50):
        keeper.note_denied(AuthenticationError("no", status=401), token="t", path=f"/{number}")
    assert len(keeper._denied) == MOST_DENIED
    assert "/0" not in keeper._denied

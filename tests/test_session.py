"""The life of a call through the whole client: 429s, failures, deadlines, scopes and cancellation."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import anyio
import httpx
import pytest
from counterparts import Scripted, WindowService, bare, fine, gather, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from line import CancelledAt
from own_client import assert_clean, client_of

from apteligent_async import (
    ApteligentError,
    BadRequestError,
    ConnectionFailed,
    NotFoundError,
    PasswordGrant,
    RateLimitedError,
    ResponseError,
    RetryPolicy,
    ServerError,
    UnsafeLinkError,
)
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World
from apteligent_async.testing import run_virtually

pytestmark = pytest.mark.anyio

FOREVER_S = 100_000
WORLD = World(now=datetime(2016, 12, 12, tzinfo=UTC), apps=1)


# Refusals


async def test_nothing_is_sent_before_the_reset():
    """One refusal shuts the gate for everybody, and all calls are served after it."""
    transport = Scripted(lambda request, number: refused(reset=40) if number == 1 else fine(left=30, reset=50))
    async with client_of(transport) as client:
        ends = await gather(*[client.apps.list] * 10)
        assert_clean(client)
    assert all(len(apps) == 1 for apps in ends)
    assert len(transport.requests) == 11
    assert min(transport.arrived[1:]) - transport.arrived[0] >= 40


async def test_the_policy_gives_up_after_so_many_refusals():
    """With what the service said of its limit, and when to come again."""
    transport = Scripted(lambda request, number: refused(reset=40, limit=20, actual=25))
    async with client_of(transport, retry=RetryPolicy(max_rate_limited=3)) as client:
        began_at = anyio.current_time()
        with pytest.raises(RateLimitedError) as caught:
            await client.apps.list()
        assert_clean(client)
        now = anyio.current_time()
    error = caught.value
    assert (error.limit, error.actual, error.reset, error.status) == (20, 25, 40, 429)
    assert (error.endpoint, error.attempts) == ("apps.list", 3)
    assert error.retry_at == pytest.approx(now + 40)
    assert error.waited == pytest.approx(now - began_at, abs=0.1)
    assert error.waited >= 80


GARBAGE = ["", "nan", "-nan", "inf", "-1", "1e400", "99999999999", "0x14", "20,20", "zwanzig", "1;2", "\u0662", " 5 "]


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbled_numbers_cause_neither_a_crash_nor_a_stampede(garbage, status):
    """Whatever a service writes into its headers, calls go out one by one, and slowly."""
    text = garbage.encode()
    headers = [(name, text) for name in (b"Rate-Limit-Limit", b"Rate-Limit-Remaining", b"Rate-Limit-Reset")]

    def answer(request, number):
        told = status if number % 3 == 1 else 200
        return httpx.Response(told, headers=headers, json={"data": {}, "limit": garbage, "reset": garbage})

    transport = Scripted(answer)
    async with client_of(transport) as client:
        with anyio.fail_after(FOREVER_S):
            await gather(*[client.apps.list] * 12)
        assert_clean(client)
    assert len(transport.requests) <= 18
    assert len([at for at in transport.arrived if at - transport.arrived[0] < 1.0]) <= 6


# Failures


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (lambda request: fine(status=500), ServerError),
        (lambda request: fine(status=503), ServerError),
        (lambda request: httpx.ReadError("cut", request=request), ConnectionFailed),
        (lambda request: httpx.ReadTimeout("late", request=request), ConnectionFailed),
        (lambda request: httpx.ConnectError("no", request=request), ConnectionFailed),
        (lambda request: httpx.RemoteProtocolError("what", request=request), ConnectionFailed),
        (lambda request: OSError("raw"), ConnectionFailed),
    ],
)
async def test_a_failure_that_may_pass_is_tried_again(failure, error):
    """As often as the policy says, with waits between; then the error tells what was done."""
    transport = Scripted(lambda request, number: failure(request))
    async with client_of(transport, retry=RetryPolicy(max_attempts=3, base_s=4.0)) as client:
        with pytest.raises(error) as caught:
            await client.apps.list()
        assert_clean(client)
        assert (caught.value.endpoint, caught.value.attempts) == ("apps.list", 3)
        assert len(transport.requests) == 3
        transport.script = lambda request, number: fine() if number == 5 else failure(request)
        apps = await client.apps.list()
        assert apps.http.timeline.attempts == 2


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [
        (fine(status=400, body={"message": "bad"}), BadRequestError, 400),
        (fine(status=404), NotFoundError, 404),
        (fine(status=302, Location="https://evil.example/"), UnsafeLinkError, 302),
        (httpx.Response(200, content=b"<html>"), ResponseError, 200),
        (fine(body={"error": "no"}), ResponseError, 200),
    ],
)
async def test_a_refusal_that_stays_is_not_tried_again(answer, error, status):
    """One request, and an error that says which call it was."""
    transport = Scripted(lambda request, number: answer)
    async with client_of(transport) as client:
        with pytest.raises(error) as caught:
            await client.apps.list()
        assert_clean(client)
    assert len(transport.requests) == 1
    assert (caught.value.endpoint, caught.value.attempts, caught.value.status) == ("apps.list", 1, status)


async def test_every_attempt_spends_budget():
    """Retries wait for the budget like everybody else: no 429, however much fails."""
    service = WindowService(calls=5)
    service.phase_s = anyio.current_time()
    answer = service.answer

    def failing(now):
        status, headers, body = answer(now)
        return (500 if status == 200 and len(service.arrived) % 2 else status), headers, body

    service.answer = failing
    async with client_of(service, retry=RetryPolicy(max_attempts=50)) as client:
        ends = await gather(*[client.apps.list] * 20)
        assert_clean(client)
    assert all(len(apps) == 1 for apps in ends)
    assert len(service.arrived) == 40
    assert service.refused == []


async def test_a_timeout_is_that_of_each_attempt():
    """Two attempts of two seconds take four, and the waits between."""

    async def never():
        await anyio.sleep(FOREVER_S)

    transport = Scripted(lambda request, number: never())
    async with client_of(transport, timeout=2.0, retry=RetryPolicy(max_attempts=2, base_s=0.0)) as client:
        with pytest.raises(ConnectionFailed, match="2 s") as caught:
            await client.apps.list()
        assert_clean(client)
    assert caught.value.attempts == 2
    assert transport.arrived[1] - transport.arrived[0] >= 2.0


async def test_a_connection_that_is_not_made_in_time_costs_no_budget():
    """It is told from an answer that does not come: nothing was sent."""
    transport = SimulatorTransport(Service(WORLD), connect=9.0)
    async with client_of(transport, timeout=2.0, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match="could not be reached"):
            await client.apps.list()
        assert client.budget().left_low == 1
    assert transport.calls == 0


# Cancellation


async def _cancelled_at(step):
    """Let three callers call, of whom the first is cancelled at one of its awaits, with a token to be fetched."""
    service = Service(WORLD, quota=QuotaSettings(limit=3))
    transport = SimulatorTransport(service, up=0.1, down=0.1)
    grant = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
    cancelled = None

    async def victim():
        nonlocal cancelled
        with anyio.CancelScope() as scope:
            cancelled = CancelledAt(client.apps.list(), scope, step=step)
            await cancelled

    async def late():
        await anyio.sleep(0.01)
        return await client.apps.list()

    async with client_of(transport, grant) as client:
        with anyio.fail_after(FOREVER_S):
            ends = await gather(victim, late, late, late)
        assert_clean(client)
        assert client._session._keeper._fetching is None
    assert all(len(apps) == 1 for apps in ends[1:])
    assert transport.in_flight == 0
    assert not [entry for entry in service.quota().log if entry.is_refused]
    return cancelled.steps


async def test_a_call_can_be_cancelled_at_each_of_its_awaits():
    """While it fetches the token, waits, sends or reads: no gate, job, grant or fetch is left, and siblings go on."""
    for step in count(1):
        if await _cancelled_at(step) < step:
            break
    assert step > 5


async def test_a_caller_who_left_before_the_grant_sends_nothing():
    """Five leave a line of ten; five requests follow."""
    transport = Scripted(lambda request, number: fine(left=0, reset=10) if number == 1 else fine(left=90, reset=500))

    async def hasty():
        with anyio.move_on_after(5):
            await client.apps.list()

    async with client_of(transport) as client:
        await client.apps.list()
        await gather(*[client.apps.list, hasty] * 5)
        assert_clean(client)
    assert len(transport.requests) == 1 + 5


CALLERS = st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 100)), min_size=1, max_size=12)
ANSWERS = st.lists(st.sampled_from(["fine", "bare", "500", "429", "401", "cut", "lost", "garbage"]), max_size=20)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(callers=CALLERS, answers=ANSWERS)
def test_whatever_happens_every_call_ends_in_a_result_or_in_our_error(backend, callers, answers):
    """Random callers, patience and answers, tokens included; the client is clean afterwards."""
    run_virtually(_storm, callers, answers, backend=backend)


def _answer_of(kind, request):
    match kind:
        case "bare":
            return bare()
        case "429":
            return refused(reset=7)
        case "cut":
            return httpx.ReadError("cut", request=request)
        case "lost":
            return httpx.ConnectError("no", request=request)
        case "garbage":
            return httpx.Response(200, content=b"\xff\x00{")
        case _:
            return fine(status=int(kind))


async def _storm(callers, answers):
    answers = list(answers)
    token = {"access_token": "x" * 32, "token_type": "bearer", "expires_in": 50}

    async def answer(request):
        await anyio.sleep(0.3)
        kind = answers.pop(0) if answers else "fine"
        if kind != "fine":
            return _answer_of(kind, request)
        return fine(left=3, reset=9, body=token if request.url.path == "/v2/token" else {"data": {}})

    async def call(at, patience_s):
        await anyio.sleep(at)
        with anyio.move_on_after(FOREVER_S if patience_s is None else patience_s):
            return await client.apps.list()

    grant = PasswordGrant("id", "user", "password")
    async with client_of(Scripted(lambda request, number: answer(request)), grant) as client:
        with anyio.fail_after(FOREVER_S):
            ends = await gather(*[lambda caller=caller: call(*caller) for caller in callers])
        assert_clean(client)
    assert not [end for end in ends if isinstance(end, Exception) and not isinstance(end, ApteligentError)]


# Calls that no budget counts, and watching


async def test_discovery_waits_for_no_budget_and_spends_none():
    """Discovery goes out while everything else waits for the reset, and what it answers stops nobody."""
    service = WindowService(calls=3)
    async with client_of(service) as client:
        await gather(*[client.apps.list] * 3)
        before = client.budget()
        with anyio.move_on_after(1) as scope:
            await client.discover()
        after = client.budget()
    assert not scope.cancelled_caught
    assert (after.left_low, after.waits_for) == (before.left_low, before.waits_for)


async def test_events_rebuild_the_services_count():
    """Who only watches knows what the service counted, call by call."""
    service, events = WindowService(calls=5), []
    async with client_of(service) as client:
        stop = client.on_event(events.append)
        await gather(*[client.apps.list] * 12)
        stop()
        await client.apps.list()
    starts = [event for event in events if event.name == "call.start"]
    assert len(starts) == 12
    assert len(service.arrived) == 13
    assert {event.name for event in events} >= {"call.queued", "call.answer", "line.blocked", "window.open"}
    blocked = [event.detail for event in events if event.name == "line.blocked" and event.detail["cause"] == "drained"]
    assert blocked
    assert all(detail["until"] is not None for detail in blocked)


async def test_a_listener_that_fails_stops_nobody(caplog):
    """The call goes on, and the log says whose fault it was."""
    async with client_of(WindowService()) as client:
        client.on_event(lambda event: 1 / 0)
        await client.apps.list()
    assert "listener" in caplog.text

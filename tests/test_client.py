"""The client as users meet it: it paces, starts nothing, and says what state it is in."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from itertools import pairwise

import anyio
import pytest
from anyio.lowlevel import current_token
from counterparts import Scripted, WindowService, bare, fine, gather

from apteligent_async import (
    ApteligentClient,
    ClientStateError,
    ConfigurationError,
    MemoryBudget,
    PasswordGrant,
    RatePolicy,
    RetryPolicy,
    StaticToken,
)

pytestmark = pytest.mark.anyio


def client_of(transport, credentials=None, **options):
    """Make a client whose service is the transport."""
    return ApteligentClient(
        credentials or StaticToken("t"), base_url="http://127.0.0.1:9", transport=transport, **options
    )


@pytest.mark.parametrize("trip_s", [0, 0.002, 0.2, 0.4])
@pytest.mark.parametrize("mode", ["shared", "exclusive"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round", "exact"])
@pytest.mark.parametrize("counts", ["after", "before"])
@pytest.mark.parametrize("unit", ["speed", "count"])
async def test_a_hundred_calls_use_the_budget_and_never_more(unit, counts, rounding, mode, trip_s):
    """No 429, and within 5% of what a clairvoyant would need, however the service writes its numbers."""
    service = WindowService(unit=unit, counts=counts, rounding=rounding, trip_s=trip_s)
    began_at = anyio.current_time()
    service.phase_s = began_at
    async with client_of(service, policy=RatePolicy(mode=mode)) as client:
        ends = await gather(*[client.apps.list] * 100)
    assert [len(apps) for apps in ends] == [1] * 100
    assert service.refused == []
    assert len(service.arrived) == 100
    assert anyio.current_time() - began_at <= 1.05 * service.bound_s(100)


async def test_calling_starts_nothing_else():
    """No thread, no task beyond the callers' own, no signal handler."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    threads, seen = set(threading.enumerate()), set()

    def tasks():
        if sys.modules.get("trio") and current_token().backend_class.__name__ == "TrioBackend":
            import trio

            return trio.lowlevel.current_statistics().tasks_living
        return len(asyncio.all_tasks())

    def look(request, number):
        seen.add((frozenset(threading.enumerate()), tasks()))
        return fine()

    async with client_of(Scripted(look)) as client:
        before = tasks()
        await client.apps.list()
        await client.apps.list()
        assert seen == {(frozenset(threads), before)}
        assert tasks() == before
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == handlers


async def test_a_client_says_what_state_it_is_in():
    """Used before, entered twice, used after: ClientStateError, each time saying which."""
    transport = Scripted(lambda request, number: fine())
    client = client_of(transport)
    assert "new" in repr(client)
    with pytest.raises(ClientStateError, match="not been entered"):
        await client.apps.list()
    with pytest.raises(ClientStateError, match="not been entered"):
        client.budget()
    with pytest.raises(ClientStateError, match="not been entered"):
        _ = client.account
    async with client:
        assert "open, 0 calls" in repr(client)
        account = client.account
        with pytest.raises(ClientStateError, match="open already"):
            await client.open()
        await client.apps.list()
    assert "closed" in repr(client)
    for use in (client.apps.list, client.discover):
        with pytest.raises(ClientStateError, match="is closed"):
            await use()
    with pytest.raises(ClientStateError, match="is closed"):
        client.budget()
    assert client.account == account
    with pytest.raises(ClientStateError, match="closed already"):
        await client.open()
    assert transport.is_closed
    assert len(transport.requests) == 1


async def test_closing_twice_does_no_harm():
    """Nor does closing what was never opened."""
    client = client_of(Scripted(lambda request, number: fine()))
    await client.aclose()
    await client.aclose()
    async with client_of(Scripted(lambda request, number: fine())) as other:
        await other.aclose()


async def _ask_budget(client):
    client.budget()


@pytest.mark.parametrize("use", [lambda client: client.apps.list(), ApteligentClient.aclose, _ask_budget])
def test_another_loop_is_refused(use):
    """A client belongs to the loop that it was entered on, closing included."""
    client = client_of(Scripted(lambda request, number: fine()))
    anyio.run(client.open)

    async def elsewhere():
        with pytest.raises(ClientStateError, match="another event loop"):
            await use(client)

    anyio.run(elsewhere)


def test_no_loop_is_said():
    """The budget cannot be asked where there is no clock."""
    client = client_of(Scripted(lambda request, number: fine()))
    anyio.run(client.open)
    with pytest.raises(ClientStateError, match="No event loop"):
        client.budget()


async def test_closing_fails_at_once_whoever_waits():
    """Waiting, backing off or fetching a token: ClientStateError within the instant; nothing is sent afterwards."""
    transport = WindowService(calls=5)
    client = client_of(transport)
    await client.open()
    closed_at = ends_at = None

    async def close():
        nonlocal closed_at
        await anyio.sleep(20)
        closed_at = anyio.current_time()
        await client.aclose()

    *ends, _ = await gather(*[client.apps.list] * 30, close)
    ends_at = anyio.current_time()
    failed = [end for end in ends if isinstance(end, Exception)]
    assert len(failed) == 30 - len(transport.arrived) >= 20
    assert {type(end) for end in failed} == {ClientStateError}
    assert all("waiting" in str(end) and end.endpoint == "apps.list" and end.waited > 19 for end in failed)
    assert ends_at == pytest.approx(closed_at, abs=1e-3)


async def test_a_call_under_way_when_the_client_closes_gets_its_answer_but_no_second_attempt():
    """What was sent may still be answered; a retry would be sent by a closed client."""
    answers = {1: fine(left=20), 2: fine(left=19), 3: bare(503)}

    async def slowly(number):
        await anyio.sleep(5)
        return answers[number]

    client = client_of(Scripted(lambda request, number: slowly(number)), policy=RatePolicy(mode="exclusive"))
    await client.open()
    await client.apps.list()

    async def close():
        await anyio.sleep(1)
        await client.aclose()

    ends = await gather(client.apps.list, client.apps.list, close)
    (failed,) = [end for end in ends if isinstance(end, Exception)]
    assert isinstance(failed, ClientStateError)
    assert failed.attempts == 1


async def test_clients_of_one_id_share_a_budget():
    """Together they never exceed it, and together they are as fast as one."""
    service = WindowService()
    began_at = service.phase_s = anyio.current_time()
    policy = RatePolicy(mode="exclusive")
    first = client_of(service, StaticToken("t", client_id="one"), policy=policy)
    second = client_of(service, StaticToken("u", client_id="one"))
    async with first, second:
        ends = await gather(*[first.apps.list, second.apps.list] * 30)
    assert [len(apps) for apps in ends] == [1] * 60
    assert service.refused == []
    assert anyio.current_time() - began_at <= 1.05 * service.bound_s(60)


async def test_a_pasted_token_has_its_own_budget():
    """Nobody can know whose it is; so each of two such clients probes for itself."""
    service = WindowService()
    async with client_of(service) as first, client_of(service) as second:
        await gather(first.apps.list, second.apps.list)
        assert service.arrived[0] == service.arrived[1]
        assert first.budget().left_low != 0


async def test_a_budget_passed_on_purpose_is_shared():
    """Also between tokens whose client id is unknown."""
    service, budget = WindowService(), MemoryBudget()
    async with client_of(service, budget=budget) as first, client_of(service, budget=budget) as second:
        await gather(first.apps.list, second.apps.list)
        assert service.arrived[0] < service.arrived[1]
        assert first.budget() == second.budget()


async def test_leaving_one_of_two_clients_does_not_disturb_the_other():
    """The closed client's calls fail; the other's go on."""
    service = WindowService(calls=5)
    first = client_of(service, StaticToken("t", client_id="two"))
    second = client_of(service, StaticToken("u", client_id="two"))

    async def close():
        await anyio.sleep(3)
        await first.aclose()

    await first.open()
    async with second:
        *ends, _ = await gather(*[first.apps.list] * 10, *[second.apps.list] * 10, close)
    assert any(isinstance(end, ClientStateError) for end in ends[:10])
    assert not any(isinstance(end, Exception) for end in ends[10:])
    assert service.refused == []


async def test_policies_that_disagree_over_one_budget_are_refused():
    """The second client cannot be entered, and leaves no trace in the budget."""
    budget = MemoryBudget()
    transport = Scripted(lambda request, number: fine())
    async with client_of(transport, budget=budget, policy=RatePolicy(mode="polite")):
        with pytest.raises(ConfigurationError, match="clients that share a budget"):
            await client_of(transport, budget=budget, policy=RatePolicy(mode="exclusive")).open()
    async with client_of(transport, budget=budget, policy=RatePolicy(mode="exclusive")) as client:
        await client.apps.list()


async def test_a_client_that_cannot_be_entered_leaves_no_trace_in_its_budget():
    """A bad proxy is found before the budget is joined, so another policy can be used next."""
    budget = MemoryBudget()
    broken = ApteligentClient(StaticToken("t"), proxy="nonsense", budget=budget, policy=RatePolicy(mode="polite"))
    with pytest.raises(ConfigurationError, match="proxy"):
        await broken.open()
    transport = Scripted(lambda request, number: fine())
    async with client_of(transport, budget=budget, policy=RatePolicy(mode="exclusive")) as client:
        await client.apps.list()


async def test_a_view_shares_everything_but_its_options():
    """Options that cannot be are refused when they are given; None keeps what there is."""
    transport = Scripted(lambda request, number: fine())
    async with client_of(transport, timeout=7.0) as client:
        view = client.with_options(priority="bulk", deadline=90, retry=RetryPolicy(max_attempts=1))
        await view.with_options().apps.list()
        assert transport.requests[0].extensions["timeout"]["read"] == 7.0
        assert view.budget() == client.budget()
        for options in ({"deadline": 0}, {"timeout": -1.0}, {"deadline": float("nan")}, {"priority": "urgent"}):
            with pytest.raises(ConfigurationError, match=next(iter(options))):
                client.with_options(**options)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_timeout_that_cannot_be_is_refused_by_the_constructor(seconds):
    """The message names the option and its unit."""
    with pytest.raises(ConfigurationError, match=r"timeout=.*seconds above 0"):
        ApteligentClient(timeout=seconds)


async def test_a_token_call_keeps_to_the_client_s_own_timeout():
    """The token is asked for with the options that the client was made with."""
    token = {"access_token": "x" * 32, "token_type": "bearer", "expires_in": 3600}
    transport = Scripted(lambda request, number: fine(body=token) if number == 1 else fine())
    async with client_of(transport, PasswordGrant("id", "user", "password"), timeout=7.0) as client:
        await client.with_options(timeout=3.0).apps.list()
    assert [request.extensions["timeout"]["read"] for request in transport.requests] == [7.0, 3.0]


async def test_an_interactive_call_goes_before_a_bulk_backlog():
    """It starts with the next call that may start at all, whatever waits."""
    sent = []

    async def answer(request):
        sent.append(request.headers["cr-source"])
        await anyio.sleep(0.1)
        return fine(left=1, reset=3600)

    budget, transport = MemoryBudget(), Scripted(lambda request, number: answer(request))
    bulk = client_of(transport, budget=budget, source="bulk")
    human = client_of(transport, budget=budget, source="human")

    async def late():
        await anyio.sleep(0.25)
        await human.apps.list()

    async with bulk, human:
        slow = bulk.with_options(priority="bulk")
        await gather(*[slow.apps.list] * 20, late)
    assert sent.index("human") <= 4
    assert len(sent) == 21


async def test_requests_carry_what_they_should():
    """The token, the version, the caller's tag and further headers; nothing of the user's may replace them."""
    transport = Scripted(lambda request, number: fine())
    async with client_of(transport, headers={"X-Trace": "1"}, source="mine") as client:
        await client.apps.list()
    (request,) = transport.requests
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["cr-source"] == "mine"
    assert request.headers["x-trace"] == "1"
    assert request.headers["user-agent"].startswith("apteligent-async/")
    assert str(request.url).startswith("http://127.0.0.1:9/v2/apps")


async def test_waits_grow_apart_when_nothing_is_known():
    """Without any rate header the client goes on, one call at a time and slowly."""
    transport = Scripted(lambda request, number: bare())
    async with client_of(transport) as client:
        await gather(*[client.apps.list] * 10)
    assert len(transport.requests) == 10
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(transport.arrived))

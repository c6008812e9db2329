"""The transport for any httpx client: whose budget a request spends, its wishes, and how it ends."""

from __future__ import annotations

from functools import partial

import anyio
import httpx
import pytest
from counterparts import Scripted, WindowService, gather
from line import CancelledAt
from other_service import URL, Body, allowed, limited, scripted

from apteligent_async import (
    ApteligentClient,
    ClientStateError,
    ConfigurationError,
    DeadlineExceeded,
    MemoryBudget,
    RateLimitedTransport,
    RatePolicy,
    StaticToken,
    XRateLimitDialect,
)

pytestmark = pytest.mark.anyio


def test_outside_an_event_loop_there_is_no_budget():
    """And whoever asks is told so in our words."""
    with pytest.raises(ClientStateError, match="No event loop"):
        RateLimitedTransport(httpx.MockTransport(lambda _: httpx.Response(200))).budget()


async def test_every_origin_has_its_own_budget():
    """A refusal by one service keeps nobody from another; a key may say otherwise."""
    client, transport, service = scripted(limited())
    async with client, anyio.create_task_group() as group:
        with pytest.raises(ConfigurationError, match="no budget"):
            transport.budget()
        group.start_soon(client.get, URL)
        await anyio.sleep(1)
        await client.get("https://other.example.com:8443/")
        assert [request.url.host for request in service.requests] == ["api.example.com", "other.example.com"]
        assert transport.budget("https://api.example.com").is_gated
        assert not transport.budget("https://other.example.com:8443").is_gated
        with pytest.raises(ConfigurationError, match="https://api"):
            transport.budget()
    client, transport, service = scripted(limited(), key=lambda request: request.headers["x-user"])
    async with client, anyio.create_task_group() as group:
        group.start_soon(partial(client.get, URL, headers={"x-user": "one"}))
        await anyio.sleep(1)
        await client.get(URL, headers={"x-user": "two"})
        assert transport.budget("one").is_gated


async def test_a_budget_may_be_shared_with_a_client():
    """What the one spends the other sees, and nobody is refused."""
    service, budget = WindowService(calls=20, unit="count"), MemoryBudget()
    transport = RateLimitedTransport(service, budget=budget)
    client = ApteligentClient(StaticToken("t"), base_url="http://127.0.0.1:9", transport=service, budget=budget)
    async with client, httpx.AsyncClient(transport=transport) as other:
        both = [partial(client.apps.list), partial(other.get, "http://127.0.0.1:9/v2/apps")] * 30
        ends = await gather(*both)
        assert not [end for end in ends if isinstance(end, Exception)]
        assert transport.budget().left_low == client.budget().left_low
    assert service.refused == []


async def test_an_urgent_request_goes_before_those_that_are_not():
    """Its own wish counts, or the transport's default; within a lane first come is first served."""
    scarce = {"X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "50"}
    client, _, service = scripted(limited(), *[httpx.Response(200, headers=scarce) for _ in range(4)], priority="bulk")
    async with client, anyio.create_task_group() as group:
        for name, wishes in [("first", {}), ("a", {}), ("b", {"priority": "bulk"}), ("c", {"priority": "interactive"})]:
            group.start_soon(partial(client.get, f"{URL}/{name}", extensions={"apteligent": wishes}))
            await anyio.sleep(0.01)
    assert [path.rsplit("/", 1)[1] for path in service.paths] == ["first", "c", "first", "a", "b"]


async def test_a_dear_request_is_charged_what_it_costs():
    """While it is under way its tokens are nobody else's."""

    async def slow():
        await anyio.sleep(1)
        return allowed()

    client, transport, _ = scripted(allowed(), slow())
    async with client, anyio.create_task_group() as group:
        await client.get(URL)
        assert transport.budget().left_low == 50
        group.start_soon(partial(client.get, URL, extensions={"apteligent": {"cost": 4, "flow": "x"}}))
        await anyio.sleep(0.5)
        assert transport.budget().left_low == 46


@pytest.mark.parametrize(
    "wishes",
    [{"prio": "bulk"}, {"priority": "first"}, {"deadline": 0}, {"cost": 0}, {"cost": 1.5}],
)
async def test_an_impossible_wish_is_refused_before_anything_is_sent(wishes):
    """A typing error must not be taken for no wish."""
    client, _, service = scripted()
    async with client:
        with pytest.raises(ConfigurationError):
            await client.get(URL, extensions={"apteligent": wishes})
    assert service.requests == []


async def test_a_deadline_ends_the_wait_or_forbids_it():
    """One that passes on the way ends the request; one that is hopeless is told at once, with an estimate."""

    async def slow():
        await anyio.sleep(30)

    client, transport, _ = scripted(slow(), limited())
    wish = {"apteligent": {"deadline": 3.0}}
    async with client, anyio.create_task_group() as group:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.get(URL, extensions=wish)
        assert (caught.value.cause, caught.value.attempts) == ("answer", 1)
        group.start_soon(client.get, URL)
        await anyio.sleep(8)
        assert transport.budget().is_gated
        before = anyio.current_time()
        with pytest.raises(DeadlineExceeded) as caught:
            await client.get(URL, extensions={"apteligent": {"deadline": 0.5}})
        assert caught.value.eta > 0
        assert anyio.current_time() == before
    assert transport._lines == {}


async def test_a_full_line_says_so():
    """The policy's bound holds here as well."""

    async def slow():
        await anyio.sleep(1)
        return allowed()

    client, _, _ = scripted(slow(), policy=RatePolicy(max_queue=1))
    async with client:
        ends = await gather(*[partial(client.get, URL)] * 3)
    assert sorted(type(end).__name__ for end in ends) == ["QueueFull", "Response", "Response"]


async def test_closing_fails_who_waits_and_closes_what_is_within():
    """Nobody sleeps on, nobody comes in any more, and the inner transport is closed."""
    client, transport, service = scripted(limited())
    ends = []

    async def call():
        with pytest.raises(ClientStateError):
            await client.get(URL)
        ends.append("failed")

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
        await anyio.sleep(1)
        await transport.aclose()
    assert ends == ["failed"] * 2
    assert service.is_closed
    with pytest.raises(ClientStateError):
        await transport.handle_async_request(httpx.Request("GET", URL))


async def test_cancellation_at_every_await_leaves_no_trace():
    """Wherever the caller is taken away: bodies are closed, nothing stays booked, and the next call gets through."""
    step, is_done = 0, False
    while not is_done:
        step += 1
        bodies = [Body(b"busy"), Body(b"failed"), Body(b"fine")]
        answers = [limited(stream=bodies[0]), httpx.Response(500, stream=bodies[1]), allowed(stream=bodies[2])]
        client, transport = _slow(answers)
        async with client:
            with anyio.CancelScope() as scope:
                await CancelledAt(client.get(URL), scope, step=step)
                is_done = True
            # The last body is httpx's own to close.
            assert all(body.is_closed for body in bodies[: min(3 - len(answers), 2)])
            assert transport.budget().in_flight == 0
            assert sum(transport.budget().queued.values()) == 0
            assert not next(iter(transport._lines.values())).visits
            answers.clear()
            assert (await client.get(URL, extensions={"apteligent": {"deadline": 300}})).status_code == 200
    assert step > 10


def _slow(answers):
    async def answer():
        await anyio.sleep(0.1)
        return answers.pop(0) if answers else allowed()

    transport = RateLimitedTransport(Scripted(lambda request, number: answer()), dialect=XRateLimitDialect())
    return httpx.AsyncClient(transport=transport), transport

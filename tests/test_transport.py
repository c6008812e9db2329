"""The transport for any httpx client: what is sent, and again, and what becomes of bodies."""

from __future__ import annotations

import gzip

import anyio
import httpx
import pytest
from counterparts import Scripted
from other_service import URL, Body, allowed, limited, scripted

from apteligent_async import (
    RateLimitedTransport,
    RetryPolicy,
)

pytestmark = pytest.mark.anyio


async def test_a_refused_request_is_sent_again_whatever_its_method():
    """The service has not acted on it; whoever asked sees one good answer, and how it came about."""
    client, _, service = scripted(limited(), limited())
    async with client:
        response = await client.post(URL, json={"a": 1})
    assert response.status_code == 200
    assert [request.content for request in service.requests] == [b'{"a":1}'] * 3
    timeline = response.extensions["apteligent"]
    assert timeline.attempts == 3
    assert 10 < timeline.waited_s <= timeline.total_s < 14


async def test_a_streamed_body_is_sent_once():
    """Its parts are gone: the caller gets the refusal or the failure itself."""

    async def parts():
        yield b"part"

    for answer in (limited(), httpx.Response(503)):
        client, _, service = scripted(answer)
        async with client:
            response = await client.put(URL, content=parts())
        assert response.status_code == answer.status_code
        assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("method", "wishes", "attempts"),
    [
        ("GET", {}, 2),
        ("PUT", {}, 2),
        ("POST", {}, 1),
        ("POST", {"repeatable": True}, 2),
        ("GET", {"repeatable": False}, 1),
    ],
)
@pytest.mark.parametrize("failure", [httpx.Response(503, headers={"Retry-After": "9"}), httpx.ReadError("cut")])
async def test_failures_are_repeated_where_that_does_no_harm(method, wishes, attempts, failure):
    """Idempotent methods are, and what is said to be; the last answer, or httpx's own error, is the caller's."""
    client, _, service = scripted(failure)
    async with client:
        call = client.request(method, URL, extensions={"apteligent": wishes})
        if attempts == 2:
            assert (await call).status_code == 200
        elif isinstance(failure, httpx.Response):
            assert (await call).status_code == 503
        else:
            with pytest.raises(httpx.ReadError):
                await call
    assert len(service.requests) == attempts
    if attempts == 2 and isinstance(failure, httpx.Response):
        assert service.arrived[1] - service.arrived[0] >= 9


async def test_a_request_that_never_left_costs_nothing_and_is_tried_again():
    """A connection that could not be opened is retried even for a POST; one that cannot be sent at all is not."""
    client, transport, service = scripted(httpx.ConnectError("no"), httpx.UnsupportedProtocol("gopher"))
    async with client:
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.post(URL, content=b"x")
        assert len(service.requests) == 2
        assert transport.budget().in_flight == 0
        assert transport.budget().left_low == 1


async def test_attempts_end_as_the_policy_says():
    """The default of the transport, or the request's own wish, decides; the last response is given as it is."""
    client, _, service = scripted(
        *[httpx.Response(500, text="broken") for _ in range(9)], retry=RetryPolicy(max_attempts=2)
    )
    async with client:
        response = await client.get(URL)
        assert (response.status_code, response.text, len(service.requests)) == (500, "broken", 2)
        await client.get(URL, extensions={"apteligent": {"retry": RetryPolicy(max_attempts=3)}})
        assert len(service.requests) == 5


async def test_a_body_streams_past_untouched_and_others_need_not_wait_for_it():
    """The call is settled with its headers: nothing is read ahead, and the next call starts meanwhile."""
    body = Body(b"one", b"two")
    client, transport, _ = scripted(allowed(stream=body))
    async with client:
        async with client.stream("GET", URL) as response:
            assert body.given == 0
            assert transport.budget().in_flight == 0
            assert (await client.get(URL)).status_code == 200
            assert await response.aread() == b"onetwo"
        assert body.is_closed


@pytest.mark.parametrize("answer", [429, 503])
async def test_an_answer_that_is_followed_by_another_is_closed_before_the_wait(answer):
    """Its connection is free while the request waits for its next turn."""
    body = Body(b"busy")
    client, _, service = scripted(httpx.Response(answer, headers={"Retry-After": "5"}, stream=body))
    async with client, anyio.create_task_group() as group:
        group.start_soon(client.get, URL)
        await anyio.sleep(1)
        assert body.is_closed
        assert len(service.requests) == 1
    assert len(service.requests) == 2


async def test_the_beginning_of_a_refusal_is_read_and_given_to_its_reader_all_the_same():
    """Of a long body no more than the beginning; of a cut one what there was, and then the cut."""
    once = {"retry": RetryPolicy(max_rate_limited=1)}
    long = Body(*[b"x" * 1000] * 100)
    cut = Body(b"x", httpx.ReadError("cut"))
    client, _, _ = scripted(limited(stream=long), limited(stream=cut))
    async with client:
        async with client.stream("GET", URL, extensions={"apteligent": once}) as response:
            assert 16 < long.given < 20
            assert len(await response.aread()) == 100_000
        assert long.is_closed
        async with client.stream("GET", URL, extensions={"apteligent": once}) as response:
            assert response.status_code == 429
            with pytest.raises(httpx.ReadError):
                await response.aread()
        assert cut.is_closed


@pytest.mark.parametrize("packed", [True, False])
async def test_a_refusals_body_is_unpacked_for_the_dialect(packed):
    """Where the body alone names the reset it is kept, packed or not; garbage in its place opens nothing."""
    raw = b'{"actual":25,"limit":20,"reset":42}'
    answer = httpx.Response(
        429, headers={"Content-Encoding": "gzip"}, stream=Body(gzip.compress(raw) if packed else raw)
    )
    service = Scripted(lambda request, number: answer if number == 1 else allowed())
    async with httpx.AsyncClient(transport=RateLimitedTransport(service)) as client:
        assert (await client.get(URL)).status_code == 200
    waited_s = service.arrived[1] - service.arrived[0]
    assert 42 < waited_s < 44 if packed else 60 <= waited_s < 62


@pytest.mark.parametrize("status", [429, 500])
async def test_a_body_that_fails_to_close_harms_nobody(status):
    """The request goes on all the same."""

    class Stubborn(Body):
        async def aclose(self):
            raise httpx.CloseError("no")

    client, _, _ = scripted(httpx.Response(status, headers={"Retry-After": "1"}, stream=Stubborn(b"x")))
    async with client:
        assert (await client.get(URL)).status_code == 200


async def test_a_body_that_breaks_when_it_is_closed_keeps_no_place():
    """A foreign fault is the caller's to see; the line goes on without that request."""

    class Broken(Body):
        async def aclose(self):
            raise RuntimeError("broken")

    client, transport, _ = scripted(httpx.Response(500, stream=Broken(b"x")))
    async with client:
        with pytest.raises(RuntimeError, match="broken"):
            await client.get(URL)
        assert transport.budget().in_flight == 0
        assert sum(transport.budget().queued.values()) == 0
        assert (await client.get(URL)).status_code == 200

"""One request over a real socket: connections are reused and returned, and whatever goes wrong is ours to say."""

from __future__ import annotations

import gc
import gzip
import threading
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import count

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint
from counterparts import gather
from line import CancelledAt
from packaging.version import Version
from raw_server import http, raw_server

from apteligent_async import ApteligentClient, ClientStateError, ConfigurationError, ConnectionFailed, StaticToken
from apteligent_async import _http as module
from apteligent_async._connections import open_stack
from apteligent_async._http import HttpLink, open_client
from apteligent_async._wire.messages import LinkFailure, Reply, Request
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

pytestmark = pytest.mark.anyio

GET = Request(method="GET", path="/v2/apps", endpoint="apps.list")
LEAVES_SOCKETS = Version(version("anyio")) < Version("4.16")
"""Whether anyio leaves a socket to the collector where connecting is cancelled at its very end."""
PROXIES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on real loops: sockets know no virtual time."""
    return request.param


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    """Begin without any proxy in the environment."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def link_to(url, *, most_free=10, **options):
    """Make a link as a client does."""
    origin = httpx.URL(url)
    stack = open_stack(origin, **{"proxy": None, "ssl_context": None, **options}, most_free=most_free)
    return HttpLink(open_client(stack), origin=origin, headers={"accept": "application/json"}, transport=stack)


async def sent(link, request=GET, *, timeout_s=5.0):
    """Send with a token."""
    return await link.send(request, token="t", timeout_s=timeout_s)


async def test_one_connection_serves_one_call_after_the_other():
    """Kept alive and reused, the one used last first."""
    with raw_server(lambda number: http(b"%d" % number)) as server:
        link = link_to(server.url)
        bodies = [(await sent(link)).body for _ in range(5)]
        assert (bodies, server.accepted) == ([b"1", b"2", b"3", b"4", b"5"], 1)
        await gather(*[partial(sent, link)] * 4)
        assert server.accepted <= 4
        await link.aclose()
        assert server.wait_until_open(0)


async def test_a_connection_that_the_server_closes_is_not_used_again():
    """With ``Connection: close``, or closed while it lay idle, the next call opens a new one."""
    with raw_server(lambda number: [http(Connection="close"), "close"]) as server:
        link = link_to(server.url)
        for _ in range(3):
            assert (await sent(link)).status == 200
            assert server.wait_until_open(0)
        assert server.accepted == 3
        await link.aclose()
    with raw_server(lambda number: [http(), "close"]) as server:
        link = link_to(server.url)
        for _ in range(3):
            assert (await sent(link)).status == 200
            assert server.wait_until_open(0)
        await link.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        [http(b"{", length=100), "close"],
        [http(b"{", length=100), "reset"],
        ["close"],
        ["reset"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "close"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "close"],
        [b"this is not HTTP\r\n\r\n", "close"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "close"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", "close"],
        [http(b"no gzip at all", Content_Encoding="gzip"), "close"],
    ],
)
async def test_half_an_answer_is_a_failure_of_the_link(answer):
    """Cut, reset, truncated or garbled: the call may have been counted, and nothing stays open."""
    with raw_server(lambda number: answer) as server:
        link = link_to(server.url)
        failure = await sent(link)
        assert isinstance(failure, LinkFailure)
        assert failure.was_sent
        assert isinstance(failure.error, ConnectionFailed)
        assert "No complete answer" in str(failure.error)
        assert len(link._transport._free) == 1, "the place of the broken connection is not given back"
        assert server.wait_until_open(0)
        await link.aclose()


async def test_the_headers_of_half_an_answer_are_kept():
    """They say what is left of the budget."""
    with raw_server(lambda number: [http(b"{", length=9, Rate_Limit_Remaining="7"), "close"]) as server:
        link = link_to(server.url)
        failure = await sent(link)
        assert failure.headers["rate-limit-remaining"] == "7"
        await link.aclose()


async def test_a_service_that_is_not_there_has_received_nothing():
    """The call costs no budget, and the message says which origin to look at."""
    with raw_server(lambda number: http()) as server:
        url = server.url
    link = link_to(url)
    failure = await sent(link)
    assert isinstance(failure, LinkFailure)
    assert not failure.was_sent
    assert str(failure.error).startswith(f"{url} could not be reached: ")
    await link.aclose()


@pytest.mark.parametrize("begins", [True, False])
async def test_an_answer_that_takes_too_long_is_given_up(begins):
    """Before its first byte or in the middle of its body; the connection is closed, not returned."""
    release = threading.Event()
    whole = [http(b"{", length=2), release, b"}"] if begins else [release, http()]
    with raw_server(lambda number: whole if number == 1 else http()) as server:
        link = link_to(server.url)
        failure = await sent(link, timeout_s=0.1)
        assert isinstance(failure, LinkFailure)
        assert failure.was_sent
        assert "0.1 s" in str(failure.error)
        release.set()
        assert (await sent(link)).status == 200
        assert server.accepted == 2
        await link.aclose()
        assert server.wait_until_open(0)


async def test_a_cancelled_call_leaves_no_connection_behind():
    """Whether it waits for headers or for the body; the next calls are served."""
    release = threading.Event()
    for first in ([release, http()], [http(b"{", length=2), release]):
        with raw_server(lambda number, first=first: first if number <= 5 else http()) as server:
            link = link_to(server.url)
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(sent, link)
                while len(server.requests) < 5:
                    await checkpoint()
                group.cancel_scope.cancel()
            release.set()
            assert server.wait_until_open(0)
            assert (await sent(link)).status == 200
            await link.aclose()
            assert server.wait_until_open(0)
        release.clear()


async def test_a_call_cancelled_at_any_of_its_awaits_leaves_a_pool_that_works():
    """No connection is lost, and none is kept in the middle of an answer, where the next call would find it."""
    with raw_server(lambda number: http(b"x" * 100_000)) as server:
        link = link_to(server.url)
        for step in count(1):
            with anyio.CancelScope() as scope:
                cancelled = CancelledAt(sent(link), scope, step=step)
                await cancelled
            reply = await sent(link)
            assert isinstance(reply, Reply)
            assert len(link._transport._free) == 1
            if cancelled.steps < step:
                break
        assert step > 3
        await link.aclose()
        assert server.wait_until_open(0)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning" if LEAVES_SOCKETS else "error")
@pytest.mark.parametrize("is_own", [True, False])
async def test_a_call_cancelled_at_any_of_its_awaits_leaves_nothing_to_the_collector(is_own):
    """Trio warns of generators that are found half-way, and a warning fails whoever tests with warnings as errors."""
    post = Request(method="POST", path="/v2/token", endpoint="token", body=b"a=b")
    with raw_server(lambda number: [http(Connection="close"), "close"]) as server:
        theirs = httpx.AsyncClient(trust_env=False)
        link = link_to(server.url) if is_own else HttpLink(theirs, origin=httpx.URL(server.url), headers={})
        for step in count(1):
            with anyio.CancelScope() as scope:
                cancelled = CancelledAt(sent(link, post), scope, step=step)
                await cancelled
            gc.collect()
            if cancelled.steps < step:
                break
        assert step > 3
        await link.aclose()
        await theirs.aclose()


async def test_a_connection_that_comes_back_after_closing_is_closed():
    """A call under way when the pool closes still gets its answer."""
    release = threading.Event()
    with raw_server(lambda number: [release, http(b"late")]) as server:
        link = link_to(server.url)

        async def close():
            while not server.requests:
                await checkpoint()
            await link.aclose()
            release.set()

        reply, _ = await gather(partial(sent, link), close)
        assert reply.body == b"late"
        assert server.wait_until_open(0)


async def test_a_body_without_end_is_not_read_to_its_end(monkeypatch):
    """Nor one that grows when it is unpacked; asking again would bring the same, so it is an answer that is flawed."""
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    bomb = gzip.compress(b"0" * 10_000_000)
    for answer in ([http(b"0" * 200_000, length=10**12), "close"], http(bomb, Content_Encoding="gzip")):
        with raw_server(lambda number, answer=answer: answer) as server:
            link = link_to(server.url)
            reply = await sent(link)
            assert isinstance(reply, Reply)
            assert (reply.body, reply.flaw) == (b"", "the body is larger than 100000 bytes")
            await link.aclose()
            assert server.wait_until_open(0)


async def test_a_compressed_body_is_unpacked():
    """What the reply holds is the text."""
    with raw_server(lambda number: http(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")) as server:
        link = link_to(server.url)
        assert (await sent(link)).body == b'{"a": 1}'
        assert b"accept-encoding: gzip" in server.requests[0].lower()
        await link.aclose()


async def test_a_redirect_is_not_followed():
    """The token goes to one origin only."""
    with (
        raw_server(lambda number: http()) as thief,
        raw_server(lambda number: http(status="302 Found", Location=thief.url)) as server,
    ):
        link = link_to(server.url)
        assert (await sent(link)).status == 302
        assert thief.accepted == 0
        await link.aclose()


async def test_what_goes_over_the_wire_is_what_was_asked():
    """Path and query are sent as they were encoded; the token is a header and nothing else."""
    query = (("filters[appVersion]", "2.0 beta"), ("ids", "a"), ("ids", "b&c"))
    request = Request(method="GET", path="/v2/a%2Fb/c%20d", query=query, endpoint="x", headers=(("x-own", "1"),))
    with raw_server(lambda number: http()) as server:
        link = link_to(server.url)
        reply = await sent(link, request)
        await link.aclose()
    head = server.requests[0].decode().lower()
    assert isinstance(reply, Reply)
    assert head.startswith("get /v2/a%2fb/c%20d?filters%5bappversion%5d=2.0+beta&ids=a&ids=b%26c http/1.1\r\n")
    assert "authorization: bearer t\r\n" in head
    assert "x-own: 1\r\n" in head


async def test_an_address_that_is_too_long_is_a_configuration_error():
    """It cannot be sent at all, so nothing is retried."""
    link = link_to("http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        await sent(link, Request(method="GET", path="/" + "a" * 70_000, endpoint="x"))
    assert caught.value.__context__ is None
    await link.aclose()


async def test_a_client_of_the_caller_s_own_stays_open_and_keeps_its_own_auth_out():
    """It is used as it is, but its credentials do not replace the token; closed early, that is said."""
    with raw_server(lambda number: http()) as server:
        async with httpx.AsyncClient(auth=("user", "password"), trust_env=False) as own:
            link = HttpLink(own, origin=httpx.URL(server.url), headers={})
            await sent(link)
            await link.aclose()
            assert not own.is_closed
        assert b"bearer t\r\n" in server.requests[0].lower()
        with pytest.raises(ClientStateError, match="has been closed"):
            await sent(link)


async def test_the_whole_client_against_the_simulator_on_loopback():
    """Fifty calls at once over a real socket: all answered, none refused, nothing left open."""
    service = Service(World(now=datetime(2016, 12, 12, tzinfo=UTC), apps=3), quota=QuotaSettings(limit=1000))
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))
    with serve(service) as url:
        async with ApteligentClient(token, base_url=url) as client:
            ends = await gather(*[client.apps.list] * 50)
    assert [len(apps) for apps in ends] == [3] * 50
    assert not [entry for entry in service.quota().log if entry.is_refused]

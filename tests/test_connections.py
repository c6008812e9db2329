"""The pool of connections: TLS, many at once, cancellation, and nothing left behind."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from functools import partial
from shutil import which

import anyio
import httpx
import pytest
from counterparts import gather
from raw_server import RawServer, http, raw_server

from apteligent_async._connections import CONNECTING_S, ConnectionStack, open_stack

pytestmark = pytest.mark.anyio

GET = httpx.Request("GET", "http://127.0.0.1:9/v2/apps")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on real loops: sockets know no virtual time."""
    return request.param


def stack_to(url, *, most_free=10, ssl_context=None):
    """Make a pool as a client does."""
    return open_stack(httpx.URL(url), proxy=None, ssl_context=ssl_context, most_free=most_free)


async def fetched(stack, url, **extensions):
    """Send one request and read the answer; give the body and what was written on the request."""
    request = httpx.Request("GET", url + "/v2/apps", extensions=extensions)
    response = await stack.handle_async_request(request)
    try:
        return await response.aread(), request.extensions
    finally:
        await response.aclose()


async def test_a_connection_at_hand_costs_no_time():
    """Each request says how long its connection took: above zero for a new one, zero for the next."""
    with raw_server(lambda number: http()) as server:
        stack = stack_to(server.url)
        _, first = await fetched(stack, server.url)
        _, second = await fetched(stack, server.url)
        assert first[CONNECTING_S] > 0
        assert second[CONNECTING_S] == 0
        await stack.aclose()


async def test_no_more_connections_are_kept_than_allowed():
    """Of eight at once two are kept, and the others are closed as they come back."""
    gate = threading.Event()
    with raw_server(lambda number: [gate, http()]) as server:
        stack = stack_to(server.url, most_free=2)
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(fetched, stack, server.url)
            while len(server.requests) < 8:  # noqa: ASYNC110  the server lives in threads
                await anyio.sleep(0.01)
            gate.set()
        assert server.accepted == 8
        assert await anyio.to_thread.run_sync(server.wait_until_open, 2)
        await stack.aclose()
        assert await anyio.to_thread.run_sync(server.wait_until_open, 0)


async def test_a_connection_that_comes_back_after_closing_is_closed():
    """Closing the pool while a body is being read leaves nothing open."""
    with raw_server(lambda number: http(b"body")) as server:
        stack = stack_to(server.url)
        response = await stack.handle_async_request(httpx.Request("GET", server.url + "/"))
        await stack.aclose()
        assert await response.aread() == b"body"
        await response.aclose()
        await response.aclose()
        assert await anyio.to_thread.run_sync(server.wait_until_open, 0)


@pytest.mark.parametrize("deeds", [[], [http(b"ab", length=9)]])
async def test_cancelled_requests_leave_no_connection_open(deeds):
    """Whether the head or the body is awaited: what was cut off half-way is closed, and the pool goes on."""
    gate = threading.Event()
    with raw_server(lambda number: [*deeds, gate] if number <= 5 else http(b"fine")) as server:
        stack = stack_to(server.url)
        with anyio.move_on_after(0.2) as scope:
            await gather(*[partial(fetched, stack, server.url)] * 5)
        assert scope.cancelled_caught
        gate.set()
        assert await anyio.to_thread.run_sync(server.wait_until_open, 0)
        body, _ = await fetched(stack, server.url)
        assert body == b"fine"
        await stack.aclose()


async def test_the_time_allowed_for_reading_counts():
    """The pool heeds httpx's timeouts by itself, as any transport should, and says so in httpx's words."""
    gate = threading.Event()
    with raw_server(lambda number: gate) as server:
        stack = stack_to(server.url)
        with pytest.raises(httpx.ReadTimeout):
            await fetched(stack, server.url, timeout={"read": 0.05})
        gate.set()
        await stack.aclose()


async def test_an_ordinary_client_works_over_it():
    """Redirects, authentication and whatever else httpx does are httpx's own."""
    answers = [http(status="302 Found", Location="/elsewhere"), http(b'{"a": 1}')]
    with raw_server(lambda number: answers[number - 1]) as server:
        async with httpx.AsyncClient(transport=stack_to(server.url), follow_redirects=True) as client:
            response = await client.get(server.url, auth=("user", "word"))
            assert response.json() == {"a": 1}
        assert [request.split()[1] for request in server.requests] == [b"/", b"/elsewhere"]
        assert server.accepted == 1


async def test_closing_twice_does_no_harm():
    """A pool that was never used can be closed, and again."""
    stack = stack_to("http://127.0.0.1:9")
    assert isinstance(stack, ConnectionStack)
    await stack.aclose()
    await stack.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for this machine that is its own authority."""
    if which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".pem.crt").read_text())
    return path


@pytest.fixture
def tls_server(certificate):
    """Serve by TLS, one answer after the other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = RawServer(lambda number: http(b"%d" % number))
    server._listener = context.wrap_socket(server._listener, server_side=True, do_handshake_on_connect=False)
    server.url = server.url.replace("http", "https")
    thread = threading.Thread(target=server.accept, daemon=True)
    thread.start()
    yield server
    server.close()
    thread.join(timeout=5)


async def test_one_connection_by_tls_serves_one_call_after_the_other(tls_server, certificate):
    """Kept alive and reused, with the context that was given."""
    stack = stack_to(tls_server.url, ssl_context=ssl.create_default_context(cafile=certificate))
    bodies = [(await fetched(stack, tls_server.url))[0] for _ in range(3)]
    assert (bodies, tls_server.accepted) == ([b"1", b"2", b"3"], 1)
    await stack.aclose()


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server):
    """The connection is not made, in httpx's words, and nothing was sent over it."""
    stack = stack_to(tls_server.url, ssl_context=ssl.create_default_context())
    with pytest.raises(httpx.ConnectError):
        await fetched(stack, tls_server.url)
    assert tls_server.requests == []
    await stack.aclose()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_first_call_imports_nothing_slow(backend):
    """What is slow to import comes in when the client is entered; a call adds the codec of host names at most."""
    code = """
import sys, anyio
from raw_server import http, raw_server
from apteligent_async import ApteligentClient, StaticToken

async def main(url):
    async with ApteligentClient(StaticToken("t"), base_url=url) as client:
        before = set(sys.modules)
        await client.apps.list()
        print(*set(sys.modules) - before)

with raw_server(lambda number: http(b'{"data": {}}')) as server:
    anyio.run(main, server.url, backend=sys.argv[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, backend],
        capture_output=True,
        text=True,
        check=True,
        cwd=__file__.rpartition("/")[0],
    )
    assert set(done.stdout.split()) <= {"encodings.idna", "stringprep", "unicodedata"}


@pytest.mark.parametrize(
    ("first", "bodies", "accepted"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(b"1"), [b"1", b"2"], 1),
        (http(b"1") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake", [b"1", b"2"], 2),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", [b"1", b"2"], 1),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", [b"1", b"2"], 2),
    ],
)
async def test_an_answer_is_read_to_its_own_end(first, bodies, accepted):
    """Hints before it are passed over; what follows it belongs to nobody, and that connection is not used again."""
    with raw_server(lambda number: first if number == 1 else http(b"%d" % number)) as server:
        stack = stack_to(server.url)
        assert [(await fetched(stack, server.url))[0] for _ in bodies] == bodies
        assert server.accepted == accepted
        await stack.aclose()


async def test_whoever_stops_speaking_http_is_hung_up_on():
    """An answer that switches to another protocol is an error, and the connection is closed."""
    with raw_server(lambda number: b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n") as server:
        stack = stack_to(server.url)
        request = httpx.Request("GET", server.url, headers={"Upgrade": "x", "Connection": "upgrade"})
        with pytest.raises(httpx.RemoteProtocolError):
            await stack.handle_async_request(request)
        assert await anyio.to_thread.run_sync(server.wait_until_open, 0)
        await stack.aclose()


async def test_a_request_goes_out_in_one_piece():
    """Head and body are one write, so that they are one packet where they fit; an illegal header is our own fault."""
    with raw_server(lambda number: http()) as server:
        stack = stack_to(server.url)
        async with httpx.AsyncClient(transport=stack) as client:
            await client.post(server.url, content=b"whole")
            with pytest.raises(httpx.LocalProtocolError):
                await client.get(server.url, headers={"a": "b\r\nc: d"})
    assert server.requests[0].endswith(b"\r\n\r\nwhole")
    assert len(server.requests) == 1

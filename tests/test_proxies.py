"""Which way a request takes: proxies, loopback, TLS."""

from __future__ import annotations

import ssl

import httpx
import pytest
from raw_server import http, raw_server

from apteligent_async import ConfigurationError
from apteligent_async._connections import is_loopback, open_stack
from apteligent_async._connections import reaching as module
from apteligent_async._http import HttpLink, open_client
from apteligent_async._wire.messages import LinkFailure, Request

pytestmark = pytest.mark.anyio

GET = Request(method="GET", path="/v2/apps", endpoint="apps.list")
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


def proxy_of(monkeypatch, origin, *, proxy=None, **environment):
    """Say which proxy a pool for the origin would use."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = open_stack(httpx.URL(origin), proxy=proxy, ssl_context=None, most_free=1)._proxy
    return None if found is None else str(found.url).rstrip("/")


def test_the_environment_s_proxies_count(monkeypatch):
    """By scheme, then for all; with or without the ``http://`` before it."""
    assert proxy_of(monkeypatch, "https://host") is None
    assert proxy_of(monkeypatch, "https://host", all_proxy="http://any:1") == "http://any:1"
    assert proxy_of(monkeypatch, "https://host", HTTPS_PROXY="tls:2") == "http://tls:2"
    assert proxy_of(monkeypatch, "https://host", proxy="http://own:3") == "http://own:3"


@pytest.mark.parametrize("exempt", ["host.example", ".example", "*", "other,host.example", "host.example:8443"])
def test_no_proxy_is_honoured(monkeypatch, exempt):
    """For a host, a domain, a port, or everything; other hosts go on through the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    assert proxy_of(monkeypatch, "https://host.example:8443", NO_PROXY=exempt) is None
    if exempt != "*":
        assert proxy_of(monkeypatch, "https://other.net:8443") == "http://p:1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.4.5", "localhost", "[::1]"])
def test_loopback_never_goes_through_a_proxy(monkeypatch, host):
    """Neither through the environment's nor through one that was passed."""
    assert proxy_of(monkeypatch, f"http://{host}:8080", proxy="http://p:1", HTTP_PROXY="http://p:1") is None


@pytest.mark.parametrize(
    "address",
    [
        "ftp://user:hidden@p",
        "nonsense",
        "http://[::1",
        "socks5://p:1",
        "http://user:hidden@",
        "http://user:hidden@p:99999",
        "http://user:hidden@p..example:1",
        f"http://user:hidden@{'p' * 64}.example:1",
    ],
)
def test_a_proxy_that_cannot_work_is_refused_without_its_password(monkeypatch, address):
    """At once, not at the first call; the message says what is needed."""
    with pytest.raises(ConfigurationError, match=r"proxy|SOCKS") as caught:
        proxy_of(monkeypatch, "https://host", proxy=address)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_requests_go_through_a_proxy(monkeypatch):
    """A proxy sees the whole address, and only the proxy is connected to."""
    with raw_server(lambda number: http(b"by proxy")) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        link = link_to("http://service.example")
        assert (await sent(link)).body == b"by proxy"
        await link.aclose()
    assert server.requests[0].startswith(b"GET http://service.example/v2/apps HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("127.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_an_address_not_a_prefix(host, answer):
    """A name that only looks like one is foreign."""
    assert is_loopback(host) is answer


async def test_authorities_are_read_for_tls_only_and_once(monkeypatch):
    """Not to open a pool, not for http; once for any number of connections; a context of the caller's own is used."""
    made = []
    make = httpx.create_ssl_context

    def counted(**options):
        made.append(options)
        return make(**options)

    monkeypatch.setattr(module.httpx, "create_ssl_context", counted)
    module._tls.cache_clear()
    with raw_server(lambda number: ["close"]) as server:
        plain = link_to(server.url)
        await sent(plain)
        assert made == []
        secure = link_to(server.url.replace("http", "https"))
        assert made == []
        for _ in range(3):
            assert isinstance(await sent(secure), LinkFailure)
        assert len(made) == 1
        own = ssl.create_default_context()
        await sent(link_to(server.url.replace("http", "https"), ssl_context=own))
        assert len(made) == 1
    module._tls.cache_clear()


async def test_a_certificate_that_nobody_signed_is_refused():
    """A plain server is no TLS server; nothing was sent to it."""
    with raw_server(lambda number: http()) as server:
        failure = await sent(link_to(server.url.replace("http", "https")))
    assert isinstance(failure, LinkFailure)
    assert not failure.was_sent
    assert not any(b"Bearer" in request for request in server.requests)

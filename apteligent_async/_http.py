"""Sends one request through an httpx client, over a pool of ours, and maps what goes wrong."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from functools import lru_cache, partial
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import anyio
import httpx

from apteligent_async._clock import loop_clock
from apteligent_async._connections import CONNECTING_S, ConnectionStack
from apteligent_async._wire.bodies import CODING, Body, Garbled, Unreadable
from apteligent_async._wire.messages import LinkFailure, Reply, Request
from apteligent_async._wire.secret import Secret
from apteligent_async.errors import ClientStateError, ConfigurationError, ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

__all__ = ["NEVER_SENT", "OUR_FAULT", "HttpLink", "open_client"]

MOST_BYTES = 64 * 1024 * 1024
"""The largest body, decompressed, that is read: far above anything attested, far below what hurts."""

MOST_ADDRESSES = 256
"""Parsed addresses that are kept."""

MOST_HEADS = 8
"""Sets of headers that are kept by a link: one for each token, further headers aside."""

CONNECT_S = 10.0
"""Seconds for a connection to be made; at most nine tenths of the time for the whole attempt.

So a connection that is never made is told from an answer that never comes: the one costs no budget, the other may.
"""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""What httpx raises when no connection could be had."""

OUR_FAULT = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""What httpx raises for a request that cannot be sent at all."""


class _NoCookies(CookieJar):
    """Forgets every cookie: callers are told apart by the token alone, and cookies cost as much as decoding does."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Keep nothing."""


def open_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Make an httpx client of our own: nothing of it comes from the environment."""
    return httpx.AsyncClient(transport=transport, trust_env=False, cookies=_NoCookies())


class HttpLink:
    """Sends requests to one origin. Its state is the httpx client.

    Args:
        client: does the sending.
        origin: scheme, host and port.
        headers: what every request carries.
        transport: what lies beneath a client that `open_client` made for this link, which then closes it; None for
            a client of the caller's.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        origin: httpx.URL,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = client
        self._origin = str(origin).rstrip("/")
        self._headers = {"accept-encoding": CODING, **headers}
        self._transport = transport
        self._timeout = _connecting if isinstance(transport, ConnectionStack) else _timeout
        self._now = loop_clock()
        every = httpx.Headers({"host": origin.netloc.decode("ascii")})
        every.update(client.headers)
        every.update(self._headers)
        self._head = lru_cache(maxsize=MOST_HEADS)(partial(_head, every))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._client.aclose()

    async def send(self, request: Request, *, token: str | None, timeout_s: float | None) -> Reply | LinkFailure:
        """Make one attempt; everything that the link does wrong comes back as a failure.

        Args:
            request: what to send.
            token: bearer token to send along.
            timeout_s: seconds for the whole attempt; None for no bound.

        Raises:
            ConfigurationError: the request cannot be sent at all.
            ClientStateError: the httpx client has been closed.
        """
        if self._client.is_closed:
            raise ClientStateError("The httpx client beneath this client has been closed.", endpoint=request.endpoint)
        received: list[httpx.Response] = []
        try:
            deadline_at = math.inf if timeout_s is None else self._now() + timeout_s
            with anyio.CancelScope(deadline=deadline_at):
                return await self._exchange(self._build(request, token, timeout_s), received)
            return self._failure(TimeoutError(), received, timeout_s)
        except OUR_FAULT as error:
            problem = type(error).__name__
        except (httpx.HTTPError, httpx.StreamError, OSError, Garbled) as error:
            return self._failure(error, received, timeout_s)
        # Raised out here to stand alone: the error that it replaces may quote the request, token included.
        raise ConfigurationError(
            f"The request cannot be sent ({problem}): its address or a header is not possible.",
            endpoint=request.endpoint,
        )

    async def _exchange(self, request: httpx.Request, received: list[httpx.Response]) -> Reply:
        began_at = self._now()
        response = await self._answer(request)
        first_byte_s = self._now() - began_at
        received.append(response)
        flaw, body = None, b""
        try:
            body = await _read(response)
        except Unreadable as problem:
            flaw = str(problem)
        finally:
            if not response.is_closed:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        return Reply(
            status=response.status_code,
            headers=_plain(response.headers),
            body=body,
            flaw=flaw,
            connect_s=request.extensions.get(CONNECTING_S),
            first_byte_s=first_byte_s,
        )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """Send, and past a client of ours: it would add but a line with the whole address to its log, at INFO."""
        if self._transport is not None:
            return await self._transport.handle_async_request(request)
        try:
            return await self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except (httpx.InvalidURL, UnicodeError):  # httpx reads where a redirect leads even where it does not follow
            raise httpx.RemoteProtocolError("the service redirects to what is no address") from None

    def _failure(self, error: Exception, received: list[httpx.Response], timeout_s: float | None) -> LinkFailure:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            what = f"the time was up ({timeout_s:g} s for an attempt)" if timeout_s is not None else "the time was up"
        else:
            error = _in_our_words(error)
            what = str(error) or type(error).__name__
        was_sent = not isinstance(error, NEVER_SENT)
        where = "No complete answer came" if was_sent else f"{self._origin} could not be reached"
        failed = ConnectionFailed(f"{where}: {what}.")
        failed.__cause__ = _bare(error)
        headers = _plain(received[-1].headers) if received else None
        return LinkFailure(error=failed, was_sent=was_sent, headers=headers)

    def _build(self, request: Request, token: str | None, timeout_s: float | None) -> httpx.Request:
        url = _address(self._origin, request.path, request.query)
        timeout = self._timeout(timeout_s)
        if self._transport is None:  # the caller's client has headers, cookies and more of its own
            headers = {**self._headers, **dict(request.headers), **_authorization(token)}
            built = self._client.build_request(
                request.method, url, headers=headers, content=request.body or None, timeout=timeout
            )
        else:
            built = _written(request, url, head=self._head(request.headers, token), timeout=timeout)
        built.stream = _Whole(request.body)
        return built


class _Whole(httpx.ByteStream):
    """A body whose parts come from no generator: trio warns of one that a cancelled request leaves half-way."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Parts(iter(self))


class _Parts:
    """Gives what is there already to whoever expects to wait for it."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for part in self._parts:
            return part
        raise StopAsyncIteration


def _head(every: httpx.Headers, further: tuple[tuple[str, str], ...], token: str | None) -> httpx.Headers:
    """Put the headers of a request together; what every request has is overridden by its own."""
    head = every.copy()
    head.update({**dict(further), **_authorization(token)})
    return head


def _written(request: Request, url: httpx.URL, *, head: httpx.Headers, timeout: httpx.Timeout) -> httpx.Request:
    extensions = {"timeout": timeout.as_dict()}
    if request.body or request.method != "GET":
        return httpx.Request(request.method, url, headers=head, content=request.body, extensions=extensions)
    # Given a stream, httpx does not look for headers that are missing; there are none.
    written = httpx.Request("GET", url, headers=head, stream=httpx.ByteStream(b""), extensions=extensions)
    written.read()
    return written


def _authorization(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": Secret(f"Bearer {token}")}


@lru_cache(maxsize=MOST_ADDRESSES)
def _address(origin: str, path: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Write an address; the latest are kept, as to parse one is as dear as to decode a small answer."""
    pairs = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in query)
    return httpx.URL(f"{origin}{path}?{pairs}" if query else origin + path)


@lru_cache
def _timeout(timeout_s: float | None) -> httpx.Timeout:
    return httpx.Timeout(timeout_s, connect=CONNECT_S if timeout_s is None else min(CONNECT_S, 0.9 * timeout_s))


@lru_cache
def _connecting(timeout_s: float | None) -> httpx.Timeout:
    """Bound what our own pool must tell apart: each scope is dear, and all else is within that of the attempt."""
    return httpx.Timeout(None, connect=_timeout(timeout_s).connect)


async def _read(response: httpx.Response) -> bytes:
    """Read the body and unpack it on the way, as far as `MOST_BYTES`; then the connection is given up.

    Raises:
        Unreadable: asking again would bring the same.
    """
    if response.is_stream_consumed:  # a transport in the same process may answer with a whole body
        whole = Body("", most=MOST_BYTES)
        whole.add(response.content)
        return whole.whole()
    body = Body(response.headers.get("content-encoding", ""), most=MOST_BYTES)
    chunks = response.aiter_raw()
    async for part in chunks:
        try:
            body.add(part)
        except (Garbled, Unreadable):
            await _end(chunks, response)
            raise
    return body.whole()


async def _end(chunks: AsyncIterator[bytes], response: httpx.Response) -> None:
    """Close the connection and let the chunks run into that: trio minds generators that are left half-way."""
    await response.aclose()
    with suppress(httpx.HTTPError, httpx.StreamError):
        await anext(chunks, None)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Give headers as `dict(headers)` does, in a quarter of the time."""
    encoding = headers.encoding
    plain: dict[str, str] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode(encoding).lower(), raw_value.decode(encoding)
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


def _in_our_words(error: Exception) -> Exception:
    """Give a proxy's refusal by its number alone: its words may repeat the password that it was told."""
    refusal = re.match(r"\d{3}\b", str(error)) if isinstance(error, httpx.ProxyError) else None
    if refusal is None:
        return error
    status = int(refusal[0])
    return httpx.ProxyError(f"the proxy answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip())


def _bare(error: Exception) -> Exception:
    """Take off what hangs on a foreign error: its frames, its causes and its request hold the token.

    To whoever asks for the request, httpx then says that it has not been set.
    """
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if isinstance(error, httpx.RequestError):
        error.request = None  # type: ignore[assignment]
    return error

"""A pool of connections to one origin, as an httpx transport.

httpx's own pool searches all of its connections for every request, so fifty requests in flight cost ten times the
CPU per request of one alone. Here free connections lie on a stack: the one used last is taken first, and only that
one is checked for staleness.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, cast

import anyio
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    import httpcore

__all__ = ["CONNECTING_S", "ConnectionStack"]

CONNECTING_S = "apteligent.connecting_s"
"""The extension of a request in which the pool writes how many seconds its connection took; 0 where one was at hand."""

KEEP_ALIVE_S = 5.0
"""Seconds that a free connection is trusted for, as by httpx: later, the service may close it under a new request."""


class ConnectionStack(httpx.AsyncBaseTransport):
    """As many connections as there are requests at once, each a transport of its own; free ones on a stack.

    Its state is the free connections and whether it is closed. Whoever sends bounds the number of requests.

    Args:
        origin: scheme, host and port of every request.
        verify: gives the TLS context.
        proxy: what stands between; None for nothing.
        most_free: connections that are kept while nobody needs them.
    """

    def __init__(
        self, origin: httpx.URL, *, verify: Callable[[], ssl.SSLContext], proxy: httpx.Proxy | None, most_free: int
    ) -> None:
        import_module("httpcore")  # slow: neither for all who import us, nor in the first call

        self._origin = origin
        self._verify = verify
        self._proxy = proxy
        self._most_free = most_free
        self._free: list[httpx.AsyncBaseTransport] = []
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request over the connection used last, or a new one."""
        connection = await self._take(request)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await self._put_back(connection)
            raise
        response.stream = _ReturningStream(response.stream, partial(self._put_back, connection))
        return response

    async def aclose(self) -> None:
        """Close the free connections; those in use are closed when they come back."""
        self._is_closed = True
        while self._free:
            await self._free.pop().aclose()

    async def _take(self, request: httpx.Request) -> httpx.AsyncBaseTransport:
        if self._free:
            connection = self._free.pop()
            if not (isinstance(connection, _DirectConnection) and connection.is_spent):
                request.extensions[CONNECTING_S] = 0.0
                return connection
            await connection.aclose()
        request.extensions["trace"] = _Stopwatch(request.extensions)
        return self._connect()

    async def _put_back(self, connection: httpx.AsyncBaseTransport) -> None:
        if self._is_closed or len(self._free) >= self._most_free:
            with anyio.CancelScope(shield=True):
                await connection.aclose()
        else:
            self._free.append(connection)

    def _connect(self) -> httpx.AsyncBaseTransport:
        if self._proxy is None:
            return _DirectConnection(self._origin, self._verify)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return httpx.AsyncHTTPTransport(verify=self._verify(), limits=limits, proxy=self._proxy)


class _ReturningStream(httpx.AsyncByteStream):
    """A response's body that puts its connection back when it is closed."""

    def __init__(self, stream: object, put_back: Callable[[], Awaitable[None]]) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  what async transports return
        self._stream = stream
        self._put_back: Callable[[], Awaitable[None]] | None = put_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        put_back, self._put_back = self._put_back, None
        if put_back is None:
            return
        try:
            with anyio.CancelScope(shield=True):  # httpx closes it after the last byte, where a caller may be cancelled
                await self._stream.aclose()
        finally:
            await put_back()


class _DirectConnection(httpx.AsyncBaseTransport):
    """One connection straight to an origin, without any pool: httpcore's own, for one request at a time."""

    def __init__(self, origin: httpx.URL, verify: Callable[[], ssl.SSLContext]) -> None:
        import httpcore  # noqa: PLC0415  see `ConnectionStack`

        is_tls = origin.scheme == "https"
        self._connection = httpcore.AsyncHTTPConnection(
            httpcore.Origin(origin.raw_scheme, origin.raw_host, origin.port or (443 if is_tls else 80)),
            ssl_context=verify() if is_tls else None,
            keepalive_expiry=KEEP_ALIVE_S,
        )
        self._request = httpcore.Request
        self._url = partial(httpcore.URL, scheme=origin.raw_scheme, host=origin.raw_host, port=origin.port)

    @property
    def is_spent(self) -> bool:
        """Whether it has ended, the other side has ended it, or it was left in the middle of an answer."""
        return not self._connection.is_idle() or self._connection.is_closed() or self._connection.has_expired()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        try:
            answer = await self._connection.handle_async_request(self._translated(request))
        except Exception as error:  # noqa: BLE001  told again, whatever it is
            _retell(error)
        extensions = cast("dict[str, Any]", answer.extensions)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=extensions)

    async def aclose(self) -> None:
        """Close it."""
        await self._connection.aclose()

    def _translated(self, request: httpx.Request) -> httpcore.Request:
        return self._request(
            request.method,
            self._url(target=request.url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )


class _Stopwatch:
    """Writes down how long a new connection took, TLS included. Its state is when it began."""

    def __init__(self, extensions: MutableMapping[str, Any]) -> None:
        self._extensions = extensions
        self._began_at = anyio.current_time()

    async def __call__(self, event: str, _: object) -> None:
        """Take the time at the end of each step; the last one counts."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._extensions[CONNECTING_S] = anyio.current_time() - self._began_at


class _Body(httpx.AsyncByteStream):
    """A response's body as httpcore reads it, with httpx's errors."""

    def __init__(self, stream: object) -> None:
        self._stream: Any = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except Exception as error:  # noqa: BLE001  told again, whatever it is
            _retell(error)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _retell(error: Exception) -> NoReturn:
    """Raise httpx's error of the same name: it has one for each of httpcore's."""
    kind = getattr(httpx, type(error).__name__, None)
    if kind is None:
        raise error
    raise kind(str(error)) from error

"""A pool of connections to one origin, as an httpx transport.

httpx's own pool searches all of its connections for every request, so fifty requests in flight cost ten times the
CPU per request of one alone. Here free connections lie on a stack: the one used last is taken first, and only that
one is checked for staleness.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["CONNECTING_S", "ConnectionStack"]

CONNECTING_S = "apteligent.connecting_s"
"""The extension of a request in which the pool writes how many seconds its connection took; 0 where one was at hand."""


class _Connection(Protocol):
    """What the pool needs of a connection."""

    @property
    def is_spent(self) -> bool: ...

    async def handle_async_request(self, request: httpx.Request, /) -> httpx.Response: ...

    async def aclose(self) -> None: ...


class ConnectionStack(httpx.AsyncBaseTransport):
    """As many connections as there are requests at once; free ones on a stack.

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
        self._proxy = proxy
        self._connect = _connector(origin, verify, proxy)
        self._most_free = most_free
        self._free: list[_Connection] = []
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

    async def _take(self, request: httpx.Request) -> _Connection:
        if self._free:
            connection = self._free.pop()
            if not connection.is_spent:
                request.extensions[CONNECTING_S] = 0.0
                return connection
            await connection.aclose()
        return self._connect()

    async def _put_back(self, connection: _Connection) -> None:
        if self._is_closed or len(self._free) >= self._most_free:
            await connection.aclose()
        else:
            self._free.append(connection)


def _connector(
    origin: httpx.URL, verify: Callable[[], ssl.SSLContext], proxy: httpx.Proxy | None
) -> Callable[[], _Connection]:
    """Give what makes connections, with all that is slow to import: neither for all who import us, nor in a call."""
    if proxy is None:
        from apteligent_async._connections.http11 import HttpConnection  # noqa: PLC0415

        return partial(HttpConnection, origin, verify)
    import_module("httpcore")  # beneath httpx's transports
    from apteligent_async._connections.proxied import ProxiedConnection  # noqa: PLC0415

    return partial(ProxiedConnection, verify, proxy)


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
            await self._stream.aclose()
        finally:
            await put_back()

"""One connection through a proxy, for one request at a time: httpx's own transport, which knows every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx

from apteligent_async._connections.stack import CONNECTING_S

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, MutableMapping

__all__ = ["ProxiedConnection"]


class ProxiedConnection:
    """One connection; httpx looks itself whether it is still alive.

    Args:
        verify: gives the TLS context.
        proxy: what stands between.
    """

    is_spent = False

    def __init__(self, verify: Callable[[], ssl.SSLContext], proxy: httpx.Proxy) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._transport = httpx.AsyncHTTPTransport(verify=verify(), limits=limits, proxy=proxy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read the head of its answer."""
        if CONNECTING_S not in request.extensions:
            request.extensions["trace"] = _Stopwatch(request.extensions)
        response = await self._transport.handle_async_request(request)
        response.stream = _ShieldedStream(response.stream)
        return response

    async def aclose(self) -> None:
        """Close it, even where the caller is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()


class _ShieldedStream(httpx.AsyncByteStream):
    """A body whose closing ends: it is closed after the last byte, where a caller may be cancelled."""

    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  what async transports return
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._stream.aclose()


class _Stopwatch:
    """Writes down how long a new connection took, TLS included. Its state is when it began."""

    def __init__(self, extensions: MutableMapping[str, Any]) -> None:
        self._extensions = extensions
        self._began_at = anyio.current_time()

    async def __call__(self, event: str, _: object) -> None:
        """Take the time at the end of each step; the last one counts."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._extensions[CONNECTING_S] = anyio.current_time() - self._began_at

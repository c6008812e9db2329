"""One connection straight to an origin, for one request at a time: h11 knows HTTP/1.1, anyio moves the bytes.

httpcore's own connection takes three locks, four cancel scopes and two writes for each request: with several requests
in flight that is half of what a call costs.
"""

from __future__ import annotations

import select
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import anyio
import h11
import httpx
from anyio.abc import SocketAttribute

from apteligent_async._connections.stack import CONNECTING_S

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

__all__ = ["HttpConnection"]

KEEP_ALIVE_S = 5.0
"""Seconds that a free connection is trusted for, as by httpx: later, the service may close it under a new request."""

MOST_READ = 64 * 1024
"""Bytes that are read at once."""

LONGEST_HEAD = 100 * 1024
"""Bytes of an answer's status line and headers, as in httpcore."""

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class HttpConnection:
    """One connection. Its state: the stream, once there is one; what h11 knows of it; until when it may lie idle.

    Args:
        origin: scheme, host and port of every request.
        verify: gives the TLS context.
    """

    def __init__(self, origin: httpx.URL, verify: Callable[[], ssl.SSLContext]) -> None:
        self._origin = origin
        self._verify = verify
        self._stream: anyio.abc.ByteStream | None = None
        self._socket: Any = None
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._idle_until: float | None = None

    @property
    def is_spent(self) -> bool:
        """Whether it has ended, has lain idle too long, or the other side has ended it."""
        if self._stream is None or self._idle_until is None or self._idle_until < time.monotonic():
            return True
        return _is_readable(self._socket)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read the head of its answer.

        Raises:
            httpx.TransportError: the connection could not be made, broke, or was used for something else than HTTP.
        """
        timeouts = request.extensions.get("timeout", {})
        self._idle_until = None
        try:
            if self._stream is None:
                began_at = anyio.current_time()
                self._stream = await self._connected(timeouts.get("connect"), request.extensions.get("sni_hostname"))
                self._socket = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610  nothing of Django's
                request.extensions[CONNECTING_S] = anyio.current_time() - began_at
            with suppress(httpx.WriteError):  # a service may answer, and hang up, before it has heard all
                await self._send(request, timeouts.get("write"))
            head = await self._head(timeouts.get("read"))
        except BaseException:
            await self.aclose()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Body(self, timeouts.get("read")),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    async def next_event(self, timeout_s: float | None) -> Any:
        """Give h11's next event, once enough has come for one.

        Raises:
            httpx.ReadError: the connection broke; `httpx.ReadTimeout`: nothing came in time.
            httpx.RemoteProtocolError: what came is not HTTP, or its end came too early.
        """
        while True:
            try:
                event = self._protocol.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            came = await self._receive(timeout_s)
            if not came and self._protocol.their_state is h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
            self._protocol.receive_data(came)

    async def end_answer(self) -> None:
        """Make ready for the next request after a whole answer; close, where there can be none."""
        protocol = self._protocol
        if protocol.our_state is protocol.their_state is h11.DONE and not protocol.trailing_data[0]:
            protocol.start_next_cycle()
            self._idle_until = time.monotonic() + KEEP_ALIVE_S
        else:
            await self.aclose()

    async def aclose(self) -> None:
        """Close it, even where the caller is being cancelled; twice does no harm."""
        self._idle_until = None
        stream, self._stream = self._stream, None
        if stream is not None:
            with anyio.CancelScope(shield=True):
                await stream.aclose()

    async def _connected(self, timeout_s: float | None, sni: str | None) -> anyio.abc.ByteStream:
        is_tls = self._origin.scheme == "https"
        host, port = self._origin.raw_host.decode("ascii"), self._origin.port or (443 if is_tls else 80)
        try:
            with _within(timeout_s):
                if not is_tls:
                    return await anyio.connect_tcp(host, port)
                context = self._verify()
                context.set_alpn_protocols(["http/1.1"])
                return await anyio.connect_tcp(
                    host, port, ssl_context=context, tls_standard_compatible=False, tls_hostname=sni or host
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (*_BROKEN, anyio.EndOfStream) as error:
            raise httpx.ConnectError(str(error)) from error

    async def _send(self, request: httpx.Request, timeout_s: float | None) -> None:
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  as of every request of an async client
        waiting = self._written(
            h11.Request, method=request.method, target=request.url.raw_path, headers=request.headers.raw
        )
        async for part in request.stream:
            await self._write(waiting + self._written(h11.Data, data=part), timeout_s)
            waiting = b""
        await self._write(waiting + self._written(h11.EndOfMessage), timeout_s)

    def _written(self, event: type[h11.Event], **fields: object) -> bytes:
        try:
            return self._protocol.send(event(**fields)) or b""
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    async def _write(self, data: bytes, timeout_s: float | None) -> None:
        if not data:
            return
        assert self._stream is not None  # noqa: S101  it was just connected
        try:
            with _within(timeout_s):
                await self._stream.send(data)
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except _BROKEN as error:
            raise httpx.WriteError(str(error)) from error

    async def _head(self, timeout_s: float | None) -> h11.Response:
        while not isinstance(event := await self.next_event(timeout_s), h11.Response):
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise httpx.RemoteProtocolError("the other side speaks something else than HTTP from here on")
        return event

    async def _receive(self, timeout_s: float | None) -> bytes:
        if self._stream is None:
            raise httpx.ReadError("the connection is closed")
        try:
            with _within(timeout_s):
                return await self._stream.receive(MOST_READ)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except _BROKEN as error:
            raise httpx.ReadError(str(error)) from error


class _Body(httpx.AsyncByteStream):
    """An answer's body, as it comes; its end, or its closing, is the end of the answer."""

    def __init__(self, connection: HttpConnection, timeout_s: float | None) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._connection.next_event(self._timeout_s), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        await self._connection.end_answer()


def _within(timeout_s: float | None) -> AbstractContextManager[object]:
    return nullcontext() if timeout_s is None else anyio.fail_after(timeout_s)


def _is_readable(raw_socket: Any) -> bool:
    """Whether something lies there that nobody has asked for: as a rule, the end."""
    number = raw_socket.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))

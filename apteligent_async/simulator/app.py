"""The service over a socket: an ASGI application, and a server for it on loopback in a thread of its own.

Needs the extra ``apteligent-async[simulator]``, which is imported when something here is called.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import struct
import threading
import time
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import anyio

from apteligent_async.simulator.messages import Call

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator

    import uvicorn
    from starlette.types import ASGIApp, Receive, Scope, Send

    from apteligent_async.simulator.messages import Answer
    from apteligent_async.simulator.service import Service

__all__ = ["CannotListen", "asgi_app", "serve"]

_BACKLOG = 512
_DROP = "apteligent_async.drop"
"""The ASGI extension by which our server lets the application end its connection."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: closing resets the connection."""


class CannotListen(OSError):  # noqa: N818  says what cannot be done
    """The address cannot be listened on: in use, not allowed, or not of this machine."""


def asgi_app(
    service: Service, *, clock: Callable[[], float] = time.monotonic, latency: float = 0.0, host: str = "127.0.0.1"
) -> ASGIApp:
    """Return the service as an ASGI application.

    Args:
        service: who answers.
        clock: tells the instant of each call's arrival, in seconds; the quota runs on it.
        latency: seconds that every answer takes, half of them before the call is counted.
        host: a further name that the Host header may carry; otherwise only loopback is served, so that no page in a
            browser can reach the simulator under a foreign name.

    Raises:
        ModuleNotFoundError: the extra is not installed.
    """
    _require_extra()
    from starlette.requests import Request  # noqa: PLC0415  an extra
    from starlette.responses import PlainTextResponse, Response  # noqa: PLC0415  an extra

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not _is_local(request.url.hostname, host):
            await PlainTextResponse("this Host is not served here", status_code=421)(scope, receive, send)
            return
        call = _call_of(scope, dict(request.headers), await request.body())
        await anyio.sleep(latency / 2)
        answer = service.handle(call, now=clock())
        await anyio.sleep(latency / 2)
        if answer.delivery.is_plain:
            await Response(answer.body, answer.status, dict(answer.headers))(scope, receive, send)
        else:
            await _deliver(answer, scope, receive, send)

    return app


async def _deliver(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer late, slowly, padded or in part."""
    delivery = answer.delivery
    await anyio.sleep(delivery.head_after_s)
    if delivery.has_head:
        headers = [*answer.headers, ("Content-Length", str(delivery.length(answer.body)))]
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        for pause_s, part in delivery.parts(answer.body):
            await anyio.sleep(pause_s)
            await send({"type": "http.response.body", "body": part, "more_body": True})
    if delivery.is_cut:
        await _break_off(scope, receive, is_reset=delivery.is_reset)
    else:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _break_off(scope: Scope, receive: Receive, *, is_reset: bool) -> None:
    """End the connection; under a server other than ours, by failing."""
    drop = scope.get("extensions", {}).get(_DROP)
    if drop is None:
        raise ConnectionAbortedError("a fault of the schedule ends this connection")
    drop(is_reset=is_reset)
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def serve(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = time.monotonic,
    latency: float = 0.0,
) -> Generator[str]:
    """Serve over HTTP while the block runs; gives the base URL, such as ``http://127.0.0.1:49152``.

    Works from asyncio, from trio and without any event loop: the server has a thread and a loop of its own. Leaving the
    block drops whatever is under way.

    Args:
        service: who answers.
        host: address to listen on.
        port: 0 for any free one.
        clock: as in `asgi_app`.
        latency: as in `asgi_app`.

    Raises:
        CannotListen: the address is taken or not ours.
        ModuleNotFoundError: the extra is not installed.
    """
    app = asgi_app(service, clock=clock, latency=latency, host=host)
    listener = _listen(host, port)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True)
    log = logging.getLogger("uvicorn.error")

    def is_not_ours(record: logging.LogRecord) -> bool:
        return record.thread != thread.ident

    log.addFilter(is_not_ours)
    thread.start()
    try:
        yield _url(listener)
    finally:
        server.should_exit = True
        thread.join()
        log.removeFilter(is_not_ours)
        listener.close()


def _require_extra() -> None:
    try:
        for needed in ("starlette", "uvicorn"):
            import_module(needed)
    except ModuleNotFoundError as missing:
        message = f"the simulator's server needs {missing.name}: pip install 'apteligent-async[simulator]'"
        raise ModuleNotFoundError(message, name=missing.name) from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; without, answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as refused:
        listener.close()
        raise CannotListen(
            f"cannot listen on {host}:{port}: {getattr(refused, 'strerror', None) or refused}"
        ) from refused
    return listener


def _server(app: ASGIApp) -> uvicorn.Server:
    import uvicorn  # noqa: PLC0415  an extra

    class Abrupt(uvicorn.Server):
        """Drops its connections when told to stop, instead of waiting for them."""

        def drop(self, client: tuple[str, int], *, is_reset: bool) -> None:
            """End the connection with a client."""
            for connection in list(self.server_state.connections):
                if connection.transport.get_extra_info("peername")[:2] == tuple(client):
                    _end(connection.transport, is_reset=is_reset)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            self.force_exit = True
            await super().shutdown(sockets)

    async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), _DROP: partial(server.drop, scope["client"])}
        await app({**scope, "extensions": extensions}, receive, send)

    server = Abrupt(
        uvicorn.Config(
            droppable, loop="asyncio", lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
        )
    )
    return server


def _end(transport: asyncio.Transport, *, is_reset: bool) -> None:
    if not is_reset:
        transport.close()
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_local(name: str | None, host: str) -> bool:
    if name in ("localhost", host):
        return True
    try:
        return name is not None and ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _call_of(scope: Scope, headers: dict[str, str], body: bytes) -> Call:
    target = scope["raw_path"].decode("ascii", "replace")
    query = scope["query_string"].decode("ascii", "replace")
    return Call.parse(scope["method"], f"{target}?{query}" if query else target, headers, body)

"""The service over a socket: an ASGI application, and a server for it on loopback in a thread of its own.

Needs the extra ``apteligent-async[simulator]``, which is imported when something here is called.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from apteligent_async.simulator.messages import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import uvicorn
    from starlette.types import ASGIApp, Receive, Scope, Send

    from apteligent_async.simulator.service import Service

__all__ = ["CannotListen", "asgi_app", "serve"]

_BACKLOG = 512


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
        await Response(answer.body, answer.status, dict(answer.headers))(scope, receive, send)

    return app


@contextmanager
def serve(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = time.monotonic,
    latency: float = 0.0,
) -> Iterator[str]:
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
        import starlette  # noqa: F401, PLC0415  only whether they are there
        import uvicorn  # noqa: F401, PLC0415
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

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            self.force_exit = True
            await super().shutdown(sockets)

    return Abrupt(
        uvicorn.Config(
            app, loop="asyncio", lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
        )
    )


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

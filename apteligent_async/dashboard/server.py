"""The dashboard by itself: served until interrupted, with everything that is open ended at once then."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from apteligent_async.dashboard.router import dashboard_router
from apteligent_async.integrations.fastapi import apteligent_lifespan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from apteligent_async import ApteligentClient
    from apteligent_async.dashboard.door import Door

__all__ = ["CannotListen", "listening", "run_dashboard"]

_GRACE_S = 2
"""Seconds that answers under way may still take when the server is told to stop."""


class CannotListen(OSError):  # noqa: N818  says what cannot be done
    """The address cannot be listened on: in use, not allowed, or not of this machine."""


@contextmanager
def listening(host: str, port: int) -> Generator[tuple[socket.socket, str]]:
    """Listen while the block runs; give the socket and its origin, such as ``http://127.0.0.1:49152``.

    Args:
        host: address to listen on.
        port: 0 for any free one.

    Raises:
        CannotListen: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the protocol is named.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except (OSError, OverflowError) as refused:
            why = getattr(refused, "strerror", None) or refused
            raise CannotListen(f"cannot listen on {host}:{port}: {why}") from refused
        bound_port = listener.getsockname()[1]
        yield listener, f"http://[{host}]:{bound_port}" if ":" in host else f"http://{host}:{bound_port}"


def run_dashboard(listener: socket.socket, make_client: Callable[[], ApteligentClient], door: Door) -> None:
    """Serve the dashboard at ``/`` until a signal ends it, which is then raised anew.

    Args:
        listener: where browsers come to.
        make_client: makes the client whose figures are shown; it is opened and closed here.
        door: who may come in.
    """
    # The documentation pages of FastAPI load scripts from elsewhere, and there is nothing here to document.
    app = FastAPI(lifespan=apteligent_lifespan(make_client), docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(dashboard_router(door=door, is_ending=lambda: server.should_exit))
    # No access log: the first address has a token in it.
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        ws="none",
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])

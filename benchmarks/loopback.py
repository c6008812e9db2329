"""A bare server on loopback: it answers every request with one prepared pie, and states what is left of a budget.

    python -m benchmarks.loopback unlimited --core 1

prints ``http://127.0.0.1:PORT`` and serves until its input ends. It may import neither the package nor a rival, and
does next to nothing, so that it is never what a client waits for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["BUDGETS", "HEADERS", "PIE", "pie"]

PIE: Final = "/v2/errorMonitoring/pie?graph=crashes&appId=519d53101386202089000007&duration=1440&groupBy=appVersion"
"""The call that every client makes."""

HEADERS: Final = {"Authorization": "Bearer t", "Accept": "application/json"}
"""What every client sends besides its own headers."""

_MINUTE_S: Final = 60
_ENDLESS: Final = 900_000_000
_PLENTY: Final = 600_000
"""Calls a minute that no client here can reach."""

_HEAD: Final = (
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 14 Dec 2015 00:00:00 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n"
    "Vary: Accept-Encoding\r\nCache-Control: no-store\r\nX-Frame-Options: SAMEORIGIN\r\n"
    "Rate-Limit-Limit: {limit}\r\nRate-Limit-Remaining: {remaining}\r\nRate-Limit-Reset: {reset}\r\n\r\n"
)


def pie(slices: int = 24) -> bytes:
    """Write the answer to `errorMonitoring/pie`: 1.4 kB with two dozen slices."""
    cut = [{"label": f"version {i}.0.{i}", "name": f"{i}.0.{i}", "value": i * 37 % 1000} for i in range(slices)]
    window = {"start": "2015-12-13T00:00:00", "end": "2015-12-14T00:00:00", "interval": 86400}
    return json.dumps({"data": {**window, "slices": cut}}).encode()


def _unlimited() -> Callable[[], bytes]:
    """Give what states the same, enormous budget in each answer."""
    answer = _answer(limit=_ENDLESS, remaining=_ENDLESS, reset=_MINUTE_S)
    return lambda: answer


def _counted() -> Callable[[], bytes]:
    """Give what counts a budget of fixed minutes down, answer by answer, as a service does; it is never used up."""
    calls, window = count(1), -1

    def answer() -> bytes:
        nonlocal calls, window
        now = time.monotonic()
        if now // _MINUTE_S != window:
            calls, window = count(1), now // _MINUTE_S
        return _answer(limit=_PLENTY, remaining=_PLENTY - next(calls), reset=_MINUTE_S - int(now % _MINUTE_S))

    return answer


BUDGETS: Final[dict[str, Callable[[], Callable[[], bytes]]]] = {"unlimited": _unlimited, "counted": _counted}
"""What a server can say of its budget."""

_BODY: Final = pie()


def _answer(*, limit: int, remaining: int, reset: int) -> bytes:
    return _HEAD.format(length=len(_BODY), limit=limit, remaining=remaining, reset=reset).encode() + _BODY


class _Server(asyncio.Protocol):
    """Answers each blank line that ends a request's head: requests with a body are not for it."""

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self._answer = answer
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in heads:
            self._transport.write(self._answer())


async def _serve(answer: Callable[[], bytes]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Server(answer), "127.0.0.1", 0, backlog=1024)
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main(given: Sequence[str] | None = None) -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loopback", description=__doc__.splitlines()[0])
    parser.add_argument("budget", choices=BUDGETS, help="what the answers say of a budget")
    parser.add_argument("--core", type=int, help="the processor to stay on")
    wanted = parser.parse_args(given)
    if wanted.core is not None:
        os.sched_setaffinity(0, {wanted.core})
    asyncio.run(_serve(BUDGETS[wanted.budget]()))


if __name__ == "__main__":
    main()

"""An httpx transport that joins a client to the service in the same process: with delay, deadlines and a cut.

The only clock is `anyio.current_time` and the only sleep is anyio's, so that it runs in virtual time on asyncio and on
trio. A request that was sent arrives, whatever becomes of the one who sent it: if the caller gives up or is cancelled
on the way, the service counts the call all the same, at the instant of its arrival.
"""

from __future__ import annotations

import heapq
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import anyio
import httpx
from anyio.lowlevel import checkpoint
from attrs import define, field

from apteligent_async.simulator.messages import Answer, Call
from apteligent_async.simulator.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

    from apteligent_async.simulator.service import Service

__all__ = ["Delay", "SimulatorTransport", "uniform"]

Delay: TypeAlias = "float | Callable[[], float]"
"""Seconds: a number, or a function that is asked for one each time."""


def uniform(low: float, high: float, *, seed: int = 1) -> Callable[[], float]:
    """Return seeded delays between two numbers of seconds, for `SimulatorTransport`."""
    throw = dice("delay", seed)
    return lambda: throw.uniform(low, high)


@define(order=False)
class _Parcel:
    call: Call
    answer: Answer | None = field(default=None)


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Carries requests to a `Service` and answers back.

    Its state is the requests under way to the service, and whether the link is cut.

    Args:
        service: who answers.
        up: seconds to the service, or a function that gives them for each request.
        down: seconds back, likewise.
        connect: seconds before a request can be sent, likewise; the ``connect`` timeout is measured against it.

    Attributes:
        calls: requests that arrived at the service so far.
        in_flight: requests under way now.
        most_in_flight: the most there ever were.
    """

    def __init__(self, service: Service, *, up: Delay = 0.0, down: Delay = 0.0, connect: Delay = 0.0) -> None:
        self.service = service
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._up, self._down, self._connect = _drawn(up), _drawn(down), _drawn(connect)
        self._sent: list[tuple[float, int, _Parcel]] = []
        self._order = itertools.count()
        self._is_cut = False
        self._cut: anyio.Event | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises the httpx errors that a real transport raises."""
        body = await request.aread()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._open(request)
            answer = await self._exchange(_call_of(request, body), request)
        except BaseException:
            self._leave()
            raise
        if answer.delivery.is_plain and _is_readable(answer):
            self._leave()
            return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body, request=request)
        length = ("Content-Length", str(answer.delivery.length(answer.body)))
        stream = _Delivered(answer, request, wait=self._wait, leave=self._leave)
        return httpx.Response(answer.status, headers=[*answer.headers, length], stream=stream, request=request)

    def _leave(self) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self._cut = None  # an event belongs to one event loop, a transport may serve several

    @contextmanager
    def cut(self) -> Generator[None]:
        """Break the link while the block runs: requests under way fail with ReadError, new ones with ConnectError."""
        self._is_cut = True
        if self._cut is not None:
            self._cut.set()
        try:
            yield
        finally:
            self._is_cut = False
            self._cut = None

    def settle(self) -> None:
        """Let every request arrive whose instant has come, also those that nobody waits for any more."""
        self._deliver(anyio.current_time())

    def _deliver(self, until: float) -> None:
        while self._sent and self._sent[0][0] <= until:
            arrives_at, _, parcel = heapq.heappop(self._sent)
            self.calls += 1
            parcel.answer = self.service.handle(parcel.call, now=arrives_at)

    async def _open(self, request: httpx.Request) -> None:
        if self._is_cut:
            raise httpx.ConnectError("the link is cut", request=request)
        delay, limit = self._connect(), _timeout(request, "connect")
        if await self._is_broken_within(min(delay, limit)):
            raise httpx.ConnectError("the link was cut", request=request)
        if delay > limit:
            raise httpx.ConnectTimeout("no connection in time", request=request)

    async def _exchange(self, call: Call, request: httpx.Request) -> Answer:
        up, down, limit = self._up(), self._down(), _timeout(request, "read")
        parcel = _Parcel(call)
        arrives_at = anyio.current_time() + up
        heapq.heappush(self._sent, (arrives_at, next(self._order), parcel))
        await self._wait(min(up, limit), request)
        if up <= limit:
            self._deliver(max(arrives_at, anyio.current_time()))  # an event loop's timer may be a little early
            down += 0 if parcel.answer is None else parcel.answer.delivery.head_after_s
            await self._wait(min(down, limit - up), request)
        if parcel.answer is None or up + down > limit:
            raise httpx.ReadTimeout("no answer in time", request=request)
        if not parcel.answer.delivery.has_head:
            raise httpx.RemoteProtocolError("the connection was closed without an answer", request=request)
        return parcel.answer

    async def _wait(self, seconds: float, request: httpx.Request) -> None:
        if await self._is_broken_within(seconds):
            raise httpx.ReadError("the link was cut", request=request)

    async def _is_broken_within(self, seconds: float) -> bool:
        """Wait, and tell whether the link was cut meanwhile."""
        if seconds <= 0:
            await checkpoint()
            return self._is_cut
        if self._cut is None:
            self._cut = anyio.Event()
        cut = self._cut
        with anyio.move_on_after(seconds):
            await cut.wait()
        return cut.is_set()


class _Delivered(httpx.AsyncByteStream):
    """A body that travels as its answer's delivery says. Its state is whether it has arrived or been given up."""

    def __init__(
        self,
        answer: Answer,
        request: httpx.Request,
        *,
        wait: Callable[[float, httpx.Request], Awaitable[None]],
        leave: Callable[[], None],
    ) -> None:
        self._answer = answer
        self._request = request
        self._wait = wait
        self._leave = leave
        self._is_over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        answer, limit = self._answer, _timeout(self._request, "read")
        for pause_s, part in answer.delivery.parts(answer.body):
            await self._wait(min(pause_s, limit), self._request)
            if pause_s > limit:
                raise httpx.ReadTimeout("the body stopped", request=self._request)
            yield part
            if self._is_over:
                raise httpx.ReadError("the connection was closed on this side", request=self._request)
        if answer.delivery.is_reset:
            raise httpx.ReadError("the connection was reset", request=self._request)
        if answer.delivery.is_cut:
            raise httpx.RemoteProtocolError("the connection was closed within the body", request=self._request)

    async def aclose(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._leave()


def _is_readable(answer: Answer) -> bool:
    """Whether the body can be handed over whole: httpx would unpack a packed one at once, however large it becomes."""
    return not any(name.lower() == "content-encoding" for name, _ in answer.headers)


def _drawn(delay: Delay) -> Callable[[], float]:
    return delay if callable(delay) else lambda: delay


def _timeout(request: httpx.Request, name: str) -> float:
    seconds = request.extensions.get("timeout", {}).get(name)
    return float("inf") if seconds is None else float(seconds)


def _call_of(request: httpx.Request, body: bytes) -> Call:
    target = request.url.raw_path.decode("ascii")
    return Call.parse(request.method, target, dict(request.headers), body)

"""The scheduler for any httpx client: a transport around a transport.

    async with httpx.AsyncClient(
        transport=RateLimitedTransport(httpx.AsyncHTTPTransport(), dialect=XRateLimitDialect())
    ) as client:
        await client.get("https://api.example.com/things")

Every request waits for its turn, is sent by the transport within, and teaches the scheduler what its headers say. A
call is under way until its headers have arrived; its body streams past untouched. There is no background task.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import httpx
from attrs import define, evolve, field

from apteligent_async._budgets import MemoryBudget, Seat, take_seat
from apteligent_async._clock import running_loop
from apteligent_async._dispatch import Dispatcher, NotSent, Visit
from apteligent_async._http import NEVER_SENT, OUR_FAULT
from apteligent_async._options import CallOptions
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._scheduling.signals import Job, Lane, Priority
from apteligent_async._wire.bodies import Body, Garbled, Unreadable
from apteligent_async._wire.dialects import ApteligentDialect, Dialect
from apteligent_async._wire.messages import LinkFailure, Reply
from apteligent_async._wire.outcomes import is_refusal
from apteligent_async.errors import ClientStateError, ConfigurationError, ConnectionFailed, DeadlineExceeded
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Mapping
    from typing import Any

    from apteligent_async._budgets import Budget
    from apteligent_async._budgets.courier import Courier
    from apteligent_async._dispatch import Answer
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["RateLimitedTransport"]

EXTENSION = "apteligent"
"""Where a request carries its wishes, and its response what became of them."""

WISHES = frozenset({"cost", "deadline", "flow", "priority", "repeatable", "retry"})

IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
"""Methods whose requests may be sent twice (RFC 9110, section 9.2.2)."""

MOST_PEEKED = 16_384
"""How many bytes of a refusal's body are looked at; attested ones have about a hundred."""

MOST_UNPACKED = 1_048_576
"""How many bytes they may become when they are unpacked; beyond, they are not read at all."""

_FAILURES = (httpx.HTTPError, OSError)


class RateLimitedTransport(httpx.AsyncBaseTransport):
    """Paces whatever is sent through an httpx transport by the budget that the service states.

    A refusal (429) is waited out and the request sent again, whatever its method, as the service has not acted on it;
    failures of the service (5xx) and of the link are repeated as `retry` says if the method is idempotent. A request
    whose body is a stream is sent once only. Whoever is out of attempts gets the last response, or httpx's own error.

    A request may carry wishes in ``extensions={"apteligent": {...}}``:

    - ``priority``: ``interactive`` or ``bulk``;
    - ``deadline``: seconds until the response's headers, waiting included;
    - ``cost``: tokens that the service charges for it, at least 1;
    - ``flow``: requests of one flow stay in order, and flows share the budget fairly;
    - ``repeatable``: whether it may be sent twice, where the method says otherwise;
    - ``retry``: a `RetryPolicy` of its own.

    httpx's timeouts begin when the request is sent. The response's extension of the same name is a record with
    ``waited_s``, ``total_s`` (to the headers) and ``attempts``. Works on asyncio and trio.

    Args:
        transport: what sends; closed together with this one.
        dialect: how the service states its budget.
        policy: how the budget is spent; `RatePolicy()` by default.
        budget: one budget for all requests, to share it with other transports or clients, whose policy and dialect
            then count where they come first. By default every key has its own.
        retry: when failed requests are sent again.
        priority: for requests that wish for none.
        key: says to which budget a request belongs; its origin by default. Where the service counts by user, take
            what tells users apart.

    Raises:
        ConfigurationError: the priority, or a wish of a request, is not possible.
        DeadlineExceeded: the deadline has passed, or cannot be met.
        QueueFull: more requests wait than the policy allows.
        ClientStateError: the transport was closed.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        dialect: Dialect | None = None,
        policy: RatePolicy | None = None,
        budget: Budget | None = None,
        retry: RetryPolicy | None = None,
        priority: Priority | str = Priority.INTERACTIVE,
        key: Callable[[httpx.Request], Hashable] | None = None,
    ) -> None:
        self._transport = transport
        self._dialect = dialect or ApteligentDialect()
        self._policy = policy
        self._budget = budget
        self._options = CallOptions(retry=RetryPolicy() if retry is None else retry).changed(priority=priority)
        self._key = key or _origin
        self._lines: dict[tuple[Hashable, Hashable], _Line] = {}
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request when its turn has come, and again as often as need be."""
        if self._is_closed:
            raise ClientStateError("This transport is closed: make a new one to start again.")
        began_at = anyio.current_time()
        options, job = _wishes(request, self._options)
        exchange = _Exchange(self._transport, request)
        visit = Visit(job, exchange.send, exchange.let_go)
        line = self._line(self._key(request))
        line.visits.add(visit)
        try:
            await _perform(line.dispatcher, visit, deadline_s=options.deadline)
        except NotSent:
            pass  # the exchange has the reason
        finally:
            line.visits.discard(visit)
        response = exchange.result()
        total_s = anyio.current_time() - began_at
        timeline = Timeline(waited_s=visit.waited_s, total_s=total_s, attempts=visit.attempts)
        response.extensions = {**response.extensions, EXTENSION: timeline}
        return response

    async def aclose(self) -> None:
        """Fail the requests that wait, and close the transport within."""
        self._is_closed = True
        while self._lines:
            _, line = self._lines.popitem()
            line.dispatcher.close(line.visits)
            await line.seat.leave()
        await self._transport.aclose()

    def budget(self, key: Hashable = None) -> BudgetSnapshot:
        """Describe a budget now.

        Args:
            key: which one: an origin such as ``https://api.example.com``, or what the ``key`` function gives. Not
                needed while there is only one.

        Raises:
            ConfigurationError: no request has used that budget on this event loop, or there are several.
            ClientStateError: no event loop runs here.
        """
        here = running_loop()
        lines = {key: line for (loop, key), line in self._lines.items() if loop == here}
        if key is None and len(lines) == 1:
            key = next(iter(lines))
        if key not in lines:
            raise ConfigurationError(f"There is no budget {key!r} here; those in use are {sorted(map(repr, lines))}.")
        return lines[key].dispatcher.snapshot()

    def _line(self, key: Hashable) -> _Line:
        loop = running_loop()
        line = self._lines.get((loop, key))
        if line is None:
            budget = self._budget if self._budget is not None else MemoryBudget()
            hypotheses = self._dialect.hypotheses
            seat = take_seat(budget, loop, self._policy, self._dispatcher, account=str(key), hypotheses=hypotheses)
            line = self._lines[loop, key] = _Line(seat)
        return line

    def _dispatcher(self, scheduler: Scheduler, courier: Courier | None) -> Dispatcher:
        return Dispatcher(scheduler, dice=random.random, dialect=self._dialect, courier=courier)


@define(eq=False)
class _Line:
    """A budget's line on one event loop, and who of ours is in it."""

    seat: Seat[Dispatcher]
    visits: set[Visit] = field(factory=set)

    @property
    def dispatcher(self) -> Dispatcher:
        """What runs its calls."""
        return self.seat.runner


@define(eq=False)
class _Exchange:
    """One request on its way; its state is what its last attempt brought."""

    transport: httpx.AsyncBaseTransport
    request: httpx.Request
    response: httpx.Response | None = None
    error: Exception | None = None

    async def send(self) -> Answer:
        """Make one attempt."""
        self.response = self.error = None
        try:
            response = await self.transport.handle_async_request(self.request)
        except OUR_FAULT as error:
            self.error = error
            raise NotSent from error
        except _FAILURES as error:
            self.error = error
            return LinkFailure(error=ConnectionFailed(str(error)), was_sent=not isinstance(error, NEVER_SENT))
        body = await _peek(response) if is_refusal(response.status_code) else b""
        self.response = response
        return Reply(status=response.status_code, headers=dict(response.headers.items()), body=body)

    async def let_go(self) -> None:
        """Close the last response, whose connection somebody else may want."""
        if self.response is not None:
            await _close(self.response)

    def result(self) -> httpx.Response:
        """Give the last response, or raise what came in its place."""
        if self.response is not None:
            return self.response
        assert self.error is not None  # noqa: S101  an attempt brings one or the other
        raise self.error


class _PeekedStream(httpx.AsyncByteStream):
    """A body whose beginning has been looked at; its reader notices nothing."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream
        self._rest = aiter(stream)
        self._seen: list[bytes] = []
        self._failure: Exception | None = None

    async def peek(self, most: int) -> bytes:
        """Read up to so many bytes, and the part that goes beyond; a failure is kept for the reader."""
        size = 0
        try:
            while size < most:
                part = await anext(self._rest, None)
                if part is None:
                    break
                self._seen.append(part)
                size += len(part)
        except _FAILURES as error:
            self._failure = error
        return b"".join(self._seen)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._seen:
            yield part
        if self._failure is not None:
            raise self._failure
        async for part in self._rest:
            yield part

    async def aclose(self) -> None:
        try:
            close = getattr(self._rest, "aclose", None)  # an iterator need not have one
            if close is not None:
                await close()
        finally:
            await self._stream.aclose()


async def _perform(dispatcher: Dispatcher, visit: Visit, *, deadline_s: float | None) -> None:
    if deadline_s is None:
        await dispatcher.perform(visit)
        return
    visit.job.deadline_at = anyio.current_time() + deadline_s
    with anyio.CancelScope(deadline=visit.job.deadline_at):
        await dispatcher.perform(visit)
        return
    raise DeadlineExceeded(
        f"The request was not answered within its deadline of {deadline_s:g} s.",
        cause="answer" if visit.attempts else "budget",
        attempts=visit.attempts,
        waited=visit.waited_s,
    )


def _wishes(request: httpx.Request, defaults: CallOptions) -> tuple[CallOptions, Job]:
    wishes: Mapping[str, Any] = request.extensions.get(EXTENSION, {})
    unknown = set(wishes) - WISHES
    if unknown:
        raise ConfigurationError(f"Nobody knows {sorted(unknown)}; a request may wish for {sorted(WISHES)}.")
    cost = wishes.get("cost", 1)
    if not isinstance(cost, int) or cost < 1:
        raise ConfigurationError(f"cost={cost!r} is not possible: it must be a whole number of tokens, at least 1.")
    named = {name: wishes.get(name) for name in ("priority", "deadline", "retry")}
    options = defaults.changed(**named)
    job = Job(
        lane=Lane[options.priority.name],
        flow=wishes.get("flow"),
        cost=cost,
        is_repeatable=wishes.get("repeatable", request.method in IDEMPOTENT),
        retry=_retry(request, options.retry),
    )
    return options, job


def _retry(request: httpx.Request, wanted: RetryPolicy) -> RetryPolicy:
    """Send once only what cannot be sent twice: the parts of a streamed body are gone."""
    is_at_hand = isinstance(request.stream, httpx.ByteStream)
    return wanted if is_at_hand else evolve(wanted, max_attempts=1, max_rate_limited=1)


async def _peek(response: httpx.Response) -> bytes:
    """Read the beginning of a body as the dialect wants it, unpacked; its reader still gets all of it."""
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  what async transports return
    stream = response.stream = _PeekedStream(response.stream)
    try:
        raw = await stream.peek(MOST_PEEKED)
    except BaseException:
        await _close(response)
        raise
    try:
        body = Body(response.headers.get("content-encoding", ""), most=MOST_UNPACKED)
        body.add(raw)
        return body.whole()
    except (Garbled, Unreadable):
        return b""


async def _close(response: httpx.Response) -> None:
    with anyio.CancelScope(shield=True), suppress(*_FAILURES):
        await response.aclose()


def _origin(request: httpx.Request) -> Hashable:
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"

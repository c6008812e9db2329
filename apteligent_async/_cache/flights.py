"""Identical calls in flight, made once: who comes later joins, who leaves disturbs nobody, the last one ends it.

A call that is shared belongs to no single caller, so it is a task of its own, owned by the client: none is left when
the client has closed.
"""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from attrs import define, field, frozen

from apteligent_async._background import start_in_background
from apteligent_async._scheduling.signals import Priority
from apteligent_async.errors import ApteligentError, ClientStateError, DeadlineExceeded, RateLimitedError
from apteligent_async.models.result import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from apteligent_async._cache.entries import CacheEntry

__all__ = ["Errand", "Flight", "Flights"]

Found = TypeVar("Found", bound=Result)

_CLOSED = "The client was closed while this call was waiting."


@frozen(kw_only=True, eq=False)
class Errand(Generic[Found]):
    """What a caller wants, and how to get it.

    Attributes:
        key: names the request and the account.
        newer_than: what was kept at this instant (since the epoch), or before, is not wanted.
        priority: how urgent the caller is.
        deadline_at: the caller's own deadline; an enclosing scope may end its call earlier.
        fetch: makes the call with a priority; told the instant after which nobody wants the answer.
        fresh_s: says for how many seconds an answer that came at an instant (since the epoch) is fresh.
        restore: makes a result of a kept answer.
    """

    key: str
    newer_than: float = -math.inf
    priority: Priority
    deadline_at: float
    fetch: Callable[[Priority, float], Awaitable[Found]]
    fresh_s: Callable[[float], float]
    restore: Callable[[CacheEntry], Found]


@define(eq=False)
class Flight:
    """One shared call, and what came of it.

    Attributes:
        key: whose answer it brings.
        priority: the lane that it waits in.
        until: the instant that it was begun with: later, whoever began it does not want it any more.
        is_watched: whether it was begun for somebody, and ends with the last who waits for it.
        passengers: how many wait for it.
    """

    key: str
    priority: Priority
    until: float
    is_watched: bool
    passengers: int = 0
    result: Any = None
    failure: Exception = field(factory=lambda: ClientStateError(_CLOSED))
    scope: anyio.CancelScope = field(factory=anyio.CancelScope, repr=False)
    done: anyio.Event = field(factory=anyio.Event, repr=False)

    @property
    def is_needed(self) -> bool:
        """Whether anybody waits for it."""
        return self.passengers > 0

    def land(self, result: Any) -> None:
        """Give everybody the answer."""
        self.result = result
        self.done.set()


class Flights:
    """All shared calls of one client. Its state is those under way, by key and priority.

    An urgent call does not join one that waits behind others: it makes its own, whose answer then serves both.

    Args:
        perform: makes the call of an errand and keeps its answer.
        must_wait: whether a call of a priority that starts now would have to wait for budget.
    """

    def __init__(
        self, perform: Callable[[Errand[Any], Flight], Awaitable[Any]], *, must_wait: Callable[[Priority], bool]
    ) -> None:
        self._perform = perform
        self._must_wait = must_wait
        self._under_way: dict[str, dict[Priority, Flight]] = {}
        self._flying: set[Flight] = set()

    def __len__(self) -> int:
        return len(self._flying)

    async def ride(self, errand: Errand[Found]) -> tuple[Found, bool]:
        """Make the call or join one under way; give its result, and whether it was somebody else's call.

        Raises:
            DeadlineExceeded: the caller's deadline passed, or is hopeless.
            ApteligentError: whatever became of the call; each caller gets an error of its own.
        """
        while True:
            flight, is_own = self._find(errand), False
            if flight is None:
                until = min(errand.deadline_at, anyio.current_effective_deadline())
                flight, is_own = self._begin(errand, Flight(errand.key, errand.priority, until, is_watched=True)), True
            await self._sit(flight, errand.deadline_at)
            if flight.result is not None:
                return flight.result, not is_own
            if not _ended_early(flight, errand.deadline_at):
                raise _own_copy(flight.failure)
            if is_own:  # an enclosing scope is about to end this call, unless its owner moves the scope's end
                await anyio.sleep_until(flight.until)

    def begin_unwatched(self, errand: Errand[Any]) -> bool:
        """Make the call for nobody, behind all others, unless one is under way; tell whether it was begun."""
        if errand.key in self._under_way:
            return False
        self._begin(errand, Flight(errand.key, Priority.BULK, math.inf, is_watched=False))
        return True

    async def aclose(self) -> None:
        """End those that nobody waits for, and wait until they have ended; the others end with their callers."""
        unneeded = [flight for flight in self._flying if not flight.is_needed]
        for flight in unneeded:
            flight.scope.cancel()
        for flight in unneeded:
            await flight.done.wait()

    def _find(self, errand: Errand[Any]) -> Flight | None:
        flights = self._under_way.get(errand.key, {})
        urgent = flights.get(Priority.INTERACTIVE)
        return urgent if errand.priority is Priority.INTERACTIVE else urgent or flights.get(Priority.BULK)

    def _begin(self, errand: Errand[Any], flight: Flight) -> Flight:
        self._under_way.setdefault(flight.key, {})[flight.priority] = flight
        self._flying.add(flight)
        start_in_background(self._fly, flight, errand)
        return flight

    async def _sit(self, flight: Flight, deadline_at: float) -> None:
        flight.passengers += 1
        try:
            with anyio.CancelScope(deadline=deadline_at):
                await flight.done.wait()
                return
        finally:
            flight.passengers -= 1
            if flight.is_watched and not flight.is_needed and not flight.done.is_set():
                self._forget(flight)
                flight.scope.cancel()
        cause = "budget" if self._must_wait(flight.priority) else "answer"
        raise DeadlineExceeded("The call was not done within its deadline.", cause=cause)

    async def _fly(self, flight: Flight, errand: Errand[Any]) -> None:
        try:
            with flight.scope:
                flight.result = await self._perform(errand, flight)
                self._land_others(flight)
        except Exception as error:  # noqa: BLE001  each passenger raises it
            flight.failure = error
        finally:
            self._forget(flight)
            self._flying.discard(flight)
            flight.done.set()

    def _land_others(self, flight: Flight) -> None:
        """Give the answer to those who wait for the same in another lane, whose call is not needed any more."""
        for other in list(self._under_way.get(flight.key, {}).values()):
            if other is not flight:
                other.land(flight.result)
                other.scope.cancel()

    def _forget(self, flight: Flight) -> None:
        flights = self._under_way.get(flight.key, {})
        if flights.get(flight.priority) is flight:
            del flights[flight.priority]
        if not flights:
            self._under_way.pop(flight.key, None)


def _ended_early(flight: Flight, deadline_at: float) -> bool:
    """Whether a call failed only because whoever began it has less time than this caller."""
    return isinstance(flight.failure, DeadlineExceeded | RateLimitedError) and flight.until < deadline_at


def _own_copy(failure: Exception) -> Exception:
    """Copy an error, so that the tracebacks of many callers do not grow into each other."""
    if not isinstance(failure, ApteligentError):
        return failure
    own = copy(failure)
    own.__cause__ = failure.__cause__
    return own

"""Goes to the store for a line: with the news, and back with tokens. There is no task of its own: callers run it."""

from __future__ import annotations

import math
import random
from functools import partial
from typing import TYPE_CHECKING

import anyio
from attrs import define, field

from apteligent_async._budgets.hosts import is_gone
from apteligent_async._budgets.store import StoreGone
from apteligent_async._scheduling.fleet_text import advance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apteligent_async._budgets.store import Store, Told
    from apteligent_async._scheduling.fleet import Fleet, Granted, Step
    from apteligent_async._scheduling.leases import LeasedBooks
    from apteligent_async._scheduling.readings import Hypothesis
    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["Courier"]

QUIET_S = 0.1
"""A member that holds tokens and has been quiet for so long is looked after: its process may be gone."""


@define(eq=False)
class Courier:
    """Carries one line's steps to the store. Its state is whether it is away, and how often it went.

    Attributes:
        scheduler: the line.
        books: what it holds of the budget.
        store: where the budget is kept.
        hypotheses: the ways in which the service's numbers may have to be read.
        dice: gives even draws from [0, 1).
        visits: how often it went.
    """

    scheduler: Scheduler
    books: LeasedBooks
    store: Store
    hypotheses: Sequence[Hypothesis]
    dice: Callable[[], float] = random.random
    visits: int = 0
    _homecoming: anyio.Event | None = field(default=None, init=False)
    _is_retired: bool = field(default=False, init=False)

    def due_at(self) -> float:
        """Name the instant of the next visit; infinite: there is nothing to go for, or it is under way."""
        if self._homecoming is not None:
            return math.inf
        now = anyio.current_time()
        return self.books.visits_at(self.scheduler.demand(now=now), now=now)

    async def visit(self) -> None:
        """Go to the store and back, whatever becomes of the caller meanwhile; a store that is gone is no error.

        Raises:
            ConfigurationError: the store can never be used as it is.
        """
        if self._homecoming is not None:
            return
        self._homecoming = anyio.Event()
        self.visits += 1
        try:
            with anyio.CancelScope(shield=True):
                await self._visit()
                if self._is_retired:
                    await self.store.aclose()
        finally:
            self._homecoming.set()
            self._homecoming = None

    async def look(self) -> None:
        """Go although nothing is wanted, to learn what others did until now; not while the store is gone.

        A visit that is under way may have been at the store already: then the next one counts.

        Raises:
            ConfigurationError: the store can never be used as it is.
        """
        begun = self.visits
        while self.books.alone is None and not self._is_retired and self._visits_ended <= begun:
            if self._homecoming is not None:
                await self._homecoming.wait()
            else:
                await self.visit()

    @property
    def _visits_ended(self) -> int:
        return self.visits - (self._homecoming is not None)

    async def retire(self) -> None:
        """Tell what is left to tell, and let go of the store; calls under way are told of when they end."""
        self._is_retired = True
        if self.books.has_anything:
            await self.visit()
        with anyio.CancelScope(shield=True):
            await self.store.aclose()

    async def _visit(self) -> None:
        now = anyio.current_time()
        errand = self.books.errand(self.scheduler.demand(now=now), dead=self._dead(), now=now)
        try:
            granted, fleet = await self.store.change(partial(_change, errand.step, self.hypotheses))
        except StoreGone as error:
            if self.books.go_alone(now=anyio.current_time(), dice=self.dice()):
                self.scheduler.note("store.degraded", now=anyio.current_time(), why=str(error))
            return
        was_alone, now = self.books.alone is not None, anyio.current_time()
        with self.scheduler.noting_change(now=now):
            self.books.take_in(errand, granted, fleet, now=now)
        if was_alone:
            self.scheduler.note("store.restored", now=now)

    def _dead(self) -> tuple[str, ...]:
        """Name the members of this host that hold tokens and whose processes are gone."""
        fleet, books = self.books.fleet, self.books
        if fleet is None:
            return ()
        return tuple(
            name
            for name, member in fleet.members.items()
            if member.held
            and member.host == books.host
            and member.pid != books.pid
            and fleet.stamped_at - member.seen_at > QUIET_S
            and is_gone(member.pid)
        )


def _change(step: Step, hypotheses: Sequence[Hypothesis], told: Told) -> tuple[str, tuple[Granted, Fleet]]:
    return advance(told.text, step, hypotheses=hypotheses, clock=told.clock, now=told.now, blur_s=told.blur_s)

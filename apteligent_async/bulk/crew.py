"""The workers of a pull: each takes a call, makes it, commits what came and hands it on, until none is left."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import anyio
from attrs import define, field, frozen

from apteligent_async.bulk.planner import plain_loop
from apteligent_async.errors import ApteligentError, BadRequestError, NotFoundError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from apteligent_async.bulk.ledger import Ledger
    from apteligent_async.bulk.report import Tally
    from apteligent_async.bulk.units import Fetch, Row, Unit
    from apteligent_async.client import ApteligentClient

__all__ = ["Crew", "UnitResult"]

_UNAUTHORIZED = 401

_HOPELESS = 3
"""So many 401s with no answer in between, and the token is taken to be dead: the rest is not worth its budget."""

_BLAMES_ONE = (BadRequestError, NotFoundError, ResponseError)
"""What a call about several apps may get because of one of them."""


@frozen(kw_only=True)
class UnitResult:
    """What became of one unit: its rows, or an error.

    Attributes:
        unit: what was asked for.
        rows: what came; empty where there is nothing, and where there is an error.
        error: why it could not be had; None if it was.
    """

    unit: Unit
    rows: tuple[Row, ...] = field(default=(), repr=False)
    error: ApteligentError | None = None


@define(eq=False, kw_only=True)
class Crew:
    """Workers and what they share; the state is the calls that wait, what was brought, and how many 401s came in a row.

    Attributes:
        size: how many work at once, each on one call.
        client: asks.
        ledger: keeps.
        tally: counts.
        stamp: tells what to write down as the time.
        hand_on: takes each result, and makes the worker wait while nobody wants it.
        waiting: how many calls nobody has begun with.
        brought: keys of the lists that are in the ledger by now.
    """

    size: int
    client: ApteligentClient
    ledger: Ledger
    tally: Tally
    stamp: Callable[[], datetime]
    hand_on: Callable[[UnitResult], Awaitable[None]]
    waiting: int = field(default=0, init=False)
    brought: set[str] = field(factory=set, init=False)
    _calls: Iterator[Fetch] = field(factory=lambda: iter(()), init=False)
    _refusals: list[ApteligentError] = field(factory=list, init=False)

    async def work_off(self, fetches: Iterable[Fetch], count: int) -> None:
        """Make some calls, as many as `count`; one that fails stops no other. Each is made up when its turn comes.

        Raises:
            LedgerError: what came cannot be kept; in a group, as several workers may find out.
        """
        self._calls, self.waiting = iter(fetches), count
        async with anyio.create_task_group() as workers:
            for _ in range(min(self.size, count)):
                workers.start_soon(self._work)

    async def _work(self) -> None:
        while (fetch := next(self._calls, None)) is not None:
            self.waiting -= 1
            if len(self._refusals) >= _HOPELESS:
                await self._give_up(fetch.units, self._refusals[-1])
                continue
            try:
                rows = await self._rows_of(fetch)
            except ApteligentError as error:
                await self._note(error, fetch)
            else:
                self._refusals.clear()
                await self._keep(fetch, rows)

    async def _rows_of(self, fetch: Fetch) -> dict[str, list[Row]]:
        """Make a call, all pages of it, and deal its rows out to the units that it answers for."""
        found: dict[str, list[Row]] = {}
        async for answer in fetch.answers(self.client):
            self.tally.note_answer(answer.http)
            for key, rows in fetch.rows_of(answer).items():
                found.setdefault(key, []).extend(rows)
        return found

    async def _keep(self, fetch: Fetch, rows: dict[str, list[Row]]) -> None:
        """Commit what came, all of it at once, before anybody hears of it."""
        answered, unanswered = (
            [unit for unit in fetch.units if (unit.key in rows) is is_answered] for is_answered in (True, False)
        )
        await self.ledger.commit([(unit.key, rows[unit.key]) for unit in answered], self.stamp())
        self.brought.update(unit.key for unit in answered if unit.is_listing)
        self.tally.ok += len(answered)
        for unit in answered:
            await self.hand_on(UnitResult(unit=unit, rows=tuple(rows.pop(unit.key))))
        if unanswered:
            problem = "The service answered, but says nothing of the day or the app that was asked for."
            await self._give_up(unanswered, ResponseError(problem, endpoint=fetch.endpoint, attempts=1))

    async def _note(self, error: ApteligentError, fetch: Fetch) -> None:
        """Give up a call's units, or ask for each of them by itself if only one of them may be to blame."""
        self.tally.note_attempts(error)
        if fetch.saving is not None and isinstance(error, _BLAMES_ONE):
            apart = plain_loop(fetch.units)
            self._calls, self.waiting = chain(apart, self._calls), self.waiting + len(apart)
            return
        if error.status == _UNAUTHORIZED:
            self._refusals.append(error)
        await self._give_up(fetch.units, error)

    async def _give_up(self, units: Sequence[Unit], error: ApteligentError) -> None:
        self.tally.note_failure(units, error)
        for unit in units:
            await self.hand_on(UnitResult(unit=unit, error=error))

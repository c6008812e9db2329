"""Runs recipes on their schedules in one process, and hands what comes of them to sinks.

    recipe ── slot ── pull ── rows ── points ──┐ one transaction: points, growth of counts, end of the slot
                                               ▼
    sink ◄── the oldest that it was not given ─ spool, in the recipe's ledger

One task per recipe, and one per sink and recipe; all calls are bulk calls of one client, and so of one budget. A slot
is written down before it is asked for: killed at any point, the next process finishes what was begun, makes up for
missed slots by running the last of them, and goes on. A run that takes longer than its recipe's period is one run: the
slots that passed meanwhile are one, the last.
"""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread
from attrs import define, field, frozen

from apteligent_async.bulk.expanding import offset_of
from apteligent_async.bulk.ledger import DiskLedger
from apteligent_async.bulk.ledger_file import explained
from apteligent_async.bulk.ledger_lock import LedgerLock
from apteligent_async.bulk.recipes.points import AppLabel, path_part
from apteligent_async.bulk.recipes.readings import Occasion
from apteligent_async.bulk.runner import Pull, PullOptions
from apteligent_async.bulk.spool import Slot, Spool
from apteligent_async.errors import ApteligentError, ConfigurationError, LedgerInUse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.recipes.recipe import Recipe
    from apteligent_async.bulk.report import PullReport
    from apteligent_async.bulk.spool import SpooledPoint
    from apteligent_async.bulk.survey import Survey
    from apteligent_async.client import ApteligentClient

__all__ = ["News", "Sink", "Watch", "begin_slot", "ledger_of", "write_points"]

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_NAP_S = 60.0
"""Clocks are set and machines sleep: nobody trusts a timer for longer."""

_BATCH = 500
_SINK_PAUSE_S = 10.0
_DELIVERY_S = 10.0
"""How long a sink may take for a batch; leaving waits for no longer, either."""


class Sink(Protocol):
    """Where points go."""

    @property
    def name(self) -> str:
        """What its place in the spool is kept under: the same for the same place, in any process."""
        ...

    async def deliver(self, points: Sequence[SpooledPoint]) -> None:
        """Hand over some points, and return when the other side has them.

        Raises:
            OSError: it may not have them: they will be delivered again.
        """


@frozen(kw_only=True)
class News:
    """Something that happened, for whoever watches the watch.

    Attributes:
        recipe: whose.
        slot: for which run.
        points: numbers that were written; None where the run is not over.
        report: what became of the pull; None where there was none, or it broke off.
        missed: slots between this one and the one before that nobody ran.
        sink: which sink has the trouble; None where it is the run's.
        error: what broke it off or keeps a sink from taking points; it is tried again. A sink's is told once.
    """

    recipe: str
    slot: datetime | None = None
    points: int | None = None
    report: PullReport | None = None
    missed: int = 0
    sink: str | None = None
    error: Exception | None = None


def _clock() -> datetime:
    return datetime.now(UTC)


def _nobody(_: News) -> None:
    pass


@define(eq=False, kw_only=True)
class Watch:
    """Recipes, run on their schedules until the task is cancelled.

    Attributes:
        client: an open client, which makes all calls as bulk calls.
        recipes: what is run; their names must differ.
        folder: where the ledgers are, one per recipe, which hold all state.
        sinks: where points go.
        allow: names of the savings to use, as for a pull.
        concurrency: calls of one recipe at once.
        clock: tells this machine's time, aware.
        tell: is told the news.
    """

    client: ApteligentClient
    recipes: Sequence[Recipe]
    folder: Path = field(converter=Path)
    sinks: Sequence[Sink] = ()
    allow: Sequence[str] | None = None
    concurrency: int = 20
    clock: Callable[[], datetime] = _clock
    tell: Callable[[News], None] = _nobody

    def __attrs_post_init__(self) -> None:
        twice = [name for name, count in Counter(recipe.name for recipe in self.recipes).items() if count > 1]
        if twice:
            raise ConfigurationError(
                f"There are several recipes {twice[0]!r}: each needs a name, and a ledger, of its own."
            )

    async def run(self) -> None:
        """Run until cancelled: whatever is under way then is stopped, and taken up by the next watch.

        Raises:
            ExceptionGroup: of `LedgerInUse`, where another watch or pull has one of the ledgers, or of `LedgerError`,
                where one cannot be read or written, for instance as the disk is full.
        """
        async with anyio.create_task_group() as tasks:
            for recipe in self.recipes:
                tasks.start_soon(self._follow, recipe)

    async def _follow(self, recipe: Recipe) -> None:
        path = ledger_of(self.folder, recipe)
        async with _alone_with(path), Spool(path) as spool, anyio.create_task_group() as sinks:
            for sink in self.sinks:
                sinks.start_soon(partial(_drain, recipe, spool, sink, tell=self.tell))
            last = await spool.slot()
            if last is not None and last.is_open:
                await self._fill(recipe, spool, last, missed=0)
            while True:
                at = recipe.slot_at(self.clock())
                if last is not None and at <= last.at:
                    await self._nap_until(at + recipe.every)
                    continue
                missed = 0 if last is None else (at - last.at) // recipe.every - 1
                last = Slot(at=at, opened_at=self.clock())
                await spool.open_slot(last)
                await self._fill(recipe, spool, last, missed=missed)

    async def _fill(self, recipe: Recipe, spool: Spool, slot: Slot, *, missed: int) -> None:
        """Pull until everything is there or the next slot has come, and write what came."""
        report, pause = None, _FIRST_PAUSE
        while recipe.slot_at(self.clock()) == slot.at:
            report = await self._pull(recipe, slot)
            if report is not None and report.is_complete:
                break
            await self._nap_until(min(self.clock() + pause, slot.at + recipe.every))
            pause = min(2 * pause, _LONGEST_PAUSE)
        points = await write_points(recipe, spool, slot)
        self.tell(News(recipe=recipe.name, slot=slot.at, points=points, report=report, missed=missed))

    async def _pull(self, recipe: Recipe, slot: Slot) -> PullReport | None:
        """Ask for what is missing in a slot; None where that broke off."""
        options = PullOptions(
            concurrency=self.concurrency, allow=self.allow, clock=self.clock, renewed_at=slot.opened_at
        )
        view = self.client.with_options(priority="bulk", cache="bypass")
        try:
            async with Pull(view, recipe.plan, DiskLedger(ledger_of(self.folder, recipe)), options) as pull:
                async for _ in pull:
                    pass
        except LedgerInUse:
            raise
        except ApteligentError as error:
            self.tell(News(recipe=recipe.name, slot=slot.at, error=error))
            return None
        return pull.report

    async def _nap_until(self, instant: datetime) -> None:
        while (left_s := (instant - self.clock()).total_seconds()) > 0:  # noqa: ASYNC110  a clock has no event
            await anyio.sleep(min(left_s, _LONGEST_NAP_S))


@asynccontextmanager
async def _alone_with(ledger: Path) -> AsyncGenerator[None]:
    """See to it that no other watch follows a recipe in a ledger: both would deliver its numbers."""
    lock = LedgerLock(ledger.with_name(f"{ledger.name}-watch"))

    def acquire() -> None:
        with explained(ledger, "lock"):
            ledger.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()

    try:
        await anyio.to_thread.run_sync(acquire)
    except LedgerInUse:
        raise LedgerInUse(f"{ledger} belongs to a watch that is running: end that, or choose another folder.") from None
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lock.release)


def ledger_of(folder: Path, recipe: Recipe) -> Path:
    """Name the ledger of a recipe."""
    return folder / f"{recipe.name}.sqlite"


async def begin_slot(recipe: Recipe, spool: Spool, now: datetime) -> Slot:
    """Take up the present slot of a recipe that is run by hand, or open it, after what an earlier one left open."""
    at, last = recipe.slot_at(now), await spool.slot()
    if last is not None and last.at == at:
        return last
    if last is not None and last.is_open:
        await write_points(recipe, spool, last)
    slot = Slot(at=at, opened_at=now)
    await spool.open_slot(slot)
    return slot


async def write_points(recipe: Recipe, spool: Spool, slot: Slot) -> int:
    """Turn what was had since a slot was opened into points, and close it; tell how many points are new."""
    standing = await spool.standing(slot)
    if standing.survey is None:
        return await spool.close_slot(slot, (), standing.answered)
    occasion = Occasion(
        section=recipe.name,
        slot=slot.at,
        apps=_labels(recipe.plan, standing.survey),
        merge=recipe.merge,
        only=recipe.only,
    )
    return await spool.close_slot(slot, recipe.reading.points(standing.rows, occasion), standing.answered)


def _labels(plan: Plan, survey: Survey) -> Mapping[str, AppLabel]:
    """Name the apps; where two have one name, as on two platforms, each gets its id besides."""
    counted = Counter(path_part(app.name) for app in survey.apps)
    return {
        app.id: AppLabel(
            name=app.name if counted[path_part(app.name)] == 1 else f"{app.name} {app.id}",
            offset_hours=offset_of(plan, app),
        )
        for app in survey.apps
    }


async def _drain(recipe: Recipe, spool: Spool, sink: Sink, *, tell: Callable[[News], None]) -> None:
    """Hand a recipe's points to a sink, in order, until cancelled; what is being handed over then is not cut short."""
    told = ""
    while True:
        batch = await spool.unread(sink.name, most=_BATCH)
        if not batch:
            await spool.wait_for_more(_LONGEST_NAP_S)
            continue
        problem: OSError | None = None
        with anyio.CancelScope(shield=True):
            problem = await _delivered(sink, batch)
            if problem is None:
                await spool.mark_read(sink.name, batch[-1].number)
        if problem is not None:
            if str(problem) != told:
                tell(News(recipe=recipe.name, sink=sink.name, error=problem))
            await anyio.sleep(_SINK_PAUSE_S)
        told = "" if problem is None else str(problem)


async def _delivered(sink: Sink, batch: Sequence[SpooledPoint]) -> OSError | None:
    """Deliver once, in bounded time; tell what kept it from succeeding."""
    try:
        with anyio.fail_after(_DELIVERY_S):
            await sink.deliver(batch)
    except TimeoutError:
        return TimeoutError(f"no receipt within {_DELIVERY_S:.0f} s")
    except OSError as error:
        return error
    return None

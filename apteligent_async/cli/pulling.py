"""Work off a queue of calls with fifty tasks, under the eyes of a watcher that shows how far they are."""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

import anyio
from attrs import define, field

from apteligent_async import ApteligentError
from apteligent_async.cli.progress import Standing
from apteligent_async.cli.waiting import WaitWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sized

    from apteligent_async import ApteligentClient
    from apteligent_async.cli.progress import Display

__all__ = ["WORKERS", "Batch", "Progress", "first_error", "run_batch", "watched"]

WORKERS = 50
"""Tasks that ask at once."""

_LOOK_EVERY_S = 0.25

Wanted = TypeVar("Wanted")
Found = TypeVar("Found")


class Progress(Protocol):
    """How far something is, for whoever shows it: what `Batch` says of itself."""

    @property
    def done(self) -> int:
        """Answers so far."""
        ...

    @property
    def total(self) -> int:
        """Calls in all."""
        ...

    @property
    def failures(self) -> Sized:
        """What was given up."""
        ...

    @property
    def waiting(self) -> Sized:
        """Calls that nobody has begun with."""
        ...


@define(eq=False)
class Batch(Generic[Wanted]):
    """How far a queue of calls has come: its state is what waits, how many were answered, and why others were not.

    Attributes:
        waiting: what no task has taken yet.
        total: calls in all.
        done: answers so far.
        failures: what was given up, with the reason.
    """

    waiting: deque[Wanted] = field(factory=deque)
    total: int = 0
    done: int = 0
    failures: list[tuple[Wanted, ApteligentError]] = field(factory=list)

    def plan(self, wanted: Iterable[Wanted]) -> None:
        """Add calls to the queue."""
        self.waiting.extend(wanted)
        self.total = self.done + len(self.failures) + len(self.waiting)


async def watched(
    client: ApteligentClient, progress: Progress, work: Callable[[], Awaitable[Found]], *, display: Display
) -> Found:
    """Do some work while the display shows how far it is and what it waits for; its error comes out bare."""
    try:
        async with anyio.create_task_group() as watch:
            watch.start_soon(_show, client, progress, display)
            watch.start_soon(_tell, client, progress, display)
            found = await work()
            watch.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise first_error(group) from None
    finally:
        display.tell(None)
    display.show(_standing(client, progress))
    return found  # pyright: ignore[reportPossiblyUnboundVariable, reportReturnType]  a group passes every error on


async def run_batch(
    batch: Batch[Wanted], ask: Callable[[Wanted], Awaitable[Found]], keep: Callable[[Wanted, Found], None]
) -> None:
    """Ask for everything that waits, and hand each answer on as it comes.

    A call that fails is noted in the batch and does not stop the others. Whatever `keep` raises ends all.
    """
    async with anyio.create_task_group() as crew:
        for _ in range(WORKERS):
            crew.start_soon(_work, batch, ask, keep)


async def _work(
    batch: Batch[Wanted], ask: Callable[[Wanted], Awaitable[Found]], keep: Callable[[Wanted, Found], None]
) -> None:
    while batch.waiting:
        wanted = batch.waiting.popleft()
        try:
            found = await ask(wanted)
        except ApteligentError as error:
            batch.failures.append((wanted, error))
        else:
            keep(wanted, found)
            batch.done += 1


async def _show(client: ApteligentClient, progress: Progress, display: Display) -> None:
    while True:
        display.show(_standing(client, progress))
        await anyio.sleep(display.every_s)


async def _tell(client: ApteligentClient, progress: Progress, display: Display) -> None:
    watch, told = WaitWatch(), None
    while True:
        clock = datetime.now().astimezone()
        waiting = watch.look(client.budget(), progress.done, now=time.monotonic(), clock=clock)
        if waiting is not told:
            told = waiting
            display.tell(waiting)
        await anyio.sleep(_LOOK_EVERY_S)


def _standing(client: ApteligentClient, progress: Progress) -> Standing:
    budget = client.budget()
    return Standing(
        done=progress.done,
        failed=len(progress.failures),
        total=progress.total,
        left=budget.left_low,
        reset_s=budget.reset_s,
        eta_s=budget.eta(len(progress.waiting)),
    )


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first of the errors that ended all tasks at once."""
    error = group.exceptions[0]
    if not isinstance(error, BaseExceptionGroup):
        return error
    return first_error(cast("BaseExceptionGroup[BaseException]", error))

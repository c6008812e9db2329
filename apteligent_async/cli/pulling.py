"""A pull: fifty tasks that work off one queue of pies, and a watcher that shows how far they are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio
from attrs import define, field

from apteligent_async import ApteligentError
from apteligent_async.cli.cuts import ask
from apteligent_async.cli.progress import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from apteligent_async import ApteligentClient
    from apteligent_async.cli.cuts import Cut
    from apteligent_async.cli.progress import Display
    from apteligent_async.models.monitoring import Pie

__all__ = ["WORKERS", "Pull", "run_pull"]

WORKERS = 50
"""Tasks that ask at once."""


@define(eq=False)
class Pull:
    """How far a pull has come; the state is the pies that wait, how many came, and why others did not.

    Attributes:
        waiting: what no task has taken yet.
        total: pies in all.
        done: answers so far.
        failures: what was given up, with the reason.
    """

    waiting: deque[Cut] = field(factory=deque)
    total: int = 0
    done: int = 0
    failures: list[tuple[Cut, ApteligentError]] = field(factory=list)

    def plan(self, cuts: Iterable[Cut]) -> None:
        """Add pies to the queue."""
        self.waiting.extend(cuts)
        self.total = self.done + len(self.failures) + len(self.waiting)


async def run_pull(client: ApteligentClient, pull: Pull, keep: Callable[[Cut, Pie], None], *, display: Display) -> None:
    """Ask for everything that waits, and hand each answer on as it comes.

    A pie that cannot be had is noted in the pull and does not stop the others. Whatever `keep` raises ends all.
    """
    try:
        async with anyio.create_task_group() as watch:
            watch.start_soon(_watch, client, pull, display)
            async with anyio.create_task_group() as crew:
                for _ in range(WORKERS):
                    crew.start_soon(_work, client, pull, keep)
            watch.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from None
    display.show(_standing(client, pull))


async def _work(client: ApteligentClient, pull: Pull, keep: Callable[[Cut, Pie], None]) -> None:
    while pull.waiting:
        cut = pull.waiting.popleft()
        try:
            pie = await ask(client, cut)
        except ApteligentError as error:
            pull.failures.append((cut, error))
        else:
            keep(cut, pie)
            pull.done += 1


async def _watch(client: ApteligentClient, pull: Pull, display: Display) -> None:
    while True:
        display.show(_standing(client, pull))
        await anyio.sleep(display.every_s)


def _standing(client: ApteligentClient, pull: Pull) -> Standing:
    budget = client.budget()
    return Standing(
        done=pull.done,
        failed=len(pull.failures),
        total=pull.total,
        left=budget.left_low,
        reset_s=budget.reset_s,
        eta_s=budget.eta(len(pull.waiting)),
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first of the errors that ended all tasks at once."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error

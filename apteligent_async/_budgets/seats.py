"""A client's seat at a budget, of whatever kind: what runs its calls, and how it is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import frozen

from apteligent_async._budgets.memory import MemoryBudget
from apteligent_async._scheduling.readings import ALL_HYPOTHESES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from apteligent_async._budgets.address import Budget
    from apteligent_async._budgets.courier import Courier
    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.readings import Hypothesis
    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["Seat", "take_seat"]

Runner = TypeVar("Runner")


@frozen
class Seat(Generic[Runner]):
    """What joining a budget gave.

    Attributes:
        runner: runs the line's calls.
        prepare: goes to where the budget is kept, for the first time; raises what makes that impossible for good.
        leave: gives the seat up.
    """

    runner: Runner
    prepare: Callable[[], Awaitable[None]]
    leave: Callable[[], Awaitable[None]]


def take_seat(
    budget: Budget,
    loop: Hashable,
    policy: RatePolicy | None,
    run: Callable[[Scheduler, Courier | None], Runner],
    *,
    account: str,
    hypotheses: Sequence[Hypothesis] = ALL_HYPOTHESES,
) -> Seat[Runner]:
    """Join a budget on one event loop.

    Args:
        budget: which one.
        loop: the event loop.
        policy: the client's policy; None takes that of the others.
        run: makes the runner of a scheduler, and of what carries its news to a store that is shared.
        account: whose budget it is, where one place keeps several.
        hypotheses: the ways in which the service's numbers may have to be read; the first to join says.

    Raises:
        ConfigurationError: the budget is in use there under another policy.
    """
    if not isinstance(budget, MemoryBudget):
        line = budget.lines.join(loop, policy, run, account=account, hypotheses=hypotheses)
        return Seat(line.runner, line.courier.visit, lambda: budget.lines.leave(loop, account))
    runner = budget.join(loop, policy, lambda scheduler: run(scheduler, None), hypotheses=hypotheses)

    async def prepare() -> None:
        """Memory is at hand."""

    async def leave() -> None:
        budget.leave(loop)

    return Seat(runner, prepare, leave)

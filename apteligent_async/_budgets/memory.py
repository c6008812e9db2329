"""A budget in the memory of one process: clients that share it go through one line per event loop."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from apteligent_async._scheduling.learned import Learned
    from apteligent_async._scheduling.readings import Hypothesis

__all__ = ["MemoryBudget", "shared_budget"]

Runner = TypeVar("Runner")


@define(eq=False)
class _Line:
    scheduler: Scheduler
    runner: Any
    users: int = 0


@define(eq=False)
class MemoryBudget:
    """The default: a budget in this process's memory, kept from one client to the next on the same event loop.

    Two clients of one client id in one process share one of these by themselves. Pass an object of your own to keep
    clients apart, or to join clients whose tokens were pasted without their client id.

    Attributes:
        learned: what has been found out about the rate limit, as of the last client's leaving. Keep it
            (``learned.to_json()``) and hand it to the next run's budget, and the first windows need no finding out.
    """

    learned: Learned | None = field(default=None, kw_only=True, repr=False)
    _lines: dict[Hashable, _Line] = field(factory=dict, init=False, repr=False)

    @property
    def is_in_use(self) -> bool:
        """Whether any client has joined and not left."""
        return any(line.users for line in self._lines.values())

    def join(
        self,
        loop: Hashable,
        policy: RatePolicy | None,
        run: Callable[[Scheduler], Runner],
        *,
        hypotheses: Sequence[Hypothesis] = ALL_HYPOTHESES,
    ) -> Runner:
        """Give what runs this budget's scheduler on one event loop; whoever comes first makes it.

        Args:
            loop: the event loop.
            policy: the client's policy; None takes that of the others.
            run: makes the runner of a scheduler.
            hypotheses: the ways in which the service's numbers may have to be read; the first to join says.

        Raises:
            ConfigurationError: the budget is in use there under another policy.
        """
        line = self._lines.get(loop)
        if line is None or (not line.users and policy not in {None, line.scheduler.policy}):
            self._forget_other_loops()
            chosen = policy or RatePolicy()
            scheduler = Scheduler(chosen, hypotheses=hypotheses, learned=self.learned)
            line = self._lines[loop] = _Line(scheduler, run(scheduler))
        elif policy is not None and policy != line.scheduler.policy:
            raise ConfigurationError(
                f"This budget is in use under {line.scheduler.policy}; clients that share a budget share its policy. "
                "Pass the same policy=, or a MemoryBudget() of its own as budget=."
            )
        line.users += 1
        runner: Runner = line.runner
        return runner

    def leave(self, loop: Hashable) -> None:
        """Give the runner back; it is kept for the next client, as what was spent stays spent."""
        line = self._lines[loop]
        line.users -= 1
        if not line.users:
            self.learned = line.scheduler.learned()

    def _forget_other_loops(self) -> None:
        """Drop the lines of loops on which nobody is left: an instant of theirs means nothing on another."""
        self._lines = {loop: line for loop, line in self._lines.items() if line.users}


MOST_SHARED = 16
"""Budgets that are kept after their last client has left."""

_shared: OrderedDict[tuple[str, str, Hashable], MemoryBudget] = OrderedDict()


def shared_budget(origin: str, client_id: str | None, loop: Hashable) -> MemoryBudget:
    """Give the budget that all clients of one client id on one loop share; a new one if the id is unknown.

    The latest ones are kept when their clients have gone: the service remembers, too.
    """
    if client_id is None:
        return MemoryBudget()
    budget = _shared.setdefault((origin, client_id, loop), MemoryBudget())
    _shared.move_to_end((origin, client_id, loop))
    for key in [key for key, each in _shared.items() if not each.is_in_use][: max(len(_shared) - MOST_SHARED, 0)]:
        if key != (origin, client_id, loop):
            del _shared[key]
    return budget

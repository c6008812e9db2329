"""A budget in the memory of one process: clients that share it go through one line per event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

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


@define(eq=False, weakref_slot=True)
class MemoryBudget:
    """The default: a budget that lives and dies with its clients.

    Two clients of one client id in one process share one of these by themselves. Pass an object of your own to keep
    clients apart, or to join clients whose tokens were pasted without their client id.

    Attributes:
        learned: what has been found out about the rate limit, as of the last client's leaving. Keep it
            (``learned.to_json()``) and hand it to the next run's budget, and the first windows need no finding out.
    """

    learned: Learned | None = field(default=None, kw_only=True, repr=False)
    _lines: dict[Hashable, _Line] = field(factory=dict, init=False, repr=False)

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
        if line is None:
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
        """Give the runner back; the last client to leave ends it."""
        line = self._lines[loop]
        line.users -= 1
        if not line.users:
            self.learned = line.scheduler.learned()
            del self._lines[loop]


_shared: WeakValueDictionary[tuple[str, str], MemoryBudget] = WeakValueDictionary()


def shared_budget(origin: str, client_id: str | None) -> MemoryBudget:
    """Give the budget that all clients of one client id in this process share; a new one if the id is unknown."""
    if client_id is None:
        return MemoryBudget()
    return _shared.setdefault((origin, client_id), MemoryBudget())

"""What the budgets of several processes have in common: one line per event loop and account, each with its courier."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define

from apteligent_async._budgets.courier import Courier
from apteligent_async._budgets.hosts import host_id
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet_text import FORMAT
from apteligent_async._scheduling.leases import LeasedBooks
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.views import views_of
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from apteligent_async._budgets.store import Store
    from apteligent_async._scheduling.readings import Hypothesis

__all__ = ["Line", "Lines", "account_key"]

Runner = TypeVar("Runner")


def account_key(account: str) -> str:
    """Name an account's state in a store: by a digest, and by the form that this version writes it in."""
    return f"{hashlib.sha256(account.encode()).hexdigest()[:32]}-{FORMAT}"


@define(eq=False)
class Line(Generic[Runner]):
    """One line, what runs it, what carries its news, and how many use it."""

    scheduler: Scheduler
    courier: Courier
    runner: Runner
    users: int = 0


@define(eq=False)
class Lines:
    """The lines that one budget object has, by event loop and account.

    Attributes:
        open_store: opens the store of one account's state.
    """

    open_store: Callable[[str], Store]
    _lines: dict[tuple[Hashable, str], Line[Any]]

    def join(
        self,
        loop: Hashable,
        policy: RatePolicy | None,
        run: Callable[[Scheduler, Courier], Runner],
        *,
        account: str,
        hypotheses: Sequence[Hypothesis] = ALL_HYPOTHESES,
    ) -> Line[Runner]:
        """Give an account's line on one event loop; whoever comes first makes it.

        Raises:
            ConfigurationError: it is in use there under another policy.
        """
        line = self._lines.get((loop, account))
        if line is None or (not line.users and policy not in {None, line.scheduler.policy}):
            line = self._lines[loop, account] = self._line(account, policy or RatePolicy(), run, hypotheses)
        elif policy is not None and policy != line.scheduler.policy:
            raise ConfigurationError(
                f"This budget is in use under {line.scheduler.policy}; clients of one process that share a budget "
                "share its policy. Pass the same policy=, or another budget object with the same address."
            )
        line.users += 1
        return line

    async def leave(self, loop: Hashable, account: str) -> None:
        """Give the line back; the last one takes it along, as the store remembers."""
        line = self._lines[loop, account]
        line.users -= 1
        if not line.users:
            del self._lines[loop, account]
            await line.courier.retire()

    def _line(
        self,
        account: str,
        policy: RatePolicy,
        run: Callable[[Scheduler, Courier], Runner],
        hypotheses: Sequence[Hypothesis],
    ) -> Line[Runner]:
        seen = Budget(is_alone=policy.mode == "exclusive", views=views_of(hypotheses))
        books = LeasedBooks(secrets.token_hex(6), policy, seen, host=host_id(), pid=os.getpid())
        scheduler = Scheduler(policy, books=books)
        courier = Courier(scheduler, books, self.open_store(account_key(account)), hypotheses)
        return Line(scheduler, courier, run(scheduler, courier))

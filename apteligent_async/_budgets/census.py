"""A look at a shared budget from outside: what its store knows, and who holds and awaits tokens. It changes nothing."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from apteligent_async._budgets.hosts import host_id, is_gone
from apteligent_async._budgets.shared import account_key
from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.fleet_text import fleet_of
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.sharing import GRACE_S, SILENT_S
from apteligent_async._scheduling.signals import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._budgets.redis import RedisBudget
    from apteligent_async._budgets.sqlite import SQLiteBudget
    from apteligent_async._budgets.store import Told
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.fleet import Fleet, Member
    from apteligent_async._scheduling.forecast import BudgetSnapshot

__all__ = ["Census", "Resident", "take_census"]


@frozen(kw_only=True)
class Resident:
    """One member of a fleet, as it stood when the store was looked at.

    Attributes:
        name: its name in the fleet.
        host: the run of the machine that it lives on, and the set of processes that see each other there.
        pid: the number of its process there.
        is_here: whether it lives on this host, where it can be seen whether its process lives.
        standing: ``present``; ``silent``, when it is overdue and may be dead; ``gone``, when its process has ended.
            What the silent and the gone hold is written off at the next step of another member.
        held: tokens that it was leased and whose end it has not told: in hand, or under way.
        wanted: calls that wait in its line, by lane.
        given: tokens that it was ever leased.
        seen_s: seconds since it was at the store.
        asks_s: seconds until it comes for tokens; None if it waits for none.
    """

    name: str
    host: str
    pid: int
    is_here: bool
    standing: Literal["present", "silent", "gone"]
    held: int
    wanted: Mapping[str, int]
    given: int
    seen_s: float
    asks_s: float | None


@frozen(kw_only=True)
class Census:
    """What a store knew of an account when it was looked at.

    Attributes:
        budget: the estimator's view; what waits and what is under way stands in the other fields.
        residents: the members, those who hold or await most first; without this process's own.
        outdated: why the budget of this moment is not known; empty if it is.
    """

    budget: BudgetSnapshot
    residents: tuple[Resident, ...]
    outdated: str

    @property
    def held(self) -> int:
        """Tokens that are leased."""
        return sum(each.held for each in self.residents)

    @property
    def queued(self) -> Mapping[str, int]:
        """Tokens that the fleet waits for, by lane; those of members that are gone or silent count no more."""
        present = [each.wanted for each in self.residents if each.standing == "present"]
        return {_name(lane): sum(wanted[_name(lane)] for wanted in present) for lane in _LANES}


_LANES = tuple(lane for lane in Lane if lane is not Lane.FREE)
"""Those that cost tokens."""


async def take_census(budget: SQLiteBudget | RedisBudget, account: str) -> Census | None:
    """Look at an account's state; None where there is none.

    Raises:
        StoreGone: the store cannot be reached.
        ConfigurationError: it can never be used as it is.
    """
    store = budget.lines.open_store(account_key(account))
    try:
        told = await store.look()
    finally:
        await store.aclose()
    return None if told.text is None else _census(fleet_of(told.text), told)


def _census(fleet: Fleet, told: Told) -> Census:
    is_same_clock = fleet.clock == told.clock
    members = fleet.members.items() if is_same_clock else ()
    residents = (_resident(name, member, now=told.now) for name, member in members)
    counted = [each for each in residents if not _is_own(each) and not _has_left(each)]
    return Census(
        budget=Scheduler(books=OwnBooks(fleet.budget)).snapshot(now=told.now),
        residents=tuple(sorted(counted, key=lambda each: (-each.held, -sum(each.wanted.values()), each.name))),
        outdated=_outdated(fleet.budget, now=told.now) if is_same_clock else "is of an earlier run of this machine",
    )


def _outdated(budget: Budget, *, now: float) -> str:
    if budget.is_gated and now < budget.reopens_at:
        return ""
    if budget.ends is None:
        return "has heard of no window yet"
    return "" if now < budget.ends.hi else "knows of a window that is over"


def _resident(name: str, member: Member, *, now: float) -> Resident:
    is_here = member.host == host_id()
    is_overdue = now - member.seen_at > SILENT_S and not now <= member.asks_at + GRACE_S < math.inf
    is_silent = is_overdue and bool(member.held or any(member.wanted))
    return Resident(
        name=name,
        host=member.host,
        pid=member.pid,
        is_here=is_here,
        standing="gone" if is_here and is_gone(member.pid) else "silent" if is_silent else "present",
        held=member.held,
        wanted={_name(lane): member.wanted[lane] for lane in _LANES},
        given=member.given,
        seen_s=max(now - member.seen_at, 0.0),
        asks_s=None if member.asks_at == math.inf else max(member.asks_at - now, 0.0),
    )


def _is_own(resident: Resident) -> bool:
    return resident.is_here and resident.pid == os.getpid()


def _has_left(resident: Resident) -> bool:
    return resident.standing == "gone" and not resident.held


def _name(lane: Lane) -> str:
    return lane.name.lower()

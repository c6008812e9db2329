"""The books of a line that spends the tokens of a fleet: what it was leased, what it has to tell, when to go and ask.

Its own clock and the store's differ by an amount that is only known within bounds. Every instant that goes out is
taken early, every one that comes in too, so that nothing is started late.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.fleet import News, Step
from apteligent_async._scheduling.learned import renewed
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.release import PHI
from apteligent_async._scheduling.signals import Cause, Lane, LinkFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.fleet import Fleet, Granted
    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Job, Outcome

__all__ = ["Demand", "Errand", "LeasedBooks"]

MOST_NEWS = 8
"""Ends of calls that are told at once, whoever waits."""

ALONE_PHI = PHI / 4
"""What `shared` keeps under way while the store is gone: four times as careful, as nobody is known to be."""

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 8.0
"""Bounds of the pause between two attempts to reach a store that is gone."""


@frozen
class Demand:
    """What waits in a line.

    Attributes:
        lanes: tokens by lane.
        cost: what its head costs; 0 where nothing could be started now.
        is_dated: whether its head has a deadline.
    """

    lanes: tuple[int, ...] = (0,) * len(Lane)
    cost: int = 0
    is_dated: bool = False


@frozen
class Errand:
    """One visit to the store: what was taken there, and when, on the line's clock."""

    step: Step
    sent_at: float


@define(eq=False)
class LeasedBooks:
    """What one line holds of a shared budget.

    Attributes:
        member: the line's name in the fleet.
        policy: how it spends.
        host: where its process runs.
        pid: the number of that process there.
        tokens: leased and not started.
        in_flight: tokens of the calls under way.
        alone: the books that it keeps by itself while the store is gone.
        fleet: the state as last seen, on the store's clock.
        retry_at: when to try again to reach a store that is gone.
    """

    member: str
    policy: RatePolicy
    budget_seen: Budget
    host: str = ""
    pid: int = 0
    tokens: int = 0
    in_flight: int = 0
    alone: OwnBooks | None = None
    fleet: Fleet | None = None
    retry_at: float = -math.inf
    epoch: int = field(default=0, init=False)
    _valid_until: float = field(default=-math.inf, init=False)
    _asks_at: float = field(default=-math.inf, init=False)
    _cause: Cause = field(default=Cause.NOTHING, init=False)
    _announced: Demand = field(factory=Demand, init=False)
    _ended: list[tuple[int, float, Outcome]] = field(factory=list, init=False)
    _is_back: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _ahead: Span = field(default=Span(-math.inf, math.inf), init=False)

    @property
    def budget(self) -> Budget:
        """The estimator: the fleet's as last seen, or our own while the store is gone."""
        return self.budget_seen if self.alone is None else self.alone.budget

    # What the line asks and tells

    def starts_at(self, policy: RatePolicy, job: Job, *, wanted: float, now: float) -> tuple[float, Cause]:
        """Let go whom the tokens in hand suffice for; for others the store must be asked first."""
        if self.alone is not None:
            careful = evolve(policy, mode="shared") if policy.mode == "exclusive" else policy
            return self.alone.starts_at(careful, job, wanted=wanted, now=now)
        if self.tokens >= job.cost and now < self._valid_until:
            return -math.inf, Cause.NOTHING
        return math.inf, self._cause

    def start(self, job: Job, *, now: float) -> None:
        """Take the tokens of a job that may start."""
        self.in_flight += job.cost
        if self.alone is not None:
            self.alone.start(job, now=now)
        else:
            self.tokens -= job.cost

    def give_back(self, job: Job) -> None:
        """Keep the tokens of a job that was not sent for another, or for the next visit to the store."""
        self.in_flight -= job.cost
        if self.alone is not None:
            self.alone.give_back(job)
        else:
            self.tokens += job.cost

    def lose(self, job: Job, *, now: float) -> None:
        """Write off a job whose answer will not come."""
        self._end(job, LinkFailed())
        if self.alone is not None:
            self.alone.lose(job, now=now)

    def settle(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> None:
        """Note how a job's attempt ended, to be told at the next visit."""
        self._end(job, outcome)
        if self.alone is not None:
            self.alone.settle(job, outcome, now=now, dice=dice)

    def _end(self, job: Job, outcome: Outcome) -> None:
        self.in_flight -= job.cost
        if self.alone is None:
            self._ended.append((job.cost, job.granted_at, outcome))

    # Visits to the store

    def visits_at(self, demand: Demand, *, now: float) -> float:
        """Name the instant of the next visit, if nothing happens before; infinite: there is nothing to go for."""
        if self.alone is not None:
            return max(self.retry_at, now) if demand.cost else math.inf
        if demand.cost:
            return now if self._has_news_for(demand) else max(self._asks_at, now)
        return now if self._must_tell else math.inf

    def errand(self, demand: Demand, *, dead: tuple[str, ...] = (), now: float) -> Errand:
        """Pack up what there is to tell; it counts as told."""
        returned = 0 if demand.cost and now < self._valid_until else self.tokens
        self.tokens -= returned
        news = tuple(News(cost, sent_at + self._ahead.lo, outcome) for cost, sent_at, outcome in self._ended)
        self._ended.clear()
        step = Step(
            member=self.member,
            policy=self.policy,
            host=self.host,
            pid=self.pid,
            epoch=self.epoch,
            is_back=self._is_back,
            news=news,
            returned=returned,
            held=self.in_flight + self.tokens,
            wanted=demand.lanes,
            cost=max(demand.cost - self.tokens, 1) if demand.cost else 0,
            is_dated=demand.is_dated,
            dead=dead,
        )
        return Errand(step, now)

    def take_in(self, errand: Errand, granted: Granted, fleet: Fleet, *, now: float) -> None:
        """Take what a visit brought; `fleet` is the state after it."""
        self._ahead = Span(fleet.stamped_at - now, fleet.stamped_at - errand.sent_at)
        behind = -self._ahead.hi
        self.alone, self._is_back, self._failures = None, False, 0
        self.tokens += granted.tokens
        self.epoch, self._cause = granted.epoch, granted.cause
        self._valid_until, self._asks_at = granted.valid_until + behind, granted.asks_at - self._ahead.lo
        rest = fleet.members[self.member].wanted
        self._announced = Demand(rest, errand.step.cost if any(rest) else 0, is_dated=errand.step.is_dated)
        self.fleet, self.budget_seen = fleet, fleet.budget.moved(behind)

    def go_alone(self, *, now: float, dice: float) -> bool:
        """Keep books of our own, as the store is gone: nothing is proven in them. Say whether that is new."""
        is_new, self._is_back = self.alone is None, True
        self._failures += 1
        pause_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failures - 1, 10))
        self.retry_at = now + pause_s * (0.5 + dice)
        if self.alone is None:
            known = renewed(self.budget_seen)
            known.live = self.in_flight
            if self.budget_seen.left < 1:
                known.gate.pause(self.budget_seen.reopens_at)
            self.alone = OwnBooks(known, phi=ALONE_PHI)
            self.tokens = 0
        return is_new

    @property
    def has_anything(self) -> bool:
        """Whether there is something to tell or to hand back, however unimportant."""
        return self.alone is None and bool(self._ended or self.tokens or self._announced.cost)

    @property
    def wanted_elsewhere(self) -> bool:
        """Whether anybody else was waiting when we were at the store."""
        members = {} if self.fleet is None else self.fleet.members
        return any(each.lane is not None for name, each in members.items() if name != self.member)

    @property
    def queued_elsewhere(self) -> Mapping[str, int]:
        """Tokens that other members waited for when we were at the store, by the names of their lanes."""
        if self.fleet is None or self.alone is not None:
            return {}
        others = [each.wanted for name, each in self.fleet.members.items() if name != self.member]
        return {lane.name.lower(): sum(wanted[lane] for wanted in others) for lane in Lane}

    @property
    def _must_tell(self) -> bool:
        """Whether what we hold back may keep others waiting."""
        if not (self._ended or self.tokens or self._announced.cost):
            return False
        is_idle = not self.in_flight or bool(self._announced.cost)
        return is_idle or self.wanted_elsewhere or len(self._ended) >= MOST_NEWS

    def _has_news_for(self, demand: Demand) -> bool:
        """Whether the store may decide otherwise than at the last visit."""
        if not self._announced.cost or len(self._ended) >= min(MOST_NEWS, self.in_flight // 4 + 1):
            return True
        is_pressed = demand.is_dated and not self._announced.is_dated
        return is_pressed or _first(demand.lanes) < _first(self._announced.lanes)


def _first(lanes: tuple[int, ...]) -> int:
    return next((lane for lane in Lane if lanes[lane]), len(Lane))

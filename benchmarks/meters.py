"""Six ways in which servers count calls, with the truth open to the reader.

A meter knows instants and counts, nothing of headers, clients or networks. `left` is the oracle: how many calls in a
row would be allowed at this very instant. It is negative where refused calls are counted beyond the budget. Instants
given to one meter never decrease.
"""
# ruff: noqa: D102  the five methods are documented once, in `Meter`

from __future__ import annotations

import math
from collections import deque
from enum import Enum
from typing import Protocol

from attrs import define, field

__all__ = [
    "Announced",
    "FixedWindow",
    "Gcra",
    "LazyWindow",
    "Meter",
    "Refusals",
    "RunningAverage",
    "SlidingCounter",
    "SlidingLog",
]

_DUST = 1e-6  # seconds and tokens closer than this are equal: sums of floats drift by less


class Refusals(Enum):
    """What a refused call costs: nothing, a place in this window, a place in the next one, or a longer window.

    Windows grow to twice their length at most: else a stranger who keeps calling would hold one shut for ever.
    """

    FREE = "free"
    COUNTED = "counted"
    NEXT = "next"
    EXTENDS = "extends"


class Announced(Enum):
    """Which instant a meter without real windows calls its reset."""

    ONE = "one"
    ALL = "all"
    EDGE = "edge"


class Meter(Protocol):
    """Counts calls and tells the truth about what is left."""

    budget: int
    window_s: float
    refusals: Refusals

    def left(self, now: float) -> int:
        """Return how many calls in a row would be allowed at this instant; negative if overdrawn."""

    def count(self, now: float) -> None:
        """Charge one allowed call."""

    def count_refused(self, now: float) -> None:
        """Charge one refused call, as this server does."""

    def reset_at(self, now: float) -> float:
        """Return the instant that the server calls its reset."""

    def opened_at(self, now: float) -> float:
        """Return the start of the stretch of time that decides about a call arriving now."""


@define(kw_only=True)
class FixedWindow:
    """Windows follow each other without a gap, whether anybody calls or not.

    Attributes:
        began_at: where the present window starts; any past edge will do at first.
    """

    budget: int
    window_s: float
    began_at: float = 0.0
    used: int = 0
    refusals: Refusals = Refusals.FREE
    _ends_at: float = field(init=False)
    _debt: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._ends_at = self.began_at + self.window_s

    def left(self, now: float) -> int:
        self._roll(now)
        return self.budget - self.used

    def count(self, now: float) -> None:
        self._roll(now)
        self.used += 1

    def count_refused(self, now: float) -> None:
        self._roll(now)
        if self.refusals is Refusals.COUNTED:
            self.used += 1
        elif self.refusals is Refusals.NEXT:
            self._debt = min(self._debt + 1, self.budget - 1)
        elif self.refusals is Refusals.EXTENDS:
            self._ends_at = min(self._ends_at + self.window_s / 10, self.began_at + 2 * self.window_s)

    def reset_at(self, now: float) -> float:
        self._roll(now)
        return self._ends_at

    def opened_at(self, now: float) -> float:
        self._roll(now)
        return self.began_at

    def _roll(self, now: float) -> None:
        while now >= self._ends_at:
            self.began_at, self._ends_at = self._ends_at, self._ends_at + self.window_s
            self.used, self._debt = self._debt, 0


@define(kw_only=True)
class LazyWindow:
    """A window opens with the first call after the last one ended (a counter with an expiry)."""

    budget: int
    window_s: float
    ends_at: float = -math.inf
    used: int = 0
    refusals: Refusals = Refusals.FREE
    _began_at: float = field(default=-math.inf, init=False)
    _debt: int = field(default=0, init=False)

    def left(self, now: float) -> int:
        return self.budget - (self.used if now < self.ends_at else self._debt)

    def count(self, now: float) -> None:
        self._open(now)
        self.used += 1

    def count_refused(self, now: float) -> None:
        self._open(now)
        if self.refusals is Refusals.COUNTED:
            self.used += 1
        elif self.refusals is Refusals.NEXT:
            self._debt = min(self._debt + 1, self.budget - 1)
        elif self.refusals is Refusals.EXTENDS:
            self.ends_at = min(now, self._began_at + self.window_s) + self.window_s

    def reset_at(self, now: float) -> float:
        return self.ends_at if now < self.ends_at else now + self.window_s

    def opened_at(self, now: float) -> float:
        return self._began_at if now < self.ends_at else now

    def _open(self, now: float) -> None:
        if now >= self.ends_at:
            self._began_at, self.ends_at = now, now + self.window_s
            self.used, self._debt = self._debt, 0


@define(kw_only=True)
class SlidingLog:
    """Never more than the budget in any stretch of one window's length."""

    budget: int
    window_s: float
    refusals: Refusals = Refusals.FREE
    announced: Announced = Announced.ONE
    log: deque[float] = field(factory=deque)

    def left(self, now: float) -> int:
        log = self.log
        while log and log[0] + self.window_s <= now + _DUST:
            log.popleft()
        return self.budget - len(log)

    def count(self, now: float) -> None:
        self.log.append(now)

    def count_refused(self, now: float) -> None:
        if self.refusals is not Refusals.FREE:
            self.log.append(now)

    def reset_at(self, now: float) -> float:
        left = self.left(now)
        if not self.log:
            return now + self.window_s
        if self.announced is Announced.ALL:
            return self.log[-1] + self.window_s
        return self.log[max(0, -left)] + self.window_s

    def opened_at(self, now: float) -> float:
        return now - self.window_s


@define(kw_only=True)
class SlidingCounter:
    """Two counters: the last window's fades out linearly while the present one fills."""

    budget: int
    window_s: float
    began_at: float = 0.0
    before: int = 0
    used: int = 0
    refusals: Refusals = Refusals.FREE
    announced: Announced = Announced.ONE

    def left(self, now: float) -> int:
        self._roll(now)
        fading = self.before * (1 - (now - self.began_at) / self.window_s)
        return math.floor(self.budget - self.used - fading + _DUST)

    def count(self, now: float) -> None:
        self._roll(now)
        self.used += 1

    def count_refused(self, now: float) -> None:
        self._roll(now)
        if self.refusals is not Refusals.FREE:
            self.used += 1

    def reset_at(self, now: float) -> float:
        self._roll(now)
        edge_at = self.began_at + self.window_s
        if self.announced is Announced.EDGE or self.left(now) >= 1:
            return edge_at
        spare = self.budget - 1 - self.used
        if spare >= 0:
            return self.began_at + self.window_s * (1 - spare / self.before)
        return edge_at + self.window_s * max(0.0, 1 - (self.budget - 1) / self.used)

    def opened_at(self, now: float) -> float:
        self._roll(now)
        return self.began_at - self.window_s  # what was used in the last window still weighs

    def _roll(self, now: float) -> None:
        while now >= self.began_at + self.window_s:
            self.began_at += self.window_s
            self.before, self.used = self.used, 0


@define(kw_only=True)
class Gcra:
    """A token bucket: `budget` per window drip in evenly, and up to `burst` may be saved.

    Where refused calls are charged, the debt grows to one window's tokens at most.

    Attributes:
        full_at: the instant at which the bucket is (or was) full again.
    """

    budget: int
    window_s: float
    burst: int
    full_at: float = -math.inf
    refusals: Refusals = Refusals.FREE
    announced: Announced = Announced.ONE
    _busy_since: float = field(default=math.inf, init=False)

    @property
    def drip_s(self) -> float:
        """Seconds from one token to the next."""
        return self.window_s / self.budget

    def left(self, now: float) -> int:
        return math.floor(self.burst - max(0.0, self.full_at - now) / self.drip_s + _DUST)

    def count(self, now: float) -> None:
        if self.full_at <= now:
            self._busy_since = now
        self.full_at = max(self.full_at, now) + self.drip_s

    def count_refused(self, now: float) -> None:
        if self.refusals is not Refusals.FREE and self.full_at < now + self.burst * self.drip_s + self.window_s:
            self.count(now)

    def reset_at(self, now: float) -> float:
        if self.announced is Announced.ALL or self.left(now) >= 1:
            return max(self.full_at, now)
        return self.full_at - (self.burst - 1) * self.drip_s

    def opened_at(self, now: float) -> float:
        return min(now - self.window_s, self._busy_since)  # what was taken is missing until the bucket is full again


@define(kw_only=True)
class RunningAverage:
    """An average that forgets exponentially; a call is allowed while the rounded average is below the budget."""

    budget: int
    window_s: float
    level: float = 0.0
    level_at: float = 0.0
    refusals: Refusals = Refusals.FREE

    def left(self, now: float) -> int:
        return math.floor(self.budget - self._faded(now) + 0.5 + _DUST)

    def count(self, now: float) -> None:
        self.level, self.level_at = self._faded(now) + 1, now

    def count_refused(self, now: float) -> None:
        if self.refusals is not Refusals.FREE:
            self.count(now)

    def reset_at(self, now: float) -> float:
        if self.left(now) >= 1:
            return now + self.window_s
        return now + self.window_s * math.log(self._faded(now) / (self.budget - 0.5))

    def opened_at(self, now: float) -> float:
        return now - self.window_s

    def _faded(self, now: float) -> float:
        return self.level * math.exp((self.level_at - now) / self.window_s)

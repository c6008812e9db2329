"""Four ways to count calls: fixed and lazy buckets, a sliding log, and a bucket that refills continuously.

Each is told the instant (seconds on one monotonic clock) and answers four questions: how many calls are left, when the
allowance is whole again, what was counted of late, and when the last of so many calls could be let in at the earliest.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

__all__ = ["FixedWindow", "LazyWindow", "SlidingLog", "TokenBucket", "Window"]


class Window(Protocol):
    """What a quota needs of a way to count.

    Its state is the calls that still weigh upon the budget.
    """

    def left(self, now: float) -> int:
        """Return how many calls would be admitted at this instant; never negative."""
        ...

    def count(self, now: float) -> None:
        """Charge one call."""
        ...

    def reset_in(self, now: float) -> float:
        """Return seconds until calls are possible again if none is left, else until the allowance is whole."""
        ...

    def counted(self, now: float) -> float:
        """Return the calls that weigh upon the budget now, refused ones included where they are charged."""
        ...

    def resize(self, budget: int, now: float) -> None:
        """Allow another number of calls from now on; what was charged stays charged."""
        ...

    def earliest(self, calls: int, now: float) -> float:
        """Return the first instant at which the last of `calls` calls, all ready `now`, can be admitted."""
        ...


class FixedWindow:
    """Buckets that follow each other without a gap; the state is the present bucket's number and use."""

    def __init__(self, budget: int, length_s: float, *, starts_at: float) -> None:
        self._budget = budget
        self._length_s = length_s
        self._origin = starts_at
        self._number = 0
        self._used = 0

    def _roll(self, now: float) -> None:
        number = math.floor((now - self._origin) / self._length_s)
        if number != self._number:
            self._number = number
            self._used = 0

    def left(self, now: float) -> int:
        """Return the unspent part of the present bucket."""
        self._roll(now)
        return max(0, self._budget - self._used)

    def count(self, now: float) -> None:
        """Charge the present bucket."""
        self._roll(now)
        self._used += 1

    def reset_in(self, now: float) -> float:
        """Return seconds to the end of the present bucket."""
        self._roll(now)
        return self._origin + (self._number + 1) * self._length_s - now

    def counted(self, now: float) -> float:
        """Return the present bucket's use."""
        self._roll(now)
        return self._used

    def resize(self, budget: int, now: float) -> None:
        """Change the size of this bucket and of those to come."""
        self._roll(now)
        self._budget = budget

    def earliest(self, calls: int, now: float) -> float:
        """Return now, or the start of the bucket in which the last call fits."""
        beyond = calls - self.left(now)
        if beyond <= 0:
            return now
        return now + self.reset_in(now) + (math.ceil(beyond / self._budget) - 1) * self._length_s


class LazyWindow:
    """A bucket that opens with the first call after the last one ended; the state is its end and its use."""

    def __init__(self, budget: int, length_s: float) -> None:
        self._budget = budget
        self._length_s = length_s
        self._ends_at = -math.inf
        self._used = 0

    def _is_open(self, now: float) -> bool:
        return now < self._ends_at

    def left(self, now: float) -> int:
        """Return the unspent part of the open bucket, or a whole one."""
        return max(0, self._budget - self._used) if self._is_open(now) else self._budget

    def count(self, now: float) -> None:
        """Charge the open bucket, or open one."""
        if not self._is_open(now):
            self._ends_at, self._used = now + self._length_s, 0
        self._used += 1

    def reset_in(self, now: float) -> float:
        """Return seconds to the end of the open bucket, or a whole length."""
        return self._ends_at - now if self._is_open(now) else self._length_s

    def counted(self, now: float) -> float:
        """Return the open bucket's use."""
        return self._used if self._is_open(now) else 0

    def resize(self, budget: int, now: float) -> None:  # noqa: ARG002  windows are all asked alike
        """Change the size of the open bucket and of those to come."""
        self._budget = budget

    def earliest(self, calls: int, now: float) -> float:
        """Return now, or the start of the bucket in which the last call fits: a backlog opens each at once."""
        beyond = calls - self.left(now)
        if beyond <= 0:
            return now
        return now + self.reset_in(now) + (math.ceil(beyond / self._budget) - 1) * self._length_s


class SlidingLog:
    """At most so many calls in any period of the length; the state is the calls of the last period."""

    def __init__(self, budget: int, length_s: float) -> None:
        self._budget = budget
        self._length_s = length_s
        self._calls: deque[float] = deque()

    def _forget(self, now: float) -> None:
        while self._calls and self._calls[0] + self._length_s <= now:
            self._calls.popleft()

    def left(self, now: float) -> int:
        """Return the free places in the period that ends now."""
        self._forget(now)
        return max(0, self._budget - len(self._calls))

    def count(self, now: float) -> None:
        """Write the call down."""
        self._calls.append(now)

    def reset_in(self, now: float) -> float:
        """Return seconds until a place is free, or until all are."""
        free = self.left(now)
        if not self._calls:
            return self._length_s
        leaver = self._calls[-1] if free else self._calls[len(self._calls) - self._budget]
        return leaver + self._length_s - now

    def counted(self, now: float) -> float:
        """Return the calls of the period that ends now."""
        self._forget(now)
        return len(self._calls)

    def resize(self, budget: int, now: float) -> None:  # noqa: ARG002  windows are all asked alike
        """Change the number of places."""
        self._budget = budget

    def earliest(self, calls: int, now: float) -> float:
        """Return when greedy sending admits the last call: each waits for the one a whole budget before it."""
        self._forget(now)
        recent = deque(self._calls, maxlen=self._budget)
        at = now
        for _ in range(calls):
            if len(recent) == self._budget:
                at = max(at, recent[0] + self._length_s)
            recent.append(at)
        return at


class TokenBucket:
    """A bucket of tokens that refills continuously (the generic cell rate algorithm).

    The state is the level at an instant, which is negative where refused calls are charged or the budget was cut.
    """

    def __init__(self, budget: int, length_s: float, *, burst: int) -> None:
        self._budget = budget
        self._per_s = budget / length_s
        self._burst = burst
        self._level = float(burst)
        self._level_at = 0.0

    def _fill(self, now: float) -> float:
        if now > self._level_at:
            self._level = min(float(self._burst), self._level + (now - self._level_at) * self._per_s)
        self._level_at = now
        return self._level

    def left(self, now: float) -> int:
        """Return the whole tokens there are."""
        return max(0, math.floor(self._fill(now) + 1e-9))

    def count(self, now: float) -> None:
        """Take a token, or go into debt."""
        self._fill(now)
        self._level -= 1

    def reset_in(self, now: float) -> float:
        """Return seconds to the next token if there is none, else to a full bucket."""
        goal = self._burst if self.left(now) else 1
        return max(0.0, goal - self._fill(now)) / self._per_s

    def counted(self, now: float) -> float:
        """Return the tokens that are missing, in calls."""
        return self._burst - self._fill(now)

    def resize(self, budget: int, now: float) -> None:
        """Change the refill and the size alike; as many tokens are missing as before."""
        missing = self._burst - self._fill(now)
        self._per_s *= budget / self._budget
        self._burst = max(1, round(self._burst * budget / self._budget))
        self._budget, self._level = budget, self._burst - missing

    def earliest(self, calls: int, now: float) -> float:
        """Return when the refill has paid for the last call."""
        return now + max(0.0, calls - self._fill(now)) / self._per_s

"""How soon a clairvoyant client could be done: lower bounds on the makespan, one per way of counting.

Each takes `n` calls that are ready at once, and returns seconds from then to the last answer. A call counts when it
arrives. The argument is the same for all: sending earlier never makes a later call wait longer, so the greedy schedule
is optimal, and these are its closed forms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.meters import FixedWindow, Gcra, LazyWindow, RunningAverage, SlidingCounter, SlidingLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.meters import Meter

__all__ = ["Trip", "bucket", "counter", "lazy_windows", "makespan_bound", "running_average", "sliding", "windows"]


class Trip(NamedTuple):
    """The two halves of a round trip, in seconds."""

    up_s: float
    down_s: float


def windows(*, n: int, budget: int, window_s: float, left: int, ends_in_s: float, trip: Trip) -> float:
    """Bound for fixed windows, with `left` calls left in the present one, which ends in `ends_in_s` seconds."""
    reached = 0 if trip.up_s < ends_in_s else 1 + math.floor((trip.up_s - ends_in_s) / window_s)
    left = max(0, left) if reached == 0 else budget
    if n <= left:
        return trip.up_s + trip.down_s
    rolls = reached + math.ceil((n - left) / budget)
    return ends_in_s + (rolls - 1) * window_s + trip.down_s


def lazy_windows(*, n: int, budget: int, window_s: float, left: int, ends_in_s: float, trip: Trip) -> float:
    """Bound for windows that open with a call; `ends_in_s` is negative or 0 where none is running."""
    if trip.up_s >= ends_in_s:
        return trip.up_s + (math.ceil(n / budget) - 1) * window_s + trip.down_s
    return windows(n=n, budget=budget, window_s=window_s, left=left, ends_in_s=ends_in_s, trip=trip)


def sliding(*, n: int, budget: int, window_s: float, ages_s: Sequence[float], trip: Trip) -> float:
    """Bound for a sliding log; `ages_s` are the ages of the calls already in it, oldest first."""
    arrivals = [-age_s for age_s in ages_s]
    for _ in range(n):
        frees_at = arrivals[-budget] + window_s if len(arrivals) >= budget else trip.up_s
        arrivals.append(max(trip.up_s, frees_at))
    return arrivals[-1] + trip.down_s


def counter(*, n: int, budget: int, window_s: float, before: int, used: int, ends_in_s: float, trip: Trip) -> float:
    """Bound for a sliding counter: `before` and `used` are the calls of the last and the present window."""
    begins_s, at = ends_in_s - window_s, trip.up_s
    while n > 0:
        if at >= begins_s + window_s:
            begins_s, before, used = begins_s + window_s, used, 0
            continue
        spare = budget - 1 - used
        eligible_at = begins_s + window_s * (1 - min(1.0, spare / before)) if spare >= 0 and before else begins_s
        if spare < 0 or eligible_at >= begins_s + window_s:
            at = begins_s + window_s
            continue
        at = max(at, eligible_at)
        used, n = used + 1, n - 1
    return at + trip.down_s


def bucket(*, n: int, drip_s: float, burst: int, empty_s: float, trip: Trip) -> float:
    """Bound for a token bucket of `burst` tokens that is full again in `empty_s` seconds."""
    first_at = trip.up_s
    last_at = max(0.0, empty_s - first_at) + (n - burst) * drip_s
    return first_at + max(0.0, last_at) + trip.down_s


def running_average(*, n: int, budget: int, window_s: float, level: float, trip: Trip) -> float:
    """Bound for an exponentially fading average that stands at `level` now."""
    at, level = trip.up_s, level * math.exp(-trip.up_s / window_s)
    for _ in range(n):
        wait_s = window_s * math.log(level / (budget - 0.5)) if level > budget - 0.5 else 0.0
        at, level = at + wait_s, level * math.exp(-wait_s / window_s) + 1
    return at + trip.down_s


def makespan_bound(meter: Meter, *, now: float, n: int, trip: Trip) -> float:
    """Return the bound for a meter in the state it is in, if nobody else calls and nothing changes."""
    match meter:
        case FixedWindow():
            left, ends_in_s = meter.left(now), meter.reset_at(now) - now
            return windows(budget=meter.budget, window_s=meter.window_s, left=left, ends_in_s=ends_in_s, n=n, trip=trip)
        case LazyWindow():
            left, ends_in_s = meter.left(now), meter.ends_at - now
            return lazy_windows(
                budget=meter.budget, window_s=meter.window_s, left=left, ends_in_s=ends_in_s, n=n, trip=trip
            )
        case SlidingLog():
            meter.left(now)
            ages_s = [now - at for at in meter.log]
            return sliding(budget=meter.budget, window_s=meter.window_s, ages_s=ages_s, n=n, trip=trip)
        case SlidingCounter():
            meter.left(now)
            ends_in_s = meter.began_at + meter.window_s - now
            loads = {"budget": meter.budget, "before": meter.before, "used": meter.used}
            return counter(window_s=meter.window_s, ends_in_s=ends_in_s, **loads, n=n, trip=trip)
        case Gcra():
            return bucket(drip_s=meter.drip_s, burst=meter.burst, empty_s=max(0.0, meter.full_at - now), n=n, trip=trip)
        case RunningAverage():
            level = meter.level * math.exp((meter.level_at - now) / meter.window_s)
            return running_average(budget=meter.budget, window_s=meter.window_s, level=level, n=n, trip=trip)
        case _:
            raise TypeError(meter)

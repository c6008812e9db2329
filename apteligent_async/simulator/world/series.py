"""How many app loads and crashes an app had on a day, dealt out to its cohorts.

A finished day never changes. Today holds the part that has come in so far.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from apteligent_async.simulator.world.clock import day_share
from apteligent_async.simulator.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from apteligent_async.simulator.world.clock import AppCalendar
    from apteligent_async.simulator.world.profile import AppProfile

__all__ = ["Cells", "Series", "deal"]

Cells = tuple[int, ...]
"""One count per cohort, in the profile's order."""


def deal(total: int, weights: Sequence[float]) -> Cells:
    """Split a count in proportion to weights: the parts are whole, never negative, and add up to the total exactly."""
    whole = sum(weights)
    if not whole:
        return tuple(0 for _ in weights)
    edges = [0, *(round(total * part / whole) for part in accumulate(weights))]
    edges[-1] = total
    return tuple(after - before for before, after in pairwise(edges))


def _finished(cells: dict[date, Cells], calendar: AppCalendar) -> dict[date, Cells]:
    return {day: counts for day, counts in cells.items() if day < calendar.today}


class Series:
    """The daily counts of one app; its state is a cache of days that were asked for."""

    def __init__(self, profile: AppProfile, calendar: AppCalendar) -> None:
        self._profile = profile
        self._calendar = calendar
        self._loads: dict[date, Cells] = {}
        self._crashes: dict[date, Cells] = {}

    def moved(self, calendar: AppCalendar) -> Series:
        """Return the series at a later instant; days that were over already are not dealt again."""
        later = Series(self._profile, calendar)
        later._loads = _finished(self._loads, self._calendar)
        later._crashes = _finished(self._crashes, self._calendar)
        return later

    def loads(self, day: date) -> Cells:
        """Return the app loads of a day by cohort; all zero after today."""
        if day not in self._loads:
            self._loads[day] = self._deal_loads(day)
        return self._loads[day]

    def crashes(self, day: date) -> Cells:
        """Return the crashes of a day by cohort; never more than its loads, as every rate is below one."""
        if day not in self._crashes:
            self._crashes[day] = self._deal_crashes(day)
        return self._crashes[day]

    def ordinary_loads(self, day: date) -> int:
        """Return the app loads that the whole day brings, even where it is not over yet."""
        throw = dice("day", self._profile.seed, day.toordinal())
        week = self._profile.weekend_factor if day.weekday() >= 5 else 1.0
        return round(self._profile.daily_loads * week * throw.uniform(0.93, 1.07))

    def passed_share(self, day: date) -> float:
        """Return the part of a day's traffic that has come in by now."""
        today = self._calendar.today
        return day_share(self._calendar.elapsed_s) if day == today else float(day < today)

    def cumulative(self, counts: Callable[[date], Cells], at: datetime) -> int:
        """Return how many of its day's loads or crashes had come in by a local instant, or by now if earlier."""
        passed = self.passed_share(at.date())
        if not passed:
            return 0
        seconds = (at - datetime.combine(at.date(), time())).total_seconds()
        return int(sum(counts(at.date())) * min(1.0, day_share(seconds) / passed))

    def arrived(self, counts: Callable[[date], Cells], start: datetime, end: datetime) -> int:
        """Return the loads or crashes that came in between two local instants; the future has none."""
        arrived = self.cumulative(counts, end) - self.cumulative(counts, start)
        day = start.date()
        while day < end.date():
            arrived += sum(counts(day))
            day += timedelta(days=1)
        return arrived

    def _deal_loads(self, day: date) -> Cells:
        shares = self._profile.version_shares(day)
        weights = [shares[cohort.version] * cohort.share for cohort in self._profile.cohorts]
        return deal(int(self.ordinary_loads(day) * self.passed_share(day)), weights)

    def _deal_crashes(self, day: date) -> Cells:
        profile = self._profile
        mood = dice("crashes", profile.seed, day.toordinal()).uniform(0.8, 1.25) * profile.crash_percent / 100
        rates = [mood * version.crash_factor for version in profile.versions]
        crashes: list[int] = []
        carried = 0.5
        for cohort, loads in zip(profile.cohorts, self.loads(day), strict=True):
            carried += loads * rates[cohort.version] * cohort.crash_factor
            crashed = int(carried)
            carried -= crashed
            crashes.append(crashed)
        return tuple(crashes)

"""The eight metrics of error monitoring, from the counts of any cohorts over any days.

Counts add up. Users do not: one user may load the app on many days, so that a longer window holds fewer than the sum.
"""

from __future__ import annotations

import math
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from apteligent_async.simulator.world.profile import AppProfile
    from apteligent_async.simulator.world.series import Cells, Series

__all__ = ["ErrorGraph", "Usage", "days_of", "percent", "usage_of"]

_MONTH_DAYS = 30
_CRASHES_PER_USER = 1.35


class ErrorGraph(StrEnum):
    """The request's word for a metric, as the service spells it."""

    DAU = "dau"
    MAU = "mau"
    RATING = "rating"
    CRASHES = "crashes"
    CRASH_PERCENT = "crashPercent"
    APP_LOADS = "appLoads"
    AFFECTED_USERS = "affectedUsers"
    AFFECTED_USER_PERCENT = "affectedUserPercent"


def percent(part: float, whole: float) -> float:
    """Return the rounded percentage, 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0


@frozen
class Usage:
    """What some cohorts did in a window; values of several apps can be added."""

    loads: int = 0
    crashes: int = 0
    users: int = 0
    affected: int = 0
    rating_sum: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.loads + other.loads,
            self.crashes + other.crashes,
            self.users + other.users,
            self.affected + other.affected,
            self.rating_sum + other.rating_sum,
        )

    def value(self, graph: ErrorGraph) -> float:  # noqa: PLR0911  one line per metric
        """Return one metric: counts as integers, percentages (0 to 100) and ratings with at most two decimals."""
        match graph:
            case ErrorGraph.DAU | ErrorGraph.MAU:
                return self.users
            case ErrorGraph.RATING:
                return round(self.rating_sum / self.loads, 2) if self.loads else 0
            case ErrorGraph.CRASHES:
                return self.crashes
            case ErrorGraph.CRASH_PERCENT:
                return percent(self.crashes, self.loads)
            case ErrorGraph.APP_LOADS:
                return self.loads
            case ErrorGraph.AFFECTED_USERS:
                return self.affected
            case ErrorGraph.AFFECTED_USER_PERCENT:
                return min(100, percent(self.affected, self.users))
            case _:
                assert_never(graph)


def days_of(metric: ErrorGraph, days: Sequence[date]) -> Sequence[date]:
    """Return the days that a metric looks at for a window: monthly users are those of the thirty days to its end."""
    if metric is not ErrorGraph.MAU:
        return days
    return [days[-1] - timedelta(days=back) for back in range(_MONTH_DAYS - 1, -1, -1)]


def usage_of(profile: AppProfile, series: Series, cohorts: Sequence[int], days: Sequence[date]) -> Usage:
    """Measure some cohorts over a window of consecutive days, oldest first."""
    loads = [_part(series.loads(day), cohorts) for day in days]
    crashes = [_part(series.crashes(day), cohorts) for day in days]
    return Usage(
        loads=sum(loads),
        crashes=sum(crashes),
        users=_distinct(math.ceil(count / profile.loads_per_user) for count in loads),
        affected=_distinct(math.ceil(count / _CRASHES_PER_USER) for count in crashes),
        rating_sum=sum(loads) * profile.rating,
    )


def _part(cells: Cells, cohorts: Sequence[int]) -> int:
    return sum(cells) if len(cohorts) == len(cells) else sum(cells[position] for position in cohorts)


def _distinct(daily: Iterable[int]) -> int:
    """Count people once: about one in nine of a day's users is new to the window."""
    counts = tuple(daily)
    return max([round(sum(counts) / (1 + 0.12 * (len(counts) - 1))), *counts])

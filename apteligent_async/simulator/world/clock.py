"""The calendar of an app: local days, how much of today has passed, and how a day's traffic is spread over it.

It reads no clock: the instant is told.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta

from attrs import frozen

__all__ = ["AppCalendar", "day_share"]

_DAY_S = 86_400
_SWING = 0.6


def day_share(seconds: float) -> float:
    """Return the part of a day's traffic that came in during its first so many seconds: nights are quiet."""
    passed = min(1.0, max(0.0, seconds / _DAY_S))
    return passed - _SWING * math.sin(2 * math.pi * passed) / (2 * math.pi)


@frozen
class AppCalendar:
    """An instant as an app sees it, whose days begin at its own offset from UTC.

    Attributes:
        now: the instant, aware.
        offset_h: whole hours east of UTC.
    """

    now: datetime
    offset_h: int

    @property
    def local_now(self) -> datetime:
        """The instant on the app's wall clock, naive."""
        return (self.now.astimezone(UTC) + timedelta(hours=self.offset_h)).replace(tzinfo=None)

    @property
    def today(self) -> date:
        """The running local day."""
        return self.local_now.date()

    @property
    def elapsed_s(self) -> float:
        """Seconds of today that have passed."""
        return (self.local_now - datetime.combine(self.today, time())).total_seconds()

    def days(self, count: int, *, last: date | None = None) -> tuple[date, ...]:
        """Return so many days, oldest first, that end with `last` (today if not given)."""
        end = last or self.today
        return tuple(end - timedelta(days=back) for back in range(count - 1, -1, -1))

    def starts_at(self, day: date) -> datetime:
        """Return the instant at which a local day begins, in UTC."""
        return datetime.combine(day, time(), UTC) - timedelta(hours=self.offset_h)

"""Which days a plan is about: what has begun, what can be asked for, and when it is final.

Days are the app's own, which begin at its offset from GMT. Where nobody said what that is, the newest day is one that
has begun everywhere on Earth, and asking goes back far enough for every time zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from attrs import frozen

from apteligent_async.models.days import DayLabels

__all__ = ["DAY", "AppDays", "graph_minutes", "newest_point"]

DAY = timedelta(days=1)
_LATEST_OFFSET_H = -12
_DAY_MINUTES = 1440
_ATTESTED_DAYS = (1, 2, 7, 29, 30, 60)
"""The spans of error monitoring that clients were seen to ask for."""


@frozen(kw_only=True)
class AppDays:
    """The calendar of an app.

    Attributes:
        now: the service's instant, aware.
        offset_hours: hours from GMT at which its days begin; None if nobody said.
    """

    now: datetime
    offset_hours: float | None = None

    @property
    def today(self) -> date:
        """The running day; where the offset is not known, that of the time zone where it begins last."""
        offset = _LATEST_OFFSET_H if self.offset_hours is None else self.offset_hours
        return (self.now.astimezone(UTC) + timedelta(hours=offset)).date()

    @property
    def asking_day(self) -> date:
        """The day that an answer about the present is filed under; in UTC where the offset is not known."""
        return self.now.astimezone(UTC).date() if self.offset_hours is None else self.today

    def ends_at(self, day: date) -> datetime:
        """Tell the instant at which a day is over; at the latest, where the offset is not known."""
        offset = _LATEST_OFFSET_H if self.offset_hours is None else self.offset_hours
        return datetime.combine(day + DAY, time(), UTC) - timedelta(hours=offset)


def graph_minutes(age_days: int, *, offset_hours: float | None) -> int:
    """Choose a duration that reaches back far enough, from among those that clients were seen to ask for.

    Args:
        age_days: how many days before the newest one the oldest lies that must be in the answer.
        offset_hours: the app's offset; without, its day may be two ahead of the newest that has begun everywhere.
    """
    slack = 3 if offset_hours is None else 1  # midnight may pass before the call is made
    wanted = age_days + 1 + slack
    return next((days for days in _ATTESTED_DAYS if days >= wanted), wanted) * _DAY_MINUTES


def newest_point(today: date, labelling: DayLabels) -> date:
    """Tell the last day that a graph has a point for: the running one, or the one before it."""
    return today if labelling is DayLabels.END else today - DAY

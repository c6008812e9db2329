"""How an app did over the last month, cut by its most frequent versions, systems and devices (grade A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.models.frozen import EMPTY, FrozenMapping
from apteligent_async.models.result import Number, Part, Result, Scalar
from apteligent_async.models.tables import Column
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Trend", "TrendBucket", "TrendCategory", "TrendUnits", "Trends", "UserTrend", "UserTrendSeries"]


@frozen(kw_only=True)
class TrendUnits(Part):
    """What the numbers of a trend are.

    Attributes:
        of: ``app_loads``, ``crashes``, ``users`` or ``dau``.
        type: ``count`` or ``percent``.
    """

    of: str | None = None
    type: str | None = None


@frozen(kw_only=True)
class TrendBucket(Part):
    """One day.

    Attributes:
        start_text: when it begins, as sent, with an offset.
        duration: its length as an ISO period: ``P1D``.
        value: the metric's value; ratios run from 0 to 100, are rounded to two decimals, and may be whole.
    """

    start_text: str | None = None
    duration: str | None = None
    value: Number | None = None

    @property
    def start(self) -> datetime | None:
        """When it begins: midnight of the app's own time zone."""
        return parse_time(self.start_text)


@frozen(kw_only=True)
class TrendCategory(Part):
    """One line of a trend.

    Attributes:
        buckets: the days, oldest first; the last is the running day.
    """

    buckets: tuple[TrendBucket, ...] | None = None

    @property
    def values(self) -> tuple[Number | None, ...]:
        """The values alone, oldest first."""
        return tuple(bucket.value for bucket in self.buckets or ())


@frozen(kw_only=True)
class Trend(Part):
    """One metric over 31 days.

    Attributes:
        units: what the numbers are.
        today_top_values: the running day by key; None for ``dau`` and ``mau``.
        categories: lines by key, at most five; ``total`` alone for ``dau`` and ``mau``.
    """

    units: TrendUnits | None = None
    today_top_values: FrozenMapping[Number | None] | None = None
    categories: FrozenMapping[TrendCategory] | None = None


@frozen(kw_only=True, repr=False)
class Trends(Result):
    """Fourteen metrics over 31 days.

    Attributes:
        series: the metrics by name, such as ``crashesByVersion``.
    """

    series: FrozenMapping[Trend]

    def columns(self) -> tuple[Column, ...]:
        """Give one row per series, key and day."""
        found = [
            (name, key, bucket.start, bucket.value)
            for name, trend in self.series.items()
            for key, category in (trend.categories or EMPTY).items()
            for bucket in category.buckets or ()
        ]
        return (
            Column(name="series", kind="text", cells=[row[0] for row in found]),
            Column(name="key", kind="text", cells=[row[1] for row in found]),
            Column(name="start", kind="instant", cells=[row[2] for row in found]),
            Column(name="value", kind="number", cells=[row[3] for row in found]),
        )

    def headline(self) -> str:
        """Say how many series there are."""
        return f"of {len(self.series)} series"


@frozen(kw_only=True)
class UserTrendSeries(Part):
    """Users of an app over time (``todayValue``: grade B; buckets as in trends: D).

    Attributes:
        today_value: users so far today, or this month.
        units: what the numbers are.
        categories: lines by key.
        buckets: the days, where the service sends them without categories.
    """

    today_value: Scalar = None
    units: TrendUnits | None = None
    categories: FrozenMapping[TrendCategory] | None = None
    buckets: tuple[TrendBucket, ...] | None = None


@frozen(kw_only=True, repr=False)
class UserTrend(Result):
    """Daily or monthly users of an app.

    Attributes:
        series: the users over time.
    """

    series: UserTrendSeries

    @property
    def today_value(self) -> Scalar:
        """Users so far today, or this month."""
        return self.series.today_value

    @property
    def buckets(self) -> tuple[TrendBucket, ...]:
        """The days, wherever the service put them."""
        if self.series.buckets is not None:
            return self.series.buckets
        return tuple(
            bucket for category in (self.series.categories or EMPTY).values() for bucket in category.buckets or ()
        )

    def columns(self) -> tuple[Column, ...]:
        """Give one row per day."""
        return (
            Column(name="start", kind="instant", cells=[bucket.start for bucket in self.buckets]),
            Column(name="value", kind="number", cells=[bucket.value for bucket in self.buckets]),
        )

    def headline(self) -> str:
        """Name today's value."""
        return f"today {self.today_value}"

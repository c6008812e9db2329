"""How an app did over the last month, cut by its most frequent versions, systems and devices (grade A)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, overload

from attrs import frozen

from apteligent_async.models.frozen import EMPTY, FrozenMapping
from apteligent_async.models.result import Number, Part, Result, Scalar
from apteligent_async.models.tables import Column
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = [
    "Trend",
    "TrendBucket",
    "TrendBuckets",
    "TrendCategory",
    "TrendUnits",
    "Trends",
    "UserTrend",
    "UserTrendSeries",
]


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
class TrendBuckets(Sequence[TrendBucket]):
    """The days of one line, oldest first, kept as columns: a `TrendBucket` is made when one is asked for.

    Attributes:
        start_texts: when each begins, as sent.
        durations: their lengths as ISO periods.
        values: the metric's values.
        unusual: buckets with more or fewer keys than these, whole, each with its place.
    """

    start_texts: tuple[str | None, ...] = ()
    durations: tuple[str | None, ...] = ()
    values: tuple[Number | None, ...] = ()
    unusual: tuple[tuple[int, TrendBucket], ...] = ()

    @classmethod
    def of(cls, buckets: Iterable[TrendBucket]) -> Self:
        """Turn buckets into columns."""
        listed = tuple(buckets)
        return cls(
            start_texts=tuple(bucket.start_text for bucket in listed),
            durations=tuple(bucket.duration for bucket in listed),
            values=tuple(bucket.value for bucket in listed),
            unusual=tuple((place, bucket) for place, bucket in enumerate(listed) if bucket.extra or bucket.absent),
        )

    @property
    def starts(self) -> tuple[datetime | None, ...]:
        """When each begins: midnight of the app's own time zone."""
        return tuple(map(parse_time, self.start_texts))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> TrendBucket: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TrendBucket, ...]: ...
    def __getitem__(self, index: int | slice) -> TrendBucket | tuple[TrendBucket, ...]:
        places = range(len(self))[index]
        return self._bucket(places) if isinstance(places, int) else tuple(map(self._bucket, places))

    def _bucket(self, place: int) -> TrendBucket:
        for unusual, bucket in self.unusual:
            if unusual == place:
                return bucket
        return TrendBucket(start_text=self.start_texts[place], duration=self.durations[place], value=self.values[place])


@frozen(kw_only=True)
class TrendCategory(Part):
    """One line of a trend.

    Attributes:
        buckets: the days, oldest first; the last is the running day.
    """

    buckets: TrendBuckets | None = None

    @property
    def values(self) -> tuple[Number | None, ...]:
        """The values alone, oldest first."""
        return self.buckets.values if self.buckets is not None else ()

    @property
    def starts(self) -> tuple[datetime | None, ...]:
        """When each day begins, oldest first."""
        return self.buckets.starts if self.buckets is not None else ()


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
        lines = [
            (name, key, category)
            for name, trend in self.series.items()
            for key, category in (trend.categories or EMPTY).items()
        ]
        return (
            Column(name="series", kind="text", cells=[name for name, _, line in lines for _ in line.values]),
            Column(name="key", kind="text", cells=[key for _, key, line in lines for _ in line.values]),
            Column(name="start", kind="instant", cells=[start for _, _, line in lines for start in line.starts]),
            Column(name="value", kind="number", cells=[value for _, _, line in lines for value in line.values]),
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
    buckets: TrendBuckets | None = None


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
    def buckets(self) -> TrendBuckets:
        """The days, wherever the service put them."""
        if self.series.buckets is not None:
            return self.series.buckets
        lines = (self.series.categories or EMPTY).values()
        return TrendBuckets.of(bucket for line in lines for bucket in line.buckets or ())

    def columns(self) -> tuple[Column, ...]:
        """Give one row per day."""
        days = self.buckets
        return (
            Column(name="start", kind="instant", cells=days.starts),
            Column(name="value", kind="number", cells=days.values),
        )

    def headline(self) -> str:
        """Name today's value."""
        return f"today {self.today_value}"

"""Which day a daily number belongs to: two readings exist of graphs and of tables, so the caller can choose."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.models.result import Number, Part
from apteligent_async.models.times import parse_date

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DailyArray", "DayLabels", "Orientation", "labels", "orientation_of"]


class DayLabels(StrEnum):
    """How the points of a graph are dated. The service documents neither reading.

    END: point i is the day ``start + i + 1``, so `end` names the last point, and that is the running, partial day. Four
        independent clients read it so; the default (grade C).
    START: point i is the day ``start + i``, and the last point is the last complete day. One official client reads it
        so, and it may have become true when days moved to UTC (grade D).
    """

    END = "end"
    START = "start"


class Orientation(StrEnum):
    """Which way a daily array of a crash runs; clients disagree, and nothing proves either (grade D)."""

    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"


@frozen(kw_only=True)
class DailyArray(Part):
    """Counts of consecutive days of which only the newest is dated: ``["2015-09-03", [16, 22, ...]]`` (grade A1).

    Attributes:
        date_text: the newest day as sent, with dashes or without.
        counts: one number per day; which end is the newest is disputed, see `Orientation`.
    """

    date_text: str | None = None
    counts: tuple[Number | None, ...] | None = None

    @property
    def date(self) -> dt.date | None:
        """The newest day, in the app's own time zone (grade A for 2015 and 2016)."""
        return parse_date(self.date_text)

    def labelled(self, orientation: Orientation) -> tuple[tuple[dt.date | None, Number | None], ...]:
        """Pair each count with its day, oldest first, under the reading that the caller chooses."""
        counts = self.counts or ()
        oldest_first = counts if Orientation(orientation) is Orientation.OLDEST_FIRST else counts[::-1]
        newest = self.date
        days = (newest and newest - dt.timedelta(days=age) for age in range(len(counts) - 1, -1, -1))
        return tuple(zip(days, oldest_first, strict=True))


def labels(start: dt.datetime | None, interval: float | None, n: int, labelling: DayLabels) -> list[dt.datetime | None]:
    """Date n buckets; all None where the window or its interval is unknown or absurd."""
    if start is None or interval is None:
        return [None] * n
    first = 1 if DayLabels(labelling) is DayLabels.END else 0
    try:
        step = dt.timedelta(seconds=interval)
        return [start + step * (first + i) for i in range(n)]
    except (OverflowError, ValueError):
        return [None] * n


def orientation_of(groups: Iterable[tuple[DailyArray, dt.datetime | None]]) -> Orientation | None:
    """Find out which way daily arrays run, from groups that have not occurred lately.

    Days after a group's last occurrence must count nothing, so a reading that counts something there is wrong. One day
    is left as slack, because the array's days and the last occurrence may be told in different time zones.

    Args:
        groups: daily arrays, each with the last occurrence of its group.

    Returns:
        The only reading that contradicts nothing; None if both do, or neither.
    """
    tails = [_quiet_days(array, last_at) for array, last_at in groups]
    is_possible = {
        Orientation.NEWEST_FIRST: not any(any(counts[:n]) for counts, n in tails),
        Orientation.OLDEST_FIRST: not any(any(counts[len(counts) - n :]) for counts, n in tails),
    }
    left = [orientation for orientation, possible in is_possible.items() if possible]
    return left[0] if len(left) == 1 else None


def _quiet_days(array: DailyArray, last_at: dt.datetime | None) -> tuple[tuple[Number | None, ...], int]:
    counts = array.counts or ()
    if array.date is None or last_at is None:
        return counts, 0
    quiet = (array.date - last_at.date()).days - 1
    return counts, min(max(quiet, 0), len(counts))

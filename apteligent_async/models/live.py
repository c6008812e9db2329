"""What happens right now (grade B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.models.result import Number, Part, Result
from apteligent_async.models.tables import Column, columns_of
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["LiveBucket", "LiveStats"]


@frozen(kw_only=True)
class LiveBucket(Part):
    """One window of the live statistics.

    Attributes:
        start_text: when it begins, as sent: ISO, or milliseconds since 1970 as v1 wrote it.
        end_text: when it ends, as sent.
        app_loads: app loads in it.
        crashes: crashes in it.
    """

    start_text: str | int | float | None = None
    end_text: str | int | float | None = None
    app_loads: Number | None = None
    crashes: Number | None = None

    @property
    def start(self) -> datetime | None:
        """When it begins."""
        return parse_time(self.start_text)

    @property
    def end(self) -> datetime | None:
        """When it ends."""
        return parse_time(self.end_text)


@frozen(kw_only=True, repr=False)
class LiveStats(Result):
    """App loads and crashes of the last five minutes or of a day.

    Attributes:
        crash_percentage: crashes per 100 app loads, 0 to 100.
        periodic_data: the windows, oldest first: one for a day, many for five minutes.
    """

    crash_percentage: Number | None = None
    periodic_data: tuple[LiveBucket, ...]

    def columns(self) -> tuple[Column, ...]:
        """Give one row per window."""
        return columns_of(self.periodic_data, start="instant", end="instant", app_loads="number", crashes="number")

    def headline(self) -> str:
        """Say how many windows there are and how often the app crashes."""
        crashed = "unknown" if self.crash_percentage is None else f"{self.crash_percentage} %"
        return f"of {len(self.periodic_data)} windows, crash rate {crashed}"

"""Pies and graphs, of errors and of performance alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.models.days import DayLabels, labels
from apteligent_async.models.result import Number, Part, Result
from apteligent_async.models.tables import Column, columns_of
from apteligent_async.models.times import parse_time, span

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Graph", "Pie", "Series", "Slice"]


@frozen(kw_only=True)
class Slice(Part):
    """One group of a pie.

    Attributes:
        name: what to group and join on, such as ``ios 6.1``.
        label: what to show, such as ``iOS  6.1``; the two differ in ways that follow no rule (grade A1).
        value: the metric's value; percentages run from 0 to 100.
    """

    name: str
    label: str | None = None
    value: Number | None = None


@frozen(kw_only=True, repr=False)
class Pie(Result):
    """One metric cut by one dimension over a window; slices come in no particular order (grade A1).

    Attributes:
        slices: the groups; for count metrics their values sum to the app's total.
        start_text: start of the window as sent; without an offset in every capture.
        end_text: end of the window as sent.
        interval: bucket length in seconds: 86400 for errors, 300 for performance.
    """

    slices: tuple[Slice, ...]
    start_text: str | None = None
    end_text: str | None = None
    interval: Number | None = None

    @property
    def start(self) -> datetime | None:
        """Start of the window; naive, as the service does not say whose midnight it means."""
        return parse_time(self.start_text)

    @property
    def end(self) -> datetime | None:
        """End of the window; naive like `start`."""
        return parse_time(self.end_text)

    def columns(self) -> tuple[Column, ...]:
        """Give one row per slice."""
        return columns_of(self.slices, name="text", label="text", value="number")

    def headline(self) -> str:
        """Say how many slices there are, and of which window."""
        return f"{len(self.slices)} slices, {span(self.start, self.end)}"


@frozen(kw_only=True)
class Series(Part):
    """One line of a graph.

    Attributes:
        name: the metric, or the group.
        label: what to show; in sparklines only.
        points: one value per bucket, oldest first; None where there is none.
    """

    name: str
    label: str | None = None
    points: tuple[Number | None, ...]


@frozen(kw_only=True, repr=False)
class Graph(Result):
    """One metric over time (grade A1).

    There are exactly ``(end - start) / interval`` points in every capture. Which day a point means is disputed: see
    `DayLabels`.

    Attributes:
        series: the lines.
        start_text: start of the window as sent; without an offset in every capture.
        end_text: end of the window as sent.
        interval: bucket length in seconds.
    """

    series: tuple[Series, ...]
    start_text: str | None = None
    end_text: str | None = None
    interval: Number | None = None

    @property
    def start(self) -> datetime | None:
        """Start of the window; naive, as the service does not say whose midnight it means."""
        return parse_time(self.start_text)

    @property
    def end(self) -> datetime | None:
        """End of the window; naive like `start`."""
        return parse_time(self.end_text)

    def labelled(self, labelling: DayLabels = DayLabels.END) -> tuple[tuple[datetime | None, Number | None], ...]:
        """Pair each point of the first series with the instant that names its bucket, as `DayLabels` explains."""
        points = self.series[0].points if self.series else ()
        return tuple(zip(labels(self.start, self.interval, len(points), labelling), points, strict=True))

    def columns(self, labelling: DayLabels = DayLabels.END) -> tuple[Column, ...]:
        """Give one row per series and point, each with the instant that names its bucket."""
        names: list[str] = []
        buckets: list[datetime | None] = []
        values: list[Number | None] = []
        for line in self.series:
            names.extend([line.name] * len(line.points))
            buckets.extend(labels(self.start, self.interval, len(line.points), labelling))
            values.extend(line.points)
        return (
            Column(name="series", kind="text", cells=names),
            Column(name="bucket", kind="instant", cells=buckets),
            Column(name="value", kind="number", cells=values),
        )

    def headline(self) -> str:
        """Say how many series and points there are, and of which window."""
        n_points = max((len(line.points) for line in self.series), default=0)
        return f"{len(self.series)} series of {n_points} points, {span(self.start, self.end)}"

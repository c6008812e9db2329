"""Under which conditions an error happened (grade A1: two captures)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from apteligent_async.models.breadcrumbs import AffectedUser  # noqa: TC001  cattrs resolves it
from apteligent_async.models.frozen import FrozenMapping  # noqa: TC001  cattrs resolves it
from apteligent_async.models.quantities import Quantity, parse_quantity
from apteligent_async.models.result import Number, Part

__all__ = ["Bars", "Chart", "Country", "Diagnostics", "GeoPoint", "Range", "Tally"]


@frozen(kw_only=True)
class Tally(Part):
    """How often one value was seen: ``["iPhone8,1", 1161]``.

    Attributes:
        label: the value; may be empty.
        count: how often.
    """

    label: str | None = None
    count: Number | None = None


@frozen(kw_only=True)
class Bars(Part):
    """A histogram.

    Attributes:
        data: how many fell into each category.
        categories: their labels, such as ``0 MB-256 MB``.
    """

    data: tuple[Number | None, ...] | None = None
    categories: tuple[str, ...] | None = None


@frozen(kw_only=True)
class Range(Part):
    """Between which values something lay; texts such as ``2522 MB`` or ``0.82``.

    Attributes:
        max_text: the largest, as sent.
        average_text: the mean, as sent.
        min_text: the smallest, as sent.
    """

    max_text: str | int | float | None = None
    average_text: str | int | float | None = None
    min_text: str | int | float | None = None

    @property
    def max(self) -> Quantity | None:
        """The largest."""
        return parse_quantity(self.max_text)

    @property
    def average(self) -> Quantity | None:
        """The mean."""
        return parse_quantity(self.average_text)

    @property
    def min(self) -> Quantity | None:
        """The smallest."""
        return parse_quantity(self.min_text)


@frozen(kw_only=True)
class GeoPoint(Part):
    """How often it happened at one place: ``[13.78, 100.58, 3]``.

    Attributes:
        latitude: degrees north.
        longitude: degrees east.
        count: how often; not always whole.
    """

    latitude: Number | None = None
    longitude: Number | None = None
    count: Number | None = None


@frozen(kw_only=True)
class Country(Part):
    """How often it happened in one country.

    Attributes:
        name: the country's name.
        regions: its regions by name; the name may be the text ``null``.
    """

    name: str | None = None
    regions: FrozenMapping[GeoPoint]


@frozen(kw_only=True)
class Chart(Part):
    """Occurrences by day: oldest first, UTC days, day i is the start plus i days (proven from the captures: grade A1).

    Attributes:
        name: what is counted.
        id: ``total``.
        point_start: the first day in milliseconds since 1970: midnight and some stray milliseconds.
        point_interval: milliseconds from one point to the next.
        data: one count per day.
        show_in_legend: a hint for drawing.
    """

    name: str | None = None
    id: str | None = None
    point_start: Number | None = None
    point_interval: Number | None = None
    data: tuple[Number | None, ...] | None = None
    show_in_legend: bool | None = None

    def labelled(self) -> tuple[tuple[datetime | None, Number | None], ...]:
        """Pair each count with the UTC midnight at which its day begins."""
        counts = self.data or ()
        try:
            first = datetime.fromtimestamp((self.point_start or 0) / 1000, UTC)
            midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
            step = timedelta(milliseconds=self.point_interval or 0)
            return tuple((midnight + step * i, count) for i, count in enumerate(counts))
        except (OverflowError, ValueError, OSError):
            return tuple((None, count) for count in counts)


@frozen(kw_only=True)
class Diagnostics(Part):
    """Under which conditions an error happened; in the capture every breakdown sums to the same total.

    Attributes:
        continuous_bar_diagnostic_data: histograms by name, such as ``memory_usage``.
        continuous_diagnostic_data: ranges by name: battery, memory, disk.
        discrete_diagnostic_data: tallies by dimension: ``model``, ``locale``, ``carrier``, ``app_version`` and others.
        discrete_bar_diagnostic_data: histograms of networks; may be empty.
        geo_data: countries by code.
        chart_data: occurrences by day.
        affected_users: users by hash: personal data.
        affected_versions: occurrences by app version.
        num_geo_points: 0 even where there are some; to be ignored.
    """

    continuous_bar_diagnostic_data: FrozenMapping[Bars] | None = None
    continuous_diagnostic_data: FrozenMapping[Range] | None = None
    discrete_diagnostic_data: FrozenMapping[tuple[Tally, ...]] | None = None
    discrete_bar_diagnostic_data: FrozenMapping[Bars] | None = None
    geo_data: FrozenMapping[Country] | None = None
    chart_data: tuple[Chart, ...] | None = None
    affected_users: FrozenMapping[AffectedUser] | None = None
    affected_versions: tuple[Tally, ...] | None = None
    num_geo_points: Number | None = None

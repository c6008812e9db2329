"""Network performance by endpoint, by service and by country (grade B: no body was ever captured)."""

from __future__ import annotations

from attrs import frozen

from apteligent_async.models.frozen import EMPTY, FrozenMapping
from apteligent_async.models.result import Listing, Number, Part, Result
from apteligent_async.models.tables import Column, columns_of

__all__ = ["EndpointRank", "EndpointRanking", "GeoSeries", "GeoValues", "ServiceRank", "ServiceRanking"]


@frozen(kw_only=True)
class EndpointRank(Part):
    """One address that the app calls.

    Attributes:
        domain: its host.
        uri: its path.
        value: value of the metric that the ranking was sorted by (``sort`` on the wire).
    """

    domain: str | None = None
    uri: str | None = None
    value: Number | None = None


@frozen(kw_only=True, repr=False)
class EndpointRanking(Listing[EndpointRank]):
    """The addresses that rank highest."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per address."""
        return columns_of(self.items, domain="text", uri="text", value="number")


@frozen(kw_only=True)
class ServiceRank(Part):
    """One service that the app calls; Wi-Fi hotspots may be among them.

    Attributes:
        name: the service.
        value: value of the metric that the ranking was sorted by (``sort`` on the wire).
    """

    name: str | None = None
    value: Number | None = None


@frozen(kw_only=True, repr=False)
class ServiceRanking(Listing[ServiceRank]):
    """The services that rank highest."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per service."""
        return columns_of(self.items, name="text", value="number")


@frozen(kw_only=True)
class GeoSeries(Part):
    """One metric by country.

    Attributes:
        geo: values by country code.
    """

    geo: FrozenMapping[Number | None] | None = None


@frozen(kw_only=True, repr=False)
class GeoValues(Result):
    """One metric by country.

    Attributes:
        series: as sent; only the first was ever read.
    """

    series: tuple[GeoSeries, ...]

    @property
    def by_country(self) -> FrozenMapping[Number | None]:
        """Values by country code."""
        return (self.series[0].geo or EMPTY) if self.series else EMPTY

    def columns(self) -> tuple[Column, ...]:
        """Give one row per country."""
        return (
            Column(name="country", kind="text", cells=list(self.by_country)),
            Column(name="value", kind="number", cells=list(self.by_country.values())),
        )

    def headline(self) -> str:
        """Say how many countries there are."""
        return f"of {len(self.by_country)} countries"

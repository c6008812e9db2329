"""Network calls of apps: how long they take, how much they carry, how often they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime, timedelta

    from apteligent_async.models.choices import PerformanceGraph, PerformanceGroupBy, PerformanceSort, Unchecked
    from apteligent_async.models.monitoring import Graph, Pie
    from apteligent_async.models.performance import EndpointRanking, GeoValues, ServiceRanking

__all__ = ["PerformanceManagement"]


@frozen(repr=False)
class PerformanceManagement:
    """Network calls of the apps: ``client.performance_management``.

    Units are read off magnitudes (grade D): ``latency`` is mean milliseconds, ``dataIn`` and ``dataOut`` (``data`` in
    rankings) are mean bytes per request, ``volume`` is requests, ``errors`` is percent from 0 to 100. Durations are
    minutes of a closed set, 15, 60, 240, 480, 720, 1440, 2880, 10080 and 43200, or the same as timedeltas.
    """

    _caller: Caller

    async def pie(
        self,
        *,
        graph: PerformanceGraph | str | Unchecked,
        group_by: PerformanceGroupBy | str | Unchecked,
        app_id: str | None = None,
        app_ids: Iterable[str] | None = None,
        duration: int | timedelta | Unchecked = 1440,
        filters: Mapping[str, str] | None = None,
    ) -> Pie:
        """Break one metric down into groups (grade A1: both integrations; thirty captures).

        Path: ``GET /v2/performanceManagement/pie``. Two calls are not atomic: join them on the slices' names.

        Args:
            graph: the metric.
            group_by: what to cut by; ``service`` too.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, or a timedelta.
            filters: by ``appVersion``, ``carrier``, ``device`` or ``os`` (how they are sent is a guess, grade D).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.PERFORMANCE_PIE,
            graph=graph,
            group_by=group_by,
            app_id=app_id,
            app_ids=app_ids,
            duration=duration,
            filters=filters,
        )

    async def graph(
        self,
        *,
        graph: PerformanceGraph | str | Unchecked,
        app_id: str | None = None,
        app_ids: Iterable[str] | None = None,
        duration: int | timedelta | Unchecked = 1440,
        filters: Mapping[str, str] | None = None,
        start: datetime | date | str | None = None,
        end: datetime | date | str | None = None,
    ) -> Graph:
        """Follow one metric over time (grade D: nobody attests this path; expect `NotFoundError`).

        Path: ``GET /v2/performanceManagement/graph``, inferred from its neighbours.

        Args:
            graph: the metric.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, or a timedelta; not sent if `start` or `end` is given.
            filters: as for `pie`.
            start: where to begin, in place of a duration.
            end: where to end, in place of a duration.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            NotFoundError: the service has no such call, which is likely.
        """
        return await self._caller.call(
            endpoints.PERFORMANCE_GRAPH,
            graph=graph,
            app_id=app_id,
            app_ids=app_ids,
            duration=duration,
            filters=filters,
            start=start,
            end=end,
        )

    async def endpoints(
        self,
        app_id: str,
        *,
        sort: PerformanceSort | str | Unchecked = "latency",
        limit: int = 10,
        duration: int | timedelta | Unchecked = 240,
        geo_mode: bool = True,
    ) -> EndpointRanking:
        """Rank the addresses that an app calls (grade B: the Splunk integration, whose values are the defaults).

        Path: ``GET /v2/performanceManagement/endpoints``.

        Args:
            app_id: the app.
            sort: the metric to rank by; ``data`` too.
            limit: how many to list.
            duration: minutes to look back, or a timedelta.
            geo_mode: sent as it is; what it does is not known.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.PERFORMANCE_ENDPOINTS,
            app_id=app_id,
            sort=sort,
            limit=limit,
            duration=duration,
            geo_mode=geo_mode,
        )

    async def services(
        self,
        app_id: str,
        *,
        sort: PerformanceSort | str | Unchecked = "latency",
        limit: int = 10,
        duration: int | timedelta | Unchecked = 240,
        geo_mode: bool = True,
    ) -> ServiceRanking:
        """Rank the services that an app calls (grade B: the Splunk integration, whose values are the defaults).

        Path: ``GET /v2/performanceManagement/services``.

        Args:
            app_id: the app.
            sort: the metric to rank by; ``data`` too.
            limit: how many to list.
            duration: minutes to look back, or a timedelta.
            geo_mode: sent as it is; what it does is not known.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.PERFORMANCE_SERVICES,
            app_id=app_id,
            sort=sort,
            limit=limit,
            duration=duration,
            geo_mode=geo_mode,
        )

    async def geo(
        self,
        app_id: str,
        *,
        graph: PerformanceSort | str | Unchecked = "latency",
        limit: int = 10,
        duration: int | timedelta | Unchecked = 240,
        geo_mode: bool = True,
    ) -> GeoValues:
        """Give one metric by country (grade B: the Splunk integration, whose values are the defaults).

        Path: ``GET /v2/performanceManagement/geo``.

        Args:
            app_id: the app.
            graph: the metric, one of those that rankings are sorted by.
            limit: how many to list.
            duration: minutes to look back, or a timedelta.
            geo_mode: sent as it is; what it does is not known.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.PERFORMANCE_GEO,
            app_id=app_id,
            graph=graph,
            limit=limit,
            duration=duration,
            geo_mode=geo_mode,
        )

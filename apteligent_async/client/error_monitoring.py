"""Loads, crashes and users of apps: by group, or day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime, timedelta

    from apteligent_async.models.choices import ErrorGraph, ErrorGroupBy, SparklineGroupBy, Unchecked
    from apteligent_async.models.monitoring import Graph, Pie

__all__ = ["ErrorMonitoring"]


@frozen(repr=False)
class ErrorMonitoring:
    """Loads, crashes and users: ``client.error_monitoring``.

    Counts are whole, ``crashPercent`` and ``affectedUserPercent`` run from 0 to 100, ``rating`` is in stars.
    """

    _caller: Caller

    async def pie(
        self,
        *,
        graph: ErrorGraph | str | Unchecked,
        group_by: ErrorGroupBy | str | Unchecked,
        app_id: str | None = None,
        app_ids: Iterable[str] | None = None,
        duration: int | timedelta | Unchecked = 1440,
        filters: Mapping[str, str] | None = None,
    ) -> Pie:
        """Break one metric down into groups (grade A1: both integrations; four captures).

        Path: ``GET /v2/errorMonitoring/pie``.

        Args:
            graph: the metric.
            group_by: what to cut by.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, or a timedelta: a positive multiple of a day. 1440 and 43200 are attested
                widely; others warn.
            filters: by ``appVersion``, ``carrier``, ``device`` or ``os`` (how they are sent is a guess, grade D).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.ERROR_PIE,
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
        graph: ErrorGraph | str | Unchecked,
        app_id: str | None = None,
        app_ids: Iterable[str] | None = None,
        duration: int | timedelta | Unchecked = 43200,
        filters: Mapping[str, str] | None = None,
        start: datetime | date | str | None = None,
        end: datetime | date | str | None = None,
    ) -> Graph:
        """Follow one metric day by day (grade A1: both integrations; two captures).

        Path: ``GET /v2/errorMonitoring/graph``. Which day a point stands for is not settled: see `DayLabels`.

        Args:
            graph: the metric.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, or a timedelta, as for `pie`; not sent if `start` or `end` is given.
            filters: as for `pie`; one at a time, and none for ``mau``, as earlier clients found (grade C).
            start: where to begin, in place of a duration (grade C: a dashboard).
            end: where to end, in place of a duration (grade C: a dashboard).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.ERROR_GRAPH,
            graph=graph,
            app_id=app_id,
            app_ids=app_ids,
            duration=duration,
            filters=filters,
            start=start,
            end=end,
        )

    async def sparklines(
        self,
        *,
        graph: ErrorGraph | str | Unchecked,
        app_id: str | None = None,
        app_ids: Iterable[str] | None = None,
        group_by: SparklineGroupBy | str | Unchecked | None = None,
        duration: int | timedelta | Unchecked = 43200,
        filters: Mapping[str, str] | None = None,
    ) -> Graph:
        """Follow one metric in small lines (grade D: four third parties send it to v1; no answer was ever captured).

        Path: ``GET /v2/errorMonitoring/sparklines``.

        Args:
            graph: the metric.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps.
            group_by: ``appId`` is the only value that was ever seen (grade C); None sends none.
            duration: minutes to look back, or a timedelta, as for `pie`.
            filters: as for `pie`.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.ERROR_SPARKLINES,
            graph=graph,
            app_id=app_id,
            app_ids=app_ids,
            group_by=group_by,
            duration=duration,
            filters=filters,
        )

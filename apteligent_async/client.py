"""The client: one typed method per endpoint, in groups named like the service's own families.

Every method builds its request from a row of the table of endpoints and sends it through the one scheduler. What the
service is known to accept, and how surely, stands in each docstring: grade A is attested by official code and a
capture, A1 by a capture of v1, B by official code, C by a third party, and D is a guess.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self, TypeVar

from apteligent_async._scheduling.policy import RetryPolicy
from apteligent_async._session import CallOptions, Session
from apteligent_async._settings import Settings
from apteligent_async._wire import endpoints
from apteligent_async.errors import NotFoundError
from apteligent_async.models.filters import bracketed_filters

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, timedelta
    from types import TracebackType

    import httpx

    from apteligent_async._auth import Credentials
    from apteligent_async._budgets import MemoryBudget
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Priority
    from apteligent_async._wire.calls import Endpoint
    from apteligent_async.models.access import Discovery
    from apteligent_async.models.apps import App, Apps
    from apteligent_async.models.choices import (
        AppAttribute,
        ErrorGraph,
        ErrorGroupBy,
        PerformanceGraph,
        PerformanceGroupBy,
        Unchecked,
    )
    from apteligent_async.models.filters import FilterEncoder
    from apteligent_async.models.monitoring import Graph, Pie
    from apteligent_async.models.region import Region
    from apteligent_async.models.result import Part

__all__ = ["ApteligentClient"]

Found = TypeVar("Found", bound="Part")


class ApteligentClient:
    """A client of the Apteligent REST API v2: any number of concurrent calls, never more than the rate budget allows.

    Making one does no I/O; entering it (``async with``, or `open` and `aclose`) reads the environment and prepares
    the connections. It belongs to the event loop it was entered on.

    Args:
        credentials: `PasswordGrant` or `StaticToken`; without, ``APTELIGENT_TOKEN`` (with ``APTELIGENT_CLIENT_ID`` if
            its budget is to be shared), else ``APTELIGENT_CLIENT_ID``, ``APTELIGENT_USERNAME`` and
            ``APTELIGENT_PASSWORD``.
        region: the service's site; without, ``APTELIGENT_REGION``, else the US.
        base_url: another origin, without ``/v2``, in place of a region; without, ``APTELIGENT_BASE_URL``.
        policy: how the rate budget is spent; see `RatePolicy`.
        budget: whom it is shared with; by default with every client of the same client id in this process.
        retry: when failed calls are sent again; see `RetryPolicy`.
        timeout: seconds for each attempt, connecting (at most 10 s) included; None for no bound.
        transport: any httpx transport, in place of our pool of connections; the client closes it.
        http_client: a whole `httpx.AsyncClient`, in place of our own; it stays yours to close.
        proxy: a proxy's URL; without, ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count. Loopback
            never goes through one.
        ssl_context: in place of the default one, which honours ``SSL_CERT_FILE``.
        headers: further headers for every request.
        source: the caller's tag, sent as ``CR-source`` (grade B).
        encode_filters: how filters are written in a query. The default, ``filters[appVersion]=2.0``, is a guess
            (grade D); `flat_filters` and `json_filters` are the other candidates.

    Raises:
        ConfigurationError: on entering: something is missing or cannot work; the message says what to do. A timeout
            that is not above 0 is refused at once.
        ClientStateError: entered twice.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        region: Region | str | None = None,
        base_url: str | None = None,
        policy: RatePolicy | None = None,
        budget: MemoryBudget | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
        source: str | None = None,
        encode_filters: FilterEncoder = bracketed_filters,
    ) -> None:
        settings = Settings(
            credentials=credentials,
            region=region,
            base_url=base_url,
            policy=policy,
            budget=budget,
            transport=transport,
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            headers=headers,
            source=source,
        )
        self._options = CallOptions(timeout=timeout, retry=retry or RetryPolicy())
        self._session = Session(settings, self._options)
        self._encode_filters = encode_filters

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.aclose()

    def __repr__(self) -> str:
        return f"<ApteligentClient, {self._session.status}>"

    async def open(self) -> None:
        """Enter without ``async with``, as in a notebook; see the class for what is raised."""
        await self._session.open()

    async def aclose(self) -> None:
        """Leave: waiting calls fail with `ClientStateError` at once, connections are closed; twice does no harm."""
        await self._session.aclose()

    def with_options(
        self,
        *,
        priority: Priority | str | None = None,
        deadline: float | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> ApteligentClient:
        """Give a cheap view of this client whose calls differ; what is None stays as it is here.

        Args:
            priority: ``interactive`` or ``bulk``: bulk calls of a budget wait behind interactive ones.
            deadline: seconds for a whole call, waiting and retries included. A call that cannot make it fails at
                once with `DeadlineExceeded`.
            timeout: seconds for each attempt.
            retry: when failed calls are sent again.

        Raises:
            ConfigurationError: an option is not possible.
        """
        view = copy(self)
        view._options = self._options.changed(priority=priority, deadline=deadline, timeout=timeout, retry=retry)
        return view

    def budget(self) -> BudgetSnapshot:
        """Describe the rate budget as known now; costs no call."""
        return self._session.snapshot()

    def drift(self) -> Mapping[str, Mapping[str, int]]:
        """Count, by endpoint, the keys and values that the service sent and this version does not know."""
        return self._session.drift.report()

    async def discover(self) -> Discovery:
        """Read what the service says of itself (grade C for v1, D for v2); needs no token and spends no budget.

        Path: ``GET /allyourbase``.
        """
        return await self._call(endpoints.DISCOVER)

    @property
    def apps(self) -> _Apps:
        """The caller's apps."""
        return _Apps(self)

    @property
    def error_monitoring(self) -> _ErrorMonitoring:
        """Loads, crashes and users: by group, or day by day."""
        return _ErrorMonitoring(self)

    @property
    def performance_management(self) -> _PerformanceManagement:
        """Network calls of the apps: latency, data, volume, errors."""
        return _PerformanceManagement(self)

    async def _call(self, endpoint: Endpoint[Found], **arguments: Any) -> Found:
        request = endpoint.request(encode_filters=self._encode_filters, **arguments)
        return await self._session.call(endpoint, request, self._options)


class _Apps:
    def __init__(self, client: ApteligentClient) -> None:
        self._client = client

    async def list(self, attributes: Sequence[AppAttribute | str] | None = None) -> Apps:
        """List the caller's apps, in the service's order (grade A).

        Path: ``GET /v2/apps``. One call answers for all apps; no paging is attested.

        Args:
            attributes: what to ask for; None asks for all thirteen, as the answer without is undocumented.
        """
        return await self._client._call(endpoints.APPS_LIST, attributes=attributes)

    async def get(self, app_id: str) -> App:
        """Give one app by its id, from a list of all: the service has no call for a single one.

        Args:
            app_id: the app's id, as in `list`.

        Raises:
            NotFoundError: no app of this account has the id.
        """
        apps = await self.list()
        try:
            return apps.by_id[app_id]
        except KeyError:
            raise NotFoundError(
                f"No app of this account has the id {app_id!r}; apps.list() gives those that there are.",
                endpoint=endpoints.APPS_LIST.name,
            ) from None


class _ErrorMonitoring:
    def __init__(self, client: ApteligentClient) -> None:
        self._client = client

    async def pie(
        self,
        *,
        graph: ErrorGraph | str | Unchecked,
        group_by: ErrorGroupBy | str | Unchecked,
        app_id: str | None = None,
        app_ids: Sequence[str] | None = None,
        duration: int | timedelta | Unchecked = 1440,
        filters: Mapping[str, str] | None = None,
    ) -> Pie:
        """Break one metric down into groups (grade A1).

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
        return await self._client._call(
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
        app_ids: Sequence[str] | None = None,
        duration: int | timedelta | Unchecked = 43200,
        filters: Mapping[str, str] | None = None,
        start: datetime | date | str | None = None,
        end: datetime | date | str | None = None,
    ) -> Graph:
        """Follow one metric day by day (grade A1).

        Path: ``GET /v2/errorMonitoring/graph``. Which day a point stands for is not settled: see `DayLabels`.

        Args:
            graph: the metric.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, or a timedelta, as for `pie`; not sent if `start` or `end` is given.
            filters: as for `pie`; one at a time, and none for ``mau``, as earlier clients found (grade C).
            start: where to begin, in place of a duration (grade C).
            end: where to end, in place of a duration (grade C).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._client._call(
            endpoints.ERROR_GRAPH,
            graph=graph,
            app_id=app_id,
            app_ids=app_ids,
            duration=duration,
            filters=filters,
            start=start,
            end=end,
        )


class _PerformanceManagement:
    def __init__(self, client: ApteligentClient) -> None:
        self._client = client

    async def pie(
        self,
        *,
        graph: PerformanceGraph | str | Unchecked,
        group_by: PerformanceGroupBy | str | Unchecked,
        app_id: str | None = None,
        app_ids: Sequence[str] | None = None,
        duration: int | timedelta | Unchecked = 1440,
        filters: Mapping[str, str] | None = None,
    ) -> Pie:
        """Break one network metric down into groups (grade A1).

        Path: ``GET /v2/performanceManagement/pie``. Units: ``latency`` in mean milliseconds, ``dataIn`` and
        ``dataOut`` in mean bytes per request, ``volume`` in requests, ``errors`` in percent (grade D).

        Args:
            graph: the metric.
            group_by: what to cut by; ``service`` too.
            app_id: the app; this or `app_ids` is needed.
            app_ids: several apps, counted together.
            duration: minutes to look back, one of a closed set, or a timedelta.
            filters: by ``appVersion``, ``carrier``, ``device`` or ``os`` (how they are sent is a guess, grade D).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._client._call(
            endpoints.PERFORMANCE_PIE,
            graph=graph,
            group_by=group_by,
            app_id=app_id,
            app_ids=app_ids,
            duration=duration,
            filters=filters,
        )

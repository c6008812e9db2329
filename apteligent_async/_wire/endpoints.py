"""The table of calls: one row each, with who attests it. Adding a call is adding a row.

The rows of crashes and exceptions, of userflows and of the token have files of their own, and are part of this table.

Grades and sources are those of the research behind this package: no documentation of the service survives but its
introductory page, so every row says how far it can be trusted. *Both integrations* are the vendor's own, for New Relic
and for Splunk.
"""

from __future__ import annotations

from typing import Any

from apteligent_async._wire.calls import Endpoint, Grade, Parameter
from apteligent_async._wire.error_endpoints import CRASH_USERS, CRASHES, EXCEPTIONS
from apteligent_async._wire.parameters import (
    comma_list_of,
    error_duration,
    flag,
    instant,
    live_period,
    naive_instant,
    one_of,
    performance_duration,
    texts,
    whole,
)
from apteligent_async._wire.token import TOKEN, token_request
from apteligent_async._wire.transaction_endpoints import (
    TRANSACTIONS_DETAILS,
    TRANSACTIONS_GROUP,
    TRANSACTIONS_RANKED,
    TRANSACTIONS_SUMMARY,
    TRANSACTIONS_TRACES,
)
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.access import Discovery, Untyped
from apteligent_async.models.apps import Apps
from apteligent_async.models.choices import (
    AppAttribute,
    ErrorGraph,
    ErrorGroupBy,
    PerformanceGraph,
    PerformanceGroupBy,
    PerformanceSort,
    SparklineGroupBy,
)
from apteligent_async.models.live import LiveStats
from apteligent_async.models.monitoring import Graph, Pie
from apteligent_async.models.performance import EndpointRanking, GeoValues, ServiceRanking
from apteligent_async.models.trends import Trends, UserTrend

__all__ = [
    "APPS_LIST",
    "CRASHES",
    "CRASH_USERS",
    "DISCOVER",
    "ENDPOINTS",
    "ERROR_GRAPH",
    "ERROR_PIE",
    "ERROR_SPARKLINES",
    "EXCEPTIONS",
    "LIVE_STATS",
    "PERFORMANCE_ENDPOINTS",
    "PERFORMANCE_GEO",
    "PERFORMANCE_GRAPH",
    "PERFORMANCE_PIE",
    "PERFORMANCE_SERVICES",
    "TOKEN",
    "TRANSACTIONS_DETAILS",
    "TRANSACTIONS_GROUP",
    "TRANSACTIONS_RANKED",
    "TRANSACTIONS_SUMMARY",
    "TRANSACTIONS_TRACES",
    "TRENDS_APP",
    "TRENDS_DAU",
    "TRENDS_MAU",
    "custom",
    "endpoint_for",
    "token_request",
]

_FILTERS = "how filters are written is a guess (D)"


def _one_app_argument(given: dict[str, Any]) -> dict[str, Any]:
    if ("app_id" in given) == ("app_ids" in given):
        raise ConfigurationError("Exactly one of app_id and app_ids is needed.")
    return given


def _window_or_duration(given: dict[str, Any]) -> dict[str, Any]:
    has_window = "start" in given or "end" in given
    return _one_app_argument({name: value for name, value in given.items() if not (has_window and name == "duration")})


def _all_attributes(given: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": tuple(AppAttribute), **given}


_ONE_APP = {"app_id": Parameter(sent_as="appId", is_required=True)}
_APP = {"app_id": Parameter(sent_as="appId"), "app_ids": Parameter(sent_as="appIds", encode=texts)}
_ERROR_METRIC = {
    "duration": Parameter(sent_as="duration", encode=error_duration),
    "graph": Parameter(sent_as="graph", encode=one_of(ErrorGraph), is_required=True),
}
_PERFORMANCE_DURATION = {"duration": Parameter(sent_as="duration", encode=performance_duration)}
_PERFORMANCE_METRIC = {
    **_PERFORMANCE_DURATION,
    "graph": Parameter(sent_as="graph", encode=one_of(PerformanceGraph), is_required=True),
}
_WINDOW = {
    "start": Parameter(sent_as="start", encode=naive_instant),
    "end": Parameter(sent_as="end", encode=naive_instant),
}
_RANKING = {
    **_ONE_APP,
    "limit": Parameter(sent_as="limit", encode=whole),
    **_PERFORMANCE_DURATION,
    "geo_mode": Parameter(sent_as="geoMode", encode=flag),
}
_SORT = {"sort": Parameter(sent_as="sort", encode=one_of(PerformanceSort), is_required=True)}


DISCOVER = Endpoint(
    name="discover",
    template="/allyourbase",
    result=Discovery,
    grade=Grade.C,
    source="a third party's importer; only v1's body is known",
    is_authorized=False,
    is_enveloped=False,
)
APPS_LIST = Endpoint(
    name="apps.list",
    template="/v2/apps",
    result=Apps,
    grade=Grade.A,
    source="both integrations; without attributes the answer is undocumented, so all are asked for",
    parameters={"attributes": Parameter(sent_as="attributes", encode=comma_list_of(AppAttribute))},
    rule=_all_attributes,
)

ERROR_PIE = Endpoint(
    name="error_monitoring.pie",
    template="/v2/errorMonitoring/pie",
    result=Pie,
    grade=Grade.A1,
    source=f"both integrations; four captures; {_FILTERS}",
    parameters={
        **_ERROR_METRIC,
        "group_by": Parameter(sent_as="groupBy", encode=one_of(ErrorGroupBy), is_required=True),
        **_APP,
    },
    takes_filters=True,
    rule=_one_app_argument,
)
ERROR_GRAPH = Endpoint(
    name="error_monitoring.graph",
    template="/v2/errorMonitoring/graph",
    result=Graph,
    grade=Grade.A1,
    source=f"both integrations; two captures; start and end are a dashboard's (C); {_FILTERS}",
    parameters={**_ERROR_METRIC, **_APP, **_WINDOW},
    takes_filters=True,
    rule=_window_or_duration,
    period_end="end",
)
ERROR_SPARKLINES = Endpoint(
    name="error_monitoring.sparklines",
    template="/v2/errorMonitoring/sparklines",
    result=Graph,
    grade=Grade.D,
    source="four third parties send it to v1 (C); verb, query and body under v2 are guesses",
    parameters={
        **_ERROR_METRIC,
        "group_by": Parameter(sent_as="groupBy", encode=one_of(SparklineGroupBy)),
        **_APP,
    },
    takes_filters=True,
    rule=_one_app_argument,
)

PERFORMANCE_PIE = Endpoint(
    name="performance_management.pie",
    template="/v2/performanceManagement/pie",
    result=Pie,
    grade=Grade.A1,
    source=f"both integrations; thirty captures; {_FILTERS}",
    parameters={
        **_PERFORMANCE_METRIC,
        "group_by": Parameter(sent_as="groupBy", encode=one_of(PerformanceGroupBy), is_required=True),
        **_APP,
    },
    takes_filters=True,
    rule=_one_app_argument,
)
PERFORMANCE_GRAPH = Endpoint(
    name="performance_management.graph",
    template="/v2/performanceManagement/graph",
    result=Graph,
    grade=Grade.D,
    source="nobody: inferred from its neighbours, and likely to be answered 404",
    parameters={**_PERFORMANCE_METRIC, **_APP, **_WINDOW},
    takes_filters=True,
    rule=_window_or_duration,
    period_end="end",
)
PERFORMANCE_ENDPOINTS = Endpoint(
    name="performance_management.endpoints",
    template="/v2/performanceManagement/endpoints",
    result=EndpointRanking,
    grade=Grade.B,
    source="the Splunk integration; no capture",
    parameters={**_SORT, **_RANKING},
)
PERFORMANCE_SERVICES = Endpoint(
    name="performance_management.services",
    template="/v2/performanceManagement/services",
    result=ServiceRanking,
    grade=Grade.B,
    source="the Splunk integration; no capture",
    parameters={**_SORT, **_RANKING},
)
PERFORMANCE_GEO = Endpoint(
    name="performance_management.geo",
    template="/v2/performanceManagement/geo",
    result=GeoValues,
    grade=Grade.B,
    source="the Splunk integration; no capture",
    parameters={"graph": Parameter(sent_as="graph", encode=one_of(PerformanceSort), is_required=True), **_RANKING},
)

TRENDS_APP = Endpoint(
    name="trends.app",
    template="/v2/trends/{app_id}",
    result=Trends,
    grade=Grade.A,
    source="the Splunk integration; a capture of 2016; its parameters are v1's (C)",
    parameters={
        "max_keys": Parameter(sent_as="maxKeys", encode=whole),
        "start_date_inclusive": Parameter(sent_as="startDateInclusive", encode=instant),
    },
)
TRENDS_DAU, TRENDS_MAU = (
    Endpoint(
        name=f"trends.{users}",
        template=f"/v2/trends/{users}/{{app_id}}",
        result=UserTrend,
        grade=Grade.B,
        source="a mobile app; only todayValue is attested, the rest is a guess (D)",
    )
    for users in ("dau", "mau")
)
LIVE_STATS = Endpoint(
    name="live_stats.get",
    template="/v2/liveStats/{app_id}/{period}",
    result=LiveStats,
    grade=Grade.B,
    source="a mobile app; no capture",
    segments={"period": live_period},
    is_live=True,
)


_ROWS: tuple[Endpoint[Any], ...] = (
    DISCOVER,
    TOKEN,
    APPS_LIST,
    ERROR_PIE,
    ERROR_GRAPH,
    ERROR_SPARKLINES,
    PERFORMANCE_PIE,
    PERFORMANCE_GRAPH,
    PERFORMANCE_ENDPOINTS,
    PERFORMANCE_SERVICES,
    PERFORMANCE_GEO,
    *CRASHES.rows(),
    *EXCEPTIONS.rows(),
    CRASH_USERS,
    TRENDS_APP,
    TRENDS_DAU,
    TRENDS_MAU,
    LIVE_STATS,
    TRANSACTIONS_SUMMARY,
    TRANSACTIONS_RANKED,
    TRANSACTIONS_DETAILS,
    TRANSACTIONS_GROUP,
    TRANSACTIONS_TRACES,
)
ENDPOINTS: dict[str, Endpoint[Any]] = {row.name: row for row in _ROWS}
"""Every row by name."""


def endpoint_for(path: str) -> Endpoint[Any]:
    """Find the row of a path that a link leads to, so that its answer gets its model; `custom` if there is none."""
    rows = [row for row in ENDPOINTS.values() if row.method == "GET" and row.answers(path)]
    # A fixed segment goes before a free one: trends/dau/x is no hash of an app called dau.
    return min(rows, key=lambda row: row.template.count("{")) if rows else custom("GET", is_repeatable=True)


def custom(method: str, *, is_repeatable: bool) -> Endpoint[Any]:
    """Make a row for a call that the table does not have; its answer is `Untyped`."""
    return Endpoint(
        name="request",
        method=method,
        template="",
        result=Untyped,
        grade=Grade.D,
        source="the caller",
        is_repeatable=is_repeatable,
        is_enveloped=False,
    )

"""The service's nouns as frozen attrs classes, one file per family.

    from apteligent_async.models import App, Pie

| file | what it holds |
| --- | --- |
| `result`, `timeline` | what every result keeps and can do; where the time of its call went |
| `apps` | the caller's apps |
| `monitoring` | pies and graphs, of errors and of performance |
| `performance` | rankings of endpoints and services, values by country |
| `error_groups`, `error_details` | crashes and exceptions: in lists, by day, page by page, in full |
| `diagnostics`, `breadcrumbs` | under which conditions, after which steps, to whom: personal data |
| `trends`, `live` | the last month; the last five minutes |
| `transactions` | userflows |
| `access` | the token, the discovery page, and answers without a model |
| `choices`, `region`, `filters`, `days` | closed sets, the two sites, how filters and days are written |
| `frozen`, `tables`, `times`, `quantities` | values that cannot change, results as tables, texts as values |

An attribute that ends in ``_text`` is what the service sent; the same name without it is the typed reading. An
attribute that the service left out is None. Unknown keys are kept in ``extra``.

What calls return is imported from here, for annotations and isinstance; what they are given, from the package's root.
A class is imported when it is first asked for, so that the closed sets can be had without the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._on_demand import on_demand

if TYPE_CHECKING:
    from apteligent_async.models.access import Discovery, Token, Untyped
    from apteligent_async.models.apps import App, Apps
    from apteligent_async.models.breadcrumbs import AffectedUser, AffectedUsers, Breadcrumb, BreadcrumbTrace
    from apteligent_async.models.days import DailyArray, Orientation
    from apteligent_async.models.diagnostics import Bars, Chart, Country, Diagnostics, GeoPoint, Range, Tally
    from apteligent_async.models.error_details import ErrorDetails, StackLine
    from apteligent_async.models.error_groups import (
        DailyCount,
        ErrorCounts,
        ErrorPage,
        ErrorRow,
        ErrorSummaries,
        ErrorSummary,
        Pagination,
    )
    from apteligent_async.models.frozen import FrozenMapping
    from apteligent_async.models.live import LiveBucket, LiveStats
    from apteligent_async.models.monitoring import Graph, Pie, Series, Slice
    from apteligent_async.models.performance import (
        EndpointRank,
        EndpointRanking,
        GeoSeries,
        GeoValues,
        ServiceRank,
        ServiceRanking,
    )
    from apteligent_async.models.quantities import Quantity
    from apteligent_async.models.result import Envelope, HttpExchange, Listing, Part, Result
    from apteligent_async.models.tables import Column
    from apteligent_async.models.timeline import Timeline
    from apteligent_async.models.transactions import (
        Measure,
        MetricChange,
        RankedTransaction,
        RankedTransactions,
        TransactionGroup,
        TransactionGroups,
        TransactionOutcome,
        TransactionOutcomes,
        TransactionSummary,
        TransactionTrace,
        TransactionTraces,
        TransactionUnit,
    )
    from apteligent_async.models.trends import (
        Trend,
        TrendBucket,
        TrendBuckets,
        TrendCategory,
        Trends,
        TrendUnits,
        UserTrend,
        UserTrendSeries,
    )

__all__ = [
    "AffectedUser",
    "AffectedUsers",
    "App",
    "Apps",
    "Bars",
    "Breadcrumb",
    "BreadcrumbTrace",
    "Chart",
    "Column",
    "Country",
    "DailyArray",
    "DailyCount",
    "Diagnostics",
    "Discovery",
    "EndpointRank",
    "EndpointRanking",
    "Envelope",
    "ErrorCounts",
    "ErrorDetails",
    "ErrorPage",
    "ErrorRow",
    "ErrorSummaries",
    "ErrorSummary",
    "FrozenMapping",
    "GeoPoint",
    "GeoSeries",
    "GeoValues",
    "Graph",
    "HttpExchange",
    "Listing",
    "LiveBucket",
    "LiveStats",
    "Measure",
    "MetricChange",
    "Orientation",
    "Pagination",
    "Part",
    "Pie",
    "Quantity",
    "Range",
    "RankedTransaction",
    "RankedTransactions",
    "Result",
    "Series",
    "ServiceRank",
    "ServiceRanking",
    "Slice",
    "StackLine",
    "Tally",
    "Timeline",
    "Token",
    "TransactionGroup",
    "TransactionGroups",
    "TransactionOutcome",
    "TransactionOutcomes",
    "TransactionSummary",
    "TransactionTrace",
    "TransactionTraces",
    "TransactionUnit",
    "Trend",
    "TrendBucket",
    "TrendBuckets",
    "TrendCategory",
    "TrendUnits",
    "Trends",
    "Untyped",
    "UserTrend",
    "UserTrendSeries",
]

_HOMES = {
    "access": "Discovery Token Untyped",
    "apps": "App Apps",
    "breadcrumbs": "AffectedUser AffectedUsers Breadcrumb BreadcrumbTrace",
    "days": "DailyArray Orientation",
    "diagnostics": "Bars Chart Country Diagnostics GeoPoint Range Tally",
    "error_details": "ErrorDetails StackLine",
    "error_groups": "DailyCount ErrorCounts ErrorPage ErrorRow ErrorSummaries ErrorSummary Pagination",
    "frozen": "FrozenMapping",
    "live": "LiveBucket LiveStats",
    "monitoring": "Graph Pie Series Slice",
    "performance": "EndpointRank EndpointRanking GeoSeries GeoValues ServiceRank ServiceRanking",
    "quantities": "Quantity",
    "result": "Envelope HttpExchange Listing Part Result",
    "tables": "Column",
    "timeline": "Timeline",
    "transactions": (
        "Measure MetricChange RankedTransaction RankedTransactions TransactionGroup TransactionGroups "
        "TransactionOutcome TransactionOutcomes TransactionSummary TransactionTrace TransactionTraces TransactionUnit"
    ),
    "trends": "Trend TrendBucket TrendBuckets TrendCategory TrendUnits Trends UserTrend UserTrendSeries",
}
"""Where each name is defined."""

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _HOMES)

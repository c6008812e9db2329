"""Async client for the Apteligent REST API v2 that uses the whole rate budget and never exceeds it.

    async with ApteligentClient(PasswordGrant(client_id, username, password)) as client:
        apps = await client.apps.list()

The map of the package; arrows point down only:

    cli                             the command `apteligent`
    dashboard                       the page that shows apps and the budget, and its backend
    integrations  testing           FastAPI, OpenTelemetry, Prometheus; pytest
    client  event_log  transport    one typed method per endpoint; a line in a file; the line for any httpx client
    bulk                            pulls that survive a kill: plans, the ledger, the runner, outputs
    _session                        the life of a client, and of a call
    _calls                          one call on its way
    _dispatch  _settings            the line in real time; what a client was made with
    _options                        what may differ from call to call
    _shared_token                   one token for all processes of a host
    _cache                          answers that are kept, identical calls that are made once
    _auth  _budgets  _http          the token; where budgets live; httpx
    _connections                    sockets that are kept open
    _wire                           the API, as data
    models  _scheduling  simulator  three leaves that do not know each other
    _private_files  _clock          files of their owner alone; the event loop's clock
    _file_locks                     a lock that ends with the process that holds it
    _background                     work that outlasts the call that starts it
    errors                          whose fault it was
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._on_demand import on_demand
from apteligent_async._version import __version__

if TYPE_CHECKING:
    from apteligent_async._auth import PasswordGrant, StaticToken
    from apteligent_async._budgets import MemoryBudget, RedisBudget, SQLiteBudget
    from apteligent_async._cache import (
        CacheEntry,
        CacheMode,
        CacheStatistics,
        CacheStore,
        Freshness,
        MemoryCache,
        SQLiteCache,
    )
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.learned import Learned
    from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
    from apteligent_async._scheduling.signals import Event, Priority
    from apteligent_async._wire.codec import unstructure
    from apteligent_async._wire.dialects import ApteligentDialect, Dialect, IetfDialect, XRateLimitDialect
    from apteligent_async.bulk.crew import UnitResult
    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.report import FailureCause, PullReport
    from apteligent_async.bulk.runner import Pull
    from apteligent_async.bulk.units import Row
    from apteligent_async.bulk.wanted import Wanted
    from apteligent_async.client import ApteligentClient
    from apteligent_async.client.paging import Paged
    from apteligent_async.errors import (
        ApteligentError,
        AuthenticationError,
        BadRequestError,
        ClientStateError,
        ConfigurationError,
        ConnectionFailed,
        DeadlineExceeded,
        LedgerError,
        LedgerInUse,
        NotFoundError,
        QueueFull,
        RateLimitedError,
        ResponseError,
        ServerError,
        UnsafeLinkError,
    )
    from apteligent_async.event_log import EventLog, read_events
    from apteligent_async.models.choices import (
        AppAttribute,
        AppType,
        ErrorGraph,
        ErrorGroupBy,
        ErrorStatus,
        FilterField,
        LivePeriod,
        PerformanceGraph,
        PerformanceGroupBy,
        PerformanceSort,
        SortOrder,
        SparklineGroupBy,
        TableSort,
        UnattestedWarning,
        Unchecked,
    )
    from apteligent_async.models.days import DayLabels
    from apteligent_async.models.filters import FilterEncoder, bracketed_filters, flat_filters, json_filters
    from apteligent_async.models.region import Region
    from apteligent_async.models.result import CacheState
    from apteligent_async.transport import RateLimitedTransport

__all__ = [
    "AppAttribute",
    "AppType",
    "ApteligentClient",
    "ApteligentDialect",
    "ApteligentError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetSnapshot",
    "CacheEntry",
    "CacheMode",
    "CacheState",
    "CacheStatistics",
    "CacheStore",
    "ClientStateError",
    "ConfigurationError",
    "ConnectionFailed",
    "DayLabels",
    "DeadlineExceeded",
    "Dialect",
    "ErrorGraph",
    "ErrorGroupBy",
    "ErrorStatus",
    "Event",
    "EventLog",
    "FailureCause",
    "FilterEncoder",
    "FilterField",
    "Freshness",
    "IetfDialect",
    "Learned",
    "LedgerError",
    "LedgerInUse",
    "LivePeriod",
    "MemoryBudget",
    "MemoryCache",
    "NotFoundError",
    "Paged",
    "PasswordGrant",
    "PerformanceGraph",
    "PerformanceGroupBy",
    "PerformanceSort",
    "Plan",
    "Priority",
    "Pull",
    "PullReport",
    "QueueFull",
    "RateLimitedError",
    "RateLimitedTransport",
    "RatePolicy",
    "RedisBudget",
    "Region",
    "ResponseError",
    "RetryPolicy",
    "Row",
    "SQLiteBudget",
    "SQLiteCache",
    "ServerError",
    "SortOrder",
    "SparklineGroupBy",
    "StaticToken",
    "TableSort",
    "UnattestedWarning",
    "Unchecked",
    "UnitResult",
    "UnsafeLinkError",
    "Wanted",
    "XRateLimitDialect",
    "__version__",
    "bracketed_filters",
    "flat_filters",
    "json_filters",
    "read_events",
    "unstructure",
]

_HOMES = {
    "_auth": "PasswordGrant StaticToken",
    "_budgets": "MemoryBudget RedisBudget SQLiteBudget",
    "_cache": "CacheEntry CacheMode CacheStatistics CacheStore Freshness MemoryCache SQLiteCache",
    "_scheduling.forecast": "BudgetSnapshot",
    "_scheduling.learned": "Learned",
    "_scheduling.policy": "RatePolicy RetryPolicy",
    "_scheduling.signals": "Event Priority",
    "_wire.codec": "unstructure",
    "_wire.dialects": "ApteligentDialect Dialect IetfDialect XRateLimitDialect",
    "bulk.crew": "UnitResult",
    "bulk.plan": "Plan",
    "bulk.report": "FailureCause PullReport",
    "bulk.runner": "Pull",
    "bulk.units": "Row",
    "bulk.wanted": "Wanted",
    "client": "ApteligentClient",
    "client.paging": "Paged",
    "errors": (
        "ApteligentError AuthenticationError BadRequestError ClientStateError ConfigurationError "
        "ConnectionFailed DeadlineExceeded LedgerError LedgerInUse NotFoundError QueueFull RateLimitedError "
        "ResponseError ServerError UnsafeLinkError"
    ),
    "event_log": "EventLog read_events",
    "models.choices": (
        "AppAttribute AppType ErrorGraph ErrorGroupBy ErrorStatus FilterField LivePeriod PerformanceGraph "
        "PerformanceGroupBy PerformanceSort SortOrder SparklineGroupBy TableSort UnattestedWarning Unchecked"
    ),
    "models.days": "DayLabels",
    "models.filters": "FilterEncoder bracketed_filters flat_filters json_filters",
    "models.region": "Region",
    "models.result": "CacheState",
    "transport": "RateLimitedTransport",
}
"""Where each name is defined; importing the package imports none of it before a name is asked for."""

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _HOMES)

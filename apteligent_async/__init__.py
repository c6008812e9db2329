"""Async client for the Apteligent REST API v2 that uses the whole rate budget and never exceeds it.

    async with ApteligentClient(PasswordGrant(client_id, username, password)) as client:
        apps = await client.apps.list()

The map of the package; arrows point down only:

    cli                         the command `apteligent`
    client      transport       one typed method per endpoint; the line for any httpx client
    event_log                   what happened in a line, in a file
    _session                    the life of a call, and of a client
    _dispatch   _settings       the line in real time; what a client was made with
    _auth  _budgets  _http      the token; where budgets live; httpx
    _wire                       the API, as data
    models  _scheduling  simulator      three leaves that do not know each other
    errors
"""

from __future__ import annotations

from apteligent_async._auth import PasswordGrant, StaticToken
from apteligent_async._budgets import MemoryBudget
from apteligent_async._scheduling.forecast import BudgetSnapshot
from apteligent_async._scheduling.learned import Learned
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._scheduling.signals import Event, Priority
from apteligent_async._version import __version__
from apteligent_async._wire.codec import unstructure
from apteligent_async._wire.dialects import ApteligentDialect, Dialect, IetfDialect, XRateLimitDialect
from apteligent_async.client import ApteligentClient
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
    "FilterEncoder",
    "FilterField",
    "IetfDialect",
    "Learned",
    "LedgerError",
    "LedgerInUse",
    "LivePeriod",
    "MemoryBudget",
    "NotFoundError",
    "PasswordGrant",
    "PerformanceGraph",
    "PerformanceGroupBy",
    "PerformanceSort",
    "Priority",
    "QueueFull",
    "RateLimitedError",
    "RateLimitedTransport",
    "RatePolicy",
    "Region",
    "ResponseError",
    "RetryPolicy",
    "ServerError",
    "SortOrder",
    "SparklineGroupBy",
    "StaticToken",
    "TableSort",
    "UnattestedWarning",
    "Unchecked",
    "UnsafeLinkError",
    "XRateLimitDialect",
    "__version__",
    "bracketed_filters",
    "flat_filters",
    "json_filters",
    "read_events",
    "unstructure",
]

"""The service's closed sets. Strings are accepted wherever one of these is named; `Unchecked` lets anything pass."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = [
    "AppAttribute",
    "AppType",
    "ErrorGraph",
    "ErrorGroupBy",
    "ErrorStatus",
    "FilterField",
    "LivePeriod",
    "PerformanceGraph",
    "PerformanceGroupBy",
    "PerformanceSort",
    "SortOrder",
    "SparklineGroupBy",
    "TableSort",
    "UnattestedWarning",
    "Unchecked",
]


@frozen
class Unchecked:
    """A value that is sent as it is, for what the service may understand and this package does not know.

    Attributes:
        value: the text to send, or a number.
    """

    value: str | float


class UnattestedWarning(UserWarning):
    """A value is plausible, but nothing shows that the service ever accepted it."""


class ErrorGraph(StrEnum):
    """Metrics of error monitoring (grade A)."""

    DAU = "dau"
    MAU = "mau"
    RATING = "rating"
    CRASHES = "crashes"
    CRASH_PERCENT = "crashPercent"
    APP_LOADS = "appLoads"
    AFFECTED_USERS = "affectedUsers"
    AFFECTED_USER_PERCENT = "affectedUserPercent"


class PerformanceGraph(StrEnum):
    """Metrics of performance management (grade A1).

    ``latency`` is mean milliseconds, ``dataIn`` and ``dataOut`` mean bytes per request, ``volume`` requests, ``errors``
    percent from 0 to 100: units read off magnitudes (grade D).
    """

    LATENCY = "latency"
    DATA_IN = "dataIn"
    DATA_OUT = "dataOut"
    VOLUME = "volume"
    ERRORS = "errors"


class ErrorGroupBy(StrEnum):
    """What an error monitoring pie is cut by (grade A)."""

    APP_ID = "appId"
    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"


class PerformanceGroupBy(StrEnum):
    """What a performance management pie is cut by (grade A1)."""

    APP_ID = "appId"
    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"
    SERVICE = "service"


class FilterField(StrEnum):
    """What an answer can be narrowed to (grade B; how it is written in a v2 query is a guess: grade D)."""

    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"


class AppAttribute(StrEnum):
    """What ``/apps`` can tell of an app (grade A)."""

    APP_NAME = "appName"
    APP_TYPE = "appType"
    APP_VERSIONS = "appVersions"
    CRASH_PERCENT = "crashPercent"
    DAU = "dau"
    ICON_URL = "iconURL"
    LATENCY = "latency"
    LATEST_APP_STORE_RELEASE_DATE = "latestAppStoreReleaseDate"
    LATEST_VERSION_STRING = "latestVersionString"
    LINK_TO_APP_STORE = "linkToAppStore"
    MAU = "mau"
    RATING = "rating"
    ROLE = "role"


class AppType(StrEnum):
    """Platforms of an app (grade B)."""

    IOS = "ios"
    ANDROID = "android"
    HTML5 = "html5"
    WP = "wp"


class ErrorStatus(StrEnum):
    """What became of a group of errors (grade C)."""

    KNOWN = "known"
    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"


class TableSort(StrEnum):
    """What the paginated table can be sorted by (grade B)."""

    USERS_AFFECTED = "usersAffected"
    TIMES_OCCURRED = "timesOccurred"
    FIRST_OCCURRED = "firstOccurred"
    LAST_OCCURRED = "lastOccurred"


class SortOrder(StrEnum):
    """Which way a table is sorted (grade B)."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


class PerformanceSort(StrEnum):
    """What endpoints, services and countries are ranked by (grade B)."""

    LATENCY = "latency"
    VOLUME = "volume"
    ERRORS = "errors"
    DATA = "data"


class LivePeriod(StrEnum):
    """Windows of the live statistics: one bucket of a day, or five minutes in many (grade B)."""

    DAY = "P1D"
    FIVE_MINUTES = "PT5M"


class SparklineGroupBy(StrEnum):
    """What sparklines can be cut by (grade C)."""

    APP_ID = "appId"

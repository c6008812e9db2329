"""The metrics, dimensions and windows that commands take, and what their numbers count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from apteligent_async.errors import ConfigurationError
from apteligent_async.models.choices import ErrorGraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cyclopts import Token

__all__ = ["UNITS", "Dimension", "Metric", "Minutes", "Ranking", "filters_of", "is_of_errors", "latest", "window_of"]

Metric = Literal[
    "appLoads", "crashes", "crashPercent", "affectedUsers", "affectedUserPercent", "dau", "mau", "rating",
    "latency", "volume", "errors", "dataIn", "dataOut",
]  # fmt: skip
"""Metrics of error monitoring, and after them those of performance management."""

Dimension = Literal["appVersion", "os", "device", "carrier", "service", "appId"]
Ranking = Literal["latency", "volume", "errors", "data"]

UNITS: Mapping[str, str] = {
    "appLoads": "app loads",
    "crashes": "crashes",
    "crashPercent": "% of app loads",
    "affectedUsers": "users",
    "affectedUserPercent": "% of users",
    "dau": "users",
    "mau": "users",
    "rating": "stars",
    "latency": "ms",
    "volume": "requests",
    "errors": "% of requests",
    "dataIn": "bytes per request",
    "dataOut": "bytes per request",
    "data": "bytes per request",
}
"""What the values of a metric count."""

_SPAN = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>min|m|h|d|w)?")
_MINUTES = {None: 1, "min": 1, "m": 1, "h": 60, "d": 1440, "w": 10_080}


def _minutes(_: object, tokens: Sequence[Token]) -> int:
    match = _SPAN.fullmatch(tokens[0].value.strip().lower())
    if match is None:
        raise ValueError("Must be a length of time such as 30d, 24h or 15m; a bare number is minutes.")
    return int(match["count"]) * _MINUTES[match["unit"]]


Minutes = Annotated[int | None, Parameter(converter=_minutes)]
"""How far to look back."""


def is_of_errors(graph: str) -> bool:
    """Tell which family of the API knows a metric: error monitoring, or performance management."""
    return graph in set(ErrorGraph)


def window_of(duration: int | None) -> dict[str, Any]:
    """Give the arguments of a call's window; none leaves it to the client."""
    return {} if duration is None else {"duration": duration}


def latest(duration: int) -> str:
    """Write minutes for people: ``last 4 hours``."""
    for minutes, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if duration % minutes == 0:
            count = duration // minutes
            return f"last {unit}" if count == 1 else f"last {count} {unit}s"
    return f"last {duration} minutes"


def filters_of(pairs: Sequence[str]) -> dict[str, str] | None:
    """Read ``os=iOS 10.2`` and the like.

    Raises:
        ConfigurationError: one is not a field, an equals sign and a value.
    """
    parts = [pair.partition("=") for pair in pairs]
    found = {name: value for name, _, value in parts}
    if not all(name and value for name, value in found.items()):
        raise ConfigurationError("A filter is FIELD=VALUE, such as --filter os='iOS 10.2'.")
    return found or None

"""The table of calls: one row each, with who attests it. Adding a call is adding a row."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from apteligent_async._wire.calls import Endpoint, Grade, Parameter
from apteligent_async._wire.parameters import (
    comma_list_of,
    error_duration,
    naive_instant,
    one_of,
    performance_duration,
    texts,
)
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.access import Discovery, Token, Untyped
from apteligent_async.models.apps import Apps
from apteligent_async.models.choices import (
    AppAttribute,
    ErrorGraph,
    ErrorGroupBy,
    PerformanceGraph,
    PerformanceGroupBy,
)
from apteligent_async.models.monitoring import Graph, Pie

if TYPE_CHECKING:
    from apteligent_async._wire.messages import Request

__all__ = [
    "APPS_LIST",
    "DISCOVER",
    "ENDPOINTS",
    "ERROR_GRAPH",
    "ERROR_PIE",
    "PERFORMANCE_PIE",
    "TOKEN",
    "custom",
    "token_request",
]

LONGEST_TOKEN_S = 31_536_000


def _one_app_argument(given: dict[str, Any]) -> dict[str, Any]:
    if ("app_id" in given) == ("app_ids" in given):
        raise ConfigurationError("Exactly one of app_id and app_ids is needed.")
    return given


def _window_or_duration(given: dict[str, Any]) -> dict[str, Any]:
    has_window = "start" in given or "end" in given
    left = {name: value for name, value in given.items() if not (has_window and name == "duration")}
    return _one_app_argument(left)


def _all_attributes(given: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": tuple(AppAttribute), **given}


_APP = {"app_id": Parameter(sent_as="appId"), "app_ids": Parameter(sent_as="appIds", encode=texts)}
_ERROR_GRAPH = {"graph": Parameter(sent_as="graph", encode=one_of(ErrorGraph), is_required=True)}
_PERFORMANCE_GRAPH = {"graph": Parameter(sent_as="graph", encode=one_of(PerformanceGraph), is_required=True)}
_ERROR_DURATION = {"duration": Parameter(sent_as="duration", encode=error_duration)}
_PERFORMANCE_DURATION = {"duration": Parameter(sent_as="duration", encode=performance_duration)}

DISCOVER = Endpoint(
    name="discover",
    template="/allyourbase",
    result=Discovery,
    grade=Grade.C,
    source="a third party's importer; only v1's body is known",
    is_authorized=False,
    is_enveloped=False,
)

TOKEN = Endpoint(
    name="token",
    method="POST",
    template="/v2/token",
    result=Token,
    grade=Grade.A,
    source="the introductory page's trace; a mobile app",
    is_authorized=False,
    is_secret=True,
    is_enveloped=False,
)

APPS_LIST = Endpoint(
    name="apps.list",
    template="/v2/apps",
    result=Apps,
    grade=Grade.A,
    source="both official integrations; without attributes the answer is undocumented, so all are asked for",
    parameters={"attributes": Parameter(sent_as="attributes", encode=comma_list_of(AppAttribute))},
    rule=_all_attributes,
)

ERROR_PIE = Endpoint(
    name="error_monitoring.pie",
    template="/v2/errorMonitoring/pie",
    result=Pie,
    grade=Grade.A1,
    source="both official integrations; four captures; how filters are written is a guess (D)",
    parameters={
        **_ERROR_DURATION,
        **_ERROR_GRAPH,
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
    source="both official integrations; two captures; start and end from a dashboard (C), filters' form a guess (D)",
    parameters={
        **_APP,
        **_ERROR_GRAPH,
        **_ERROR_DURATION,
        "start": Parameter(sent_as="start", encode=naive_instant),
        "end": Parameter(sent_as="end", encode=naive_instant),
    },
    takes_filters=True,
    rule=_window_or_duration,
)

PERFORMANCE_PIE = Endpoint(
    name="performance_management.pie",
    template="/v2/performanceManagement/pie",
    result=Pie,
    grade=Grade.A1,
    source="both official integrations; thirty captures; how filters are written is a guess (D)",
    parameters={
        **_PERFORMANCE_DURATION,
        **_PERFORMANCE_GRAPH,
        **_APP,
        "group_by": Parameter(sent_as="groupBy", encode=one_of(PerformanceGroupBy), is_required=True),
    },
    takes_filters=True,
    rule=_one_app_argument,
)

ENDPOINTS: dict[str, Endpoint] = {
    row.name: row for row in (DISCOVER, TOKEN, APPS_LIST, ERROR_PIE, ERROR_GRAPH, PERFORMANCE_PIE)
}
"""Every row by name."""


def custom(method: str, *, is_repeatable: bool) -> Endpoint:
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


def token_request(
    *,
    client_id: str,
    username: str,
    password: str,
    scope: str | None = None,
    duration: int | timedelta | None = None,
) -> Request:
    """Build the call for a token: RFC 6749 section 4.3.2, everything secret in the header and the body.

    Args:
        client_id: the OAuth client id; sent by Basic with an empty password.
        username: whose token it will be.
        password: his password.
        scope: space-separated; None asks for a general token.
        duration: seconds that the token shall live, at most a year; None leaves the service's 30 days.

    Raises:
        ConfigurationError: an argument cannot work.
    """
    _check_client_id(client_id)
    form = {"grant_type": "password", "username": username, "password": password}
    if scope is not None:
        form["scope"] = scope
    if duration is not None:
        form["duration"] = str(_token_seconds(duration))
    basic = b64encode(f"{client_id}:".encode()).decode("ascii")
    return TOKEN.send(
        TOKEN.template,
        headers=(("authorization", f"Basic {basic}"), ("content-type", "application/x-www-form-urlencoded")),
        body=urlencode(form).encode("ascii"),
    )


def _check_client_id(client_id: str) -> None:
    if not client_id or ":" in client_id or not client_id.isprintable():
        raise ConfigurationError("The client id must be a printable text without a colon.", endpoint=TOKEN.name)


def _token_seconds(duration: int | timedelta) -> int:
    seconds = int(duration.total_seconds()) if isinstance(duration, timedelta) else duration
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_TOKEN_S:
        raise ConfigurationError(
            f"A token lives 1 to {LONGEST_TOKEN_S} seconds, not {duration!r}.", endpoint=TOKEN.name
        )
    return seconds

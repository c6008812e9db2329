"""Which path is answered by which function: the one table of the service's data calls.

Segments in braces are free text, decoded after the path was split. A trailing slash is ignored.

A userflow has two paths: its own, and that of its link once a client has put the present host and version in place of
the old ones, as the vendor's New Relic integration does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from apteligent_async.simulator.resources import (
    apps,
    details,
    error_monitoring,
    errors,
    live_stats,
    performance,
    performance_tables,
    trends,
    userflows,
)
from apteligent_async.simulator.world.error_groups import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async.simulator.parameters import Asked

    Resource = Callable[[Asked], dict[str, Any]]

__all__ = ["ROUTES", "Routes"]


def _groups(kind: Kind) -> dict[str, Resource]:
    """Return the paths of crashes or of handled exceptions; lists have two orders of segments, both in use."""
    summaries, counts, table = (
        partial(function, kind=kind) for function in (errors.summaries, errors.counts, errors.table)
    )
    return {
        f"/v2/app/{kind}/summaries/{{appId}}": summaries,
        f"/v2/app/{{appId}}/{kind}/summaries": summaries,
        f"/v2/app/{kind}/counts/{{appId}}": counts,
        f"/v2/app/{{appId}}/{kind}/counts": counts,
        f"/v2/{kind}/paginatedtable/{{appId}}": table,
        f"/v2/{{appId}}/{kind}/paginatedtable": table,
        f"/v2/{kind}/{{appId}}/{{hash}}": partial(details.details, kind=kind),
    }


ROUTES: Mapping[str, Resource] = {
    "/v2/apps": apps.list_apps,
    "/v2/errorMonitoring/pie": error_monitoring.pie,
    "/v2/errorMonitoring/graph": error_monitoring.graph,
    "/v2/errorMonitoring/sparklines": error_monitoring.sparklines,
    "/v2/performanceManagement/pie": performance.pie,
    "/v2/performanceManagement/endpoints": performance_tables.endpoints,
    "/v2/performanceManagement/services": performance_tables.services,
    "/v2/performanceManagement/geo": performance_tables.geo,
    **_groups(Kind.CRASH),
    **_groups(Kind.EXCEPTION),
    "/v2/crash/userData/{appId}/{hash}": details.user_data,
    "/v2/trends/{appId}": trends.all_trends,
    "/v2/trends/dau/{appId}": trends.dau,
    "/v2/trends/mau/{appId}": trends.mau,
    "/v2/liveStats/{appId}/{period}": live_stats.live_stats,
    "/v2/transactions/{appId}/summary": userflows.summary,
    "/v2/transactions/{appId}/ranked/{category}": userflows.ranked,
    "/v2/transactions/{appId}/details/change/{period}": userflows.details,
    "/v2/transactions/{appId}/group/{name}": userflows.group,
    "/v2/transactions/{appId}/group/{name}/traces/{period}": userflows.traces,
    "/v2/{appId}/group/{name}": userflows.group,
    "/v2/{appId}/group/{name}/traces/{period}": userflows.traces,
}


class Routes:
    """Finds the resource of a path; a fixed segment goes before a free one, whatever the table's order."""

    def __init__(self, table: Mapping[str, Resource]) -> None:
        rows = [(template.strip("/").split("/"), resource) for template, resource in table.items()]
        self._rows = sorted(rows, key=lambda row: [segment.startswith("{") for segment in row[0]])

    def find(self, path: str) -> tuple[Resource, dict[str, str]] | None:
        """Return the resource and the decoded free segments, or None if there is no such path."""
        segments = path.strip("/").split("/")
        for template, resource in self._rows:
            found = _matched(template, segments)
            if found is not None:
                return resource, found
        return None


def _matched(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    found: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            found[expected[1:-1]] = unquote(segment)
        elif expected != segment:
            return None
    return found

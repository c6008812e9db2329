"""Which path is answered by which function: the one table of the service's data calls.

Segments in braces are free text, decoded after the path was split. A trailing slash is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from apteligent_async.simulator.resources import apps, error_monitoring, performance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async.simulator.parameters import Asked

    Resource = Callable[[Asked], dict[str, Any]]

__all__ = ["ROUTES", "Routes"]

ROUTES: Mapping[str, Resource] = {
    "/v2/apps": apps.list_apps,
    "/v2/errorMonitoring/pie": error_monitoring.pie,
    "/v2/errorMonitoring/graph": error_monitoring.graph,
    "/v2/errorMonitoring/sparklines": error_monitoring.sparklines,
    "/v2/performanceManagement/pie": performance.pie,
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
    found = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            found[expected[1:-1]] = unquote(segment)
        elif expected != segment:
            return None
    return found

"""What users did before an error, as a table: a line for each thing that happened, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from apteligent_async.cli.showing.views import Heading, Sheet
from apteligent_async.models.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apteligent_async.models.breadcrumbs import Breadcrumb, BreadcrumbTrace

__all__ = ["breadcrumb_sheet"]

_CODES = {
    1: "normal",
    2: "network call",
    3: "foreground or background",
    4: "connection change",
    5: "view",
    6: "handled exception",
    7: "crash",
}
"""What the service's type codes stand for: grade B, from two clients."""

_FIRST = ("httpMethod", "url", "httpStatusCode", "latencyMs", "viewName", "event", "text", "name", "reason")
"""Which parts of a payload come first, in this order; the others follow with their names."""

_UNITS = {"latencyMs": " ms"}


def breadcrumb_sheet(traces: Iterable[BreadcrumbTrace]) -> Sheet:
    """Show sessions one after the other, and of each what happened, in order."""
    steps = [(trace, crumb) for trace in traces for crumb in trace.parsed_breadcrumbs or ()]
    return Sheet(
        name="breadcrumbs",
        title="What users did before",
        columns=(
            Column(name="username", kind="text", cells=[trace.username for trace, _ in steps]),
            Column(name="trace_ts", kind="instant", cells=[trace.trace_ts for trace, _ in steps]),
            Column(name="app_version", kind="text", cells=[trace.app_version for trace, _ in steps]),
            Column(name="device", kind="text", cells=[trace.device for trace, _ in steps]),
            Column(name="os", kind="text", cells=[trace.os for trace, _ in steps]),
            Column(name="occurred", kind="instant", cells=[crumb.device_occurred_ts for _, crumb in steps]),
            Column(name="clock", kind="text", cells=[_clock(crumb) for _, crumb in steps]),
            Column(name="type", kind="text", cells=[_type(crumb) for _, crumb in steps]),
            Column(name="type_code", kind="text", cells=[_code(crumb) for _, crumb in steps]),
            Column(name="what", kind="text", cells=[_what(crumb.payload) for _, crumb in steps]),
        ),
        headings=(
            Heading("username", "user", 1),
            Heading("clock", "at"),
            Heading("type", "type"),
            Heading("what", "what"),
            Heading("app_version", "version", 2),
            Heading("device", "device", 3),
        ),
    )


def _clock(crumb: Breadcrumb) -> str | None:
    """Write the time of day: steps are seconds apart, and of one day mostly."""
    at = crumb.device_occurred_ts
    return None if at is None else f"{at:%H:%M:%S}"


def _type(crumb: Breadcrumb) -> str | None:
    return crumb.type or _code(crumb)


def _code(crumb: Breadcrumb) -> str | None:
    return None if crumb.type_code is None else _CODES.get(cast("Any", crumb.type_code), str(crumb.type_code))


def _what(payload: Any) -> str | None:
    if not isinstance(payload, Mapping):
        return None if payload is None else str(payload)
    told = cast("Mapping[str, Any]", payload)
    first = [f"{told[name]}{_UNITS.get(name, '')}" for name in _FIRST if told.get(name) is not None]
    return " ".join([*first, *(f"{name}={value}" for name, value in told.items() if name not in _FIRST)])

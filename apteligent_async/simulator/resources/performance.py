"""``/performanceManagement``: network requests in a window of minutes that ends at the last full five minutes.

Times are naive and the app's own, as in ``/errorMonitoring``. There is no ``graph`` here: nothing attests it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.world.grouping import Dimension, network_name, selected, slices
from apteligent_async.simulator.world.traffic import Flow, NetworkGraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apteligent_async.simulator.parameters import Asked, Parameters
    from apteligent_async.simulator.world import App

__all__ = ["Span", "pie", "span_of"]

_DURATIONS = (15, 60, 240, 480, 720, 1440, 2880, 10_080, 43_200)
_STEP_S = 300

Span = tuple[datetime, datetime]
"""Start and end on the app's wall clock, naive."""


class _GroupBy(StrEnum):
    APP_ID = "appId"
    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"
    SERVICE = "service"


def pie(asked: Asked) -> dict[str, Any]:
    """Answer one metric over a window, split by version, system, device, carrier, service or app."""
    metric = asked.query.choice("graph", NetworkGraph)
    group_by = asked.query.choice("groupBy", _GroupBy)
    filters = asked.query.filters()
    apps = asked.apps()
    spans = [span_of(asked.query, app, default_minutes=1440) for app in apps]
    parts: dict[tuple[str, str], Flow] = {}
    for app, span in zip(apps, spans, strict=True):
        for key, flow in _grouped(app, group_by, filters, span):
            parts[key] = parts.get(key, Flow()) + flow
    listed = [
        {"name": name, "value": flow.value(metric), "label": label}
        for (name, label), flow in parts.items()
        if flow.requests
    ]
    start, end = (at.isoformat(timespec="seconds") for at in spans[0])
    return {"data": {"start": start, "interval": _STEP_S, "end": end, "slices": listed}}


def span_of(query: Parameters, app: App, *, default_minutes: int) -> Span:
    """Read ``duration`` (minutes, a closed set) as a window that ends at the last full five minutes."""
    minutes = query.whole("duration", default=default_minutes)
    if minutes not in _DURATIONS:
        raise Refusal(400, "duration must be one of " + ", ".join(map(str, _DURATIONS)))
    now = app.calendar.local_now.replace(microsecond=0)
    end = now - timedelta(seconds=(now.minute * 60 + now.second) % _STEP_S)
    return end - timedelta(minutes=minutes), end


def _grouped(
    app: App, group_by: _GroupBy, filters: Mapping[Dimension, str], span: Span
) -> Iterable[tuple[tuple[str, str], Flow]]:
    profile = app.profile
    flows = app.traffic.by_cohort(*span)
    cohorts = selected(profile, filters)
    if group_by is _GroupBy.APP_ID:
        yield (profile.id, profile.name), _sum(flows, cohorts)
    elif group_by is _GroupBy.SERVICE:
        for service, flow in app.traffic.by_service(_sum(flows, cohorts)):
            yield (service.name, service.name), flow
    else:
        for part in slices(profile, Dimension(group_by.value), cohorts):
            yield _network_key(group_by, part.name, part.label), _sum(flows, part.cohorts)


def _network_key(group_by: _GroupBy, name: str, label: str) -> tuple[str, str]:
    return (network_name(name), " ".join(label.split())) if group_by is _GroupBy.OS else (name, label)


def _sum(flows: tuple[Flow, ...], cohorts: Iterable[int]) -> Flow:
    return sum((flows[position] for position in cohorts), Flow())

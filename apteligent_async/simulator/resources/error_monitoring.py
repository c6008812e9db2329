"""``/errorMonitoring``: users, loads and crashes by day.

A window of D days is stated as ``start`` = D days before today and ``end`` = today, both naive midnights of the app's
own days. Point i belongs to day ``start + i + 1``, so that the last one is today and still grows (a reading that four
clients share; no source is certain). Where several apps are asked for, each counts its own days, and the first one's
are stated.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.world.grouping import Dimension, selected, slices
from apteligent_async.simulator.world.usage import ErrorGraph, Usage, days_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from apteligent_async.simulator.parameters import Asked, Parameters
    from apteligent_async.simulator.world import App

__all__ = ["graph", "pie", "sparklines"]

_DAY_MINUTES = 1440
_LONGEST_DAYS = 366
_MONTH_MINUTES = 43_200


class _GroupBy(StrEnum):
    APP_ID = "appId"
    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"


def pie(asked: Asked) -> dict[str, Any]:
    """Answer one metric over a window, split by version, system, device, carrier or app."""
    metric = asked.query.choice("graph", ErrorGraph)
    group_by = asked.query.choice("groupBy", _GroupBy)
    filters = asked.query.filters()
    apps = asked.apps()
    windows = [_window(asked.query, app, default_minutes=_DAY_MINUTES) for app in apps]
    parts: dict[tuple[str, str], Usage] = {}
    for app, days in zip(apps, windows, strict=True):
        for key, usage in _grouped(app, group_by, filters, days_of(metric, days)):
            parts[key] = parts.get(key, Usage()) + usage
    listed = [
        {"name": name, "value": usage.value(metric), "label": label}
        for (name, label), usage in parts.items()
        if usage.loads
    ]
    return {"data": {**_stated(windows[0]), "slices": listed}}


def graph(asked: Asked) -> dict[str, Any]:
    """Answer one metric as a point per day."""
    metric = asked.query.choice("graph", ErrorGraph)
    filters = asked.query.filters()
    apps = asked.apps()
    windows = [_window(asked.query, app, default_minutes=_MONTH_MINUTES) for app in apps]
    series = {"name": metric.value, "points": _points(apps, metric, filters, windows)}
    return {"data": {**_stated(windows[0]), "series": [series]}}


def sparklines(asked: Asked) -> dict[str, Any]:
    """Answer one small series per app (a guess: only the request and the keys of a series are attested)."""
    metric = asked.query.choice("graph", ErrorGraph)
    asked.query.choice_or("groupBy", _SparklineGroup.APP_ID)
    apps = asked.apps()
    windows = [_window(asked.query, app, default_minutes=_MONTH_MINUTES) for app in apps]
    series = [
        {"name": app.profile.id, "label": app.profile.name, "points": _points([app], metric, {}, [days])}
        for app, days in zip(apps, windows, strict=True)
    ]
    return {"data": {**_stated(windows[0]), "series": series}}


class _SparklineGroup(StrEnum):
    APP_ID = "appId"


def _grouped(
    app: App, group_by: _GroupBy, filters: Mapping[Dimension, str], days: Sequence[date]
) -> Iterable[tuple[tuple[str, str], Usage]]:
    profile = app.profile
    cohorts = selected(profile, filters)
    if group_by is _GroupBy.APP_ID:
        yield (profile.id, profile.name), usage_of(profile, app.series, cohorts, days)
        return
    for part in slices(profile, Dimension(group_by.value), cohorts):
        yield (part.name, part.label), usage_of(profile, app.series, part.cohorts, days)


def _points(
    apps: Sequence[App],
    metric: ErrorGraph,
    filters: Mapping[Dimension, str],
    windows: Sequence[Sequence[date]],
) -> list[float]:
    chosen = [(app, selected(app.profile, filters)) for app in apps]

    def point(days: Sequence[date]) -> float:
        parts = [
            usage_of(app.profile, app.series, cohorts, days_of(metric, [day]))
            for (app, cohorts), day in zip(chosen, days, strict=True)
        ]
        return sum(parts, Usage()).value(metric)

    return [point(days) for days in zip(*windows, strict=True)]


def _window(query: Parameters, app: App, *, default_minutes: int) -> tuple[date, ...]:
    start, end = query.instant("start"), query.instant("end")
    if start is None and end is None:
        minutes = query.whole("duration", default=default_minutes, most=_LONGEST_DAYS * _DAY_MINUTES)
        if minutes % _DAY_MINUTES:
            raise Refusal(400, "duration must be a whole number of days, in minutes")
        return app.calendar.days(minutes // _DAY_MINUTES)
    if start is None or end is None:
        raise Refusal(400, "start and end go together")
    count = (end.date() - start.date()).days
    if not 0 < count <= _LONGEST_DAYS:
        raise Refusal(400, f"end must lie 1 to {_LONGEST_DAYS} days after start")
    return app.calendar.days(count, last=end.date())


def _stated(days: Sequence[date]) -> dict[str, Any]:
    start = days[0] - timedelta(days=1)
    return {"start": f"{start.isoformat()}T00:00:00", "interval": 86_400, "end": f"{days[-1].isoformat()}T00:00:00"}

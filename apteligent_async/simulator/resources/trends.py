"""``/trends``: fourteen series of thirty-one days, today last, as in the one captured answer.

Keys are those of the pies, and so are the values: the same loads, crashes and users are counted. Ratios are quotients
of the counts beside them, rounded to two decimals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.world.grouping import Dimension, selected, slices
from apteligent_async.simulator.world.usage import ErrorGraph, Usage, days_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App

    Columns = Mapping[str, Sequence[Usage]]

__all__ = ["all_trends", "dau", "mau"]

_BUCKETS = 31
_MOST_KEYS = 5
_DIMENSIONS = {"Device": Dimension.DEVICE, "Os": Dimension.OS, "Version": Dimension.APP_VERSION}
_PER_DIMENSION = (
    ("appLoadsBy", ErrorGraph.APP_LOADS, {"of": "app_loads", "type": "count"}),
    ("crashesBy", ErrorGraph.CRASHES, {"of": "crashes", "type": "count"}),
    ("crashRatioBy", ErrorGraph.CRASH_PERCENT, {"of": "app_loads", "type": "percent"}),
)
_PER_VERSION = (
    ("affectedUsers", ErrorGraph.AFFECTED_USERS, {"of": "users", "type": "count"}),
    ("affectedUsersRatio", ErrorGraph.AFFECTED_USER_PERCENT, {"of": "users", "type": "percent"}),
    ("dauByVersion", ErrorGraph.DAU, {"of": "dau", "type": "count"}),
)
_USERS = {"of": "users", "type": "count"}


def all_trends(asked: Asked) -> dict[str, Any]:
    """Answer every series; each lists at most the five keys with most app loads today."""
    app = asked.app()
    columns = {suffix: _columns(app, dimension) for suffix, dimension in _DIMENSIONS.items()}
    series = {
        prefix + suffix: _series(app, columns[suffix], metric, units)
        for suffix in _DIMENSIONS
        for prefix, metric, units in _PER_DIMENSION
    }
    series |= {name: _series(app, columns["Version"], metric, units) for name, metric, units in _PER_VERSION}
    for metric in (ErrorGraph.DAU, ErrorGraph.MAU):
        total = _series(app, {"total": _totals(app, metric)}, metric, _USERS)
        series[metric.value] = {**total, "todayTopValues": None}
    return {"data": {"series": series}}


def dau(asked: Asked) -> dict[str, Any]:
    """Answer daily users alone (only ``todayValue`` is attested)."""
    return _alone(asked.app(), ErrorGraph.DAU)


def mau(asked: Asked) -> dict[str, Any]:
    """Answer monthly users alone (only ``todayValue`` is attested)."""
    return _alone(asked.app(), ErrorGraph.MAU)


def _alone(app: App, metric: ErrorGraph) -> dict[str, Any]:
    series = _series(app, {"total": _totals(app, metric)}, metric, _USERS)
    today = series.pop("todayTopValues")["total"]
    return {"data": {"series": {"todayValue": today, **series}}}


def _series(app: App, columns: Columns, metric: ErrorGraph, units: Mapping[str, str]) -> dict[str, Any]:
    starts = [app.calendar.starts_at(day).isoformat() for day in app.calendar.days(_BUCKETS)]
    values = {key: [usage.value(metric) for usage in column] for key, column in columns.items()}
    return {
        "units": units,
        "todayTopValues": {key: column[-1] for key, column in values.items()},
        "categories": {key: {"buckets": _buckets(starts, column)} for key, column in values.items()},
    }


def _columns(app: App, dimension: Dimension) -> Columns:
    profile, days = app.profile, app.calendar.days(_BUCKETS)
    today = app.series.loads(days[-1])
    parts = slices(profile, dimension, selected(profile, {}))
    top = sorted(parts, key=lambda part: -sum(today[cohort] for cohort in part.cohorts))[:_MOST_KEYS]
    return {part.name: [usage_of(profile, app.series, part.cohorts, [day]) for day in days] for part in top}


def _totals(app: App, metric: ErrorGraph) -> list[Usage]:
    everyone = selected(app.profile, {})
    days = app.calendar.days(_BUCKETS)
    return [usage_of(app.profile, app.series, everyone, days_of(metric, [day])) for day in days]


def _buckets(starts: Sequence[str], values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"duration": "P1D", "start": start, "value": value} for start, value in zip(starts, values, strict=True)]

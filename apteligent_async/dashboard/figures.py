"""What panels show, in the order in which they show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from apteligent_async.models.apps import App, Apps
    from apteligent_async.models.monitoring import Graph, Pie
    from apteligent_async.models.result import Result

__all__ = [
    "CUTS",
    "METRICS",
    "Age",
    "Bar",
    "Cut",
    "Measure",
    "Metric",
    "Point",
    "Sort",
    "bars",
    "points",
    "sorted_apps",
]

Sort: TypeAlias = Literal["crash_percent", "dau", "latency", "name"]
Metric: TypeAlias = Literal["crashPercent", "dau", "appLoads", "crashes"]
Cut: TypeAlias = Literal["appVersion", "os", "device"]

CUTS: Mapping[Cut, str] = {"appVersion": "version", "os": "OS", "device": "device"}


@frozen
class Measure:
    """How a metric is told to people: its title, its unit, and how many digits are worth telling."""

    title: str
    unit: str
    digits: int


METRICS: Mapping[Metric, Measure] = {
    "crashPercent": Measure("Crash rate", "%", 2),
    "dau": Measure("Users a day", "", 0),
    "appLoads": Measure("App loads", "", 0),
    "crashes": Measure("Crashes", "", 0),
}

MOST_BARS = 8


@frozen
class Point:
    """One day of a chart."""

    day: datetime
    value: float | None


@frozen
class Bar:
    """One group of a pie: its value, and its length as percent of the longest."""

    name: str
    value: float
    percent: float


@frozen(kw_only=True)
class Age:
    """How old an answer is: seconds since the service gave it, and whether it is older than it should be."""

    seconds: float
    is_stale: bool

    @classmethod
    def of(cls, result: Result) -> Age:
        """Take it from a result."""
        if result.http is None or result.http.cache is None:
            return cls(seconds=0.0, is_stale=False)
        return cls(seconds=result.http.age_s, is_stale=result.http.cache.value == "stale")


def sorted_apps(apps: Apps, by: Sort) -> Sequence[App]:
    """Put apps in order, the highest first and those without a value last; names from A to Z."""
    if by == "name":
        return sorted(apps, key=lambda app: app.name.casefold())
    known = [app for app in apps if getattr(app, by) is not None]
    rest = [app for app in apps if getattr(app, by) is None]
    return [*sorted(known, key=lambda app: getattr(app, by), reverse=True), *rest]


def points(graph: Graph) -> Sequence[Point]:
    """Give a graph's days that have a name."""
    return [Point(day, value) for day, value in graph.labelled() if day is not None]


def bars(pie: Pie) -> Sequence[Bar]:
    """Give a pie's highest groups, the highest first."""
    known = [(part.label or part.name, part.value) for part in pie.slices if part.value is not None]
    highest = sorted(known, key=lambda pair: pair[1], reverse=True)[:MOST_BARS]
    most = max((value for _, value in highest), default=0) or 1
    return [Bar(name, value, max(100.0 * value / most, 0.0)) for name, value in highest]

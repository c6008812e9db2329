"""Answers as rows: one function per family of calls. Each row depends on its own answer and question alone.

Days are half open, ``start`` to ``end``. Error monitoring states its windows by two days of which one is not part of
them; which one is what `DayLabels` chooses. Where the service states no window, ``start`` is the day of asking and
``end`` is empty.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apteligent_async.bulk.figures import figure_row
from apteligent_async.bulk.units import Row
from apteligent_async.bulk.windows import DAY
from apteligent_async.models.days import DayLabels
from apteligent_async.models.frozen import EMPTY
from apteligent_async.models.monitoring import Slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from apteligent_async.bulk.units import Question, Unit
    from apteligent_async.models.apps import App
    from apteligent_async.models.error_groups import ErrorCounts
    from apteligent_async.models.live import LiveStats
    from apteligent_async.models.monitoring import Graph, Pie
    from apteligent_async.models.performance import EndpointRanking, GeoValues, ServiceRanking
    from apteligent_async.models.trends import Trends, UserTrend

    Dated = Iterator[tuple[date, Row]]
    Rows = Iterator[Row]

__all__ = [
    "TOP_SERIES",
    "app_attributes",
    "daily_counts",
    "daily_points",
    "daily_trends",
    "endpoint_ranks",
    "error_slices",
    "geo_values",
    "live_windows",
    "performance_slices",
    "service_ranks",
    "todays_users",
    "top_slices",
]

_MIDDAY = timedelta(hours=12)
_ATTRIBUTES = {
    "appName": "app_name",
    "appType": "app_type",
    "crashPercent": "crash_percent",
    "dau": "dau",
    "iconURL": "icon_url_text",
    "latency": "latency",
    "latestAppStoreReleaseDate": "latest_app_store_release_date_text",
    "latestVersionString": "latest_version_string",
    "linkToAppStore": "link_to_app_store",
    "mau": "mau",
    "rating": "rating",
    "role": "role",
}
_TREND_GROUPINGS = {"Device": "device", "Os": "os", "Version": "appVersion"}
_TRENDS_BY_VERSION = frozenset({"affectedUsers", "affectedUsersRatio"})


TOP_SERIES = {
    ("appLoads", "appVersion"): "appLoadsByVersion",
    ("appLoads", "os"): "appLoadsByOs",
    ("appLoads", "device"): "appLoadsByDevice",
    ("crashes", "appVersion"): "crashesByVersion",
    ("crashes", "os"): "crashesByOs",
    ("crashes", "device"): "crashesByDevice",
    ("crashPercent", "appVersion"): "crashRatioByVersion",
    ("crashPercent", "os"): "crashRatioByOs",
    ("crashPercent", "device"): "crashRatioByDevice",
    ("affectedUsers", "appVersion"): "affectedUsers",
    ("affectedUserPercent", "appVersion"): "affectedUsersRatio",
    ("dau", "appVersion"): "dauByVersion",
}
"""Which series of trends tells of the same as a pie of a day, by the pie's metric and grouping."""


def daily_points(answer: Graph, question: Question) -> Dated:
    """One row per day of a graph of errors."""
    grouping, key = _narrowed(question)
    metric, query = question.argument("graph"), question.query
    for instant, value in answer.labelled(question.day_labels):
        if instant is not None:
            day = instant.date()
            yield day, Row(question.app, metric, grouping, key, None, *_day(day), value, query)


def daily_counts(answer: ErrorCounts, question: Question) -> Dated:
    """One row per day of the errors' counts."""
    grouping, key = _narrowed(question)
    query = question.query
    for count in answer:
        if count.date is not None:
            yield count.date, Row(question.app, "count", grouping, key, None, *_day(count.date), count.value, query)


def daily_trends(answer: Trends, question: Question) -> Dated:
    """One row per day, series and key of the trends.

    Days begin at the app's midnight, of which the service gives the instant in UTC: its own day is that of the instant
    12 hours later, wherever midnight lies from 11 hours behind to 12 ahead of UTC.
    """
    query = question.query
    for name, trend in answer.series.items():
        for key, line in (trend.categories or EMPTY).items():
            grouping = None if key == "total" else _trend_grouping(name)
            for start, value in zip(line.starts, line.values, strict=True):
                if start is not None:
                    window = (start.isoformat(), (start + DAY).isoformat())
                    kept = None if grouping is None else key
                    yield (start + _MIDDAY).date(), Row(question.app, name, grouping, kept, None, *window, value, query)


def error_slices(answer: Pie, unit: Unit) -> Rows:
    """One row per slice of a pie of errors, its window in days."""
    first, last = answer.start, answer.end
    if unit.question.day_labels is DayLabels.END and first is not None and last is not None:
        first, last = first + DAY, last + DAY
    return _slices(_ranked(answer.slices, unit.question.top), unit, (_date(first), _date(last)))


def performance_slices(answer: Pie, unit: Unit) -> Rows:
    """One row per slice of a pie of network calls, its window on the app's own clock."""
    return _slices(answer.slices, unit, (_instant(answer.start), _instant(answer.end)))


def top_slices(answer: Trends, unit: Unit) -> Rows:
    """The same rows of the running day, as far as trends have them: five keys at most, which are their own labels."""
    series = answer.series.get(TOP_SERIES[unit.question.argument("graph"), unit.question.argument("group_by")])
    lines = [(key, line.buckets[-1]) for key, line in ((series and series.categories) or EMPTY).items() if line.buckets]
    slices = [Slice(name=key, label=key, value=today.value) for key, today in lines]
    start = next((today.start for _, today in lines if today.start is not None), None)
    window = (None, None) if start is None else _day((start + _MIDDAY).date())
    return _slices(_ranked(slices, unit.question.top), unit, window)


def _ranked(slices: Iterable[Slice], top: int | None) -> Iterable[Slice]:
    """Leave those of the highest values, where only so many are wanted; equals by name."""
    if top is None:
        return slices
    return sorted(slices, key=lambda part: (-(part.value or 0), part.name))[:top]


def _slices(slices: Iterable[Slice], unit: Unit, window: tuple[str | None, str | None]) -> Rows:
    question = unit.question
    metric, grouping, query = question.argument("graph"), question.argument("group_by"), question.query
    for part in slices:
        yield Row(question.app, metric, grouping, part.name, part.label, *window, part.value, query)


def app_attributes(app: App, unit: Unit) -> Rows:
    """One row per attribute that was asked for; one per version for ``appVersions``."""
    for attribute in unit.question.argument("attributes"):
        if attribute == "appVersions":
            yield from (
                figure_row(unit, attribute, None, ("appVersion", version)) for version in app.app_versions or ()
            )
        else:
            yield figure_row(unit, attribute, getattr(app, _ATTRIBUTES[attribute]))


def endpoint_ranks(answer: EndpointRanking, unit: Unit) -> Rows:
    """One row per address that an app calls."""
    metric = unit.question.argument("sort")
    for rank in answer:
        yield figure_row(unit, metric, rank.value, ("endpoint", f"{rank.domain or ''}{rank.uri or ''}"))


def service_ranks(answer: ServiceRanking, unit: Unit) -> Rows:
    """One row per service that an app calls."""
    metric = unit.question.argument("sort")
    return (figure_row(unit, metric, rank.value, ("service", rank.name)) for rank in answer)


def geo_values(answer: GeoValues, unit: Unit) -> Rows:
    """One row per country."""
    metric = unit.question.argument("graph")
    return (figure_row(unit, metric, value, ("country", code)) for code, value in answer.by_country.items())


def todays_users(answer: UserTrend, unit: Unit) -> Rows:
    """The running day's or month's users, the only figure of this call that is attested."""
    yield figure_row(unit, unit.question.endpoint.rpartition(".")[2], answer.today_value)


def live_windows(answer: LiveStats, unit: Unit) -> Rows:
    """Loads and crashes of each window, and the crash percentage of all."""
    question, query = unit.question, unit.question.query
    windows = [(_instant(each.start), _instant(each.end), each) for each in answer.periodic_data]
    for start, end, each in windows:
        for metric, value in (("appLoads", each.app_loads), ("crashes", each.crashes)):
            yield Row(question.app, metric, None, None, None, start, end, value, query)
    whole = (windows[0][0], windows[-1][1]) if windows else (unit.day.isoformat(), None)
    yield Row(question.app, "crashPercentage", None, None, None, *whole, answer.crash_percentage, query)


def _narrowed(question: Question) -> tuple[str | None, str | None]:
    """Say what a question without groups was narrowed to."""
    version = question.argument("app_version")
    if version is not None:
        return "appVersion", version
    filters: Mapping[str, Any] = question.argument("filters") or EMPTY
    return (",".join(filters), ",".join(map(str, filters.values()))) if filters else (None, None)


def _trend_grouping(series: str) -> str | None:
    if series in _TRENDS_BY_VERSION:
        return "appVersion"
    return _TREND_GROUPINGS.get(series.rpartition("By")[2])


def _day(day: date) -> tuple[str, str]:
    return day.isoformat(), (day + DAY).isoformat()


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _date(instant: datetime | None) -> str | None:
    return None if instant is None else instant.date().isoformat()

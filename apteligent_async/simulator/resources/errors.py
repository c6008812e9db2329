"""Lists of crash and exception groups: ``summaries``, ``counts`` and the ``paginatedtable``.

Both kinds are answered alike. Daily arrays run oldest first and carry the date of their last day; the service's own
order is not known.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.world.error_groups import HISTORY_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from apteligent_async.simulator.parameters import Asked, Parameters
    from apteligent_async.simulator.world import App
    from apteligent_async.simulator.world.error_groups import ErrorGroup, Kind

__all__ = ["counts", "dated", "distinct_sessions", "summaries", "summed", "table"]

_COUNTED_DAYS = 30
_PAGE_ROWS = 10
_SESSIONS_PER_USER = 1.35
_ALL_VERSIONS = "all"


class _Status(StrEnum):
    KNOWN = "known"
    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"


class _SummarySort(StrEnum):
    SESSIONS = "sessionCount"
    UNIQUE_SESSIONS = "uniqueSessionCount"
    LAST_OCCURRED = "lastOccurred"


class _RowSort(StrEnum):
    USERS = "usersAffected"
    TIMES = "timesOccurred"
    FIRST = "firstOccurred"
    LAST = "lastOccurred"


class _Order(StrEnum):
    ASC = "asc"
    ASCENDING = "ascending"
    DESC = "desc"
    DESC_UPPER = "DESC"
    DESCENDING = "descending"


def summaries(asked: Asked, *, kind: Kind) -> dict[str, Any]:
    """Answer every group that passes the filters, the whole list at once."""
    app, query = asked.app(), asked.query
    version = query.text("appVersion")
    sort_by = query.choice_or("sortBy", _SummarySort.SESSIONS)
    groups = [group for group in app.groups(kind).listed if _passes(app, group, query)]
    rows = [_summary(app, group, version) for group in groups]
    rows = [row for row in rows if row["sessionCount"]]
    rows.sort(key=lambda row: row[sort_by.value], reverse=_is_descending(query))
    return {"data": rows}


def counts(asked: Asked, *, kind: Kind) -> dict[str, Any]:
    """Answer the number of crashes a day for thirty days (a guess: the range is not attested), today last."""
    app, version = asked.app(), _version(asked.query)
    days = app.calendar.days(_COUNTED_DAYS)
    return {"data": [{"date": day.isoformat(), "value": app.groups(kind).app_total(day, version)} for day in days]}


def table(asked: Asked, *, kind: Kind) -> dict[str, Any]:
    """Answer one page of groups with their occurrences in a period; its keys are in snake case."""
    app, query = asked.app(), asked.query
    page = query.whole("pageNum", default=1)
    sort_by = query.choice_or("sortBy", _RowSort.TIMES)
    days, version = _period(query, app), _version(query)
    rows = [row for group in app.groups(kind).listed if (row := _row(app, group, days, version))]
    rows.sort(key=_row_key(sort_by), reverse=_is_descending(query))
    shown = rows[(page - 1) * _PAGE_ROWS : page * _PAGE_ROWS]
    pagination = {"pageNum": page, "totalPages": max(1, math.ceil(len(rows) / _PAGE_ROWS))}
    return {"data": {"errors": shown, "pagination": pagination}}


def distinct_sessions(sessions: Mapping[str, int]) -> dict[str, int]:
    """Return how many sessions of different users there were per version, and in ``total``, where users overlap."""
    unique = {name: math.ceil(count / _SESSIONS_PER_USER) for name, count in sessions.items()}
    return {**unique, "total": max(round(sum(unique.values()) * 0.9), max(unique.values(), default=0))}


def summed(columns: Mapping[str, Sequence[int]], length: int) -> list[int]:
    """Add up daily counts over versions."""
    return [sum(column[day] for column in columns.values()) for day in range(length)]


def dated(last: str, counts_by_day: Sequence[int]) -> list[Any]:
    """Write a daily array: the date of its last day, then the counts, oldest first."""
    return [last, list(counts_by_day)]


def _version(query: Parameters) -> str | None:
    version = query.text("appVersion")
    return None if version == _ALL_VERSIONS else version


def _passes(app: App, group: ErrorGroup, query: Parameters) -> bool:
    if query.text("status") is not None and group.status != query.choice("status", _Status):
        return False
    span = app.groups(group.kind).span(group)
    return _within(app.utc(span.last), query, "lastOccurred") and _within(app.utc(span.first), query, "firstOccurred")


def _within(at: datetime, query: Parameters, name: str) -> bool:
    start, end = query.instant(f"{name}Start"), query.instant(f"{name}End")
    return (start is None or at >= start) and (end is None or at <= end)


def _summary(app: App, group: ErrorGroup, version: str | None) -> dict[str, Any]:
    groups = app.groups(group.kind)
    sessions = groups.sessions(group)
    unique = distinct_sessions(sessions)
    return {
        "status": group.status,
        "reason": group.reason,
        "displayReason": group.display_reason,
        "hash": group.hash,
        "name": group.name,
        "isSymbolized": "true" if group.is_symbolized else "false",
        "lastOccurred": app.utc(groups.span(group).last).isoformat(),
        "uniqueSessionCount": unique.get(version or "total", 0),
        "sessionCount": sessions.get(version, 0) if version else sum(sessions.values()),
        "suspectLine": group.suspect_line,
    }


def _is_descending(query: Parameters) -> bool:
    return query.choice_or("sortOrder", _Order.DESCENDING) not in (_Order.ASC, _Order.ASCENDING)


def _period(query: Parameters, app: App) -> tuple[date, ...]:
    start, end = query.instant("startDate"), query.instant("endDate")
    if start is None or end is None:
        return app.calendar.days(query.whole("period", default=7, most=HISTORY_DAYS))
    shift = timedelta(hours=app.profile.offset_h)
    first, last = ((at.astimezone(UTC) + shift).date() for at in (start, end))
    if not 0 <= (last - first).days < HISTORY_DAYS:
        raise Refusal(400, f"endDate must lie at most {HISTORY_DAYS} days after startDate")
    return app.calendar.days((last - first).days + 1, last=last)


def _row(app: App, group: ErrorGroup, days: Sequence[date], version: str | None) -> dict[str, Any] | None:
    groups = app.groups(group.kind)
    columns = {name: column for name, column in groups.by_version(group, days).items() if version in (None, name)}
    if not columns:
        return None
    span, last = groups.span(group), days[-1].strftime("%Y%m%d")
    daily = summed(columns, len(days))
    return {
        "hash": group.hash,
        "name": group.name,
        "reason": group.reason,
        "display_reason": group.display_reason,
        "status": group.status,
        "class_name": "GroupedSymbolicatedCrashLog" if group.is_symbolized else "GroupedCrashLog",
        "total_occurrences": sum(daily),
        "num_unique_sessions": math.ceil(sum(daily) / _SESSIONS_PER_USER),
        "first_occurred_time": span.first.isoformat(),
        "last_occurred_time": span.last.isoformat(),
        "daily_occurrences": dated(last, daily),
        "daily_occurrences_by_version": {name: dated(last, column) for name, column in columns.items()},
        "app_timezone_offset": app.profile.offset_h,
    }


def _row_key(sort_by: _RowSort) -> Callable[[dict[str, Any]], Any]:
    key = {
        _RowSort.USERS: "num_unique_sessions",
        _RowSort.TIMES: "total_occurrences",
        _RowSort.FIRST: "first_occurred_time",
        _RowSort.LAST: "last_occurred_time",
    }[sort_by]
    return lambda row: row[key]

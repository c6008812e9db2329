"""``/transactions``: userflows. Bodies are known from client code only.

Pages are told by a ``pagination`` beside ``data``: ``nextPage`` is there while there is one. A userflow's ``link``
leads to the old host, as the service's did.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.resources.breadcrumbs import written
from apteligent_async.simulator.world.dice import dice
from apteligent_async.simulator.world.usage import percent
from apteligent_async.simulator.world.userflows import Outcome, Tally, Userflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App

__all__ = ["details", "group", "ranked", "summary", "traces"]

_MONTH = timedelta(days=30)
_LONGEST = timedelta(days=366)
_TRACE_PAGE = 25
_MOST_TRACES = 60
_PERIOD = re.compile(
    r"P(?:(?P<months>\d{1,4})M|(?P<weeks>\d{1,4})W|(?P<days>\d{1,4})D)"
    r"|PT(?:(?P<hours>\d{1,6})H|(?P<minutes>\d{1,8})M)"
)
_OLD_HOST = "http://txn-report.crittercism.com/v1.0"


class _Category(StrEnum):
    FAILED = "failed"
    SUCCEEDED = "succeeded"


class _SortBy(StrEnum):
    NAME = "name"


class _Order(StrEnum):
    ASCENDING = "ascending"
    DESCENDING = "descending"


def summary(asked: Asked) -> dict[str, Any]:
    """Answer the last month's outcomes of all userflows, and how they compare with the month before."""
    app = asked.app()
    now = app.calendar.local_now
    current, before = (_overall(app, end - _MONTH, end) for end in (now, now - _MONTH))
    return {"data": {name: _compared(current[name], before[name]) for name in current}}


def ranked(asked: Asked) -> dict[str, Any]:
    """Answer userflows by their rate of failure (or, guessed, of success), highest first."""
    app = asked.app()
    try:
        category = _Category(asked.path["category"])
    except ValueError:
        raise Refusal(400, "category must be failed or succeeded") from None
    rows: list[dict[str, Any]] = []
    for userflow, tally in _tallied(app, _MONTH):
        part = tally.failed if category is _Category.FAILED else tally.counts[Outcome.SUCCEEDED]
        rows.append({"name": userflow.name, "failureRate": percent(part, tally.started), "unit": {"type": "percent"}})
    return {"data": sorted(rows, key=lambda row: -row["failureRate"])}


def details(asked: Asked) -> dict[str, Any]:
    """Answer one page of userflows with their figures in a period, by name."""
    app, query = asked.app(), asked.query
    query.choice_or("sortBy", _SortBy.NAME)
    rows = [_detail(app, userflow, tally) for userflow, tally in _tallied(app, _period(asked))]
    is_descending = query.choice_or("sortOrder", _Order.ASCENDING) is _Order.DESCENDING
    rows.sort(key=lambda row: row["name"], reverse=is_descending)
    return _page(rows, query.whole("pageNum", default=1), query.whole("pageSize", default=10))


def group(asked: Asked) -> dict[str, Any]:
    """Answer one userflow's outcomes in the last month, by name of outcome."""
    app = asked.app()
    userflow = _known(app, asked.path["name"])
    tally = _tally(app, userflow, _MONTH)
    series = {outcome.value: _outcome(userflow, tally.counts[outcome], tally.started) for outcome in Outcome}
    return {"data": {"series": {"failed": _outcome(userflow, tally.failed, tally.started), **series}}}


def traces(asked: Asked) -> dict[str, Any]:
    """Answer one page of a userflow's latest traces in a period, newest first."""
    app = asked.app()
    userflow = _known(app, asked.path["name"])
    period = _period(asked)
    count = min(_MOST_TRACES, _tally(app, userflow, period).started)
    rows = [_trace(app, userflow, number, period * number / count) for number in range(count)]
    return _page(rows, asked.query.whole("pageNum", default=1), _TRACE_PAGE)


def _known(app: App, name: str) -> Userflow:
    if name not in app.userflows.by_name:
        raise Refusal(404, "no such userflow")
    return app.userflows.by_name[name]


def _period(asked: Asked) -> timedelta:
    found = _PERIOD.fullmatch(asked.path["period"])
    parts = {name: int(number) for name, number in (found.groupdict() if found else {}).items() if number}
    period = timedelta(days=30 * parts.pop("months", 0)) + timedelta(**parts)
    if not timedelta() < period <= _LONGEST:
        raise Refusal(400, "period must be an ISO 8601 duration of at most 366 days, such as P1M or PT15M")
    return period


def _tally(app: App, userflow: Userflow, period: timedelta) -> Tally:
    now = app.calendar.local_now
    return app.userflows.tally(userflow, now - period, now)


def _tallied(app: App, period: timedelta) -> list[tuple[Userflow, Tally]]:
    return [(userflow, _tally(app, userflow, period)) for userflow in app.userflows.by_name.values()]


def _overall(app: App, start: datetime, end: datetime) -> dict[str, int]:
    tallies = [app.userflows.tally(userflow, start, end) for userflow in app.userflows.by_name.values()]
    started, failed = (sum(counts) for counts in ([one.started for one in tallies], [one.failed for one in tallies]))
    return {"failed": failed, "succeeded": started - failed}


def _compared(current: int, before: int) -> dict[str, float]:
    return {"value": current, "changePct": percent(current - before, before)}


def _detail(app: App, userflow: Userflow, tally: Tally) -> dict[str, Any]:
    figures = {
        "startedTransactions": tally.started,
        "meanForegroundTime": round(userflow.seconds, 1),
        "failedTransactions": tally.failed,
        "failRate": percent(tally.failed, tally.started),
        "succeededTransactions": tally.counts[Outcome.SUCCEEDED],
        "failedMoneyValue": tally.failed * userflow.value_cents,
    }
    return {
        "name": userflow.name,
        "link": f"{_OLD_HOST}/{app.profile.id}/group/{quote(userflow.name, safe='')}",
        "series": {name: {"value": value} for name, value in figures.items()},
    }


def _outcome(userflow: Userflow, count: int, started: int) -> dict[str, Any]:
    return {
        "count": {"value": count},
        "rate": {"value": percent(count, started)},
        "moneyValue": {"value": count * userflow.value_cents},
        "meanDuration": {"value": round(userflow.seconds, 1)},
    }


def _trace(app: App, userflow: Userflow, number: int, age: timedelta) -> dict[str, Any]:
    throw = dice("userflow-trace", app.profile.seed, userflow.name, number)
    cohort = throw.choice(app.profile.cohorts)
    (outcome,) = throw.choices(list(Outcome), userflow.outcome_weights)
    return {
        "id": str(throw.randrange(10**6)),
        "username": f"user-{throw.randrange(10_000)}",
        "traceTs": written(app.calendar.now - age),
        "breadcrumbCount": throw.randrange(40),
        "foregroundSeconds": round(throw.uniform(0.3, 2) * userflow.seconds),
        "appVersion": app.profile.versions[cohort.version].name,
        "valueAtRisk": 0.0 if outcome is Outcome.SUCCEEDED else userflow.value_cents / 100,
        "device": app.profile.devices[cohort.device].label,
        "os": app.profile.systems[cohort.system].name,
        "completionState": "success" if outcome is Outcome.SUCCEEDED else outcome.value,
    }


def _page(rows: Sequence[dict[str, Any]], number: int, size: int) -> dict[str, Any]:
    has_more = number * size < len(rows)
    return {
        "data": list(rows[(number - 1) * size : number * size]),
        "pagination": {"nextPage": number + 1} if has_more else {},
    }

"""Every public operation of a client that sends something, as one table: for tests that hold for all of them alike."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from apteligent_async.simulator import World
from apteligent_async.simulator.world.error_groups import Kind


@cache
def small_world():
    """Make a world of two apps, once."""
    return World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))


_APP = next(iter(small_world().apps.values()))
APP_ID = _APP.profile.id
FLOW = next(iter(_APP.userflows.by_name))
CRASH, EXCEPTION = (_APP.groups(kind).listed[0].hash for kind in (Kind.CRASH, Kind.EXCEPTION))
RANKED = {"sort": "latency", "limit": 5, "duration": 240}


async def _rows(paged):
    return [row async for row in paged]


OPERATIONS = {
    "discover": lambda c: c.discover(),
    "token": lambda c: c.token(),
    "request": lambda c: c.request("GET", "/v2/apps"),
    "request of no path": lambda c: c.request("POST", "/v2/nowhere", json={"a": 1}),
    "follow": lambda c: c.follow(f"http://127.0.0.1:9/v2/trends/dau/{APP_ID}"),
    "apps.list": lambda c: c.apps.list(),
    "apps.get": lambda c: c.apps.get(APP_ID),
    "crashes.summaries": lambda c: c.crashes.summaries(APP_ID),
    "crashes.counts": lambda c: c.crashes.counts(APP_ID),
    "crashes.table": lambda c: _rows(c.crashes.table(APP_ID)),
    "crashes.table ahead": lambda c: _rows(c.crashes.table(APP_ID, prefetch=2)),
    "crashes.details": lambda c: c.crashes.details(APP_ID, CRASH, diagnostics=True),
    "crashes.affected_users": lambda c: c.crashes.affected_users(APP_ID, CRASH),
    "exceptions.summaries": lambda c: c.exceptions.summaries(APP_ID),
    "exceptions.counts": lambda c: c.exceptions.counts(APP_ID),
    "exceptions.table": lambda c: _rows(c.exceptions.table(APP_ID)),
    "exceptions.details": lambda c: c.exceptions.details(APP_ID, EXCEPTION),
    "error_monitoring.pie": lambda c: c.error_monitoring.pie(graph="crashes", group_by="os", app_id=APP_ID),
    "error_monitoring.graph": lambda c: c.error_monitoring.graph(graph="dau", app_id=APP_ID),
    "error_monitoring.sparklines": lambda c: c.error_monitoring.sparklines(graph="dau", app_ids=[APP_ID]),
    "performance_management.pie": lambda c: c.performance_management.pie(graph="latency", group_by="os", app_id=APP_ID),
    "performance_management.graph": lambda c: c.performance_management.graph(graph="latency", app_id=APP_ID),
    "performance_management.endpoints": lambda c: c.performance_management.endpoints(APP_ID, **RANKED),
    "performance_management.services": lambda c: c.performance_management.services(APP_ID, **RANKED),
    "performance_management.geo": lambda c: c.performance_management.geo(APP_ID),
    "trends.app": lambda c: c.trends.app(APP_ID),
    "trends.dau": lambda c: c.trends.dau(APP_ID),
    "trends.mau": lambda c: c.trends.mau(APP_ID),
    "live_stats.get": lambda c: c.live_stats.get(APP_ID),
    "transactions.summary": lambda c: c.transactions.summary(APP_ID),
    "transactions.ranked": lambda c: c.transactions.ranked(APP_ID),
    "transactions.details": lambda c: _rows(c.transactions.details(APP_ID, "P1D")),
    "transactions.group": lambda c: c.transactions.group(APP_ID, FLOW),
    "transactions.traces": lambda c: _rows(c.transactions.traces(APP_ID, FLOW, "P1D")),
}
"""By the name of the method, and perhaps a word more."""

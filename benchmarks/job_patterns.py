"""The jobs: how the programs asked that people ran, and the same data as plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["PATTERNS", "PLANS", "Ask"]

_EIGHT: Final = (
    "crashPercent",
    "mau",
    "dau",
    "rating",
    "appLoads",
    "crashes",
    "affectedUsers",
    "affectedUserPercent",
)
_BY_VERSION: Final = ("dau", "appLoads", "crashes", "crashPercent", "affectedUsers", "affectedUserPercent")
_BY_CARRIER: Final = ("crashes", "crashPercent", "appLoads")
_NETWORK: Final = ("dataIn", "dataOut", "latency", "volume", "errors")
_SORTS: Final = ("latency", "volume", "errors", "data")


class Ask(Protocol):
    """Asks as a program did: gives the body, or None where it gave up."""

    async def __call__(self, path: str, *, tries: int = 1, pause_s: float = 0.0, **query: Any) -> Any:
        """Ask so many times at most, with a pause between."""


async def _app_ids(ask: Ask) -> list[str]:
    body = await ask("/v2/apps", tries=3, pause_s=60.0, attributes="appName")
    return list(body["data"]) if body else []


async def _importer(ask: Ask) -> None:
    """Ask for one round of the four loops: one after another, live windows by sixteen threads."""
    apps = await _app_ids(ask)
    for app in apps:
        for graph in _EIGHT:
            await ask("/v2/errorMonitoring/graph", appId=app, graph=graph, duration=2880)
    for app in apps:
        for group, graphs in (("appVersion", _BY_VERSION), ("carrier", _BY_CARRIER)):
            for graph in graphs:
                await ask("/v2/errorMonitoring/pie", appId=app, graph=graph, groupBy=group, duration=1440)
    pie: dict[str, Any] = {"groupBy": "service", "duration": 15}
    for app in apps:
        for graph in _NETWORK:
            await ask("/v2/performanceManagement/pie", tries=2, pause_s=120.0, appId=app, graph=graph, **pie)
    threads = anyio.CapacityLimiter(16)

    async def live(app: str) -> None:
        async with threads:
            await ask(f"/v2/liveStats/{app}/PT5M", tries=2)

    async with anyio.create_task_group() as tasks:
        for app in apps:
            tasks.start_soon(live, app)


async def _feed(ask: Ask) -> None:
    """Ask for one round, app by app: lists are asked for up to eleven times at once, the table's first page twice."""
    for app in await _app_ids(ask):
        crashes = await ask(f"/v2/app/crash/summaries/{app}", tries=11)
        await ask(f"/v2/app/exception/summaries/{app}", tries=11)
        for group in (crashes or {}).get("data", []):
            await ask(f"/v2/crash/{app}/{group['hash']}", diagnostics="True")
        await ask(f"/v2/trends/{app}")
        await ask("/v2/errorMonitoring/graph", appId=app, graph="appLoads", duration=1440)
        for path in (f"/v2/app/crash/counts/{app}", f"/v2/app/exception/counts/{app}", f"/v2/trends/dau/{app}"):
            await ask(path)
        await _pages_first_twice(ask, app)
        await _feed_cuts(ask, app)
        await _feed_userflows(ask, app)


async def _pages_first_twice(ask: Ask, app: str) -> None:
    first = await ask(f"/v2/exception/paginatedtable/{app}")
    if first is not None:
        for page in range(1, first["data"]["pagination"]["totalPages"] + 1):
            await ask(f"/v2/exception/paginatedtable/{app}", pageNum=page)


async def _feed_cuts(ask: Ask, app: str) -> None:
    for graph, group in (("volume", "device"), ("volume", "os"), ("volume", "appVersion"), ("errors", "service")):
        await ask("/v2/performanceManagement/pie", appId=app, graph=graph, groupBy=group, duration=1440)
    for graph, groups in (
        ("crashes", ("device", "os", "appVersion")),
        ("crashPercent", ("device", "os", "appVersion")),
        ("appLoads", ("os", "appVersion", "device")),
        ("dau", ("appVersion",)),
    ):
        for group in groups:
            await ask("/v2/errorMonitoring/pie", appId=app, graph=graph, groupBy=group, duration=1440)
    common: dict[str, Any] = {"appId": app, "limit": 10, "duration": 240, "geoMode": "true"}
    for metric in _SORTS:
        for kind, name in (("endpoints", "sort"), ("services", "sort"), ("geo", "graph")):
            await ask(f"/v2/performanceManagement/{kind}", **common, **{name: metric})


async def _feed_userflows(ask: Ask, app: str) -> None:
    base = f"/v2/transactions/{app}"
    await ask(f"{base}/summary/")
    await ask(f"{base}/ranked/failed/")
    page = {"pageNum": 1, "pageSize": 10, "sortBy": "name", "sortOrder": "ascending"}
    flows = await ask(f"{base}/details/change/P1M", **page)
    for flow in (flows or {}).get("data", []):
        await ask(f"{base}/group/{quote(flow['name'], safe='')}")


async def _table(ask: Ask) -> None:
    """Ask for sixty days of each metric and app, one after another."""
    for app in await _app_ids(ask):
        for graph in _EIGHT:
            await ask("/v2/errorMonitoring/graph", appId=app, graph=graph, duration=86400)


PATTERNS: Final[Mapping[str, Callable[[Ask], Awaitable[None]]]] = {"J1": _importer, "J2": _feed, "J5": _table}
"""How each job's program asked."""

_IMPORTER_PLAN: Final = f"""
[[want]]
what = "error_monitoring.graph"
graph = {list(_EIGHT)}
days = 2

[[want]]
what = "error_monitoring.pie"
graph = {list(_BY_VERSION)}
group_by = "appVersion"

[[want]]
what = "error_monitoring.pie"
graph = {list(_BY_CARRIER)}
group_by = "carrier"

[[want]]
what = "performance_management.pie"
graph = {list(_NETWORK)}
group_by = "service"
duration = 15

[[want]]
what = "live_stats.get"
"""

_FEED_PLAN: Final = f"""
[[want]]
what = "crashes.summaries"

[[want]]
what = "exceptions.summaries"

[[want]]
what = "crashes.details"
diagnostics = true
most = 1000

[[want]]
what = "trends.app"
days = 29

[[want]]
what = "error_monitoring.graph"
graph = "appLoads"
days = 1

[[want]]
what = "crashes.counts"

[[want]]
what = "exceptions.counts"

[[want]]
what = "trends.dau"

[[want]]
what = "exceptions.table"

[[want]]
what = "performance_management.pie"
graph = "volume"
group_by = ["device", "os", "appVersion"]

[[want]]
what = "performance_management.pie"
graph = "errors"
group_by = "service"

[[want]]
what = "error_monitoring.pie"
graph = ["crashes", "crashPercent", "appLoads"]
group_by = ["device", "os", "appVersion"]
top = 5

[[want]]
what = "error_monitoring.pie"
graph = "dau"
group_by = "appVersion"
top = 5

[[want]]
what = "performance_management.endpoints"
sort = {list(_SORTS)}

[[want]]
what = "performance_management.services"
sort = {list(_SORTS)}

[[want]]
what = "performance_management.geo"
graph = {list(_SORTS)}

[[want]]
what = "transactions.summary"

[[want]]
what = "transactions.ranked"

[[want]]
what = "transactions.group"
most = 10
"""

_TABLE_PLAN: Final = f"""
[[want]]
what = "error_monitoring.graph"
graph = {list(_EIGHT)}
days = 57
"""

PLANS: Final[Mapping[str, str]] = {"J1": _IMPORTER_PLAN, "J2": _FEED_PLAN, "J5": _TABLE_PLAN}
"""The same data as a plan. The table goes back 57 days for certain: three are kept back for time zones."""

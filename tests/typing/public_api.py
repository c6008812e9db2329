"""How a program looks that uses all calls, for type checkers alone: nothing here is ever run.

What must not pass is marked; a checker that lets it pass says that the mark is not needed.
"""

from __future__ import annotations

from os import environ
from typing import assert_type

from apteligent_async import (
    ApteligentClient,
    BudgetSnapshot,
    DeadlineExceeded,
    LedgerInUse,
    Paged,
    PasswordGrant,
    Plan,
    Priority,
    Pull,
    PullReport,
    RateLimitedError,
    RatePolicy,
    Region,
    ResponseError,
    Row,
    StaticToken,
    Unchecked,
    UnitResult,
    Wanted,
)
from apteligent_async.models import (
    AffectedUsers,
    App,
    Apps,
    Discovery,
    EndpointRanking,
    ErrorCounts,
    ErrorDetails,
    ErrorPage,
    ErrorRow,
    ErrorSummaries,
    GeoValues,
    Graph,
    LiveStats,
    Pie,
    RankedTransactions,
    Result,
    Series,
    ServiceRanking,
    Slice,
    Timeline,
    Token,
    TransactionGroup,
    TransactionOutcomes,
    TransactionSummary,
    TransactionTrace,
    Trends,
    Untyped,
    UserTrend,
)


async def clients() -> None:
    """Make clients."""
    async with ApteligentClient(PasswordGrant("id", "user", "password"), region=Region.US) as client:
        assert_type(client, ApteligentClient)
    ApteligentClient(StaticToken("token"), region="eu", policy=RatePolicy(mode="polite"))
    ApteligentClient("token")  # type: ignore[arg-type]
    StaticToken(None)  # type: ignore[arg-type]
    PasswordGrant("id", "user", environ.get("PASSWORD"))  # type: ignore[arg-type]
    ApteligentClient(None, Region.US)  # type: ignore[call-arg]
    RatePolicy(mode="greedy")  # type: ignore[arg-type]


async def the_client(client: ApteligentClient) -> None:
    """Call what stands on the client itself."""
    assert_type(await client.discover(), Discovery)
    assert_type(await client.token(), Token)
    assert_type(await client.request("GET", "/apps", params={"attributes": "dau"}), Untyped)
    assert_type(await client.follow("/v2/apps"), Result)
    assert_type(client.budget(), BudgetSnapshot)
    assert_type(client.with_options(priority=Priority.BULK, deadline=5), ApteligentClient)
    client.with_options(priority="bulk")
    client.with_options(deadline="soon")  # type: ignore[arg-type]


async def apps(client: ApteligentClient) -> None:
    """List apps."""
    found = await client.apps.list(["appName", Unchecked("x")])
    assert_type(found, Apps)
    assert_type(found[0], App)
    assert_type(found[:1], tuple[App, ...])
    assert_type([each.id for each in found], list[str])
    assert found.http is not None
    assert_type(found.http.timeline, Timeline)
    assert_type(await client.apps.get("id"), App)
    await client.apps.get()  # type: ignore[call-arg]


async def error_monitoring(client: ApteligentClient) -> None:
    """Ask for error figures."""
    pie = await client.error_monitoring.pie(graph="crashPercent", app_id="id", group_by="os")
    assert_type(pie, Pie)
    assert_type(pie.slices, tuple[Slice, ...])
    graph = await client.error_monitoring.graph(graph="crashes", app_ids=["id"])
    assert_type(graph, Graph)
    assert_type(graph.series, tuple[Series, ...])
    assert_type(await client.error_monitoring.sparklines(graph="crashes", app_id="id"), Graph)
    await client.error_monitoring.pie("crashes", group_by="os")  # type: ignore[call-arg]
    await client.error_monitoring.pie(graph="crashes")  # type: ignore[call-arg]


async def performance(client: ApteligentClient) -> None:
    """Ask for network figures."""
    family = client.performance_management
    assert_type(await family.pie(graph="latency", group_by="service"), Pie)
    assert_type(await family.graph(graph="latency"), Graph)
    assert_type(await family.endpoints("id"), EndpointRanking)
    assert_type(await family.services("id", sort="dataIn"), ServiceRanking)
    assert_type(await family.geo("id"), GeoValues)


async def errors_of_apps(client: ApteligentClient) -> None:
    """Go through crashes and exceptions."""
    for family in (client.crashes, client.exceptions):
        assert_type(await family.summaries("id"), ErrorSummaries)
        assert_type(await family.counts("id"), ErrorCounts)
        assert_type(await family.details("id", "hash", diagnostics=True), ErrorDetails)
        assert_type(family.table("id"), Paged[ErrorRow, ErrorPage])
        assert_type([row async for row in family.table("id")], list[ErrorRow])
        assert_type([page async for page in family.table("id").pages()], list[ErrorPage])
    assert_type(await client.crashes.affected_users("id", "hash"), AffectedUsers)
    await client.exceptions.affected_users("id", "hash")  # type: ignore[attr-defined]
    await client.crashes.table("id")  # type: ignore[misc]


async def trends_and_live(client: ApteligentClient) -> None:
    """Follow an app."""
    assert_type(await client.trends.app("id"), Trends)
    assert_type(await client.trends.dau("id"), UserTrend)
    assert_type(await client.trends.mau("id"), UserTrend)
    assert_type(await client.live_stats.get("id"), LiveStats)


async def transactions(client: ApteligentClient) -> None:
    """Go through userflows."""
    family = client.transactions
    assert_type(await family.summary("id"), TransactionSummary)
    assert_type(await family.ranked("id"), RankedTransactions)
    assert_type([group async for group in family.details("id", "P1D")], list[TransactionGroup])
    assert_type(await family.group("id", "name"), TransactionOutcomes)
    assert_type(await family.group(link="/v2/there"), TransactionOutcomes)
    assert_type([trace async for trace in family.traces("id", "name", "P1D")], list[TransactionTrace])
    assert_type([trace async for trace in family.traces(link="/v2/there", period="P1D")], list[TransactionTrace])
    await family.group("id")  # type: ignore[call-overload]


async def pulling(client: ApteligentClient) -> None:
    """Pull a plan."""
    plan = Plan(want=[Wanted("error_monitoring.pie", group_by="os")], apps="Shop*", day_labels="start")
    Plan(want=[], offset_hours={"Shop*": -8})
    Plan(want=[], offset_hours={"Shop*": "-8"})  # type: ignore[dict-item]
    Plan(want=[], apps=["Shop*", "id"], except_apps=("other",))
    Plan(want=[], apps=5)  # type: ignore[arg-type]
    pull = client.pull(plan)
    assert_type(pull, Pull)
    results = [result async for result in pull]
    assert_type(results, list[UnitResult])
    assert_type(results[0].rows, tuple[Row, ...])
    assert_type(pull.report, PullReport)
    await client.pull(plan)  # type: ignore[misc]
    client.pull("plan.toml")  # type: ignore[arg-type]


def errors(error: RateLimitedError | DeadlineExceeded | ResponseError | LedgerInUse) -> None:
    """Read what errors say."""
    assert_type(error.endpoint, str | None)
    assert_type(error.waited, float)
    assert_type(error.message, str)
    match error:
        case RateLimitedError():
            assert_type(error.retry_at, float | None)
        case DeadlineExceeded():
            assert_type(error.eta, float | None)
        case ResponseError():
            assert_type(error.path, str | None)
        case LedgerInUse():
            assert_type(error.pid, int | None)

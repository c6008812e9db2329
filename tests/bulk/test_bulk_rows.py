"""Every kind of data: what a pull brings is what a plain loop over the client finds, cell by cell."""

from __future__ import annotations

from datetime import timedelta

import pytest
import straight
from counterparts import Scripted, fine
from own_client import client_of
from pulled import NOW, account, facts, pull

from apteligent_async import ErrorGraph, ErrorGroupBy, PerformanceGraph, PerformanceGroupBy, PerformanceSort
from apteligent_async.bulk.expanding import expand
from apteligent_async.bulk.plan import Plan
from apteligent_async.bulk.planner import schedule
from apteligent_async.bulk.wanted import Wanted

pytestmark = pytest.mark.anyio

ASKED = {app.id: (NOW + timedelta(hours=app.offset_hours)).date() for app in facts()}
"""The day that it is for each app."""


def as_pulled(app, rows, query):
    """Put the app before and the question after what a plain loop found."""
    return [(app, *row, f"{query}#days=end") for row in rows]


def escaped(text):
    """Write a text as queries hold it: without the marks that divide them."""
    return text.replace("%", "%25").replace("&", "%26").replace(",", "%2C")


async def check(wanted, loop, **plan):
    """Pull one kind of data for all apps, and compare with the loop, app after app."""
    client, _ = account()
    async with client:
        expected = [row for app in facts() async for row in _run(loop, client, app.id)]
        pulled = await pull(client, Plan(want=[wanted], **plan))
    assert expected
    assert sorted(map(tuple, pulled), key=repr) == sorted(expected, key=repr)
    assert len(set(pulled)) == len(pulled)


async def _run(loop, client, app):
    for row in await loop(client, app):
        yield row


@pytest.mark.parametrize("graph", ErrorGraph)
async def test_a_graph_is_one_row_per_day(graph):
    """Every metric of error monitoring has its days, the running one last."""

    async def loop(client, app):
        found = straight.points(client, app, graph=graph.value, days=9, newest=ASKED[app])
        rows = [(graph.value, None, None, None, *each) async for each in found]
        return as_pulled(app, rows, f"error_monitoring.graph?graph={graph.value}")

    await check(Wanted("error_monitoring.graph", graph=graph, days=9), loop)


async def test_a_graph_of_a_version_says_which():
    """What is narrowed to a version is told apart by it."""

    async def loop(client, app):
        version = next(one.latest_version for one in facts() if one.id == app)
        found = straight.points(
            client, app, graph="crashes", days=2, newest=ASKED[app], filters={"appVersion": version}
        )
        rows = [("crashes", "appVersion", version, None, *each) async for each in found]
        return as_pulled(app, rows, f"error_monitoring.graph?filters=appVersion:{version}&graph=crashes")

    await check(Wanted("error_monitoring.graph", graph="crashes", days=2, app_version="latest"), loop)


@pytest.mark.parametrize("group_by", ErrorGroupBy)
async def test_a_pie_of_errors_is_one_row_per_slice(group_by):
    """Every metric and grouping of error monitoring is cut as the service cuts it; its window are whole days."""

    async def loop(client, app):
        found = []
        for graph in ErrorGraph:
            rows = await straight.error_pie(client, app, graph=graph.value, group_by=group_by.value)
            query = f"error_monitoring.pie?duration=1440&graph={graph.value}&group_by={group_by.value}"
            found += as_pulled(app, rows, query)
        return found

    await check(Wanted("error_monitoring.pie", graph=list(ErrorGraph), group_by=group_by), loop)


@pytest.mark.parametrize("group_by", PerformanceGroupBy)
async def test_a_pie_of_the_network_is_one_row_per_slice(group_by):
    """Every metric and grouping of performance management is cut as the service cuts it, on the app's clock."""

    async def loop(client, app):
        found = []
        for graph in PerformanceGraph:
            rows = await straight.performance_pie(client, app, graph=graph.value, group_by=group_by.value, duration=60)
            query = f"performance_management.pie?duration=60&graph={graph.value}&group_by={group_by.value}"
            found += as_pulled(app, rows, query)
        return found

    wanted = Wanted("performance_management.pie", graph=list(PerformanceGraph), group_by=group_by, duration=60)
    await check(wanted, loop)


@pytest.mark.parametrize("sort", PerformanceSort)
async def test_rankings_of_the_network_are_one_row_per_rank(sort):
    """Addresses, services and countries come as they are ranked."""

    def asked(name):
        return "graph" if name == "geo" else "sort"

    def loop_of(name):
        async def loop(client, app):
            answer = await getattr(client.performance_management, name)(app, **{asked(name): sort.value})
            rows = {
                "endpoints": lambda: [("endpoint", rank.domain + rank.uri, rank.value) for rank in answer],
                "services": lambda: [("service", rank.name, rank.value) for rank in answer],
                "geo": lambda: [("country", code, value) for code, value in answer.series[0].geo.items()],
            }[name]()
            given = {"duration": 240, "geo_mode": "true", "limit": 10, asked(name): sort.value}
            query = "&".join(f"{key}={given[key]}" for key in sorted(given))
            day = ASKED[app].isoformat()
            told = [(sort.value, grouping, key, None, day, None, value) for grouping, key, value in rows]
            return as_pulled(app, told, f"performance_management.{name}?{query}")

        return loop

    for name in ("endpoints", "services", "geo"):
        await check(Wanted(f"performance_management.{name}", **{asked(name): sort}), loop_of(name))


async def test_attributes_of_apps_are_one_row_each():
    """Numbers are values, texts are labels, and every version has a row."""

    async def loop(client, app):
        (one,) = [each for each in await client.apps.list() if each.id == app]
        told = {"appName": one.app_name, "dau": one.dau, "crashPercent": one.crash_percent}
        day = ASKED[app].isoformat()
        rows = list(straight.told(None, None, told, day))
        rows += [("appVersions", "appVersion", version, None, day, None, None) for version in one.app_versions]
        return as_pulled(app, rows, "apps.list?attributes=appName,dau,crashPercent,appVersions")

    await check(Wanted("apps.list", attributes=["appName", "dau", "crashPercent", "appVersions"]), loop)


@pytest.mark.parametrize("group", ["crashes", "exceptions"])
async def test_groups_of_errors_come_with_their_figures(group):
    """Summaries, the table with all its pages, and counts by day hold what the service says of each group."""

    async def summaries(client, app):
        rows = []
        for one in await getattr(client, group).summaries(app, status="unresolved"):
            told = {
                "sessionCount": one.session_count,
                "uniqueSessionCount": one.unique_session_count,
                "lastOccurred": one.last_occurred_text,
                "status": str(one.status),
                "name": one.name,
                "reason": one.reason,
                "displayReason": one.display_reason,
                "suspectLine": one.suspect_line,
                "isSymbolized": one.is_symbolized_text,
            }
            rows += straight.told("hash", one.hash, told, ASKED[app].isoformat())
        return as_pulled(app, rows, f"{group}.summaries?status=unresolved")

    async def table(client, app):
        rows = []
        for one in await straight.pages(getattr(client, group).table(app, period=30)):
            told = {
                "total_occurrences": one.total_occurrences,
                "num_unique_sessions": one.num_unique_sessions,
                "first_occurred_time": one.first_occurred_time_text,
                "last_occurred_time": one.last_occurred_time_text,
                "status": str(one.status),
                "name": one.name,
                "reason": one.reason,
                "display_reason": one.display_reason,
                "class_name": one.class_name,
            }
            rows += straight.told("hash", one.hash, told, ASKED[app].isoformat())
        return as_pulled(app, rows, f"{group}.table?period=30")

    async def counts(client, app):
        found = straight.counts(getattr(client, group), app, days=7, newest=ASKED[app])
        rows = [("count", None, None, None, *each) async for each in found]
        return as_pulled(app, rows, f"{group}.counts")

    await check(Wanted(f"{group}.summaries", status="unresolved"), summaries)
    await check(Wanted(f"{group}.table", period=30), table)
    await check(Wanted(f"{group}.counts"), counts)


@pytest.mark.parametrize("group", ["crashes", "exceptions"])
async def test_details_are_asked_for_as_many_groups_as_are_wanted(group):
    """The first groups of the list have their figures, by version too, and the conditions that diagnostics tell."""

    async def loop(client, app):
        rows = []
        for one in (await getattr(client, group).summaries(app, sort_by="sessionCount"))[:3]:
            found = await getattr(client, group).details(app, one.hash, diagnostics=True)
            rows += as_pulled(
                app, _detailed(found, ASKED[app].isoformat()), f"{group}.details?diagnostics=true&hash={one.hash}"
            )
        return rows

    wanted = Wanted(f"{group}.details", most=3, among={"sort_by": "sessionCount"}, diagnostics=True)
    client, _ = account()
    async with client:
        expected = [row for app in facts() for row in await loop(client, app.id)]
        pulled = await pull(client, Plan(want=[wanted]))
    details = [tuple(row) for row in pulled if ".details" in row.query]
    assert sorted(details, key=repr) == sorted(expected, key=repr)
    assert len(expected) > 100
    assert {row.query.partition("?")[0] for row in pulled} == {f"{group}.details", f"{group}.summaries"}


async def test_diagnostics_that_nobody_asked_for_are_no_rows():
    """The service was seen to send them unasked; a plan has the same rows either way."""
    body = {"data": {"hash": "a", "diagnostics": {"discrete_diagnostic_data": {"model": [["x", 3]]}}}}
    (listing,) = expand(plan := Plan(want=[Wanted("crashes.details")], apps=facts()[0].id), facts(), NOW)
    (_, fetch) = schedule(expand(plan, facts(), NOW, listed={listing.key: ["a"]}))
    async with client_of(Scripted(lambda request, number: fine(body=body))) as client:
        (answer,) = [answer async for answer in fetch.answers(client)]
    assert [list(rows) for rows in fetch.rows_of(answer).values()] == [[]]


def _detailed(found, day):
    told = {
        "numOccurrences": found.num_occurrences,
        "firstOccurred": found.first_occurred_text,
        "lastOccurred": found.last_occurred_text,
        "status": str(found.status),
        "name": found.name,
        "reason": found.reason,
        "displayReason": found.display_reason,
        "class": found.class_name,
        "suspectLine": found.suspect_line,
    }
    yield from straight.told("hash", found.hash, told, day)
    for version, n in found.session_counts_by_version.items():
        yield "sessionCountsByVersion", "hash/appVersion", f"{found.hash}/{version}", None, day, None, n
    for version, n in found.unique_session_counts_by_version.items():
        yield "uniqueSessionCountsByVersion", "hash/appVersion", f"{found.hash}/{version}", None, day, None, n
    for dimension, tallies in found.diagnostics.discrete_diagnostic_data.items():
        for tally in tallies:
            yield "diagnostics", f"hash/{dimension}", f"{found.hash}/{tally.label}", None, day, None, tally.count
    for code, country in found.diagnostics.geo_data.items():
        for region, point in country.regions.items():
            place = ("hash/country/region", f"{found.hash}/{code}/{region}")
            yield "diagnostics", *place, None, day, None, point.count


async def test_trends_are_one_row_per_day_series_and_key():
    """All fourteen series have the wanted days, dated by the instants that the service gives."""
    cuts = {"Device": "device", "Os": "os", "Version": "appVersion"}
    shifts = {one.id: timedelta(hours=one.offset_hours) for one in facts()}

    async def loop(client, app):
        rows = []
        for row in (await client.trends.app(app)).to_rows():
            series, start = row["series"], row["start"]
            local = (start + shifts[app]).date()
            cut = cuts.get(series.partition("By")[2]) or ("appVersion" if series.startswith("affected") else None)
            key = None if cut is None else row["key"]
            if local > ASKED[app] - timedelta(days=5):
                window = (start.isoformat(), (start + straight.DAY).isoformat())
                rows.append((series, cut, key, None, *window, row["value"]))
        return as_pulled(app, rows, "trends.app")

    await check(Wanted("trends.app", days=5), loop)


async def test_users_of_today_are_one_number():
    """Daily and monthly users have one row each."""

    async def loop(client, app):
        rows = []
        for users in ("dau", "mau"):
            value = (await getattr(client.trends, users)(app)).today_value
            row = (users, None, None, None, ASKED[app].isoformat(), None, value)
            rows += as_pulled(app, [row], f"trends.{users}")
        return rows

    client, _ = account()
    async with client:
        expected = [row for app in facts() for row in await loop(client, app.id)]
        pulled = await pull(client, Plan(want=[Wanted("trends.dau"), Wanted("trends.mau")]))
    assert sorted(map(tuple, pulled)) == sorted(expected)


@pytest.mark.parametrize("period", ["PT5M", "P1D"])
async def test_live_windows_have_loads_and_crashes(period):
    """Each window has its own rows, and the percentage stands for all of them."""

    async def loop(client, app):
        live = await client.live_stats.get(app, period)
        rows = []
        for each in live.periodic_data:
            rows.append(("appLoads", None, None, None, each.start_text, each.end_text, each.app_loads))
            rows.append(("crashes", None, None, None, each.start_text, each.end_text, each.crashes))
        whole = (live.periodic_data[0].start_text, live.periodic_data[-1].end_text)
        rows.append(("crashPercentage", None, None, None, *whole, live.crash_percentage))
        return as_pulled(app, rows, f"live_stats.get?period={period}")

    await check(Wanted("live_stats.get", period=period), loop)


async def test_userflows_have_their_measures_and_outcomes():
    """Summary, ranking, details and every userflow's outcomes come as the service tells them."""

    async def loop(client, app):
        day, flows = ASKED[app].isoformat(), client.transactions
        rows = []
        for name, change in (await flows.summary(app)).metrics.items():
            told = {name: change.value, f"{name}.changePct": change.change_pct}
            rows += as_pulled(app, straight.told(None, None, told, day), "transactions.summary")
        for rank in await flows.ranked(app):
            told = straight.told("userflow", rank.name, {"failureRate": rank.failure_rate}, day)
            rows += as_pulled(app, told, "transactions.ranked?category=failed")
        for flow in await straight.pages(flows.details(app, "P1M")):
            told = {name: measure.value for name, measure in flow.series.items()}
            rows += as_pulled(app, straight.told("userflow", flow.name, told, day), "transactions.details?period=P1M")
            for outcome, found in (await flows.group(app, flow.name)).series.items():
                told = {
                    "count": found.count.value,
                    "rate": found.rate.value,
                    "moneyValue": found.money_value.value,
                    "meanDuration": found.mean_duration.value,
                }
                cells = straight.told("userflow/outcome", f"{flow.name}/{outcome}", told, day)
                rows += as_pulled(app, cells, f"transactions.group?name={escaped(flow.name)}")
        return rows

    kinds = ("summary", "ranked", "details", "group")
    client, _ = account()
    async with client:
        expected = [row for app in facts() for row in await loop(client, app.id)]
        pulled = await pull(client, Plan(want=[Wanted(f"transactions.{kind}", most=99) for kind in kinds]))
    assert sorted(map(tuple, pulled), key=repr) == sorted(expected, key=repr)

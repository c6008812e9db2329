"""Every method of the client: what it sends, and what it makes of the answer."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from counterparts import Scripted, bare
from served import app, client_of, served

from apteligent_async import (
    AppAttribute,
    ApteligentClient,
    ConfigurationError,
    ErrorGraph,
    NotFoundError,
    StaticToken,
    Unchecked,
    json_filters,
    unstructure,
)
from apteligent_async._wire.endpoints import ENDPOINTS, endpoint_for
from apteligent_async.models.access import Discovery
from apteligent_async.models.apps import Apps
from apteligent_async.models.breadcrumbs import AffectedUsers
from apteligent_async.models.error_details import ErrorDetails
from apteligent_async.models.error_groups import ErrorCounts, ErrorPage, ErrorSummaries
from apteligent_async.models.live import LiveStats
from apteligent_async.models.monitoring import Graph, Pie
from apteligent_async.models.performance import EndpointRanking, GeoValues, ServiceRanking
from apteligent_async.models.transactions import (
    RankedTransactions,
    TransactionGroups,
    TransactionOutcomes,
    TransactionSummary,
    TransactionTraces,
)
from apteligent_async.models.trends import Trends, UserTrend
from apteligent_async.simulator.world.error_groups import Kind

APP = app().profile.id
FLOW = next(iter(app().userflows.by_name))
SEGMENT = quote(FLOW, safe="")
CRASH, EXCEPTION = (app().groups(kind).listed[0].hash for kind in (Kind.CRASH, Kind.EXCEPTION))
ATTRIBUTES = ",".join(AppAttribute)
RANKING = [("appId", APP), ("limit", "10"), ("duration", "240"), ("geoMode", "true")]
EAST = timezone(timedelta(hours=2))


def errors(group, word, hash):  # noqa: A002  the service's word
    """List the calls of one family of errors."""
    return [
        (lambda c: getattr(c, group).summaries(APP), f"/v2/app/{word}/summaries/{APP}", [], ErrorSummaries),
        (
            lambda c: getattr(c, group).summaries(
                APP,
                last_occurred_start=datetime(2016, 12, 1, 9, tzinfo=EAST),
                last_occurred_end=date(2016, 12, 24),
                status="known",
                sort_by="sessionCount",
                alternative_path=True,
            ),
            f"/v2/app/{APP}/{word}/summaries",
            [
                ("lastOccurredStart", "2016-12-01T07:00:00+00:00"),
                ("lastOccurredEnd", "2016-12-24T00:00:00"),
                ("status", "known"),
                ("sortBy", "sessionCount"),
            ],
            ErrorSummaries,
        ),
        (lambda c: getattr(c, group).counts(APP), f"/v2/app/{word}/counts/{APP}", [], ErrorCounts),
        (
            lambda c: getattr(c, group).counts(APP, alternative_path=True),
            f"/v2/app/{APP}/{word}/counts",
            [],
            ErrorCounts,
        ),
        (
            lambda c: anext(getattr(c, group).table(APP).pages()),
            f"/v2/{word}/paginatedtable/{APP}",
            [],
            ErrorPage,
        ),
        (
            lambda c: anext(
                getattr(c, group)
                .table(
                    APP, period=timedelta(days=7), sort_by="lastOccurred", sort_order="ascending", alternative_path=True
                )
                .pages()
            ),
            f"/v2/{APP}/{word}/paginatedtable",
            [("period", "7"), ("sortBy", "lastOccurred"), ("sortOrder", "ascending")],
            ErrorPage,
        ),
        (lambda c: getattr(c, group).details(APP, hash), f"/v2/{word}/{APP}/{hash}", [], ErrorDetails),
        (
            lambda c: getattr(c, group).details(
                APP, hash, diagnostics=True, get_other_crashes=True, daily_occurrences=True
            ),
            f"/v2/{word}/{APP}/{hash}",
            [("diagnostics", "true"), ("get_other_crashes", "true"), ("dailyOccurrences", "true")],
            ErrorDetails,
        ),
    ]


CALLS = [
    (lambda c: c.discover(), "/allyourbase", [], Discovery),
    (lambda c: c.apps.list(), "/v2/apps", [("attributes", ATTRIBUTES)], Apps),
    (lambda c: c.apps.list(["appName", AppAttribute.DAU]), "/v2/apps", [("attributes", "appName,dau")], Apps),
    (
        lambda c: c.error_monitoring.pie(graph="crashPercent", group_by="os", app_id=APP),
        "/v2/errorMonitoring/pie",
        [("duration", "1440"), ("graph", "crashPercent"), ("groupBy", "os"), ("appId", APP)],
        Pie,
    ),
    (
        lambda c: c.error_monitoring.graph(graph=ErrorGraph.DAU, app_ids=[APP], filters={"appVersion": "1.0"}),
        "/v2/errorMonitoring/graph",
        [("duration", "43200"), ("graph", "dau"), ("appIds", APP), ("filters[appVersion]", "1.0")],
        Graph,
    ),
    (
        lambda c: c.error_monitoring.graph(
            graph="dau", app_id=APP, start=datetime(2016, 12, 1, tzinfo=UTC), end=date(2016, 12, 11)
        ),
        "/v2/errorMonitoring/graph",
        [("graph", "dau"), ("appId", APP), ("start", "2016-12-01T00:00:00"), ("end", "2016-12-11T00:00:00")],
        Graph,
    ),
    (
        lambda c: c.error_monitoring.sparklines(
            graph="crashes", app_id=APP, group_by="appId", duration=timedelta(days=7)
        ),
        "/v2/errorMonitoring/sparklines",
        [("duration", "10080"), ("graph", "crashes"), ("groupBy", "appId"), ("appId", APP)],
        Graph,
    ),
    (
        lambda c: c.performance_management.pie(graph="latency", group_by="service", app_id=APP, duration=60),
        "/v2/performanceManagement/pie",
        [("duration", "60"), ("graph", "latency"), ("groupBy", "service"), ("appId", APP)],
        Pie,
    ),
    (
        lambda c: c.performance_management.endpoints(APP, sort="volume", limit=3, geo_mode=False),
        "/v2/performanceManagement/endpoints",
        [("sort", "volume"), ("appId", APP), ("limit", "3"), ("duration", "240"), ("geoMode", "false")],
        EndpointRanking,
    ),
    (
        lambda c: c.performance_management.services(APP),
        "/v2/performanceManagement/services",
        [("sort", "latency"), *RANKING],
        ServiceRanking,
    ),
    (
        lambda c: c.performance_management.geo(APP),
        "/v2/performanceManagement/geo",
        [("graph", "latency"), *RANKING],
        GeoValues,
    ),
    *errors("crashes", "crash", CRASH),
    *errors("exceptions", "exception", EXCEPTION),
    (lambda c: c.crashes.affected_users(APP, CRASH), f"/v2/crash/userData/{APP}/{CRASH}", [], AffectedUsers),
    (lambda c: c.trends.app(APP), f"/v2/trends/{APP}", [], Trends),
    (
        lambda c: c.trends.app(APP, max_keys=2, start_date_inclusive=date(2016, 12, 1)),
        f"/v2/trends/{APP}",
        [("maxKeys", "2"), ("startDateInclusive", "2016-12-01T00:00:00")],
        Trends,
    ),
    (lambda c: c.trends.dau(APP), f"/v2/trends/dau/{APP}", [], UserTrend),
    (lambda c: c.trends.mau(APP), f"/v2/trends/mau/{APP}", [], UserTrend),
    (lambda c: c.live_stats.get(APP), f"/v2/liveStats/{APP}/PT5M", [], LiveStats),
    (lambda c: c.live_stats.get(APP, timedelta(days=1)), f"/v2/liveStats/{APP}/P1D", [], LiveStats),
    (lambda c: c.transactions.summary(APP), f"/v2/transactions/{APP}/summary/", [], TransactionSummary),
    (lambda c: c.transactions.ranked(APP), f"/v2/transactions/{APP}/ranked/failed/", [], RankedTransactions),
    (
        lambda c: anext(c.transactions.details(APP, "P1M", page_size=3, sort_by="name").pages()),
        f"/v2/transactions/{APP}/details/change/P1M",
        [("pageSize", "3"), ("sortBy", "name")],
        TransactionGroups,
    ),
    (lambda c: c.transactions.group(APP, FLOW), f"/v2/transactions/{APP}/group/{SEGMENT}", [], TransactionOutcomes),
    (
        lambda c: anext(c.transactions.traces(APP, FLOW, timedelta(minutes=90)).pages()),
        f"/v2/transactions/{APP}/group/{SEGMENT}/traces/PT90M",
        [],
        TransactionTraces,
    ),
]


def path_of(part):
    """Name a case by its path."""
    return part if isinstance(part, str) else ""


@pytest.mark.anyio
@pytest.mark.parametrize(("call", "path", "query", "model"), CALLS, ids=path_of)
async def test_a_method_sends_what_its_row_says_and_keeps_all_that_came(call, path, query, model):
    """Verb, path and query are exactly these; the result has its type, its exchange, and the service's own JSON."""
    recorder = served()
    async with client_of(recorder) as client:
        result = await call(client)
    assert recorder.sent == [("GET", path, query)]
    assert type(result) is model
    assert result.to_rows()
    assert unstructure(result) == json.loads(result.http.body)
    assert (result.http.status, result.http.timeline.attempts) == (200, 1)
    assert "content-type" in result.http.headers
    assert client.drift() == {}


def test_every_row_of_the_table_has_a_method():
    """The calls above, the token and what nobody attests are all that the table holds."""
    reached = {endpoint_for(path).name for _, path, *_ in CALLS}
    assert reached == ENDPOINTS.keys() - {"token", "performance_management.graph"}


@pytest.mark.anyio
async def test_a_call_that_nobody_attests_is_sent_all_the_same():
    """The graph of performance management goes where its neighbours are, and is not found."""
    recorder = served()
    async with client_of(recorder) as client:
        with pytest.raises(NotFoundError) as raised:
            await client.performance_management.graph(graph="volume", app_id=APP)
    assert raised.value.endpoint == "performance_management.graph"
    (sent,) = recorder.sent
    assert sent == (
        "GET",
        "/v2/performanceManagement/graph",
        [("duration", "1440"), ("graph", "volume"), ("appId", APP)],
    )


@pytest.mark.anyio
async def test_one_app_is_found_in_the_list():
    """By its id; an id that is not there says what to do."""
    async with client_of(served()) as client:
        assert (await client.apps.get(APP)).id == APP
        with pytest.raises(NotFoundError, match=r"apps\.list"):
            await client.apps.get("0" * 24)


REFUSED = [
    lambda c: c.error_monitoring.pie(graph="crashpercent", group_by="os", app_id=APP),
    lambda c: c.error_monitoring.pie(graph="crashes", group_by="os"),
    lambda c: c.error_monitoring.pie(graph="crashes", group_by="os", app_id=APP, app_ids=[APP]),
    lambda c: c.error_monitoring.pie(graph="crashes", group_by="os", app_id=APP, filters={"colour": "red"}),
    lambda c: c.error_monitoring.graph(graph="crashes", app_id=APP, duration=60),
    lambda c: c.error_monitoring.sparklines(graph="crashes", app_id=APP, group_by="os"),
    lambda c: c.performance_management.pie(graph="crashes", group_by="os", app_id=APP),
    lambda c: c.performance_management.geo(APP, graph="dataIn"),
    lambda c: c.performance_management.endpoints(APP, limit=0),
    lambda c: c.performance_management.services(APP, duration=timedelta(minutes=61)),
    lambda c: c.crashes.summaries(APP, status="open"),
    lambda c: c.crashes.summaries(APP, last_occurred_start="yesterday"),
    lambda c: c.crashes.details(APP, CRASH, diagnostics="yes"),
    lambda c: c.apps.list(["name"]),
    lambda c: c.live_stats.get(APP, timedelta(hours=1)),
    lambda c: c.live_stats.get(APP, "PT1H"),
    lambda c: c.trends.app(APP, max_keys=-1),
    lambda c: c.transactions.group(APP),
]
REFUSED_AT_ONCE = [
    lambda c: c.crashes.table(APP, sort_by="name"),
    lambda c: c.crashes.table(APP, period=0),
    lambda c: c.crashes.table("", prefetch=2),
    lambda c: c.crashes.table(APP, prefetch=-1),
    lambda c: c.exceptions.table(APP, prefetch=True),
    lambda c: c.transactions.details(APP, "monthly"),
    lambda c: c.transactions.traces(APP, FLOW),
]


@pytest.mark.anyio
@pytest.mark.parametrize("call", REFUSED)
async def test_what_cannot_work_costs_no_call(call):
    """An unknown value, a missing or a needless argument: ConfigurationError, and nothing was sent."""
    recorder = served()
    async with client_of(recorder) as client:
        with pytest.raises(ConfigurationError):
            await call(client)
    assert recorder.sent == []


@pytest.mark.parametrize("call", REFUSED_AT_ONCE)
def test_a_list_of_pages_refuses_what_cannot_work_when_it_is_made(call):
    """Not only when the first page is asked for."""
    with pytest.raises(ConfigurationError):
        call(ApteligentClient(StaticToken("t")))


@pytest.mark.anyio
async def test_unchecked_values_and_other_filters_are_sent_as_they_are():
    """What the service may understand and this package does not know can be tried."""
    transport = Scripted(lambda request, number: bare(404, body={}))
    client = ApteligentClient(StaticToken("t"), transport=transport, encode_filters=json_filters)
    async with client:
        with pytest.raises(NotFoundError):
            await client.with_options(priority="bulk").error_monitoring.graph(
                graph=Unchecked("anr"), app_id=APP, duration=Unchecked(7), filters={"os": "9"}
            )
    asked = dict(transport.requests[0].url.params)
    assert asked == {"graph": "anr", "appId": APP, "duration": "7", "filters": '{"os":"9"}'}

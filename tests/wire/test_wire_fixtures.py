"""Every captured answer is decoded with nothing lost, and its request is built as captured."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from captures import capture, exchanges

from apteligent_async._wire.codec import structure, unstructure
from apteligent_async._wire.endpoints import (
    APPS_LIST,
    CRASH_USERS,
    CRASHES,
    DISCOVER,
    ENDPOINTS,
    ERROR_GRAPH,
    ERROR_PIE,
    EXCEPTIONS,
    PERFORMANCE_PIE,
    TOKEN,
    endpoint_for,
)
from apteligent_async._wire.links import safe_link
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from apteligent_async.errors import RateLimitedError
from apteligent_async.models.diagnostics import Diagnostics
from apteligent_async.models.error_details import ErrorDetails
from apteligent_async.models.quantities import Quantity

MONITORING = [
    (ERROR_PIE, "errorMonitoring_pie"),
    (PERFORMANCE_PIE, "performanceManagement_pie"),
    (ERROR_GRAPH, "errorMonitoring_graph"),
    (APPS_LIST, "apps.synthetic"),
]
# Every other exchange that has a v2 request: the call, its capture, and which of its exchanges.
OTHERS = [
    ("crashes.summaries", "crash_summaries.synthetic", 0, {"last_occurred_start": "2016-10-18T18:20:00"}),
    ("crashes.counts", "crash_counts.synthetic", 0, {"app_version": "2.0"}),
    *[
        ("crashes.table", "paginatedtable.synthetic", page, {"page_num": page + 1, "app_version": "all", "period": 7})
        for page in range(3)
    ],
    ("performance_management.endpoints", "performanceManagement_tables.synthetic", 0, {"geo_mode": True}),
    ("performance_management.services", "performanceManagement_tables.synthetic", 1, {}),
    ("performance_management.geo", "performanceManagement_tables.synthetic", 2, {}),
    ("trends.app", "trends.synthetic", 0, {}),
    ("live_stats.get", "liveStats.synthetic", 0, {"period": "PT5M"}),
    ("live_stats.get", "liveStats.synthetic", 1, {"period": "P1D"}),
    ("transactions.summary", "transactions.synthetic", 0, {}),
    ("transactions.ranked", "transactions.synthetic", 1, {"category": "failed"}),
    (
        "transactions.details",
        "transactions.synthetic",
        2,
        {"period": "P1M", "page_num": 1, "page_size": 10, "sort_by": "name", "sort_order": "ascending"},
    ),
    ("transactions.details", "transactions.synthetic", 3, {"period": "P1M", "page_num": 2, "page_size": 10}),
    ("transactions.group", "transactions.synthetic", 4, {"name": "Checkout"}),
]
APP_ID = "0" * 23 + "1"
ARGUMENTS = {"appId": "app_id", "appIds": "app_ids", "groupBy": "group_by"}


def reply_with(body, status=200):
    """The reply that has this JSON as its body."""
    return Reply(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())


@pytest.mark.parametrize(("endpoint", "name"), MONITORING)
def test_nothing_is_lost(endpoint, name):
    """Decoding a captured answer and turning it back gives the same JSON."""
    for exchange in exchanges(name):
        result = decode(endpoint, reply_with(exchange["response"]))
        assert unstructure(result) == exchange["response"]


@pytest.mark.parametrize(("endpoint", "name"), MONITORING[:3])
def test_requests_are_built_as_mapped(endpoint, name):
    """The arguments of a captured call give its path and its query."""
    for exchange in [capture(name)] if name.endswith("graph") else exchanges(name):
        wanted = exchange["v2_request"]
        arguments = {ARGUMENTS.get(key, key): value for key, value in wanted["query"].items()}
        request = endpoint.request(**arguments)
        assert (request.method, request.path) == (wanted["method"], wanted["path"])
        flat = {
            (key, str(item))
            for key, value in wanted["query"].items()
            for item in (value if isinstance(value, list) else [value])
        }
        assert set(request.query) == flat


@pytest.mark.parametrize(("name", "captured", "index", "arguments"), OTHERS)
def test_every_other_call_is_built_and_read(name, captured, index, arguments):
    """The call's arguments give the captured path and query, and its answer comes back as it was, with its rows."""
    endpoint, exchange = ENDPOINTS[name], exchanges(captured)[index]
    if name.startswith("performance"):
        arguments = {**arguments, "limit": 10, "duration": 240}
        arguments |= {"graph": "latency"} if name.endswith("geo") else {"sort": "latency"}
    request = endpoint.request(app_id=APP_ID, **arguments)
    wanted = exchange["v2_request"]
    # The invented captures of summaries and counts leave out ``app/``; the clients that were read have it.
    path = request.path.replace("/v2/app/", "/v2/") if name in {"crashes.summaries", "crashes.counts"} else request.path
    assert path == wanted["path"]
    assert dict(request.query) == {key: str(value) for key, value in wanted.get("query", {}).items()}
    result = decode(endpoint, reply_with(exchange["response"]))
    assert unstructure(result) == exchange["response"]
    assert len(result.to_rows()) == len(result.columns()[0].cells)


def test_details_are_asked_for_as_captured():
    """The hash goes into the path, and daily occurrences are asked for by the captured word."""
    captured = capture("crash_detail")
    wanted = captured["v2_request"]
    hash_ = wanted["path"].rpartition("/")[2]
    request = CRASHES.details.request(app_id="bogusAppId", hash=hash_, daily_occurrences=True)
    assert (request.path, dict(request.query)) == (wanted["path"], wanted["query"])


@pytest.mark.parametrize("name", ["crash_detail", "exception"])
def test_details_lose_nothing(name):
    """The captured detail comes back as it was, wrapped or bare, for crashes and exceptions alike."""
    captured = capture("crash_detail")
    endpoint = CRASHES.details if name == "crash_detail" else EXCEPTIONS.details
    details = decode(endpoint, reply_with(captured["response_v2_wrapped"]))
    assert unstructure(details) == captured["response_v2_wrapped"]
    assert unstructure(structure(captured["response_v1_bare"], ErrorDetails)) == captured["response_v1_bare"]
    assert details.first_occurred == datetime(2014, 9, 8, 18, 56, 55, tzinfo=UTC)
    assert details.class_name == "GroupedSymbolicatedCrashLog"


def test_by_version_series_add_up_to_their_total():
    """Every day and every session count, the versions sum to the total; users overlap and need not."""
    details = structure(capture("crash_detail")["response_v1_bare"], ErrorDetails)
    by_day = dict(details.daily_occurrences_by_version)
    total = by_day.pop("total")
    assert tuple(map(sum, zip(*(array.counts for array in by_day.values()), strict=True))) == total.counts
    sessions = dict(details.session_counts_by_version)
    assert sessions.pop("total") == sum(sessions.values()) == 195829


@pytest.mark.parametrize("name", ["crash_diagnostics_ios", "crash_breadcrumbs.synthetic"])
def test_fragments_of_details_lose_nothing(name):
    """Diagnostics and breadcrumbs come back as they were, even in details that have nothing else."""
    fragment = capture(name)["response_fragment"]
    details = decode(CRASHES.details, reply_with({"data": fragment}))
    assert unstructure(details) == {"data": fragment}


def test_diagnostics_breakdowns_share_one_total():
    """Chart, versions, places and every discrete dimension of the captured diagnostics sum to 437803."""
    found = structure(capture("crash_diagnostics_ios")["response_fragment"]["diagnostics"], Diagnostics)
    sums = {
        sum(found.chart_data[0].data),
        sum(tally.count for tally in found.affected_versions),
        sum(point.count for country in found.geo_data.values() for point in country.regions.values()),
        *(sum(tally.count for tally in tallies) for tallies in found.discrete_diagnostic_data.values()),
    }
    assert sums == {437803}
    assert found.geo_data["TH"].name == "Thailand"
    assert found.geo_data["TH"].regions["Bangkok"].latitude == 13.78
    assert found.continuous_diagnostic_data["memory_usage"].max == Quantity(value=2522, unit="MB")
    days = found.chart_data[0].labelled()
    assert days[0][0] == datetime(2016, 6, 19, tzinfo=UTC)
    assert days[-1][0] == datetime(2016, 7, 19, tzinfo=UTC)


def test_breadcrumbs_are_typed():
    """Crumbs have an instant, a type and a payload."""
    (trace,) = structure(capture("crash_breadcrumbs.synthetic")["response_fragment"], ErrorDetails).breadcrumb_traces
    last = trace.parsed_breadcrumbs[-1]
    assert (last.type, last.type_code, last.payload["name"]) == ("crash", 7, "NSRangeException")
    assert last.device_occurred_ts < trace.trace_ts


def test_affected_users():
    """Affected users come back as they were, from a path with the hash in it."""
    captured = capture("crash_userData.synthetic")
    request = CRASH_USERS.request(app_id=APP_ID, hash="{hash}")
    assert request.path == captured["v2_request"]["path"].replace("{hash}", "%7Bhash%7D")
    users = decode(CRASH_USERS, reply_with(captured["response"]))
    assert unstructure(users) == captured["response"]
    assert users[0].last_login_time.tzinfo is not None


def test_trends_hold_what_the_capture_proved():
    """Today's top values are the last buckets, and crash ratios the rounded quotients."""
    series = decode(ENDPOINTS["trends.app"], reply_with(capture("trends.synthetic")["response"])).series
    assert len(series) == 14
    for trend in series.values():
        for key, today in (trend.today_top_values or {}).items():
            assert trend.categories[key].values[-1] == today
    for cut in ("Device", "Os", "Version"):
        loads, crashes = series[f"appLoadsBy{cut}"].categories, series[f"crashesBy{cut}"].categories
        for key, ratio in series[f"crashRatioBy{cut}"].categories.items():
            quotients = [
                round(100 * crashed / loaded, 2)
                for crashed, loaded in zip(crashes[key].values, loads[key].values, strict=True)
            ]
            assert list(ratio.values) == quotients


def test_userflow_pages_know_the_next():
    """A page names the next one, and the last page none; links come as sent."""
    first, last = (
        decode(ENDPOINTS["transactions.details"], reply_with(exchanges("transactions.synthetic")[page]["response"]))
        for page in (2, 3)
    )
    assert (first.next_page, last.next_page) == (2, None)
    assert first[0].value("failRate") == 1.26
    assert first[0].value("unheard of") is None
    for page in capture("transactions_details_change")["v2_pages"]:
        groups = decode(ENDPOINTS["transactions.details"], reply_with(page))
        assert unstructure(groups) == page
        assert [group.link for group in groups] == ["bogusLink1", "bogusLink2", "bogusLink3", "bogusLink4"]


def test_userflow_traces_lose_nothing():
    """Every captured page of traces comes back as it was."""
    pages = [page for pages in capture("transactions_traces")["v2_by_url"].values() for page in pages]
    for page in pages:
        traces = decode(ENDPOINTS["transactions.traces"], reply_with(page))
        assert unstructure(traces) == page
        assert all(trace.trace_ts.tzinfo is not None for trace in traces)
        assert traces.next_page is None


def test_the_link_of_a_userflow_leads_to_its_group():
    """The captured link to the old host is the path that the call by name builds."""
    (group,) = decode(ENDPOINTS["transactions.details"], reply_with(exchanges("transactions.synthetic")[2]["response"]))
    path, query = safe_link(group.link, "https://developers.crittercism.com")
    endpoint = endpoint_for(path)
    assert endpoint.name == "transactions.group"
    assert (path, query) == (endpoint.request(app_id=APP_ID, name="Checkout & Pay").path, ())


def test_all_attributes_of_apps_are_asked_for():
    """Without a choice, the thirteen attributes of the captured call are sent as one list."""
    wanted = capture("apps.synthetic")["v2_request"]
    (pair,) = APPS_LIST.request().query
    assert pair == ("attributes", wanted["query"]["attributes"])


@pytest.mark.parametrize(("endpoint", "name"), MONITORING[:2])
def test_count_slices_sum_to_one_total(endpoint, name):
    """Slices of count metrics sum to the app's total whatever the grouping."""
    totals = {
        sum(piece.value for piece in decode(endpoint, reply_with(exchange["response"])).slices)
        for exchange in exchanges(name)
        if exchange["v2_request"]["query"]["graph"] in {"appLoads", "volume"}
    }
    assert totals == {10612} if endpoint is ERROR_PIE else totals == {7219}


def test_graph_has_a_point_per_interval():
    """A graph has exactly (end - start) / interval points."""
    for exchange in exchanges("errorMonitoring_graph"):
        graph = decode(ERROR_GRAPH, reply_with(exchange["response"]))
        assert len(graph.series[0].points) == (graph.end - graph.start).total_seconds() / graph.interval == 30


def test_token_answer():
    """The captured token answer becomes a token that lives 30 days, and gives its JSON back."""
    body = capture("token")["response"]
    token = decode(TOKEN, reply_with(body))
    assert (len(token.access_token), token.token_type, token.expires_in) == (32, "bearer", 2592000)
    assert unstructure(token) == body


def test_discovery():
    """Discovery keeps everything, finds host-relative links, and works on a version's own page."""
    for exchange in exchanges("discovery_v1"):
        page = decode(DISCOVER, reply_with(exchange["response"]))
        assert unstructure(page) == exchange["response"]
    root = structure(exchanges("discovery_v1")[0]["response"], DISCOVER.result)
    assert root.paths == {"v1.0": "/v1.0/base"}


def test_rate_limit_answer():
    """The documented 429 becomes an error that knows the service's own figures."""
    captured = capture("rate_limited_429")
    with pytest.raises(RateLimitedError, match="API rate limit exceeded") as caught:
        decode(ERROR_PIE, reply_with(captured["response"], captured["status"]))
    assert (caught.value.limit, caught.value.actual, caught.value.reset) == (20, 25, 42)

"""Trends, live statistics and performance tables: shapes as captured, numbers that agree with the pies."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from front_desk import FrontDesk, desks, fixture, keys_of, pie, points, ratio, total
from hypothesis import given, settings

from apteligent_async.simulator import QuotaSettings, Service, World, running_from

BY = {"Device": "device", "Os": "os", "Version": "appVersion"}


def series_of(desk, app_id):
    """Return the fourteen series."""
    return desk.data(f"/v2/trends/{app_id}")["series"]


def columns(series):
    """Return a series as key → values."""
    return {key: [bucket["value"] for bucket in one["buckets"]] for key, one in series["categories"].items()}


def test_trends_have_the_captured_shape(desk):
    """Fourteen names, the units of each, null for users, 31 buckets of a day."""
    like = fixture("trends.synthetic.json")["response"]
    body = desk.get(f"/v2/trends/{desk.app_ids[0]}")
    assert body.keys() == like.keys()
    assert body["data"]["series"].keys() == like["data"]["series"].keys()
    for name, series in body["data"]["series"].items():
        captured = like["data"]["series"][name]
        assert series.keys() == captured.keys()
        assert series["units"] == captured["units"]
        assert (series["todayTopValues"] is None) == (captured["todayTopValues"] is None)
        for one in series["categories"].values():
            assert len(one["buckets"]) == 31
            assert keys_of(one["buckets"]) == keys_of(next(iter(captured["categories"].values()))["buckets"])


@settings(max_examples=10, deadline=None)
@given(desks())
def test_trends_agree_with_themselves_and_with_the_pies(desk):
    """Today's values are the last bucket; ratios are rounded quotients; keys have their value of the pie."""
    app_id = desk.app_ids[0]
    series = series_of(desk, app_id)
    for name, one in series.items():
        values = columns(one)
        assert len(values) <= 5
        if name not in ("dau", "mau"):
            assert one["todayTopValues"] == {key: column[-1] for key, column in values.items()}
    for suffix, group in BY.items():
        loads, crashes, ratios = (
            columns(series[name + suffix]) for name in ("appLoadsBy", "crashesBy", "crashRatioBy")
        )
        assert loads.keys() == crashes.keys() == ratios.keys()
        for key, column in ratios.items():
            assert column == [ratio(*pair) for pair in zip(crashes[key], loads[key], strict=True)]
        for metric, values in (("appLoads", loads), ("crashes", crashes), ("crashPercent", ratios)):
            whole = pie(desk, graph=metric, groupBy=group, appId=app_id)
            assert {key: column[-1] for key, column in values.items() if key in whole} == {
                key: value for key, value in whole.items() if key in values
            }
    affected, users, ratios = (
        columns(series[name]) for name in ("affectedUsers", "dauByVersion", "affectedUsersRatio")
    )
    for key, column in ratios.items():
        assert column == [min(100, ratio(*pair)) for pair in zip(affected[key], users[key], strict=True)]


def test_trends_list_the_keys_with_most_loads_today(desk):
    """Five of them, in every series of a dimension."""
    app_id = desk.app_ids[0]
    series = series_of(desk, app_id)
    for suffix, group in BY.items():
        loads = pie(desk, graph="appLoads", groupBy=group, appId=app_id)
        top = sorted(loads, key=lambda name: -loads[name])[:5]
        assert list(series["crashesBy" + suffix]["categories"]) == top


@settings(max_examples=10, deadline=None)
@given(desks())
def test_trends_of_users_are_those_of_the_graph(desk):
    """Daily and monthly users, in the whole answer and alone."""
    app_id = desk.app_ids[0]
    series = series_of(desk, app_id)
    for name in ("dau", "mau"):
        values = columns(series[name])["total"]
        assert values[1:] == points(desk, graph=name, appId=app_id)
        alone = desk.data(f"/v2/trends/{name}/{app_id}")["series"]
        assert alone["todayValue"] == values[-1]
        assert columns(alone)["total"] == values


@settings(max_examples=15, deadline=None)
@given(desks())
def test_trend_buckets_start_at_the_app_s_midnight(desk):
    """Consecutive local days, today last, written in UTC."""
    app = desk.service.world.apps[desk.app_ids[0]]
    buckets = series_of(desk, app.profile.id)["dau"]["categories"]["total"]["buckets"]
    starts = [datetime.fromisoformat(bucket["start"]) for bucket in buckets]
    assert {after - before for before, after in pairwise(starts)} == {timedelta(days=1)}
    assert timedelta() <= app.calendar.now - starts[-1] < timedelta(days=1)
    assert (starts[-1] + timedelta(hours=app.profile.offset_h)).hour == 0


def test_live_statistics_have_the_captured_shape(desk):
    """One bucket for a day, thirty of ten seconds for five minutes."""
    for exchange, count, seconds in zip(
        fixture("liveStats.synthetic.json")["exchanges"], (30, 1), (10, 86_400), strict=True
    ):
        path = exchange["v2_request"]["path"].replace("000000000000000000000001", desk.app_ids[0])
        data = desk.data(path)
        assert keys_of(data) == keys_of(exchange["response"]["data"])
        buckets = data["periodicData"]
        assert len(buckets) == count
        for bucket in buckets:
            start, end = (datetime.fromisoformat(bucket[key]) for key in ("start", "end"))
            assert end - start == timedelta(seconds=seconds)
        assert all(one["end"] == other["start"] for one, other in pairwise(buckets))


@settings(max_examples=25, deadline=None)
@given(desks())
def test_live_statistics_are_part_of_today(desk):
    """The day's bucket is today's pie; the last five minutes are within it, unless they began yesterday."""
    app = desk.service.world.apps[desk.app_ids[0]]
    query = {"groupBy": "appId", "appId": app.profile.id}
    (today,) = desk.data(f"/v2/liveStats/{app.profile.id}/P1D")["periodicData"]
    for key in ("appLoads", "crashes"):
        assert today[key] == total(pie(desk, graph=key, **query))
    data = desk.data(f"/v2/liveStats/{app.profile.id}/PT5M")
    loads, crashes = (sum(bucket[key] for bucket in data["periodicData"]) for key in ("appLoads", "crashes"))
    assert data["crashPercentage"] == ratio(crashes, loads)
    assert all(bucket[key] >= 0 for bucket in data["periodicData"] for key in ("appLoads", "crashes"))
    assert datetime.fromisoformat(data["periodicData"][-1]["end"]) <= app.calendar.now
    if app.calendar.elapsed_s > 310:
        assert loads <= today["appLoads"]
        assert crashes <= today["crashes"]


def test_a_busy_app_is_busy_in_the_last_five_minutes(desk):
    """There is something to see."""
    data = desk.data(f"/v2/liveStats/{desk.app_ids[0]}/PT5M")
    assert all(bucket["appLoads"] > 0 for bucket in data["periodicData"])


@pytest.mark.parametrize("number", range(3))
def test_performance_tables_have_the_known_shape(desk, number):
    """Endpoints, services and countries, highest value first, no more than asked."""
    exchange = fixture("performanceManagement_tables.synthetic.json")["exchanges"][number]
    query = exchange["v2_request"]["query"] | {"appId": desk.app_ids[0], "limit": 3}
    data = desk.data(exchange["v2_request"]["path"], **query)
    captured = exchange["response"]["data"]
    if "series" in captured:
        assert data["series"][0].keys() == captured["series"][0].keys()
        values = list(data["series"][0]["geo"].values())
    else:
        assert keys_of(data) == keys_of(captured)
        values = [row["sort"] for rows in data.values() for row in rows]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3


@settings(max_examples=15, deadline=None)
@given(desks())
def test_performance_tables_agree_with_the_pie(desk):
    """Services have the pie's values; endpoints and countries split the same volume."""
    app_id = desk.app_ids[0]
    for sort in ("latency", "volume", "errors"):
        query = {"appId": app_id, "duration": 240, "limit": 100}
        rows = desk.data("/v2/performanceManagement/services", sort=sort, **query)["services"]
        slices = pie(desk, "performanceManagement", graph=sort, groupBy="service", appId=app_id, duration=240)
        assert {row["name"]: row["sort"] for row in rows} == pytest.approx(slices)
    endpoints = desk.data("/v2/performanceManagement/endpoints", sort="volume", **query)["endpoints"]
    (countries,) = desk.data("/v2/performanceManagement/geo", graph="volume", **query)["series"]
    volume = pie(desk, "performanceManagement", graph="volume", groupBy="os", appId=app_id, duration=240)
    assert sum(row["sort"] for row in endpoints) == sum(countries["geo"].values()) == total(volume)


def test_data_is_the_bytes_of_both_directions(desk):
    """The fourth metric of the tables is no metric of the pie, but the sum of two."""
    query = {"appId": desk.app_ids[0], "duration": 240}
    rows = desk.data("/v2/performanceManagement/services", sort="data", limit=100, **query)["services"]
    both = [pie(desk, "performanceManagement", graph=one, groupBy="service", **query) for one in ("dataIn", "dataOut")]
    assert {row["name"]: row["sort"] for row in rows} == pytest.approx(
        {name: both[0][name] + both[1][name] for name in both[0]}
    )


@pytest.mark.parametrize("period", ["PT10M", "pt5m", "P2D"])
def test_live_statistics_have_two_periods(desk, period):
    """Others are refused."""
    assert desk.refused(f"/v2/liveStats/{desk.app_ids[0]}/{period}")[0] == 400


def test_an_app_without_releases_answers_everywhere(desk):
    """Empty lists and no division by nothing."""
    dormant = desk.app_ids[-1]
    assert series_of(desk, dormant)["dau"]["categories"]["total"]["buckets"][-1]["value"] == 0
    for path in (
        "trends/dau/{app}",
        "liveStats/{app}/P1D",
        "liveStats/{app}/PT5M",
        "app/crash/summaries/{app}",
        "app/exception/counts/{app}",
        "crash/paginatedtable/{app}",
        "transactions/{app}/summary",
        "transactions/{app}/details/change/P1M",
        "performanceManagement/endpoints?appId={app}",
        "performanceManagement/geo?appId={app}",
        "performanceManagement/pie?appId={app}&graph=latency&groupBy=service",
        "errorMonitoring/pie?appId={app}&graph=rating&groupBy=os",
    ):
        desk.get("/v2/" + path.format(app=dormant))


def test_a_scope_for_userflows_reaches_those_of_its_app_alone(desk):
    """Not another app's, and nothing else."""
    app_id, other = desk.app_ids[:2]
    account = desk.service.accounts[0]
    token = desk.service.issue_token(account.client_id, scope=f"app/{app_id}/transactions")
    assert desk.ask(f"/v2/transactions/{app_id}/summary/", token=token).status == 200
    assert desk.ask(f"/v2/transactions/{other}/summary/", token=token).status == 403
    assert desk.ask(f"/v2/trends/{app_id}", token=token).status == 403


def test_a_running_calendar_moves_the_world(desk):
    """Live statistics walk on by ten seconds, today grows, finished days stay, and a day later it is yesterday."""
    world = desk.service.world
    service = Service(world, calendar=running_from(world.now, at=100.0), quota=QuotaSettings(limit=10**6))
    running = FrontDesk(service, service.issue_token(service.accounts[0].client_id))
    app_id = running.app_ids[0]
    path = f"/v2/liveStats/{app_id}/PT5M"
    first, second, third = (running.data(path, now=now)["periodicData"] for now in (100.0, 104.0, 120.0))
    assert first == second == desk.data(path)["periodicData"]
    assert [bucket["start"] for bucket in first[2:]] == [bucket["start"] for bucket in third[:-2]]
    graphs = [points(running, now=now, graph="appLoads", appId=app_id) for now in (120.0, 3720.0, 86_520.0)]
    assert graphs[0][:-1] == graphs[1][:-1]
    assert graphs[0][-1] < graphs[1][-1]
    assert graphs[2][:-2] == graphs[0][1:-1]
    assert graphs[2][-2] > graphs[1][-1]
    fresh = FrontDesk.open(world=World(now=world.now + timedelta(seconds=86_417)), limit=10**6)
    assert points(fresh, graph="appLoads", appId=app_id) == graphs[2]

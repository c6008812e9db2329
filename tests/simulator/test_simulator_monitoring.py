"""Apps, pies and graphs: shapes as captured, and numbers that agree with each other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from front_desk import NOW, FrontDesk, desks, fixture, instants, keys_of, pie, points, seeds, total
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async.simulator import World

GROUPS = ("appId", "appVersion", "carrier", "device", "os")
DURATIONS = (15, 60, 240, 480, 720, 1440, 2880, 10_080, 43_200)
METRICS = ("dau", "mau", "rating", "crashes", "crashPercent", "appLoads", "affectedUsers", "affectedUserPercent")


def test_apps_have_the_thirteen_attributes_and_their_types(desk):
    """Shape as in the sample, an app without releases included."""
    sample = fixture("apps.synthetic.json")["response"]["data"]
    released, dormant = sample.values()
    apps = list(desk.data("/v2/apps").values())
    assert len(apps) == 40
    for app, like in ((apps[0], released), (apps[-1], dormant)):
        assert app.keys() == like.keys()
        for name, value in like.items():
            assert (
                isinstance(app[name], int | float) if isinstance(value, int | float) else type(app[name]) is type(value)
            )


def test_apps_give_only_what_was_asked(desk):
    """A comma list of attributes; anything else is refused."""
    answered = desk.data("/v2/apps", attributes="dau,appName")
    assert {tuple(app) for app in answered.values()} == {("dau", "appName")}
    assert desk.refused("/v2/apps", attributes="dau,price")[0] == 400


def test_app_ids_tell_the_region():
    """24 hexadecimal digits in the US, 40 that end in the site's mark in Europe."""
    american, european = (World(now=NOW, apps=3, is_european=eu) for eu in (False, True))
    assert all(len(bytes.fromhex(one)) == 12 for one in american.apps)
    assert all(len(bytes.fromhex(one)) == 20 and one.endswith("00444503") for one in european.apps)


@pytest.mark.parametrize("exchange", [0, 1])
def test_an_error_pie_has_the_captured_shape(desk, exchange):
    """The answer to the captured request has the captured keys."""
    captured = fixture("errorMonitoring_pie.json")["exchanges"][exchange]
    query = captured["v2_request"]["query"] | {"appId": desk.app_ids[0]}
    assert keys_of(desk.data("/v2/errorMonitoring/pie", **query)) == keys_of(captured["response"]["data"])


@pytest.mark.parametrize("exchange", range(5))
def test_a_performance_pie_has_the_captured_shape(desk, exchange):
    """The answer to the captured request has the captured keys, interval and length of window."""
    captured = fixture("performanceManagement_pie.json")["exchanges"][exchange]
    query = captured["v2_request"]["query"] | {"appIds": desk.app_ids[:1]}
    data = desk.data("/v2/performanceManagement/pie", **query)
    assert keys_of(data) == keys_of(captured["response"]["data"])
    assert data["interval"] == captured["response"]["data"]["interval"]
    start, end = (datetime.fromisoformat(data[key]) for key in ("start", "end"))
    assert end - start == timedelta(minutes=15)
    assert (end.minute % 5, end.second) == (0, 0)


def test_an_error_graph_has_the_captured_shape(desk):
    """Thirty points between naive midnights."""
    captured = fixture("errorMonitoring_graph.json")
    query = captured["v2_request"]["query"] | {"appId": desk.app_ids[0]}
    data = desk.data("/v2/errorMonitoring/graph", **query)
    like = captured["exchanges"][1]["response"]["data"]
    assert keys_of(data) == keys_of(like)
    assert len(data["series"][0]["points"]) == len(like["series"][0]["points"]) == 30
    assert data["series"][0]["name"] == "crashes"
    assert data["start"].endswith("T00:00:00")
    start, end = (datetime.fromisoformat(data[key]) for key in ("start", "end"))
    assert (end - start) / timedelta(seconds=data["interval"]) == 30


@settings(max_examples=25, deadline=None)
@given(desks(), st.sampled_from(["appLoads", "crashes"]), st.sampled_from([1440, 2880, 43_200]))
def test_slices_of_a_count_add_up_to_the_app_whatever_the_grouping(desk, metric, duration):
    """Every grouping of the same window has the same total, and so has the graph."""
    for app_id in desk.app_ids:
        query = {"graph": metric, "appId": app_id, "duration": duration}
        totals = {group: total(pie(desk, groupBy=group, **query)) for group in GROUPS}
        assert len(set(totals.values())) == 1
        assert totals["os"] == sum(points(desk, **query))


@settings(max_examples=25, deadline=None)
@given(desks(), st.sampled_from(DURATIONS))
def test_volume_adds_up_whatever_the_grouping(desk, duration):
    """Services included; means are weighted means of their slices."""
    query = {"appId": desk.app_ids[0], "duration": duration}
    parts = {
        metric: {
            group: pie(desk, "performanceManagement", graph=metric, groupBy=group, **query)
            for group in (*GROUPS, "service")
        }
        for metric in ("volume", "latency", "errors", "dataIn", "dataOut")
    }
    assert len({total(slices) for slices in parts["volume"].values()}) == 1
    for metric in ("latency", "errors", "dataIn", "dataOut"):
        means = [
            sum(value * parts["volume"][group][name] for name, value in slices.items())
            for group, slices in parts[metric].items()
        ]
        assert means == pytest.approx([means[0]] * len(means), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(desks(), st.sampled_from(["appVersion", "device", "os", "carrier"]), st.sampled_from(["appLoads", "crashes"]))
def test_a_filter_gives_the_slice_of_its_value(desk, dimension, metric):
    """In each encoding, and in each further grouping."""
    query = {"graph": metric, "appId": desk.app_ids[0], "duration": 2880}
    for name, value in list(pie(desk, groupBy=dimension, **query).items())[:4]:
        for encoded in (
            {f"filters[{dimension}]": name},
            {dimension: name},
            {"filters": json.dumps({dimension: name})},
        ):
            assert sum(points(desk, **encoded, **query)) == value
        assert total(pie(desk, groupBy="carrier", **encoded, **query)) == value


@settings(max_examples=15, deadline=None)
@given(desks())
def test_several_apps_are_the_sum_of_each(desk):
    """Repeated keys, one slice per app, same totals as one by one."""
    query = {"graph": "appLoads", "groupBy": "appId"}
    together = pie(desk, appIds=desk.app_ids, **query)
    assert together == {one: total(pie(desk, appId=one, **query)) for one in together}
    assert total(pie(desk, appIds=desk.app_ids, graph="appLoads", groupBy="os")) == total(together)


@settings(max_examples=25, deadline=None)
@given(desks())
def test_days_keep_their_values(desk):
    """A day in a short window is the same day in a long one, and the last is today, still running."""
    query = {"graph": "appLoads", "appId": desk.app_ids[0]}
    short, long = points(desk, duration=2880, **query), points(desk, duration=86_400, **query)
    assert long[-2:] == short
    assert [total(pie(desk, groupBy="os", **query))] == long[-1:]
    app = desk.service.world.apps[desk.app_ids[0]]
    assert desk.data("/v2/errorMonitoring/graph", **query)["end"].startswith(app.calendar.today.isoformat())


@settings(max_examples=25, deadline=None)
@given(desks())
def test_percentages_are_those_of_the_counts(desk):
    """Crash percentage is crashes per hundred loads, rounded, and nobody crashes who did not load."""
    query = {"groupBy": "device", "appId": desk.app_ids[0]}
    loads, crashes, percents = (pie(desk, graph=one, **query) for one in ("appLoads", "crashes", "crashPercent"))
    assert percents == {name: round(100 * crashes[name] / loads[name], 2) for name in loads}
    assert all(crashes[name] <= loads[name] for name in loads)
    users, months = (pie(desk, graph=one, **query) for one in ("dau", "mau"))
    assert all(0 < users[name] <= min(loads[name], months[name]) for name in loads)
    assert total(months) > 2 * total(users)


@settings(max_examples=10, deadline=None)
@given(seeds, instants)
def test_a_world_is_its_seed_and_its_instant(seed, now):
    """Two worlds of the same seed, size and instant answer alike; another seed does not."""
    one, twin, other = (
        FrontDesk.open(world=World(seed=number, apps=2, now=now), limit=10**6) for number in (seed, seed, seed + 1)
    )
    assert one.ask("/v2/apps").body == twin.ask("/v2/apps").body
    assert one.ask("/v2/apps").body != other.ask("/v2/apps").body


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(0, 1438))
def test_later_on_the_same_day_only_today_has_grown(seed, minute):
    """Finished days stay as they were."""
    midnight = datetime(2016, 12, 12, tzinfo=UTC)
    early, late = (
        FrontDesk.open(world=World(seed=seed, apps=1, now=midnight + timedelta(minutes=at)), limit=10**6)
        for at in (minute, minute + 1)
    )
    days = {
        desk: dict(
            zip(
                range(60), reversed(points(desk, graph="appLoads", appId=desk.app_ids[0], duration=86_400)), strict=True
            )
        )
        for desk in (early, late)
    }
    app = early.service.world.apps[early.app_ids[0]]
    if app.calendar.today == late.service.world.apps[app.profile.id].calendar.today:
        assert days[early].pop(0) <= days[late].pop(0)
        assert days[early] == days[late]


def test_names_and_labels_have_the_captured_quirks(desk):
    """Two spaces, a Wi-Fi device for an unknown carrier, marketing names, and another spelling in performance data."""
    labels = {}
    for app_id in desk.app_ids[:-1]:
        for group in ("os", "carrier", "device"):
            for family in ("errorMonitoring", "performanceManagement"):
                graph = "appLoads" if family == "errorMonitoring" else "volume"
                data = desk.data(f"/v2/{family}/pie", graph=graph, groupBy=group, appId=app_id, duration=43_200)
                labels |= {(family, one["name"]): one["label"] for one in data["slices"]}
    assert labels["errorMonitoring", "ios 6.1"] == "iOS  6.1"
    assert labels["performanceManagement", "ios6.1"] == "iOS 6.1"
    assert labels["errorMonitoring", "iPhone iOS 7.1.2"] == "iPhone iOS 7.1.2"
    assert labels["errorMonitoring", "unknown"] == "WiFi only device"
    assert labels["errorMonitoring", "vf nl"] == "Vodafone (Netherlands)"
    assert labels["errorMonitoring", "iPad3,4"] == "4th Gen iPad, WiFi"


PIE = {"graph": "appLoads", "groupBy": "os"}


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/v2/errorMonitoring/pie", {"graph": "Crashes"}),
        ("/v2/errorMonitoring/pie", {"graph": None}),
        ("/v2/errorMonitoring/pie", {"groupBy": None}),
        ("/v2/errorMonitoring/pie", {"groupBy": "service"}),
        ("/v2/errorMonitoring/pie", {"appId": None}),
        ("/v2/errorMonitoring/pie", {"duration": 60}),
        ("/v2/errorMonitoring/pie", {"duration": 0}),
        ("/v2/errorMonitoring/pie", {"duration": -1440}),
        ("/v2/errorMonitoring/pie", {"duration": "day"}),
        ("/v2/errorMonitoring/pie", {"filters[colour]": "red"}),
        ("/v2/errorMonitoring/pie", {"filters": "not json"}),
        ("/v2/errorMonitoring/pie", {"filters": "[1]"}),
        ("/v2/errorMonitoring/graph", {"start": "yesterday", "end": "2016-12-01"}),
        ("/v2/errorMonitoring/graph", {"start": "2016-12-01"}),
        ("/v2/errorMonitoring/graph", {"start": "2016-12-02", "end": "2016-12-01"}),
        ("/v2/performanceManagement/pie", {"graph": "appLoads"}),
        ("/v2/performanceManagement/pie", {"duration": 30, "graph": "volume"}),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(desk, path, change):
    """The message says which parameter is meant."""
    query = {key: value for key, value in {**PIE, "appId": desk.app_ids[0], **change}.items() if value is not None}
    status, body = desk.refused(path, **query)
    assert status == 400
    assert next(iter(change)).partition("[")[0] in body["message"]


def test_an_unknown_app_is_not_found(desk):
    """Whether it is in the query or among others."""
    assert desk.refused("/v2/errorMonitoring/pie", appIds=[desk.app_ids[0], "0" * 24], **PIE)[0] == 404


def test_start_and_end_replace_a_duration(desk):
    """`start` is exclusive: the points are those of the same days in a longer graph."""
    query = {"graph": "crashes", "appId": desk.app_ids[0]}
    month = desk.data("/v2/errorMonitoring/graph", duration=43_200, **query)
    end = datetime.fromisoformat(month["end"])
    week = {"start": (end - timedelta(days=9)).isoformat(), "end": (end - timedelta(days=2)).isoformat()}
    assert points(desk, **week, **query) == month["series"][0]["points"][-9:-2]


def test_unknown_parameters_and_headers_are_ignored(desk):
    """As the service does with ``value_type`` and ``CR-source``."""
    query = {**PIE, "appId": desk.app_ids[0]}
    plain = desk.data("/v2/errorMonitoring/pie", **query)
    assert desk.data("/v2/errorMonitoring/pie", value_type="x", headers={"CR-source": "me"}, **query) == plain


def test_sparklines_are_one_small_graph_per_app(desk):
    """Named and labelled by app, with the graph's points."""
    series = desk.data("/v2/errorMonitoring/sparklines", graph="crashes", appIds=desk.app_ids[:2])["series"]
    assert [one["name"] for one in series] == desk.app_ids[:2]
    assert series[0]["points"] == points(desk, graph="crashes", appId=desk.app_ids[0])


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_of_error_monitoring_can_be_asked(desk, metric):
    """As a pie and as a graph, never negative."""
    query = {"graph": metric, "appId": desk.app_ids[1]}
    assert all(value >= 0 for value in pie(desk, groupBy="os", **query).values())
    assert all(value >= 0 for value in points(desk, **query))


def test_popularity_is_skewed_and_weeks_have_a_rhythm(desk):
    """The most popular app has many times the loads of the median; weekends differ from weekdays."""
    loads = sorted(pie(desk, graph="appLoads", groupBy="appId", appIds=desk.app_ids).values())
    assert loads[-1] > 20 * loads[len(loads) // 2]
    last = datetime.fromisoformat(desk.data("/v2/errorMonitoring/graph", graph="dau", appId=desk.app_ids[0])["end"])
    days = points(desk, graph="appLoads", appId=desk.app_ids[0])[:-1]
    app = desk.service.world.apps[desk.app_ids[0]]
    weekend = [value for back, value in enumerate(reversed(days), 1) if (last - timedelta(days=back)).weekday() >= 5]
    week = [value for back, value in enumerate(reversed(days), 1) if (last - timedelta(days=back)).weekday() < 5]
    assert abs(fmean(weekend) / fmean(week) - app.profile.weekend_factor) < 0.05
    assert abs(app.profile.weekend_factor - 1) > 0.05


def test_the_calendar_must_be_told_with_an_offset():
    """A naive instant could mean any day."""
    with pytest.raises(ValueError, match="aware"):
        World(now=datetime(2016, 12, 12))  # noqa: DTZ001

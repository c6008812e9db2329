"""Crash and exception groups: shapes as captured, and one truth behind lists, tables, details and pies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from error_calls import details, summaries, table
from front_desk import desks, fixture, keys_of, points
from hypothesis import assume, given, settings
from hypothesis import strategies as st

KINDS = ("crash", "exception")
kinds = st.sampled_from(KINDS)


def test_summaries_have_the_captured_keys(desk):
    """And a string for a boolean, and an offset on the time."""
    like = fixture("crash_summaries.synthetic.json")["response"]["data"][0]
    rows = summaries(desk, desk.app_ids[0])
    assert all(row.keys() == like.keys() for row in rows)
    assert {row["isSymbolized"] for row in rows} == {"true", "false"}
    assert all(row["lastOccurred"].endswith("+00:00") for row in rows)
    assert {len(row["hash"]) for row in rows} == {56}
    assert None in {row["displayReason"] for row in rows}
    assert None in {row["suspectLine"] for row in rows}


def test_counts_have_the_captured_keys(desk):
    """A list of dates and values, today last."""
    like = fixture("crash_counts.synthetic.json")["response"]["data"]
    rows = desk.data(f"/v2/app/crash/counts/{desk.app_ids[0]}")
    assert keys_of(rows) == keys_of(like)


def test_rows_have_the_captured_keys(desk):
    """Snake case; the by-version arrays are those that clients read beside them."""
    like = fixture("paginatedtable.synthetic.json")["pages"][0]["response"]["data"]["errors"][0]
    row = table(desk, desk.app_ids[0])[0]
    assert row.keys() - {"daily_occurrences_by_version"} == like.keys()
    assert {key: type(value) for key, value in row.items() if key in like and like[key] is not None} == {
        key: type(value) for key, value in like.items() if value is not None
    }


def test_details_have_the_captured_keys(desk):
    """The nineteen of the capture and the traces and stacks that clients read."""
    like = fixture("crash_detail.json")["response_v2_wrapped"]["data"]
    (first, *_) = summaries(desk, desk.app_ids[0])
    body = details(desk, desk.app_ids[0], first["hash"], dailyOccurrences="true")
    assert body.keys() - like.keys() == {"stacktrace", "symbolizedStacktrace", "breadcrumbTraces"}
    assert not like.keys() - body.keys()
    assert {len(counts) for _, counts in body["dailyOccurrencesByVersion"].values()} == {30}


@pytest.mark.parametrize("kind", ["ios", "android"])
def test_diagnostics_have_the_captured_keys(desk, kind):
    """IOS as captured; Android has the first six dimensions and more about its storage."""
    like = fixture("crash_diagnostics_ios.json")["response_fragment"]["diagnostics"]
    app_id = next(one for one, app in desk.service.world.apps.items() if app.profile.kind == kind)
    body = details(desk, app_id, summaries(desk, app_id)[0]["hash"], diagnostics="True")["diagnostics"]
    assert body.keys() == like.keys()
    assert body["chart_data"][0].keys() == like["chart_data"][0].keys()
    assert len(body["chart_data"][0]["data"]) == len(like["chart_data"][0]["data"]) == 31
    assert keys_of(body["continuous_bar_diagnostic_data"]) == keys_of(like["continuous_bar_diagnostic_data"])
    (user,), (captured, *_) = (list(one["affected_users"].values())[:1] for one in (body, like))
    assert user.keys() == captured.keys()
    dimensions, likewise = body["discrete_diagnostic_data"].keys(), like["discrete_diagnostic_data"].keys()
    assert dimensions == likewise if kind == "ios" else dimensions < likewise
    assert (body["continuous_diagnostic_data"].keys() == like["continuous_diagnostic_data"].keys()) == (kind == "ios")
    assert bool(body["discrete_bar_diagnostic_data"]) == (kind == "android")


def test_breadcrumbs_and_users_have_the_known_keys(desk):
    """Every crumb has the four keys, and every user the ten."""
    app_id = desk.app_ids[0]
    fault_hash = summaries(desk, app_id)[0]["hash"]
    (like,) = fixture("crash_breadcrumbs.synthetic.json")["response_fragment"]["breadcrumbTraces"]
    for trace in details(desk, app_id, fault_hash)["breadcrumbTraces"]:
        assert trace.keys() == like.keys()
        assert all(crumb.keys() == like["parsedBreadcrumbs"][0].keys() for crumb in trace["parsedBreadcrumbs"])
        network = next(crumb for crumb in trace["parsedBreadcrumbs"] if crumb["type"] == "network")
        captured = next(crumb for crumb in like["parsedBreadcrumbs"] if crumb["type"] == "network")
        assert network["payload"].keys() == captured["payload"].keys()
        assert trace["parsedBreadcrumbs"][-1]["type"] == "crash"
    (user,) = fixture("crash_userData.synthetic.json")["response"]["data"]
    users = desk.data(f"/v2/crash/userData/{app_id}/{fault_hash}")
    assert users
    assert all(one.keys() == user.keys() for one in users)


@settings(max_examples=10, deadline=None)
@given(desks(), kinds)
def test_details_agree_with_summaries_and_versions_add_up(desk, kind):
    """Scalars, session counts and the daily total, for every group of an app."""
    app_id = desk.app_ids[-1]
    for row in summaries(desk, app_id, kind):
        body = details(desk, app_id, row["hash"], kind, dailyOccurrences="1")
        for key in ("hash", "name", "reason", "displayReason", "status", "lastOccurred", "suspectLine"):
            assert body[key] == row[key]
        sessions = dict(body["sessionCountsByVersion"])
        assert sessions.pop("total") == sum(sessions.values()) == row["sessionCount"]
        unique = dict(body["uniqueSessionCountsByVersion"])
        assert unique.pop("total") == row["uniqueSessionCount"] <= row["sessionCount"]
        assert max(unique.values()) <= row["uniqueSessionCount"] <= sum(unique.values())
        daily = dict(body["dailyOccurrencesByVersion"])
        total = daily.pop("total")[1]
        assert total == [sum(day) for day in zip(*(column for _, column in daily.values()), strict=True)] or not daily
        assert body["firstOccurred"] <= body["lastOccurred"] <= desk.service.world.now.isoformat()


@settings(max_examples=10, deadline=None)
@given(desks(), kinds)
def test_groups_add_up_to_the_counts(desk, kind):
    """Day by day, over the whole table and over all details, and for one version too."""
    app_id = desk.app_ids[-1]
    counts = desk.data(f"/v2/app/{kind}/counts/{app_id}")
    values = [row["value"] for row in counts]
    rows = table(desk, app_id, kind, period=30)
    assert values == [sum(day) for day in zip(*(row["daily_occurrences"][1] for row in rows), strict=True)] or not rows
    assert sum(row["total_occurrences"] for row in rows) == sum(values)
    bodies = [details(desk, app_id, row["hash"], kind, dailyOccurrences="true") for row in rows]
    for day in range(30):
        assert sum(body["dailyOccurrencesByVersion"]["total"][1][day] for body in bodies) == values[day]
    version = desk.data("/v2/apps")[app_id]["appVersions"][-1]
    of_version = desk.data(f"/v2/app/{kind}/counts/{app_id}", appVersion=version)
    one = table(desk, app_id, kind, period=30, appVersion=version)
    assert sum(row["value"] for row in of_version) == sum(row["total_occurrences"] for row in one)
    assert desk.data(f"/v2/app/{kind}/counts/{app_id}", appVersion="all") == counts


@settings(max_examples=15, deadline=None)
@given(desks())
def test_counts_are_the_graph_s_crashes(desk):
    """Values and days, for the app and for a version."""
    app_id = desk.app_ids[0]
    version = desk.data("/v2/apps")[app_id]["appVersions"][-1]
    for narrowed in ({}, {"appVersion": version}):
        counts = desk.data(f"/v2/app/crash/counts/{app_id}", **narrowed)
        assert [row["value"] for row in counts] == points(desk, graph="crashes", appId=app_id, **narrowed)
    end = desk.data("/v2/errorMonitoring/graph", graph="crashes", appId=app_id)["end"]
    assert counts[-1]["date"] == end[:10]


@settings(max_examples=10, deadline=None)
@given(desks(), kinds, st.sampled_from([1, 7, 30, 100]))
def test_daily_arrays_are_oldest_first_and_stop_at_the_last_occurrence(desk, kind, period):
    """Every day after ``last_occurred_time`` is zero, and its own day is not; versions add up."""
    app_id = desk.app_ids[-1]
    for row in table(desk, app_id, kind, period=period):
        last, daily = row["daily_occurrences"]
        assert len(daily) == period
        assert sum(daily) == row["total_occurrences"] > 0
        columns = [column for _, column in row["daily_occurrences_by_version"].values()]
        assert daily == [sum(day) for day in zip(*columns, strict=True)]
        end = datetime.strptime(last, "%Y%m%d").replace(tzinfo=UTC).date()
        seen = datetime.fromisoformat(row["last_occurred_time"]).date()
        after = (end - seen).days
        assert not any(daily[period - after :])
        assert daily[period - after - 1]
        before = period - 1 - (end - datetime.fromisoformat(row["first_occurred_time"]).date()).days
        assert not any(daily[: max(0, before)])


@settings(max_examples=30, deadline=None)
@given(desks(), kinds, st.data())
def test_diagnostics_breakdowns_add_up_to_the_chart(desk, kind, draw):
    """Chart, versions, geography and each discrete dimension have one sum; users fall on days with occurrences."""
    app_id = desk.app_ids[0]
    rows = summaries(desk, app_id, kind)
    assume(rows)
    body = details(desk, app_id, draw.draw(st.sampled_from(rows))["hash"], kind, diagnostics="true")["diagnostics"]
    (chart,) = body["chart_data"]
    total = sum(chart["data"])
    assert sum(count for _, count in body["affected_versions"]) == total
    regions = [place for country in body["geo_data"].values() for name, place in country.items() if name != "--NAME--"]
    assert sum(count for _, _, count in regions) == total
    for name, slices in body["discrete_diagnostic_data"].items():
        assert sum(count for _, count in slices) == total, name
    assert body["discrete_diagnostic_data"]["app_version"] == body["affected_versions"]
    start = datetime.fromtimestamp(chart["pointStart"] / 1000, UTC).date()
    for user in body["affected_users"].values():
        struck = datetime.fromisoformat(user["crash_last_occurred_iso"])
        assert chart["data"][(struck.date() - start).days] > 0
        assert struck <= desk.service.world.now


def test_users_of_rare_groups_crashed_when_the_group_struck(desk):
    """In an app with a few crashes a day, most groups have days without any."""
    app_id = desk.app_ids[30]
    days_without = 0
    for row in summaries(desk, app_id):
        body = details(desk, app_id, row["hash"], diagnostics="true")["diagnostics"]
        (chart,) = body["chart_data"]
        days_without += chart["data"].count(0)
        start = datetime.fromtimestamp(chart["pointStart"] / 1000, UTC).date()
        for user in body["affected_users"].values():
            assert chart["data"][(datetime.fromisoformat(user["crash_last_occurred_iso"]).date() - start).days] > 0
    assert days_without > 100


@settings(max_examples=10, deadline=None)
@given(desks())
def test_affected_users_are_those_of_the_diagnostics(desk):
    """The list has the same people as the map."""
    app_id = desk.app_ids[0]
    fault_hash = summaries(desk, app_id)[0]["hash"]
    users = desk.data(f"/v2/crash/userData/{app_id}/{fault_hash}")
    in_map = details(desk, app_id, fault_hash, diagnostics="1")["diagnostics"]["affected_users"]
    assert [{key: value for key, value in user.items() if key != "system_version"} for user in users] == list(
        in_map.values()
    )


@settings(max_examples=20, deadline=None)
@given(desks())
def test_what_crashes_all_the_time_has_crashed_just_now(desk):
    """A program that asks every ten minutes for the groups seen since finds some, unless hardly anything crashes."""
    app_id, now = desk.app_ids[0], desk.service.world.now
    live = desk.data(f"/v2/liveStats/{app_id}/PT5M")
    lately = summaries(desk, app_id, lastOccurredStart=(now - timedelta(minutes=10)).isoformat())
    assert lately or sum(window["crashes"] for window in live["periodicData"]) < 10
    assert all(datetime.fromisoformat(row["lastOccurred"]) <= now for row in lately)


@settings(max_examples=10, deadline=None)
@given(desks(), st.sampled_from(KINDS))
def test_breadcrumbs_are_those_of_affected_users(desk, kind):
    """Whoever left a trace can be looked up among the users, as the mobile app does."""
    for row in summaries(desk, desk.app_ids[0], kind)[:5]:
        body = details(desk, desk.app_ids[0], row["hash"], kind, diagnostics="1")
        names = {user["username"] for user in body["diagnostics"]["affected_users"].values()}
        assert {trace["username"] for trace in body["breadcrumbTraces"]} <= names


@pytest.mark.parametrize("kind", KINDS)
def test_both_orders_of_path_segments_work(desk, kind):
    """The same bodies, app id last or in the middle."""
    app_id = desk.app_ids[3]
    for last, middle in (
        (f"/v2/app/{kind}/summaries/{app_id}", f"/v2/app/{app_id}/{kind}/summaries"),
        (f"/v2/app/{kind}/counts/{app_id}", f"/v2/app/{app_id}/{kind}/counts"),
        (f"/v2/{kind}/paginatedtable/{app_id}", f"/v2/{app_id}/{kind}/paginatedtable"),
    ):
        assert desk.data(last) == desk.data(middle)

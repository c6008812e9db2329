"""The parameters of the calls about errors: pages, order, filters and periods, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from error_calls import details, summaries, table


def test_there_are_several_pages_and_nothing_behind_the_last(desk):
    """Pages hold every group once."""
    app_id = desk.app_ids[0]
    rows = table(desk, app_id, period=30)
    assert len(rows) > 20
    assert len({row["hash"] for row in rows}) == len(rows)
    beyond = desk.data(f"/v2/crash/paginatedtable/{app_id}", pageNum=99, period=30)
    assert beyond["errors"] == []
    assert beyond["pagination"]["totalPages"] == -(-len(rows) // 10)


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize(
    ("sort_by", "key"),
    [
        ("usersAffected", "num_unique_sessions"),
        ("timesOccurred", "total_occurrences"),
        ("firstOccurred", "first_occurred_time"),
        ("lastOccurred", "last_occurred_time"),
    ],
)
def test_the_table_is_sorted_over_all_pages(desk, sort_by, key, order):
    """By each attested column, in both directions."""
    keys = [row[key] for row in table(desk, desk.app_ids[0], sortBy=sort_by, sortOrder=order)]
    assert keys == sorted(keys, reverse=order == "descending")


@pytest.mark.parametrize("order", ["desc", "DESC", "descending"])
def test_summaries_are_sorted_and_filtered(desk, order):
    """In every spelling of the order; by status, by version and by the time of the last occurrence."""
    app_id = desk.app_ids[0]
    rows = summaries(desk, app_id, sortBy="uniqueSessionCount", sortOrder=order)
    users = [row["uniqueSessionCount"] for row in rows]
    assert users == sorted(users, reverse=True)
    assert {row["status"] for row in summaries(desk, app_id, status="known")} == {"known"}
    since = (desk.service.world.now - timedelta(days=1)).replace(tzinfo=None).isoformat() + ".123456"
    recent = summaries(desk, app_id, lastOccurredStart=since)
    assert recent == [row for row in summaries(desk, app_id) if row["lastOccurred"] >= since]
    ended = summaries(desk, app_id, lastOccurredEnd=since.partition(".")[0] + "+00:00")
    assert len(recent) + len(ended) == len(rows)
    version = desk.data("/v2/apps")[app_id]["appVersions"][-1]
    first = summaries(desk, app_id, appVersion=version)[0]
    assert first["sessionCount"] == details(desk, app_id, first["hash"])["sessionCountsByVersion"][version]


def test_a_period_may_be_given_by_its_days(desk):
    """``startDate`` and ``endDate``, both included."""
    app_id = desk.app_ids[0]
    week = table(desk, app_id, period=7)
    app = desk.service.world.apps[app_id]
    noon = [app.utc(datetime.combine(day, datetime.min.time())) + timedelta(hours=12) for day in app.calendar.days(7)]
    assert table(desk, app_id, startDate=noon[0].isoformat(), endDate=noon[-1].isoformat()) == week


def test_optional_parts_come_when_asked_for(desk):
    """In each spelling of true that clients send."""
    app_id = desk.app_ids[0]
    fault_hash = summaries(desk, app_id)[0]["hash"]
    assert not {"diagnostics", "otherCrashes"} & details(desk, app_id, fault_hash, get_other_crashes="false").keys()
    for spelling in ("True", "true", "1"):
        body = details(desk, app_id, fault_hash, diagnostics=spelling, get_other_crashes=spelling)
        assert {"diagnostics", "otherCrashes", "legacyCrashes"} <= body.keys()
    assert "diagnostics" in details(desk, app_id, fault_hash, diagnostics="false")  # the mobile app reads them
    exception = summaries(desk, app_id, "exception")[0]["hash"]
    assert "dailyOccurrencesByVersion" not in details(desk, app_id, exception, "exception")
    assert "dailyOccurrencesByVersion" in details(desk, app_id, exception, "exception", dailyOccurrences="True")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/crash/{app}/0000", 404),
        ("/v2/crash/nobody/0000", 404),
        ("/v2/crash/userData/{app}/0000", 404),
        ("/v2/app/crash/summaries/nobody", 404),
        ("/v2/app/rumour/summaries/{app}", 404),
        ("/v2/app/crash/summaries/{app}?status=open", 400),
        ("/v2/app/crash/summaries/{app}?sortBy=name", 400),
        ("/v2/app/crash/summaries/{app}?lastOccurredStart=monday", 400),
        ("/v2/crash/paginatedtable/{app}?pageNum=0", 400),
        ("/v2/crash/paginatedtable/{app}?period=101", 400),
        ("/v2/crash/paginatedtable/{app}?sortOrder=up", 400),
        ("/v2/crash/paginatedtable/{app}?startDate=2016-12-02&endDate=2016-12-01", 400),
    ],
)
def test_what_is_wrong_is_refused(desk, path, status):
    """Unknown things are not found, unknown values are bad requests."""
    assert desk.refused(path.format(app=desk.app_ids[0]))[0] == status

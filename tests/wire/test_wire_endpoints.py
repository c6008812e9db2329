"""Calls become requests, or are refused before one is spent."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire.calls import Endpoint, Grade
from apteligent_async._wire.endpoints import (
    APPS_LIST,
    ENDPOINTS,
    ERROR_GRAPH,
    ERROR_PIE,
    PERFORMANCE_PIE,
    custom,
    endpoint_for,
)
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.access import Untyped
from apteligent_async.models.choices import ErrorGraph, ErrorGroupBy, UnattestedWarning, Unchecked
from apteligent_async.models.filters import flat_filters, json_filters

PIE = {"graph": "crashes", "group_by": "os", "app_id": "a"}
GRAPH = {"graph": "crashes", "app_id": "a"}


def query(endpoint, **arguments):
    """The query of a call, for calls that repeat no name."""
    return dict(endpoint.request(**arguments).query)


def test_every_row_is_filed_under_its_name():
    """The table finds a row by the name that errors and events use."""
    assert all(ENDPOINTS[name].name == name for name in ENDPOINTS)


def test_every_row_says_who_attests_it():
    """Each row has a grade and a source; the unattested graph has the lowest grade."""
    assert all(row.source and row.grade in Grade for row in ENDPOINTS.values())
    assert ENDPOINTS["performance_management.graph"].grade is Grade.D
    assert {row.grade for row in ENDPOINTS.values()} == set(Grade)


def test_personal_data_is_marked():
    """Calls whose answers hold users or what they did are marked as personal."""
    marked = {name for name, row in ENDPOINTS.items() if row.is_personal}
    assert marked == {"crashes.affected_users", "crashes.details", "exceptions.details", "transactions.traces"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("crashes.summaries", "/v2/app/a%2Fb/crash/summaries"),
        ("exceptions.summaries", "/v2/app/a%2Fb/exception/summaries"),
        ("crashes.counts", "/v2/app/a%2Fb/crash/counts"),
        ("crashes.table", "/v2/a%2Fb/crash/paginatedtable"),
    ],
)
def test_the_other_order_of_the_path_can_be_had(name, path):
    """Where two orders of the path were in use, the second is an option, and going back leads to the first."""
    row = ENDPOINTS[name]
    assert row.with_alternative_path().request(app_id="a/b").path == path
    assert row.with_alternative_path().with_alternative_path() == row


@pytest.mark.parametrize("row", ENDPOINTS.values(), ids=lambda row: row.name)
def test_a_path_finds_its_row(row):
    """The path of any call, in either order, finds the row that it was built from."""
    arguments = {"app_id": "5" * 24, "hash": "cafe", "name": "A & B/C", "category": "failed", "period": "P1D"}
    templates = [row.template, *([row.alternative] if row.alternative else [])]
    for template in templates:
        needed = {name: value for name, value in arguments.items() if f"{{{name}}}" in template}
        path = evolve(row, template=template, parameters={}, rule=None).request(**needed).path
        assert endpoint_for(path) is row if row.method == "GET" else endpoint_for(path).name == "request"


@pytest.mark.parametrize(
    ("period", "sent"),
    [("P1M", "P1M"), ("PT15M", "PT15M"), (timedelta(minutes=15), "PT15M"), (Unchecked("a b"), "a%20b")],
)
def test_periods_are_iso(period, sent):
    """A userflow's period is ISO text or a timedelta."""
    assert ENDPOINTS["transactions.details"].request(app_id="a", period=period).path.endswith(f"/{sent}")


@pytest.mark.parametrize(
    "period", ["", "P", "PT", "1M", "P1", "P1M\n", 5, None, timedelta(0), timedelta(seconds=5), True]
)
def test_impossible_periods_are_refused(period):
    """What is no ISO period is refused."""
    with pytest.raises(ConfigurationError, match="period"):
        ENDPOINTS["transactions.details"].request(app_id="a", period=period)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("live_stats.get", {"period": "PT1M"}, "P1D, PT5M"),
        ("crashes.table", {"period": 0}, "positive whole"),
        ("crashes.table", {"period": timedelta(hours=5)}, "positive whole"),
        ("crashes.table", {"sort_by": "name"}, "usersAffected"),
        ("crashes.table", {"sort_order": "desc"}, "descending"),
        ("crashes.table", {"page_num": True}, "positive whole"),
        ("crashes.summaries", {"status": "open"}, "known, unresolved, resolved"),
        ("crashes.summaries", {"last_occurred_start": "yesterday"}, "ISO"),
        ("crashes.summaries", {"last_occurred_start": 5}, "ISO"),
        ("crashes.details", {"hash": "h", "diagnostics": "yes"}, "True or False"),
        ("performance_management.endpoints", {"sort": "dataIn"}, "latency, volume, errors, data"),
        ("performance_management.endpoints", {}, "needs sort"),
        ("performance_management.geo", {"graph": "latency", "app_id": None}, "needs app_id"),
    ],
)
def test_other_parameters_are_checked_as_well(name, arguments, said):
    """Closed sets, numbers, flags and times of the other calls are refused where they cannot work."""
    with pytest.raises(ConfigurationError, match=said):
        ENDPOINTS[name].request(**{"app_id": "a", **arguments})


def test_other_parameters_are_written_as_the_clients_did():
    """Flags, days and times are written as the known clients write them."""
    row = ENDPOINTS["crashes.summaries"]
    zoned = datetime(2016, 1, 1, 12, 0, 0, 250000, tzinfo=timezone(timedelta(hours=2)))
    assert query(row, app_id="a", last_occurred_start=zoned) == {
        "lastOccurredStart": "2016-01-01T10:00:00.250000+00:00"
    }
    assert query(row, app_id="a", last_occurred_start=Unchecked("now")) == {"lastOccurredStart": "now"}
    assert query(ENDPOINTS["crashes.table"], app_id="a", period=timedelta(days=7)) == {"period": "7"}
    sent = query(ENDPOINTS["crashes.details"], app_id="a", hash="h", diagnostics=True, get_other_crashes=False)
    assert sent == {"diagnostics": "true", "get_other_crashes": "false"}
    assert query(ENDPOINTS["crashes.details"], app_id="a", hash="h", diagnostics=Unchecked("True")) == {
        "diagnostics": "True"
    }


def test_members_and_texts_mean_the_same():
    """An enum's member and its text build the same request."""
    by_member = ERROR_PIE.request(graph=ErrorGraph.CRASH_PERCENT, group_by=ErrorGroupBy.APP_VERSION, app_id="a")
    assert by_member == ERROR_PIE.request(graph="crashPercent", group_by="appVersion", app_id="a")
    assert all(type(value) is str for pair in by_member.query for value in pair)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"graph": "crashPercnt"}, "did you mean 'crashPercent'"),
        ({"graph": "CRASH_PERCENT"}, "did you mean 'crashPercent'"),
        ({"graph": "nonsense"}, "dau, mau, rating, crashes"),
        ({"group_by": "app_version"}, "did you mean 'appVersion'"),
        ({"group_by": "service"}, "appId, appVersion, carrier, device, os"),
        ({"group_by": None}, "needs group_by"),
        ({"app_id": None}, "Exactly one"),
        ({"app_ids": ["b"]}, "Exactly one"),
        ({"app_id": None, "app_ids": []}, "must not be empty"),
        ({"app_id": None, "app_ids": "ab"}, "list"),
        ({"app_id": ""}, "must be a text"),
        ({"app_id": True}, "must be a text"),
        ({"app_id": "\ud800"}, "half a character"),
        ({"duration": 1441}, "multiple of 1440"),
        ({"duration": 0}, "multiple of 1440"),
        ({"duration": -1440}, "multiple of 1440"),
        ({"duration": "a day"}, "minutes"),
        ({"duration": True}, "minutes"),
        ({"duration": timedelta(days=1, seconds=1)}, "whole minutes"),
        ({"filters": {"colour": "red"}}, "appVersion, carrier, device, os"),
        ({"filters": "os"}, "must map"),
    ],
)
def test_what_cannot_work_is_refused(changed, said):
    """An argument outside its set is refused with the allowed ones before a call is spent."""
    with pytest.raises(ConfigurationError, match=said):
        ERROR_PIE.request(**{**PIE, **changed})


def test_unknown_arguments_are_a_programming_error():
    """An argument that the row does not know is not silently dropped."""
    with pytest.raises(TypeError, match="colour"):
        ERROR_PIE.request(**PIE, colour="red")


@pytest.mark.parametrize("name", ["graph", "group_by", "app_id", "app_ids", "duration"])
def test_unchecked_passes_anything(name):
    """Unchecked sends what this package does not know."""
    arguments = {**PIE, "app_id": None} if name == "app_ids" else PIE
    sent = ERROR_PIE.request(**{**arguments, name: Unchecked("new thing")}).query
    assert "new thing" in {value for _, value in sent}


@pytest.mark.parametrize("duration", [1440, "1440", timedelta(days=1)])
def test_a_day_is_a_day(duration):
    """Minutes, their text and a timedelta mean the same duration."""
    assert query(ERROR_PIE, **PIE, duration=duration)["duration"] == "1440"


@given(st.integers(1, 400))
def test_whole_days_pass_and_unattested_ones_warn(days):
    """Any whole number of days is accepted, with a warning if no client ever sent it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert query(ERROR_GRAPH, **GRAPH, duration=days * 1440)["duration"] == str(days * 1440)
    assert [warning.category for warning in caught] == ([] if days in {1, 2, 7, 29, 30, 60} else [UnattestedWarning])


@pytest.mark.parametrize("duration", [15, timedelta(minutes=15), Unchecked(15)])
def test_performance_durations_are_a_closed_set(duration):
    """Performance takes its own durations and refuses all others."""
    arguments = {"graph": "volume", "group_by": "service", "app_id": "a"}
    assert query(PERFORMANCE_PIE, **arguments, duration=duration)["duration"] == "15"
    with pytest.raises(ConfigurationError, match="15, 60, 240"):
        PERFORMANCE_PIE.request(**arguments, duration=30)


def test_a_list_is_a_repeated_name():
    """Several apps are sent as the same name several times, in order."""
    sent = ERROR_PIE.request(graph="crashes", group_by="os", app_ids=["a", "b", "c"]).query
    assert [value for name, value in sent if name == "appIds"] == ["a", "b", "c"]


def test_a_window_replaces_the_duration():
    """With start or end, the default duration is not sent."""
    sent = query(ERROR_GRAPH, **GRAPH, duration=43200, start=date(2016, 1, 1), end=datetime(2016, 1, 31, 12))  # noqa: DTZ001
    assert (sent["start"], sent["end"]) == ("2016-01-01T00:00:00", "2016-01-31T12:00:00")
    assert "duration" not in sent


def test_monitoring_windows_lose_their_offset_in_utc():
    """A time with an offset is the same instant in UTC, written without one."""
    start = datetime(2016, 1, 1, tzinfo=timezone(timedelta(hours=-6)))
    assert query(ERROR_GRAPH, **GRAPH, start=start)["start"] == "2016-01-01T06:00:00"
    assert query(ERROR_GRAPH, **GRAPH, start=start.astimezone(UTC))["start"] == "2016-01-01T06:00:00"


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        ({}, [("filters[appVersion]", "2.0 (1)"), ("filters[os]", "ios 9")]),
        ({"encode_filters": flat_filters}, [("appVersion", "2.0 (1)"), ("os", "ios 9")]),
        ({"encode_filters": json_filters}, [("filters", '{"appVersion":"2.0 (1)","os":"ios 9"}')]),
    ],
)
def test_filters_are_written_three_ways(options, pairs):
    """The three candidate ways of writing filters can be chosen; the first is the default."""
    sent = ERROR_PIE.request(**PIE, filters={"appVersion": "2.0 (1)", "os": "ios 9"}, **options).query
    assert list(sent[-len(pairs) :]) == pairs


def test_filters_can_be_written_in_a_fourth_way():
    """Any callable that makes pairs can write filters, and an unchecked name or value passes."""
    filters = {Unchecked("colour"): Unchecked(5), "os": None}
    sent = ERROR_PIE.request(**PIE, filters=filters, encode_filters=lambda found: [("f", f"{found}")]).query
    assert sent[-1] == ("f", "{'colour': '5'}")


def test_half_characters_are_refused_wherever_they_hide():
    """A text that cannot be encoded is refused in lists, in filters, in times and unchecked."""
    half = "\ud800"
    for changed in (
        {"app_id": None, "app_ids": ["a", half]},
        {"filters": {"os": half}},
        {"duration": Unchecked(half)},
    ):
        with pytest.raises(ConfigurationError, match="half a character"):
            ERROR_PIE.request(**{**PIE, **changed})
    with pytest.raises(ConfigurationError, match="half a character"):
        ERROR_GRAPH.request(**GRAPH, start=f"2016-01-01{half}10:00")


def test_no_filters_write_nothing():
    """An empty mapping of filters adds nothing to the query, however filters are written."""
    for options in ({}, {"encode_filters": flat_filters}, {"encode_filters": json_filters}):
        assert ERROR_PIE.request(**PIE, filters={}, **options) == ERROR_PIE.request(**PIE)


def test_attributes_of_apps_are_checked():
    """One attribute or several are sent as one text; an unknown one is refused."""
    assert query(APPS_LIST, attributes="appName")["attributes"] == "appName"
    assert query(APPS_LIST, attributes=["appName", Unchecked("new")])["attributes"] == "appName,new"
    with pytest.raises(ConfigurationError, match="appName"):
        APPS_LIST.request(attributes=["name"])


ROW = Endpoint(name="x", template="/v2/x/{app_id}/{hash}", result=Untyped, grade=Grade.D, source="a test")


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_segment_stays_one_segment(app_id, name):
    """Any text in a path comes out as itself, adds no segment, and cannot climb; what cannot be sent is refused."""
    try:
        request = ROW.request(app_id=app_id, hash=name)
    except ConfigurationError:
        assert {app_id, name} & {".", ".."} or any("\ud800" <= c <= "\udfff" for c in app_id + name)
        return
    parts = request.path.split("/")
    assert [unquote(part) for part in parts[3:]] == [app_id, name]
    assert request.path.isascii()
    assert not set(request.path) & set("?#\\ ")


@pytest.mark.parametrize("segment", [None, "", ".", "..", 5, b"a"])
def test_impossible_segments_are_refused(segment):
    """What cannot stand in a path as one segment is refused."""
    with pytest.raises(ConfigurationError, match="app_id"):
        ROW.request(app_id=segment, hash="h")


def test_a_second_path_needs_one():
    """Only a row with a known second path can be asked for it."""
    with pytest.raises(ConfigurationError, match="second path"):
        ERROR_PIE.with_alternative_path()


def test_custom_calls_say_whether_they_can_be_repeated():
    """A call that the table does not have keeps its verb and its repeatability."""
    request = custom("POST", is_repeatable=False).request_to("/v2/new", query=(("a", "b"),))
    assert (request.method, request.path, request.query, request.is_repeatable) == (
        "POST",
        "/v2/new",
        (("a", "b"),),
        False,
    )

"""The families of results read what the service wraps in text, and forgive what it leaves out."""

from __future__ import annotations

import json
import pickle
from datetime import date

import pytest

from apteligent_async._wire.codec import structure, structure_result, unstructure
from apteligent_async._wire.endpoints import ENDPOINTS
from apteligent_async.models.access import Token
from apteligent_async.models.apps import Apps
from apteligent_async.models.breadcrumbs import Breadcrumb, BreadcrumbTrace
from apteligent_async.models.diagnostics import Chart, Range
from apteligent_async.models.error_details import ErrorDetails
from apteligent_async.models.error_groups import ErrorPage, ErrorRow, ErrorSummaries
from apteligent_async.models.live import LiveBucket
from apteligent_async.models.performance import GeoValues
from apteligent_async.models.quantities import Quantity, parse_flag, parse_quantity
from apteligent_async.models.result import Envelope, Result
from apteligent_async.models.tables import Column, arrow_table
from apteligent_async.models.transactions import next_page
from apteligent_async.models.trends import UserTrend

LEAST = {
    "apps.list": {},
    "error_monitoring.pie": {"slices": []},
    "error_monitoring.graph": {"series": []},
    "error_monitoring.sparklines": {"series": [{"name": "a", "label": "A", "points": [1]}]},
    "performance_management.pie": {"slices": [{"name": "a"}]},
    "performance_management.graph": {"series": []},
    "performance_management.endpoints": {"endpoints": [{}]},
    "performance_management.services": {"services": [{"name": "s", "sort": None}]},
    "performance_management.geo": {"series": [{"geo": {"US": 1, "DE": None}}]},
    "crashes.summaries": [{"hash": "h"}],
    "crashes.counts": [{"date": "2016-10-03"}],
    "crashes.table": {"errors": [{"hash": "h", "daily_occurrences": ["20161005", [1, 0, None]]}]},
    "crashes.details": {},
    "exceptions.summaries": [],
    "exceptions.counts": [],
    "exceptions.table": {"errors": []},
    "exceptions.details": {"hash": "h", "stacktrace": [{"line_number": 0, "trace": "main", "suspect": "true"}]},
    "crashes.affected_users": [{"username": "u", "metadata": {"a": [1]}}],
    "trends.app": {"series": {"dau": {"todayTopValues": None, "categories": {"total": {"buckets": [{}]}}}}},
    "trends.dau": {"series": {"todayValue": 5}},
    "trends.mau": {"series": {"todayValue": "5", "categories": {"total": {"buckets": [{"value": 1}]}}}},
    "live_stats.get": {"periodicData": []},
    "transactions.summary": {"failed": {}},
    "transactions.ranked": [{"name": "Checkout"}],
    "transactions.details": [{"name": "Checkout", "series": {"failRate": None}}],
    "transactions.group": {"series": {"failed": {"count": {}}}},
    "transactions.traces": [{"id": 7}],
}
UNWRAPPED = {"discover", "token"}


def test_every_call_has_a_least_answer():
    """The cases below leave no call out."""
    assert LEAST.keys() | UNWRAPPED == ENDPOINTS.keys()


@pytest.mark.parametrize("name", LEAST)
def test_the_least_answer_is_enough(name):
    """With almost everything missing there is still a result: a value, a line, a table, and the same JSON."""
    body = {"data": LEAST[name]}
    result = structure_result(body, ENDPOINTS[name].result)
    assert isinstance(result, Result)
    assert json.dumps(unstructure(result)) == json.dumps(body)
    assert pickle.loads(pickle.dumps(result)) == result
    hash(result)
    assert repr(result).startswith(f"<{type(result).__name__} ")
    assert len(result.to_rows()) == len(result.columns()[0].cells)
    assert result._repr_html_().startswith("<table>")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2522 MB", Quantity(value=2522, unit="MB")),
        ("0.82", Quantity(value=0.82)),
        ("-3.5%", Quantity(value=-3.5, unit="%")),
        (7, Quantity(value=7)),
        (None, None),
        ("None", None),
        ("", None),
        ("MB", None),
        ("9" * 1000, None),
    ],
)
def test_numbers_with_units_are_read(sent, read):
    """A number inside a text is read with its unit; a text without one is None."""
    assert parse_quantity(sent) == read
    extent = Range(max_text=sent, average_text=sent, min_text=sent)
    assert extent.max == extent.average == extent.min == read


@pytest.mark.parametrize(
    ("sent", "read"), [("true", True), ("False", False), (True, True), (None, None), ("yes", None)]
)
def test_truth_as_text_is_read(sent, read):
    """The texts true and false are read as what they mean."""
    assert parse_flag(sent) is read
    (group,) = structure([{"hash": "h", "isSymbolized": sent}], ErrorSummaries)
    assert (group.is_symbolized, group.is_symbolized_text) == (read, sent)


@pytest.mark.parametrize(
    ("name", "line", "row"),
    [
        ("performance_management.geo", "<GeoValues of 2 countries>", {"country": "US", "value": 1}),
        ("trends.app", "<Trends of 1 series>", {"series": "dau", "key": "total", "start": None, "value": None}),
        ("trends.mau", "<UserTrend today 5>", {"start": None, "value": 1}),
        (
            "transactions.summary",
            "<TransactionSummary of failed>",
            {"metric": "failed", "value": None, "change_pct": None},
        ),
        ("transactions.details", "<TransactionGroups of 1>", {"name": "Checkout", "failRate": None}),
        (
            "transactions.group",
            "<TransactionOutcomes of failed>",
            {"outcome": "failed", "count": None, "rate": None, "money_value": None, "mean_duration": None},
        ),
        ("crashes.details", "<ErrorDetails without a name (status unknown)>", None),
        ("exceptions.details", "<ErrorDetails h (status unknown)>", None),
        ("live_stats.get", "<LiveStats of 0 windows, crash rate unknown>", None),
        ("crashes.counts", "<ErrorCounts of 1>", {"date": date(2016, 10, 3), "value": None}),
    ],
)
def test_lines_and_rows_say_what_is_there(name, line, row):
    """A result's line and its first row name what it holds."""
    result = structure_result({"data": LEAST[name]}, ENDPOINTS[name].result)
    assert repr(result) == line
    assert next(iter(result.to_rows()), None) == row


def test_unknown_states_stay_text():
    """A status that nobody knows is kept as sent."""
    assert structure({"status": "muted"}, ErrorDetails).status == "muted"


def test_lists_as_values_may_grow():
    """A positional list may have more or fewer items than are known, and comes back as it was."""
    for daily in (["20161005", [1], "new", {"a": 1}], ["20161005"], []):
        body = {"errors": [{"hash": "h", "daily_occurrences": daily}]}
        assert unstructure(structure(body, ErrorPage)) == body


def test_pages_without_pagination_are_the_only_one():
    """A table that says nothing of pages has one; a page knows its number and their count."""
    alone = structure({"errors": []}, ErrorPage)
    assert (alone.page_num, alone.total_pages) == (1, 1)
    second = structure({"errors": [], "pagination": {"pageNum": 2, "totalPages": 3}}, ErrorPage)
    assert (second.page_num, second.total_pages) == (2, 3)
    loose = {"errors": [], "pagination": {"pageNum": "2", "totalPages": 3.0}}
    assert (structure(loose, ErrorPage).page_num, structure(loose, ErrorPage).total_pages) == (2, 3)
    assert unstructure(structure(loose, ErrorPage)) == loose


@pytest.mark.parametrize(
    ("pagination", "following"),
    [
        *[({"nextPage": 2}, 2), ({"nextPage": "3"}, 3), ({"nextPage": "9" * 9}, 999999999)],
        *[({"nextPage": nonsense}, None) for nonsense in (None, True, 0, -1, "x", 1.5, "9" * 10, "²")],
        *[({}, None), ([1], None), (None, None)],
    ],
)
def test_the_next_page_is_a_number_or_none(pagination, following):
    """Whatever the service says of pages, the next one is a positive number or there is none."""
    assert next_page(structure({"pagination": pagination}, Envelope)) == following
    assert next_page(None) is None


def test_what_no_capture_shows_may_look_otherwise():
    """Times of unknown form may be numbers, tokens live a broken number of seconds, apps carry links as in v1."""
    known = [
        (structure({"traceTs": 1466294400119}, BreadcrumbTrace).trace_ts, 2016),
        (structure({"deviceOccurredTs": 1466294400119}, Breadcrumb).device_occurred_ts, 2016),
        (structure({"hash": "h", "last_occurred_time": 1466294400119}, ErrorRow).last_occurred_time, 2016),
    ]
    assert all(read.year == year for read, year in known)
    assert structure({"access_token": "t", "expires_in": 2592000.0}, Token).expires_in == 2592000
    body = {"a": {"latestAppStoreReleaseDate": 1466294400119, "links": {"self": {"href": "/v1.0/app/a"}}}}
    (app,) = apps = structure(body, Apps)
    assert app.links["self"]["href"] == "/v1.0/app/a"
    assert not app.extra
    assert unstructure(apps) == body


def test_milliseconds_are_utc():
    """Times as milliseconds, as v1 wrote them, are read as UTC; absurd ones are None."""
    bucket = LiveBucket(start_text=1466294400119, end_text=10**30)
    assert bucket.start.isoformat() == "2016-06-19T00:00:00.119000+00:00"
    assert bucket.end is None


def test_absurd_charts_are_undated():
    """A chart whose start lies outside of time keeps its counts."""
    assert Chart(point_start=10**30, data=(1,)).labelled() == ((None, 1),)
    assert Chart().labelled() == ()


def test_places_are_at_hand():
    """The countries of the first series are at hand, and none are no error."""
    assert GeoValues(series=()).by_country == {}
    assert structure({"series": [{}]}, GeoValues).by_country == {}


def test_users_are_found_wherever_the_days_are():
    """Days of a user trend are read from its buckets or from its categories."""
    direct = structure({"series": {"buckets": [{"value": 1}]}}, UserTrend)
    nested = structure({"series": {"categories": {"total": {"buckets": [{"value": 1}]}}}}, UserTrend)
    assert [bucket.value for bucket in direct.buckets] == [bucket.value for bucket in nested.buckets] == [1]
    assert direct.today_value is None


@pytest.mark.parametrize("name", LEAST)
def test_arrow_types_do_not_depend_on_values(name):
    """A result is an Arrow stream whose names are the columns', even with nothing in it."""
    pa = pytest.importorskip("pyarrow", reason="the arrow extra is not installed")
    result = structure_result({"data": LEAST[name]}, ENDPOINTS[name].result)
    table = pa.table(result)
    assert table.column_names == [column.name for column in result.columns()]
    assert table.num_rows == len(result.to_rows())
    assert pa.null() not in table.schema.types


def test_arrow_takes_mixed_values():
    """Whole and broken numbers, infinities, and times with and without an offset fit into one column."""
    pa = pytest.importorskip("pyarrow", reason="the arrow extra is not installed")
    from datetime import UTC, date, datetime, timedelta, timezone

    naive, zoned = datetime(2016, 1, 1), datetime(2016, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))  # noqa: DTZ001
    table = arrow_table(
        [
            Column(name="n", kind="number", cells=[1, 2.5, float("inf"), None]),
            Column(name="t", kind="instant", cells=[naive, zoned, None, None]),
            Column(name="d", kind="day", cells=[date(2016, 1, 1), None, None, None]),
            Column(name="f", kind="flag", cells=[True, None, None, None]),
        ]
    )
    assert table.column("n").to_pylist() == [1.0, 2.5, None, None]
    assert table.column("t").to_pylist()[:2] == [datetime(2016, 1, 1, tzinfo=UTC)] * 2
    assert table.schema.field("t").type == pa.timestamp("us", "UTC")

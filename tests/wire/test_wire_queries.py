"""Values of any query, and how they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from apteligent_async._wire.parameters import filter_texts, live_period, query_pairs, text
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.choices import AppType, LivePeriod

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        ({}, ()),
        ({"a": None}, ()),
        ({"a": ""}, (("a", ""),)),
        ({"a": 1, "b": 2.5, "c": "x y"}, (("a", "1"), ("b", "2.5"), ("c", "x y"))),
        ({"a": [1, None, "z"], "b": ("q",), "c": []}, (("a", "1"), ("a", "z"), ("b", "q"))),
        ({"a": True, "b": False}, (("a", "true"), ("b", "false"))),
        ({"a": date(2016, 12, 1)}, (("a", "2016-12-01T00:00:00"),)),
        ({"a": datetime(2016, 12, 1, 9, tzinfo=EAST)}, (("a", "2016-12-01T07:00:00+00:00"),)),
        ({"a": AppType.IOS}, (("a", AppType.IOS.value),)),
        ({7: 8}, (("7", "8"),)),
    ],
)
def test_each_type_is_written_its_own_way(given, pairs):
    """A list repeats its name, None is left out, and order is kept."""
    assert query_pairs("params", given) == pairs


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([("a", 1)], r"params must map names to values, not \[\('a', 1\)\]"),
        ("a=1", "params must map names to values"),
        ({"a": object}, r"params\['a'\] must be a text"),
        ({"a": {"b": 1}}, r"params\['a'\] must be a text"),
        ({"": 1}, "params must be a text"),
        ({"a": "\ud800"}, r"params\['a'\] holds half a character"),
    ],
)
def test_what_no_query_can_hold_is_refused(given, told):
    """The message says which value of which parameter."""
    with pytest.raises(ConfigurationError, match=told):
        query_pairs("params", given)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (timedelta(minutes=5), "PT5M"),
        ("PT5M", "PT5M"),
        (LivePeriod("PT5M"), "PT5M"),
    ],
)
def test_a_live_period_may_be_a_length_of_time(given, sent):
    """A timedelta that the service has a window for stands for it."""
    assert live_period("period", given) == (sent,)


@pytest.mark.parametrize("given", [timedelta(minutes=7), "PT7M", None])
def test_a_live_period_that_the_service_has_not_is_refused(given):
    """No call is spent to learn that a window does not exist."""
    with pytest.raises(ConfigurationError, match="period"):
        live_period("period", given)


@pytest.mark.parametrize("given", [True, False, None, "", b"bytes", [], object()])
def test_a_text_is_a_text_or_a_number(given):
    """Nothing else is quietly turned into one."""
    with pytest.raises(ConfigurationError, match="name must be a text"):
        text("name", given)


def test_filters_are_written_as_texts_and_none_is_left_out():
    """A number becomes text, as the query has nothing else."""
    assert filter_texts("filters", {"appVersion": 2.0, "os": None}) == {"appVersion": "2.0"}
    with pytest.raises(ConfigurationError, match="filters must map names to values, not 3"):
        filter_texts("filters", 3)


def test_dates_of_any_time_zone_are_one_instant():
    """The same instant is written the same way wherever the caller is."""
    here = datetime(2016, 12, 1, 7, tzinfo=UTC)
    assert query_pairs("params", {"a": here}) == query_pairs("params", {"a": here.astimezone(EAST)})

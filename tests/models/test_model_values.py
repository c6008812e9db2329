"""Models are values: frozen, picklable, harmless to print, and easy to turn into rows."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.models.access import Discovery, Token, Untyped
from apteligent_async.models.apps import App, Apps
from apteligent_async.models.days import DayLabels
from apteligent_async.models.frozen import FrozenMapping, freeze, thaw
from apteligent_async.models.monitoring import Graph, Pie, Series, Slice
from apteligent_async.models.region import Region
from apteligent_async.models.result import Envelope, Result
from apteligent_async.models.times import parse_date, parse_time

PIE = Pie(
    slices=(Slice(name="ios 6.1", label="iOS  6.1", value=3), Slice(name="other", value=None)),
    start_text="2015-09-01T00:00:00",
    end_text="2015-09-02T00:00:00",
    interval=86400,
)
GRAPH = Graph(
    series=(Series(name="crashes", points=(1, None, 2.5)),),
    start_text="2014-11-13T00:00:00",
    end_text="2014-11-16T00:00:00",
    interval=86400,
)
APPS = Apps(items=(App(id="0" * 24, app_name="One", dau=5), App(id="1" * 24)))
RESULTS = [PIE, GRAPH, APPS, Discovery(targets=freeze({"v1.0": {"href": "/v1.0/base"}})), Untyped(body=freeze([1, {}]))]


@pytest.mark.parametrize("result", RESULTS)
def test_results_are_values(result):
    """A result can be copied, pickled and hashed, and cannot be changed."""
    assert pickle.loads(pickle.dumps(result)) == copy.deepcopy(result) == result
    assert hash(result) == hash(copy.deepcopy(result))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.extra = {}


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (PIE, "<Pie 2 slices, 2015-09-01 to 2015-09-02>"),
        (GRAPH, "<Graph 1 series of 3 points, 2014-11-13 to 2014-11-16>"),
        (APPS, "<Apps of 2>"),
        (Pie(slices=()), "<Pie 0 slices, window unknown>"),
        (RESULTS[3], "<Discovery v1.0>"),
        (RESULTS[4], "<Untyped list>"),
        (Discovery(targets=freeze({"\x1b[31m": "/"})), "<Discovery ?[31m>"),
    ],
)
def test_a_repr_is_one_harmless_line(result, line):
    """A result says in one line what it is, without control characters."""
    assert repr(result) == line


def test_rows_are_plain():
    """Rows are dictionaries of plain values."""
    assert PIE.to_rows() == [
        {"name": "ios 6.1", "label": "iOS  6.1", "value": 3},
        {"name": "other", "label": None, "value": None},
    ]
    assert [row["dau"] for row in APPS.to_rows()] == [5, None]


@pytest.mark.parametrize("result", RESULTS)
def test_every_result_is_a_table(result):
    """Columns of a result have one length, and HTML is made of them."""
    assert len({len(column.cells) for column in result.columns()}) == 1
    assert result._repr_html_().startswith("<table>")


@given(st.text())
def test_html_is_escaped(name):
    """No text of the service becomes markup."""
    html = Pie(slices=(Slice(name=name + "<script>&'\"", value=1),))._repr_html_()
    assert "<script" not in html
    assert html.count("<td>") == 3
    assert "&lt;script&gt;&amp;&#x27;&quot;" in html


def test_html_is_bounded():
    """A long table shows its start and says how much more there is."""
    html = Pie(slices=tuple(Slice(name=str(i)) for i in range(60)))._repr_html_()
    assert html.count("<tr>") == 51
    assert "10 more rows" in html


def test_times_invent_no_offset():
    """A naive time stays naive, an offset is kept, and what is no time is None with its text at hand."""
    assert PIE.start == datetime(2015, 9, 1)  # noqa: DTZ001  the service sends it so
    assert PIE.start.tzinfo is None
    assert parse_time("2014-09-08T18:56:55+00:00") == datetime(2014, 9, 8, 18, 56, 55, tzinfo=UTC)
    assert parse_time("2016-07-19T21:45:18.076Z").utcoffset() == timedelta(0)
    odd = attrs.evolve(PIE, start_text="yesterday")
    assert (odd.start, odd.start_text) == (None, "yesterday")
    assert parse_time(None) is parse_date(None) is parse_date("soon") is None
    assert parse_date("20161005") == parse_date("2016-10-05")


def test_day_labels_differ_by_one_day():
    """END names the bucket by its end, START by its start: the two readings of a daily series."""
    end = GRAPH.labelled()
    start = GRAPH.labelled(DayLabels.START)
    assert [at for at, _ in end] == [at + timedelta(days=1) for at, _ in start]
    assert end[-1] == (GRAPH.end, 2.5)
    assert start[0] == (GRAPH.start, 1)
    assert GRAPH.labelled("start") == start


@pytest.mark.parametrize(
    "change", [{"start_text": None}, {"interval": None}, {"interval": 10**18}, {"interval": float("nan")}]
)
def test_undated_points_are_still_points(change):
    """Without a usable window the points are there, undated."""
    assert [at for at, _ in attrs.evolve(GRAPH, **change).labelled()] == [None] * 3


def test_apps_are_a_sequence_and_a_mapping():
    """Apps come in the service's order, and can be found by id."""
    assert [app.id for app in APPS] == [APPS[0].id, APPS[1].id]
    assert len(APPS) == 2
    assert APPS[1:] == (APPS[1],)
    assert APPS.by_id["0" * 24].name == "One"
    assert APPS[1].name == "1" * 24


@pytest.mark.parametrize(("text", "url"), [("None", None), ("", None), (None, None), ("https://x/i", "https://x/i")])
def test_an_icon_called_none_is_none(text, url):
    """The text None is no address, and is kept as sent."""
    app = App(id="1", icon_url_text=text)
    assert (app.icon_url, app.icon_url_text) == (url, text)


@pytest.mark.parametrize(
    ("app_id", "region"),
    [
        ("0123456789abcdefABCDEF01", Region.US),
        ("f" * 32 + "00555300", Region.US),
        ("f" * 32 + "00444503", Region.EU),
        ("f" * 32 + "00555304", None),
        ("f" * 32 + "00555305", None),
        ("f" * 23, None),
        ("g" * 24, None),
        ("0123456789abcdefABCDEF01\n", None),
        ("", None),
    ],
)
def test_an_app_id_tells_its_region(app_id, region):
    """24 characters are US, 40 say so at their end, and anything else is unknown."""
    assert Region.for_app(app_id) is App(id=app_id).region is region


def test_regions_have_origins():
    """A region is its text, and knows its origin."""
    assert Region("eu").origin == "https://developers.eu.crittercism.com"
    assert Region("us").origin == "https://developers.crittercism.com"


def test_a_token_cannot_be_printed():
    """The secret is in no repr, whatever came with it."""
    token = Token(access_token="s3cret", expires_in=60, extra=FrozenMapping({"refresh_token": "s3cret"}))
    assert repr(token) == "<Token, valid for 60 s>"
    assert "s3cret" not in f"{token} {token!r}"
    assert "unknown" in repr(Token(access_token="s3cret"))


def test_links_are_a_mapping_whatever_came():
    """Links and echoed parameters are empty where the service sent none, or nonsense."""
    assert PIE.links == PIE.params == {}
    assert attrs.evolve(PIE, envelope=Envelope(links=("a",), params=None)).links == {}


def test_a_result_must_describe_itself():
    """A result without columns and headline is unfinished, and says so."""
    for ask in (Result().columns, Result().headline):
        with pytest.raises(NotImplementedError):
            ask()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_freezing_loses_nothing(value):
    """Thawing gives the JSON back; what was frozen can be hashed and pickled."""
    frozen = freeze(value)
    assert thaw(frozen) == value
    assert hash(frozen) == hash(pickle.loads(pickle.dumps(frozen)))


def test_a_frozen_mapping_cannot_be_changed():
    """Neither its items nor its attributes can be set or deleted, nor its source through it."""
    source = {"a": 1}
    mapping = FrozenMapping(source)
    source["a"] = 2
    assert mapping == {"a": 1}
    with pytest.raises(AttributeError):
        mapping._items = {}
    with pytest.raises(AttributeError):
        del mapping._items
    with pytest.raises(TypeError):
        mapping["a"] = 2
    assert repr(mapping) == "FrozenMapping({'a': 1})"

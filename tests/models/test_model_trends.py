"""Trends keep the days of a line as columns, and lose nothing of them."""

from __future__ import annotations

import gc
import json
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire.codec import structure, structure_result, unstructure
from apteligent_async.errors import ResponseError
from apteligent_async.models.trends import TrendBucket, TrendBuckets, TrendCategory, Trends

numbers = st.none() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
buckets = st.fixed_dictionaries(
    {},
    optional={
        "start": st.none() | st.text(max_size=5),
        "duration": st.none() | st.just("P1D"),
        "value": numbers,
        "colour": numbers,
    },
)


@given(st.lists(buckets, max_size=5))
def test_columns_give_the_buckets_back(listed):
    """As a sequence and as JSON, with the keys that were missing, null or unknown."""
    line = structure({"buckets": listed}, TrendCategory)
    columns = line.buckets
    assert json.dumps(unstructure(line), sort_keys=True) == json.dumps({"buckets": listed}, sort_keys=True)
    assert [unstructure(bucket) for bucket in columns] == listed
    assert columns.values == tuple(bucket.get("value") for bucket in listed)
    assert columns.start_texts == tuple(bucket.get("start") for bucket in listed)
    assert line == structure({"buckets": listed}, TrendCategory) == pickle.loads(pickle.dumps(line))
    assert columns == TrendBuckets.of(columns)


def test_columns_are_a_sequence():
    """Buckets can be counted, indexed from both ends, sliced, and made by hand."""
    columns = TrendBuckets.of([TrendBucket(start_text=f"2016-12-0{day}T07:00:00Z", value=day) for day in range(1, 5)])
    assert len(columns) == 4
    assert columns[-1] == columns[3] == TrendBucket(start_text="2016-12-04T07:00:00Z", value=4)
    assert [bucket.value for bucket in columns[1:3]] == [2, 3]
    assert columns.starts[0] == datetime(2016, 12, 1, 7, tzinfo=UTC)
    with pytest.raises(IndexError):
        columns[4]
    line = TrendCategory(buckets=columns)
    assert (line.values, line.starts) == (columns.values, columns.starts)
    assert (TrendCategory().values, TrendCategory().starts) == ((), ())


def test_no_object_is_kept_per_day():
    """A line of a thousand days is a handful of objects."""
    days = [{"start": "2016-12-01T07:00:00Z", "duration": "P1D", "value": day} for day in range(1000)]
    trends = structure_result({"data": {"series": {"dau": {"categories": {"total": {"buckets": days}}}}}}, Trends)
    gc.collect()
    assert not [kept for kept in gc.get_objects() if isinstance(kept, TrendBucket)]
    assert sum(trends.series["dau"].categories["total"].values) == 499_500


@pytest.mark.parametrize(
    ("listed", "path"), [([{}, {"value": "many"}], "[1].value"), ([{}, 7], "[1]"), ({}, ""), ("days", "")]
)
def test_a_misfit_is_located(listed, path):
    """What is no bucket is named by its place."""
    with pytest.raises(ResponseError) as caught:
        structure({"buckets": listed}, TrendCategory)
    assert caught.value.path == f"$.buckets{path}"

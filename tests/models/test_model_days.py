"""Daily arrays can be read either way, and groups that have gone quiet tell which."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.models.days import DailyArray, Orientation, orientation_of


def array(*counts, day="20161005"):
    """A daily array that ends on the fifth of October."""
    return DailyArray(date_text=day, counts=counts)


def test_both_readings_end_on_the_dated_day():
    """Either way the last pair is the dated day; the numbers are mirrored."""
    newest_first = array(3, 2, 1).labelled(Orientation.NEWEST_FIRST)
    oldest_first = array(3, 2, 1).labelled("oldest_first")
    days = [date(2016, 10, 3), date(2016, 10, 4), date(2016, 10, 5)]
    assert newest_first == tuple(zip(days, (1, 2, 3), strict=True))
    assert oldest_first == tuple(zip(days, (3, 2, 1), strict=True))


def test_without_a_date_the_counts_remain():
    """An array whose day cannot be read keeps its counts, undated."""
    assert array(3, 2, day="soon").labelled(Orientation.OLDEST_FIRST) == ((None, 3), (None, 2))
    assert DailyArray().labelled(Orientation.OLDEST_FIRST) == ()


@given(st.lists(st.integers(1, 9), min_size=4, max_size=30), st.integers(2, 10), st.sampled_from(Orientation))
def test_quiet_groups_tell_the_direction(counts, quiet, orientation):
    """A group that was not seen for some days has zeros at its newest end, and so names the direction."""
    oldest_first = [*counts, *[0] * quiet]
    sent = oldest_first if orientation is Orientation.OLDEST_FIRST else oldest_first[::-1]
    last_at = datetime(2016, 10, 5, 23, tzinfo=UTC) - timedelta(days=quiet)
    assert orientation_of([(array(*sent), last_at)]) is orientation
    assert orientation_of([(array(*sent), last_at), (array(1, 2), None), (DailyArray(), last_at)]) is orientation


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [(array(1, 2, 3), datetime(2016, 10, 5, tzinfo=UTC))],
        [(array(0, 1, 1), datetime(2016, 10, 4, tzinfo=UTC))],
        [(array(1, 1, 1), datetime(2016, 10, 1, tzinfo=UTC))],
        [(array(0, 0, 5), datetime(2016, 10, 3, tzinfo=UTC)), (array(5, 0, 0), datetime(2016, 10, 3, tzinfo=UTC))],
    ],
)
def test_doubt_stays_doubt(groups):
    """Groups that are still active, silent or contradictory tell nothing; one day is not enough."""
    assert orientation_of(groups) is None

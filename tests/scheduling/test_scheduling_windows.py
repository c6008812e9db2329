"""Which window an answer speaks of, step by step; what follows for tokens is tested with the budget."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.signals import Job
from apteligent_async._scheduling.windows import Place, Windows

INSTANTS = st.floats(-1e6, 1e6)


def job(sent_at):
    """Make a job that was sent at an instant."""
    made = Job()
    made.granted_at = sent_at
    return made


def heard(windows, reset_s, sent_at, now=None):
    """Let an answer arrive, at once if not told otherwise."""
    return windows.place(reset_s, job(sent_at), now=sent_at if now is None else now)


def test_the_first_answer_of_all_begins_a_window_of_unknown_use():
    """Its end is known to a second either way, its use from the beginning is not."""
    windows = Windows()
    assert heard(windows, 40.0, 10.0, 11.0) == Place(Span(49.0, 52.0), is_first=True)
    assert (windows.serial, windows.is_first, windows.is_known, windows.length_s) == (1, True, False, None)
    assert (windows.longest_s, windows.whole_s, windows.over_at) == (40.0, 0.0, 52.0)


def test_answers_that_agree_narrow_the_end():
    """What all of them allow is what is left."""
    windows = Windows()
    heard(windows, 40.0, 10.0, 12.0)
    assert heard(windows, 36.0, 13.5, 14.0) == Place(Span(49.0, 51.0))
    assert (windows.ends, windows.serial) == (Span(49.0, 51.0), 1)
    assert windows.over_at == 53.0, "nobody has seen windows refill: the latest that any answer allowed"
    windows.refills = True
    assert windows.over_at == 51.0


@pytest.mark.parametrize(("after_s", "has_stood"), [(2.9, False), (3.0, True)])
def test_a_reset_stands_still_once_answers_some_seconds_apart_name_it(after_s, has_stood):
    """Three seconds are enough, from the first answer's arrival to the later call's start."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    heard(windows, 40.0 - after_s, 10.0 + after_s)
    assert windows.has_stood is has_stood


def test_a_window_that_we_open_is_known_and_measured():
    """The distance of the two ends is the length of windows."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    windows.open(now=53.0)
    assert (windows.is_known, windows.opened_at, windows.ends, windows.is_first) == (True, 53.0, None, False)
    assert heard(windows, 56.0, 54.0) == Place(Span(109.0, 111.0), is_first=True)
    assert (windows.serial, windows.length_s, windows.whole_s) == (2, 60.0, 56.0)
    assert windows.is_moving is False


@pytest.mark.parametrize(("reset_s", "length_s"), [(0.0, None), (0.4, 2.4)])
def test_ends_that_may_be_the_same_instant_measure_nothing(reset_s, length_s):
    """Two resets lie apart if the one is surely over before the other can come."""
    windows = Windows()
    heard(windows, 0.0, 10.0)
    windows.open(now=12.0)
    heard(windows, reset_s, 12.0)
    assert windows.length_s == (None if length_s is None else pytest.approx(length_s))


@pytest.mark.parametrize("field", ["is_disturbed", "is_moving"])
def test_a_window_after_a_doubtful_one_is_not_known(field):
    """Where a refusal put the end off, or there are no windows, nobody knows when the next began."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    setattr(windows, field, True)
    windows.open(now=53.0)
    assert (windows.is_known, windows.opened_at, windows.is_disturbed) == (False, None, False)


def test_opening_before_anything_was_heard_knows_nothing():
    """It stays the first of all; a refusal before it ends that."""
    windows = Windows()
    windows.open(now=5.0)
    assert (windows.is_first, windows.is_known) == (True, False)
    windows.is_disturbed = True
    windows.open(now=6.0)
    assert windows.is_first is False


@pytest.mark.parametrize(
    ("now", "is_moving"),
    [
        (48.0, True),  # the old end had surely not come
        (49.0, False),  # it may have come just now
        (60.0, False),
    ],
)
def test_a_later_reset_begins_another_window(now, is_moving):
    """Whose use is not known from its beginning; if the old end cannot have come, resets move on with the calls."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    assert heard(windows, 55.0, now) == Place(Span(now + 54.0, now + 56.0), has_rolled=True)
    assert (windows.is_moving, windows.is_known, windows.serial) == (is_moving, False, 2)
    assert windows.is_first is False
    assert windows.over_at == now + 56.0
    heard(windows, 55.0, now + 61.0)
    assert windows.serial == (2 if is_moving else 3)


def test_an_answer_of_the_window_before_is_none_of_this_one():
    """It was sent before the first of the present window arrived, and names an end that is over."""
    windows = Windows()
    heard(windows, 2.0, 10.0)
    assert heard(windows, 60.0, 12.0, 13.5).has_rolled
    assert heard(windows, 1.0, 10.5, 13.6) is None
    assert windows.serial == 2


def test_an_answer_that_took_half_a_window_is_believed_by_nobody():
    """Past the end it may have been counted in either window."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    assert heard(windows, 39.0, 11.0, 50.0) is None
    assert windows.is_disturbed
    assert windows.stated_until == 90.0, "but it states a reset that may be meant"


@pytest.mark.parametrize(
    ("sent_at", "now"),
    [
        (11.0, 49.0),  # the end may come just now
        (29.5, 49.5),  # half of the longest reset, no more
        (34.0, 49.5),
    ],
)
def test_a_late_answer_is_believed_where_one_window_can_have_counted_it(sent_at, now):
    """Before the end, or sent late enough to name it."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    assert heard(windows, 50.0 - sent_at, sent_at, now) is not None
    assert not windows.is_disturbed


@pytest.mark.parametrize(
    ("reset_s", "sent_at", "now", "is_over"),
    [
        (1.0, 10.5, 13.6, True),
        (2.0, 12.0, 13.0, True),  # its end may come just now
        (2.0, 12.6, 13.5, False),  # its end is still ahead: another window
        (1.0, 13.5, 14.0, False),  # sent when the present window was known
    ],
)
def test_only_what_is_over_by_then_is_of_the_window_before(reset_s, sent_at, now, is_over):
    """Sent before the present window was heard of, and naming an end that has come."""
    windows = Windows()
    heard(windows, 2.0, 10.0)
    heard(windows, 60.0, 12.0, 13.5)
    assert (heard(windows, reset_s, sent_at, now) is None) is is_over


def test_resets_that_move_only_move_on():
    """Where there are no windows, the latest end counts, and each answer speaks of its own."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    heard(windows, 40.0, 20.0)
    assert windows.is_moving
    assert heard(windows, 20.0, 21.0) == Place(Span(40.0, 42.0))
    assert windows.ends == Span(59.0, 61.0)
    assert heard(windows, 50.0, 22.0) == Place(Span(71.0, 73.0))
    assert (windows.ends, windows.over_at) == (Span(71.0, 73.0), 73.0)


def test_where_resets_move_only_those_are_waited_for_that_leave_no_call():
    """Of the present stretch; where nobody knows which, for all of them; where windows stand, for the present one."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    windows.forbid(12.0)
    assert windows.frees_at == windows.over_at == 51.0
    heard(windows, 40.0, 20.0)
    assert (windows.is_moving, windows.drips, windows.frees_at) == (True, True, 12.0)
    windows.forbid(11.0)
    assert windows.frees_at == 12.0
    assert windows.moved(5.0).frees_at == 17.0
    windows.forbid()
    assert windows.frees_at == windows.over_at == 61.0
    windows.begin_stretch()
    assert windows.frees_at == -math.inf


@pytest.mark.parametrize(
    ("trip_s", "has_stood", "is_moving", "outlasts"),
    [(5.9, True, False, True), (6.0, True, False, False), (1.0, False, False, False), (1.0, True, True, False)],
)
def test_a_window_outlasts_calls_if_it_stands_and_holds_many_round_trips(trip_s, has_stood, is_moving, outlasts):
    """More than ten: then an answer tells for sure in which window its call was counted."""
    assert Windows(longest_s=60.0, has_stood=has_stood, is_moving=is_moving).outlasts(trip_s) is outlasts


@pytest.mark.parametrize(("refills", "drips"), [(None, False), (True, False), (False, True)])
def test_tokens_drip_where_windows_do_not_begin_whole(refills, drips):
    """Nobody knows before one was seen to, or not to."""
    assert Windows(refills=refills).drips is drips


@pytest.mark.parametrize(
    ("reset_s", "is_moving"), [(46.0, False), (51.0, False), (42.0, True), (43.0, False), (30.0, True)]
)
def test_a_reset_that_follows_too_soon_shows_that_there_are_no_windows(reset_s, is_moving):
    """No window is shorter than the longest reset that nothing had put off."""
    windows = Windows()
    heard(windows, 2.0, 0.0)
    windows.open(now=4.0)
    heard(windows, 50.0, 4.0)
    windows.open(now=56.0)
    heard(windows, reset_s, 56.0)
    assert windows.is_moving is is_moving


def test_a_straggler_of_the_last_window_does_not_begin_the_next():
    """It was sent before we opened the window, and names the old end."""
    windows = Windows()
    heard(windows, 10.0, 10.0)
    windows.open(now=22.0)
    assert heard(windows, 0.0, 20.5, 22.5) is None
    assert heard(windows, 1.0, 21.0, 22.5) is None, "the old end, to the second"
    assert windows.ends is None
    assert heard(windows, 50.0, 20.5, 23.0) == Place(Span(69.5, 74.0), is_first=True)


@given(INSTANTS, INSTANTS)
def test_another_clock_tells_the_same_window(by_s, now):
    """Ends move with the clock, there and back, and nothing else does."""
    windows = Windows()
    assert windows.moved(by_s).over_at == -math.inf
    heard(windows, 40.0, now)
    there = windows.moved(by_s)
    assert (there.ends.lo, there.ends.hi) == pytest.approx((now + 39.0 + by_s, now + 41.0 + by_s))
    assert there.over_at == pytest.approx(windows.over_at + by_s)
    assert (there.serial, there.longest_s) == (windows.serial, windows.longest_s)


@pytest.mark.parametrize(
    ("state", "reset_s", "is_fresh"),
    [
        ({}, 300.0, True),
        ({}, 297.0, True),
        ({}, 296.9, False),
        ({"has_stood": False}, 300.0, False),
        ({"opened_at": None}, 300.0, False),
        ({"refills": None}, 300.0, False),
        ({"longest_s": 60.0}, 60.0, False),
        ({"longest_s": 60.1}, 60.0, True),
    ],
)
def test_a_fresh_window_names_a_reset_as_far_as_any(state, reset_s, is_fresh):
    """Of windows longer than a minute that stand still and refill, opened by us."""
    known = {"opened_at": 1.0, "has_stood": True, "longest_s": 300.0, "refills": True}
    assert Windows(**{**known, **state}).is_fresh(reset_s) is is_fresh


@pytest.mark.parametrize(
    ("longest_s", "opened_at", "now", "reset_s", "is_whole"),
    [
        (60.0, None, 100.0, 59.0, True),
        (60.0, None, 100.0, 58.9, False),
        (59.0, None, 100.0, 59.0, True),
        (58.9, None, 100.0, 59.0, False),
        (60.1, None, 100.0, 59.0, False),
        (60.0, 99.0, 102.0, 57.0, True),  # two seconds are known to have passed
        (60.0, 99.0, 102.0, 56.9, False),
        (60.0, 99.0, 110.0, 55.0, True),  # never more than four of them count
        (60.0, 99.0, 110.0, 54.9, False),
        (60.0, None, 110.0, 55.0, False),
        (58.0, 99.0, 102.0, 58.0, False),  # nor do they excuse that no reset was ever a minute away
    ],
)
def test_a_whole_minute_names_a_reset_of_a_minute(longest_s, opened_at, now, reset_s, is_whole):
    """But for what we know to have passed since the last window's end."""
    windows = Windows(longest_s=longest_s, opened_at=opened_at, last=Span(100.0, 101.0))
    assert windows.is_whole_minute(reset_s, now=now) is is_whole


@pytest.mark.parametrize(
    ("reset_s", "trip_s", "is_whole"),
    [
        (59.8, 0.1, False),
        (59.8, 0.2, True),
        (59.9, 0.0, True),
        (60.0, 0.0, True),
        (59.4, 0.5, False),
        (60.1, 1.0, False),
        (60.0, 3.0, True),
        (60.0, 3.1, False),  # on so slow a link nobody knows how much of it had passed
    ],
)
def test_decimals_tell_a_minute_from_nearly_one(reset_s, trip_s, is_whole):
    """A first reset of 59.8 s is a minute's only if the rest may have passed on the way."""
    assert Windows(longest_s=reset_s).is_whole_minute(reset_s, now=5.0, trip_s=trip_s) is is_whole


@pytest.mark.parametrize(
    ("state", "now", "sharpens_at"),
    [
        ({}, 10.0, 170.0),
        ({}, 140.0, 170.0),
        ({}, 140.1, None),
        ({"is_moving": True}, 10.0, None),
        ({"ends": None}, 10.0, None),
    ],
)
def test_a_speed_becomes_sharp_half_a_minute_before_the_end(state, now, sharpens_at):
    """Within the last minute it is sharp enough already."""
    windows = Windows(**{"ends": Span(200.0, 202.0), **state})
    assert windows.sharpens_at(now=now) == sharpens_at


@pytest.mark.parametrize(
    ("reset_s", "at", "stays"),
    [
        (37.0, 13.0, True),
        (40.0, 13.0, False),  # it has moved on
        (38.0, 12.0, None),  # too soon to tell
        (1.0, 49.5, None),  # the end may have come
    ],
)
def test_a_reset_stays_if_answers_some_time_apart_name_the_same(reset_s, at, stays):
    """Three seconds at least; also where resets were seen to move before."""
    windows = Windows()
    heard(windows, 40.0, 10.0)
    windows.is_moving = True
    heard(windows, reset_s, at)
    assert windows.stays is stays


@pytest.mark.parametrize(
    ("firsts", "is_even"),
    [
        ([(60.0, 0.0), (60.0, 61.0)], False),  # one window is known in full
        ([(60.0, 0.0), (60.0, 61.0), (60.0, 122.0)], True),
        ([(60.0, 0.0), (60.0, 61.0), (30.0, 122.0)], False),
        ([(60.0, 0.0), (60.0, 61.0), (120.0, 122.0)], False),
        ([(60.0, 0.0), (60.0, 61.0), (120.0, 122.0), (120.0, 243.0)], True),
    ],
)
def test_windows_are_even_when_two_in_a_row_are_as_long_as_their_longest_reset(firsts, is_even):
    """As the edges of a counter are, and the resets of a log of calls are not."""
    windows = Windows()
    for reset_s, at in firsts:
        windows.open(now=at)
        heard(windows, reset_s, at)
    assert windows.is_even is is_even


def test_windows_of_which_one_cannot_be_measured_are_not_even():
    """It was opened before the service's own edge."""
    windows = Windows()
    for at in (0.0, 61.0, 122.0):
        windows.open(now=at)
        heard(windows, 60.0, at)
    assert windows.is_even
    windows.open(now=150.0)
    heard(windows, 32.0, 150.0)
    assert not windows.is_even


def test_the_last_reset_that_was_stated_is_kept_beyond_its_window():
    """Until the next one is stated."""
    windows = Windows()
    assert windows.stated_until == -math.inf
    heard(windows, 40.0, 10.0)
    windows.open(now=52.0)
    assert windows.stated_until == 51.0

"""How a service words its numbers: decimals, once stated, and numbers above the limit cannot be taken back."""

from __future__ import annotations

import math

import pytest
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Unit, reset_span, token_bounds
from apteligent_async._scheduling.signals import Job, Reading
from apteligent_async._scheduling.wording import Wording, doubt_s

SPEED = Hypothesis(Unit.SPEED, includes_call=True)


@pytest.mark.parametrize(
    ("reset_s", "doubt"),
    [(0.0, 1), (30.0, 1), (900.0, 1), (29.5, 0.1), (29.25, 0.01), (29.125, 0.001), (29.12345, 0.001), (1 / 3, 0.001)],
)
def test_a_reset_may_be_off_by_its_last_decimal(reset_s, doubt):
    """Beyond the third they say no more."""
    assert doubt_s(reset_s) == pytest.approx(doubt)


def heard(*answers, limit=20.0):
    """Hear answers, each with what remains and a reset."""
    wording = Wording()
    for remaining, reset_s in answers:
        wording.hear(Reading(limit=limit, remaining=remaining, reset_s=reset_s))
    return wording


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([(19.0, 60.0)], Wording(largest=19.0)),
        ([(19.0, 59.5)], Wording(0.1, largest=19.0)),
        ([(19.0, 59.25), (18.0, 58.0), (17.0, 57.5)], Wording(0.01, largest=19.0)),
        ([(19.5, 60.0), (19.0, 59.0)], Wording(is_fine=True, largest=19.5)),
        ([(21.0, 60.0)], Wording(largest=21.0)),  # the limit may be rounded in another way
        ([(21.5, 60.0)], Wording(is_fine=True, is_uncapped=True, largest=21.5)),
        ([(22.0, 50.0), (19.0, 49.0)], Wording(is_uncapped=True, largest=22.0)),
    ],
)
def test_what_was_stated_once_counts_for_all_numbers(answers, found):
    """The finest reset, any decimals of what remains, and any number more than one above the limit."""
    assert heard(*answers) == found


@pytest.mark.parametrize(
    ("stated", "remaining", "may_cap"),
    [
        ([], 20.0, True),
        ([], 19.0, True),
        ([], 18.9, False),
        ([19.5], 19.5, True),
        ([19.5], 19.4, False),  # a cap is the largest number that is ever stated
        ([21.5], 20.0, False),  # there is none
    ],
)
def test_a_limit_stands_in_for_larger_numbers_only(stated, remaining, may_cap):
    """Each rounded in its own way, so that they may be one apart."""
    wording = heard(*((each, 60.0) for each in stated))
    assert wording.may_cap(Reading(limit=20.0, remaining=remaining, reset_s=60.0)) is may_cap


def test_without_a_limit_nothing_is_above_it():
    """And nothing is known of a cap."""
    assert not heard((500.0, 60.0), limit=None).is_uncapped


def test_a_whole_reset_of_a_service_that_states_decimals_is_exact():
    """To the finest that it ever stated; one of whole seconds may be a second off."""
    fine = reset_span(30.0, sent_at=100.0, received_at=100.2, wording=Wording(0.01))
    assert (fine.lo, fine.hi) == pytest.approx((129.99, 130.21))
    plain = reset_span(30.0, sent_at=100.0, received_at=100.2)
    assert (plain.lo, plain.hi) == pytest.approx((129.0, 131.2))


@pytest.mark.parametrize(
    ("remaining", "limit", "wording", "bounds"),
    [
        (1.0, 5.0, Wording(), (1, 30)),
        (1.0, 5.0, Wording(0.001, is_fine=True), (15, 15)),  # a call a minute for a quarter of an hour
        (0.0, 5.0, Wording(0.001, is_fine=True), (0, 15)),  # nothing may be less than nothing, rounded up
        (5.0, 5.0, Wording(), (60, math.inf)),
        (5.0, 5.0, Wording(is_uncapped=True), (60, 90)),
    ],
)
def test_what_is_known_of_the_wording_sharpens_a_speed(remaining, limit, wording, bounds):
    """Early in a window of a quarter of an hour, where a whole speed hides most of what is left."""
    reading = Reading(limit=limit, remaining=remaining, reset_s=900.0)
    ends = reset_span(900.0, sent_at=0.0, received_at=0.0, wording=wording)
    assert token_bounds(reading, SPEED, Job(), ends=ends, received_at=0.0, wording=wording) == bounds


@TRIED
@given(
    tokens=st.integers(0, 1000),
    left_s=st.floats(1, 3600),
    trip_s=st.floats(0, 3),
    digits=st.integers(1, 3),
    hypothesis=st.sampled_from(ALL_HYPOTHESES),
)
def test_bounds_stay_true_under_what_was_heard(tokens, left_s, trip_s, digits, hypothesis):
    """A service that rounds resets to so many decimals, and states what remains exactly, is never misread."""
    stated_s = round(left_s, digits)
    counted = tokens + (not hypothesis.includes_call)
    remaining = 60 * counted / left_s if hypothesis.unit is Unit.SPEED else float(counted)
    reading = Reading(remaining=remaining, reset_s=stated_s)
    wording = Wording(10.0**-digits)
    wording.hear(reading)
    ends = reset_span(stated_s, sent_at=0.0, received_at=trip_s, wording=wording)
    assert ends.lo - 1e-9 <= left_s + trip_s / 2 <= ends.hi + 1e-9
    least, most = token_bounds(reading, hypothesis, Job(), ends=ends, received_at=trip_s, wording=wording)
    assert least <= tokens <= most

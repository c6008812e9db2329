"""Numbers as stated to numbers as proven: whatever the rounding, the truth lies within the bounds."""

from __future__ import annotations

import math

import pytest
from attrs import frozen
from effort import TRIED
from hypothesis import assume, example, given
from hypothesis import strategies as st

from apteligent_async._scheduling.readings import (
    ALL_HYPOTHESES,
    MOST_CALLS,
    Hypothesis,
    Span,
    Unit,
    is_possible,
    looks_whole,
    minute_bounds,
    reset_span,
    token_bounds,
    usable,
)
from apteligent_async._scheduling.signals import Job, Reading

SPEED, COUNT = Unit.SPEED, Unit.COUNT

ROUNDINGS = {
    "floor": math.floor,
    "ceil": math.ceil,
    "nearest": round,
    "tenths": lambda value: math.floor(value * 10) / 10,
    "hundredths": lambda value: round(value, 2),
    "exact": float,
}


def sent(instant):
    """Make a job that was sent at an instant."""
    job = Job()
    job.granted_at = instant
    return job


@frozen
class Truth:
    """What a service knew when it counted a call, and the words in which it said so."""

    tokens: int
    left_s: float
    counted_at: float
    sent_at: float
    received_at: float
    hypothesis: Hypothesis
    reset_rounding: str
    speed_rounding: str
    limit: float | None = None
    is_capped: bool = False

    @property
    def reset_at(self) -> float:
        """The true instant of the reset."""
        return self.counted_at + self.left_s

    def reading(self) -> Reading:
        """State the truth as this service would."""
        tokens = self.tokens + (not self.hypothesis.includes_call)
        value = 60 * tokens / self.left_s if self.hypothesis.unit is SPEED else float(tokens)
        if self.is_capped and self.limit is not None:
            value = min(value, self.limit)
        rounded = ROUNDINGS[self.speed_rounding](value) if self.hypothesis.unit is SPEED else value
        return Reading(limit=self.limit, remaining=rounded, reset_s=ROUNDINGS[self.reset_rounding](self.left_s))

    def ends(self) -> Span:
        """What this one answer says of the reset."""
        return reset_span(self.reading().reset_s, sent_at=self.sent_at, received_at=self.received_at)

    def bounds(self, ends: Span | None = None) -> tuple[float, float]:
        """What the answer proves under the true hypothesis."""
        return token_bounds(
            self.reading(),
            self.hypothesis,
            sent(self.sent_at),
            ends=ends or self.ends(),
            received_at=self.received_at,
        )


@st.composite
def truths(draw, *, units=tuple(Unit)):
    """Draw a truth: any tokens, any time left, any rounding, a trip of up to ten seconds."""
    sent_at = draw(st.floats(0, 1e6))
    up_s, down_s = draw(st.floats(0, 5)), draw(st.floats(0, 5))
    limit = draw(st.none() | st.integers(1, 1000))
    return Truth(
        tokens=draw(st.integers(0, 40) | st.integers(0, 100_000)),
        left_s=draw(st.floats(0.01, 120) | st.floats(0.01, 80_000) | st.integers(1, 3600).map(float)),
        counted_at=sent_at + up_s,
        sent_at=sent_at,
        received_at=sent_at + up_s + down_s,
        hypothesis=draw(st.sampled_from([each for each in ALL_HYPOTHESES if each.unit in units])),
        reset_rounding=draw(st.sampled_from(["floor", "ceil", "nearest", "tenths", "exact"])),
        speed_rounding=draw(st.sampled_from(["floor", "ceil", "nearest", "hundredths", "exact"])),
        limit=limit,
        is_capped=draw(st.booleans()),
    )


@TRIED
@given(truths())
def test_bounds_contain_the_truth(truth):
    """Whatever was rounded how, and however long the trip took, the true tokens lie within the bounds."""
    least, most = truth.bounds()
    assert least <= truth.tokens <= most


@TRIED
@given(truths(), st.data())
def test_bounds_contain_the_truth_beside_another_answer(truth, data):
    """A second answer of the same window sharpens the reset, and the bounds stay true."""
    later_s = data.draw(st.floats(0, truth.left_s * 0.99))
    left_s = truth.left_s - later_s
    assume(left_s > 0.01)
    other = reset_span(math.ceil(left_s), sent_at=truth.counted_at + later_s, received_at=truth.counted_at + later_s)
    assert truth.ends().meets(other)
    ends = truth.ends().both(other)
    assert ends.lo <= truth.reset_at + 1e-6
    assert truth.reset_at - 1e-6 <= ends.hi
    least, most = truth.bounds(ends)
    assert least <= truth.tokens <= most


@TRIED
@given(truths())
def test_a_sharper_reset_never_widens_the_bounds(truth):
    """Knowing the reset exactly proves at least as much as the answer alone."""
    wide, sharp = truth.bounds(), truth.bounds(Span(truth.reset_at, truth.reset_at))
    assert wide[0] <= sharp[0]
    assert sharp[1] <= wide[1]


def test_bounds_contain_every_small_truth():
    """Brute force: every count up to 30, every second up to 90 and a half, every rounding, said as a speed."""
    for left_s in (half / 2 for half in range(1, 181)):
        for tokens in range(31):
            for rounding in ("floor", "ceil", "nearest"):
                truth = Truth(tokens, left_s, 0.0, 0.0, 0.0, Hypothesis(SPEED, includes_call=True), rounding, rounding)
                least, most = truth.bounds()
                assert least <= tokens <= most, truth


BOUNDS = [  # what is counted, whether the call is off already, what remains, the reset, and the bounds
    (COUNT, True, 7, 30, (7, 7)),
    (COUNT, False, 7, 30, (6, 6)),
    (COUNT, False, 0, 30, (0, 0)),
    (COUNT, True, -3, 30, (0, 0)),
    (SPEED, True, 20, 60, (19, 21)),
    (SPEED, False, 20, 60, (18, 20)),
    (SPEED, True, 1, 300, (1, 10)),
    (SPEED, True, 0, 300, (0, 5)),
    (SPEED, True, 200, 3, (7, 13)),
    (SPEED, True, 20, 300, (95, 105)),
    (SPEED, True, 40, 0, (1, 1)),
    (SPEED, True, 12.5, 24, (5, 5)),
]


@pytest.mark.parametrize(("unit", "is_included", "remaining", "reset_s", "bounds"), BOUNDS)
def test_bounds_by_hand(unit, is_included, remaining, reset_s, bounds):
    """An answer that took no time proves exactly what interval arithmetic on paper gives."""
    reading = Reading(remaining=remaining, reset_s=reset_s)
    ends = reset_span(reset_s, sent_at=0.0, received_at=0.0)
    hypothesis = Hypothesis(unit, includes_call=is_included)
    assert token_bounds(reading, hypothesis, sent(0.0), ends=ends, received_at=0.0) == bounds


@pytest.mark.parametrize("unit", Unit)
def test_a_service_that_states_its_limit_may_have_more(unit):
    """Where what is left equals the limit it may be a cap, so nothing is known of the most."""
    reading = Reading(limit=20, remaining=20, reset_s=300)
    ends = reset_span(300, sent_at=0.0, received_at=0.0)
    _, most = token_bounds(reading, Hypothesis(unit, includes_call=True), sent(0.0), ends=ends, received_at=0.0)
    assert most == math.inf


@TRIED
@given(truths(units=(SPEED,)))
@example(Truth(1, 300.0, 0.0, 0.0, 0.0, Hypothesis(SPEED, includes_call=True), "ceil", "floor"))
def test_a_true_speed_is_never_called_impossible(truth):
    """No speed that some number of tokens explains is held against the service."""
    assert is_possible(truth.reading(), SPEED)


@pytest.mark.parametrize(
    ("remaining", "reset_s", "limit", "expected"),
    [
        (5, 6, None, False),
        (8, 7, None, True),
        (20, 60, 20, True),
        (7, 2.5, None, False),
        (7, 2.5, 7, True),
        (0, 2.5, None, True),
        (24, 2.5, None, True),
    ],
)
def test_speeds_that_no_token_explains(remaining, reset_s, limit, expected):
    """A speed between those of two neighbouring counts is no speed, unless it is a cap or zero."""
    reading = Reading(limit=limit, remaining=remaining, reset_s=reset_s)
    assert is_possible(reading, SPEED) is expected
    assert is_possible(reading, COUNT)


@TRIED
@given(truths())
def test_the_reset_lies_within_its_span(truth):
    """Whatever the rounding and the trip, the true reset lies within the span."""
    span = truth.ends()
    assert span.lo <= truth.reset_at + 1e-6
    assert truth.reset_at - 1e-6 <= span.hi


@pytest.mark.parametrize(
    ("reset_s", "sent_at", "received_at", "expected"),
    [
        (42, 10.0, 10.0, Span(51.0, 53.0)),
        (42, 10.0, 12.0, Span(51.0, 55.0)),
        (0, 10.0, 10.0, Span(9.0, 11.0)),
        (42.5, 10.0, 10.0, Span(52.4, 52.6)),
    ],
)
def test_spans_by_hand(reset_s, sent_at, received_at, expected):
    """A whole number of seconds leaves a second's doubt either way, a finer one a tenth, and the trip adds its own."""
    span = reset_span(reset_s, sent_at=sent_at, received_at=received_at)
    assert (span.lo, span.hi) == pytest.approx((expected.lo, expected.hi))


@TRIED
@given(*[st.floats(-100, 100)] * 4)
def test_spans_meet_where_they_share_an_instant(a, b, c, d):
    """Two spans meet exactly if what both hold is not empty."""
    one, two = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
    both = one.both(two)
    assert one.meets(two) == two.meets(one) == (both.lo <= both.hi)


NAN, INF = math.nan, math.inf

USABLE = [
    # L, V, R as stated; L, V, R as taken, or None
    ((20, 19, 60), (20, 19, 60)),
    ((20, -3, 60), (20, -3, 60)),
    ((20, 200, 3), (20, 200, 3)),
    ((20, 0, 0), (20, 0, 0)),
    ((None, 19, 60), (None, 19, 60)),
    ((0, 19, 60), (0, 19, 60)),  # less than one call a minute
    ((-20, 19, 60), (None, 19, 60)),
    ((NAN, 19, 60), (None, 19, 60)),
    ((INF, 19, 60), (None, 19, 60)),
    ((20, None, 60), None),
    ((20, 19, None), None),
    ((20, NAN, 60), None),
    ((20, INF, 60), None),
    ((20, -INF, 60), None),
    ((20, 1e12, 60), None),
    ((20, 19, -1), None),
    ((20, 19, NAN), None),
    ((20, 19, INF), None),
    ((20, 19, 86_401), None),
    ((20, 19, 86_400), (20, 19, 86_400)),
]


@pytest.mark.parametrize(("stated", "taken"), USABLE)
def test_only_numbers_that_can_be_true_are_used(stated, taken):
    """Negative, endless, absurd and missing numbers are dropped; a bad limit alone costs only the limit."""
    found = usable(Reading(limit=stated[0], remaining=stated[1], reset_s=stated[2]))
    assert (None if found is None else (found.limit, found.remaining, found.reset_s)) == taken


def test_no_reading_is_no_reading():
    """An answer without numbers stays one."""
    assert usable(None) is None


ANY_NUMBER = st.none() | st.floats() | st.integers(-(10**30), 10**30)


@TRIED
@given(ANY_NUMBER, ANY_NUMBER, ANY_NUMBER, st.sampled_from(ALL_HYPOTHESES))
def test_no_numbers_break_the_arithmetic(limit, remaining, reset_s, hypothesis):
    """Whatever arrives is either dropped or gives whole bounds in their order, with at least zero tokens."""
    reading = usable(Reading(limit=limit, remaining=remaining, reset_s=reset_s))
    if reading is None:
        return
    ends = reset_span(reading.reset_s, sent_at=100.0, received_at=101.0)
    least, most = token_bounds(reading, hypothesis, sent(100.0), ends=ends, received_at=101.0)
    assert 0 <= least <= most
    assert float(least).is_integer()
    assert isinstance(is_possible(reading, hypothesis.unit), bool)


@pytest.mark.parametrize(
    ("unit", "left", "reset_s", "bounds"),
    [
        (Unit.COUNT, 19, 58.0, (19, 19)),
        (Unit.SPEED, 20, 60.0, (20, 21)),  # 20 in 59 to 60 s, rounded down or up
        (Unit.SPEED, 20, 61.0, (20, 20)),
        (Unit.SPEED, 60, 59.0, (60, 63)),  # 3600 / 58 = 62.07
        (Unit.SPEED, 0, 59.0, (0, 0)),
        (Unit.SPEED, 120, 60.0, (120, 123)),
    ],
)
def test_how_a_minute_s_bucket_states_what_is_left(unit, left, reset_s, bounds):
    """A count is exact, a speed may be rounded in any way."""
    assert minute_bounds(unit, left, reset_s) == Span(*bounds)


@pytest.mark.parametrize(
    ("unit", "remaining", "reset_s", "is_whole"),
    [
        (Unit.COUNT, 20, 59.0, True),
        (Unit.COUNT, 19, 59.0, True),
        (Unit.COUNT, 18, 59.0, False),
        (Unit.COUNT, 21, 59.0, False),
        (Unit.COUNT, 19.5, 59.0, False),
        (Unit.SPEED, 20, 59.0, True),
        (Unit.SPEED, 19, 59.0, True),
        (Unit.SPEED, 18, 59.0, False),
        (Unit.SPEED, 21, 59.0, True),
        (Unit.SPEED, 22, 59.0, False),
        (Unit.SPEED, 20.339, 59.0, True),  # 20 * 60 / 59
        (Unit.SPEED, 19.322, 59.0, True),  # 19 * 60 / 59
        (Unit.SPEED, 18.305, 59.0, False),  # 18 * 60 / 59
        (Unit.SPEED, 21.9, 59.0, False),
        (Unit.SPEED, None, 59.0, False),
        (Unit.COUNT, None, 59.0, False),
    ],
)
def test_a_bucket_that_looks_whole(unit, remaining, reset_s, is_whole):
    """Twenty calls, all of them or all but the one that asked."""
    assert looks_whole(Reading(remaining=remaining, reset_s=reset_s), unit, 20) is is_whole


def test_a_bucket_of_one_looks_whole_when_it_is_spent():
    """All but the call itself is nothing."""
    assert looks_whole(Reading(remaining=None, reset_s=59.0), Unit.COUNT, 1)
    assert looks_whole(Reading(remaining=0, reset_s=59.0), Unit.SPEED, 1)


def test_spans_move_as_clocks_do():
    """Both ends by the same."""
    assert Span(1.0, 2.5).moved(-3.0) == Span(-2.0, -0.5)


@pytest.mark.parametrize("number", [0.5, 1.0, MOST_CALLS])
def test_the_largest_and_the_smallest_numbers_are_used(number):
    """A billion is the last that is believed; a limit may be less than one call a minute."""
    reading = Reading(limit=number, remaining=number, reset_s=0.0)
    assert usable(reading) == reading
    assert usable(Reading(limit=1.0, remaining=MOST_CALLS * 2, reset_s=0.0)) is None


@pytest.mark.parametrize(
    ("remaining", "reset_s", "limit", "is_true"),
    [
        (0.0, 30.0, None, True),
        (0.5, 30.0, None, False),  # a quarter of a token
        (1.0, 0.0, None, False),
        (0.9, None, None, False),  # no token fits into no time
        (2.5, 30.0, None, False),
        (4.0, 30.0, None, True),
    ],
)
def test_a_speed_must_come_to_a_whole_number_of_tokens(remaining, reset_s, limit, is_true):
    """Of thirty seconds, every second call a minute is one."""
    assert is_possible(Reading(limit=limit, remaining=remaining, reset_s=reset_s), SPEED) is is_true


@pytest.mark.parametrize(("limit", "is_true"), [(None, True), (20.0, False)])
def test_a_count_with_decimals_is_none_where_a_limit_is_stated(limit, is_true):
    """Without one, nothing says what the number is."""
    assert is_possible(Reading(limit=limit, remaining=2.5, reset_s=30.0), COUNT) is is_true
    assert is_possible(Reading(limit=limit, remaining=2.0, reset_s=30.0), COUNT)


def test_a_speed_is_bounded_by_the_time_since_the_call_was_sent():
    """The longest time to the reset counts from the sending, the shortest from the arrival."""
    reading = Reading(remaining=4.0, reset_s=30.0)
    least, most = token_bounds(
        reading, Hypothesis(SPEED, includes_call=True), sent(100.0), ends=Span(130.0, 132.0), received_at=101.0
    )
    assert (least, most) == (2, 2)
    assert least == math.floor(3 * 29 / 60) + 1
    assert most == math.ceil(5 * 32 / 60) - 1


@pytest.mark.parametrize(
    ("reset_s", "trip_s", "bounds"), [(10.0, 3.0, (9, 11)), (10.5, 3.0, (11, 10)), (2.0, 5.0, (1, 3))]
)
def test_a_slow_link_hides_no_more_than_the_rounding_of_the_reset(reset_s, trip_s, bounds):
    """A speed was worked out from the reset that is stated beside it, whenever the answer arrives."""
    reading = Reading(limit=600, remaining=60.0, reset_s=reset_s)
    ends = reset_span(reset_s, sent_at=0.0, received_at=trip_s)
    found = token_bounds(reading, Hypothesis(SPEED, includes_call=True), sent(0.0), ends=ends, received_at=trip_s)
    assert found == (bounds[0], max(bounds))

"""The servers of the zoo: what they allow, what they say, and whom they blame."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.cases import KINDS, START_AT, draw_case
from benchmarks.meters import Announced, FixedWindow, Gcra, LazyWindow, Refusals, SlidingCounter, SlidingLog
from benchmarks.zoo import Dialect, Edit, Server, Temper

STEPS = st.lists(st.floats(0, 40), min_size=1, max_size=60)


def server(meter=None, dialect=None, **settings):
    """Return a server of two calls a minute, or of another meter."""
    meter = meter or FixedWindow(budget=2, window_s=60.0)
    return Server(meter=meter, dialect=dialect or Dialect(), dice=Random("zoo"), **settings)


@settings(deadline=None)
@given(st.integers(0, 2000), STEPS)
def test_the_oracle_foretells_every_answer(number, steps):
    """In every drawn case a call is allowed exactly if the oracle says that something is left (spurious 429s apart)."""
    case = draw_case("oracle", number)
    drawn, now = case.server(), START_AT
    for step in steps:
        now += step
        left = drawn.left(now)
        answer = drawn.call(now)
        assert answer.is_allowed == (left >= 1) or answer.excuses == ("spurious",)


@settings(deadline=None)
@given(st.integers(0, 2000), STEPS)
def test_a_burst_gets_exactly_what_the_oracle_promised(number, steps):
    """As many calls in a row are allowed at one instant as the oracle said, and not one more."""
    case = draw_case("burst", number)
    meter, now = KINDS[case.kind](case, Random(number)), START_AT
    for step in steps[:5]:
        now += step
        promised = meter.left(now)
        for sent in range(max(0, promised)):
            assert meter.left(now) == promised - sent
            meter.count(now)
        assert meter.left(now) < 1


@settings(deadline=None)
@given(st.integers(0, 2000), STEPS)
def test_a_promised_reset_opens(number, steps):
    """Once the promised instant has come a call is allowed, for every meter but the one that announces a mere edge."""
    case = draw_case("promise", number)
    meter, now = KINDS[case.kind](case, Random(number)), START_AT
    if getattr(meter, "announced", None) is Announced.EDGE:
        return
    for step in steps:
        now += step
        if meter.left(now) >= 1:
            meter.count(now)
        else:
            meter.count_refused(now)
    assert meter.left(max(now, meter.reset_at(now)) + 1e-6) >= 1


@settings(deadline=None)
@given(st.integers(1, 30), st.floats(1, 100), STEPS)
def test_sliding_log_never_allows_more_than_its_budget_in_any_window(budget, window_s, steps):
    """Whatever the arrivals, no stretch of one window's length holds more allowed calls than the budget."""
    meter, now, allowed = SlidingLog(budget=budget, window_s=window_s), 0.0, []
    for step in steps:
        now += step / budget
        if meter.left(now) >= 1:
            meter.count(now)
            allowed.append(now)
    for index, at in enumerate(allowed):
        assert sum(1 for later in allowed[index:] if later < at + window_s - 1e-6) <= budget


def test_lazy_window_opens_with_its_first_call():
    """A lazy window lasts from the first call on, not from the end of the last window."""
    meter = LazyWindow(budget=1, window_s=60.0)
    meter.count(100.0)
    assert meter.reset_at(130.0) == 160.0
    meter.count(200.0)
    assert meter.reset_at(200.0) == 260.0


def test_refused_calls_are_charged_as_the_server_says():
    """Refused calls cost nothing, a place here, a place in the next window, or time."""
    found = {}
    for refusals in Refusals:
        meter = FixedWindow(budget=3, window_s=60.0, used=3, refusals=refusals)
        meter.count_refused(10.0)
        found[refusals] = (meter.left(10.0), meter.reset_at(10.0), meter.left(66.1))
    assert found == {
        Refusals.FREE: (0, 60.0, 3),
        Refusals.COUNTED: (-1, 60.0, 3),
        Refusals.NEXT: (0, 60.0, 2),
        Refusals.EXTENDS: (0, 66.0, 3),
    }


def test_sliding_counter_fades_out_the_last_window():
    """Half-way through a window half of the last window's calls still count."""
    meter = SlidingCounter(budget=10, window_s=60.0, before=10)
    assert [meter.left(at) for at in (0.0, 30.0, 59.0)] == [0, 5, 9]


def test_bucket_drips():
    """A token bucket gives its burst at once and then one token per drip."""
    meter = Gcra(budget=20, window_s=60.0, burst=5)
    for _ in range(5):
        meter.count(0.0)
    assert [meter.left(at) for at in (0.0, 2.9, 3.0, 6.0)] == [0, 0, 1, 2]
    assert meter.reset_at(0.0) == 3.0


WORDS = [
    (Dialect(is_speed=False), (2.0, 1.0, 60.0)),
    (Dialect(is_speed=False, is_before=True), (2.0, 2.0, 60.0)),
    (Dialect(is_speed=True), (2.0, 1.0, 60.0)),
    (Dialect(is_speed=False, remaining="exact", reset="floor"), (2.0, 1.0, 59.0)),
]


@pytest.mark.parametrize(("dialect", "expected"), WORDS)
def test_numbers_are_worded_as_the_dialect_says(dialect, expected):
    """The first answer of a window half a second old states limit, remaining and reset in the server's own manner."""
    stated = server(dialect=dialect).call(0.5).stated
    assert stated[:3] == expected


def test_speed_is_tokens_per_minute_left():
    """With 1 token and 3 seconds left the speed is 20 a minute, and the cap brings it down to the limit."""
    calm = server(dialect=Dialect(remaining="exact"))
    assert calm.call(57.0).stated.remaining == pytest.approx(20.0)
    assert server(dialect=Dialect(is_capped=True)).call(57.0).stated.remaining == 2.0


def test_an_unexcused_refusal_blames_the_client():
    """With nothing unusual in the window, a refused call has no excuse."""
    strict = server()
    assert [strict.call(at).excuses for at in (1.0, 2.0, 3.0)] == [(), (), ()]
    assert strict.refused == 1


def test_the_first_call_of_an_exhausted_start_is_excused():
    """Only the very first call may find nothing left."""
    empty = server(FixedWindow(budget=2, window_s=60.0, used=2))
    assert empty.call(1.0).excuses == ("cold start",)
    assert empty.call(2.0).excuses == ()


def test_foreign_use_excuses_this_window_only():
    """A stranger's call excuses refusals in its own window and not in the next."""
    shared = server()
    shared.foreign_call(1.0)
    assert [shared.call(at).excuses for at in (2.0, 3.0)] == [(), ("foreign use",)]
    assert [shared.call(at).excuses for at in (61.0, 62.0, 63.0)] == [(), (), ()]


def test_a_limit_cut_excuses_from_the_first_call_that_could_show_it():
    """A cut that nobody could have seen excuses the window of the first call after it."""
    cut = server(edits=[Edit(at=5.0, budget=1, window_s=60.0)])
    assert [cut.call(at).excuses for at in (61.0, 62.0)] == [(), ("limit cut",)]
    assert [cut.call(at).excuses for at in (121.0, 122.0)] == [(), ()]


def test_a_reset_that_opens_nothing_is_a_false_promise():
    """A refusal after the promised instant, with no call of ours since, is the server's fault, and its window's."""
    edge = SlidingCounter(budget=1, window_s=60.0, announced=Announced.EDGE)
    false = server(edge)
    assert false.call(1.0).is_allowed
    assert [false.call(at).excuses for at in (60.5, 60.6)] == [("false reset",)] * 2


def test_lost_numbers_are_seen_by_the_oracle():
    """Missing, garbled and cached numbers differ from the true ones and excuse the window."""
    for key in ("missing", "garbled", "cached"):
        lossy = server(temper=Temper(**{key: 1.0}))
        stated = [lossy.call(at).stated for at in (1.0, 20.0)]
        assert lossy.call(30.0).excuses == ("lost header",)
        assert stated[1] is None or stated[1] != server().call(20.0).stated


def test_spurious_refusals_name_themselves():
    """A refusal in spite of tokens left is called spurious and costs no token."""
    moody = server(temper=Temper(spurious=1.0))
    assert moody.call(1.0).excuses == ("spurious",)
    assert moody.left(2.0) == 2


def test_skew_moves_the_stated_reset():
    """A skewed server states its resets that much too late, and is excusing."""
    late = server(temper=Temper(skew_s=4.0))
    assert late.call(0.0).stated.reset_s == 64.0
    late.call(1.0)
    assert late.call(2.0).excuses == ("skew",)


def test_cases_repeat_exactly():
    """The same seed and number give the same case and the same server, and another number another case."""
    assert draw_case("a", 7) == draw_case("a", 7)
    assert draw_case("a", 7) != draw_case("a", 8)
    first, second = draw_case("a", 7).server(), draw_case("a", 7).server()
    answers = [(first.call(at), second.call(at)) for at in (START_AT, START_AT + 1, START_AT + 100)]
    assert all(str(one) == str(other) for one, other in answers)


@settings(deadline=None)
@given(st.integers(0, 5000))
def test_cases_stay_within_their_bounds(number):
    """Every case has 1 to 1,000 calls of budget, at least a budget of calls, and batches that add up."""
    case = draw_case("range", number)
    rounding = case.window_s / 120  # the budget follows from a limit in whole calls a minute
    assert 1 <= case.budget <= 1000 + rounding
    assert case.budget <= case.n <= 10 * case.budget
    assert sum(size for _, size in case.batches) == case.n
    assert math.isfinite(case.window_s)
    assert case.window_s >= 3


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(1, 1e4))
def test_a_cut_that_the_opening_call_reveals_excuses_its_window(now, window_s):
    """Where the first call of a lazy window is the first to meet a cut, all refusals of that window are excused."""
    lazy = LazyWindow(budget=2, window_s=window_s, refusals=Refusals.EXTENDS)
    cut = server(lazy, edits=[Edit(at=0.0, budget=1, window_s=window_s)])
    assert cut.call(now).is_allowed
    assert [cut.call(now + window_s / 3).excuses for _ in range(2)] == [("limit cut",)] * 2


def test_what_strangers_were_charged_in_advance_excuses_the_window_that_pays():
    """A stranger's refused call that is charged to the next window excuses that window, and no later one."""
    shared = server(FixedWindow(budget=3, window_s=60.0, refusals=Refusals.NEXT))
    assert [shared.foreign_call(1.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [shared.call(at).excuses for at in (61.0, 62.0)] == [(), ("foreign use",)]
    assert [shared.call(at).excuses for at in (121.0, 122.0, 123.0)] == [(), (), ()]
    assert shared.left(124.0) == 0
    assert shared.call(124.0).excuses == ()


@settings(deadline=None)
@given(st.integers(1, 5000), st.floats(3, 7200))
def test_a_whole_limit_is_stated_so_that_the_budget_follows_from_it(limit, window_s):
    """A budget that was cut from a whole limit can be computed back from the limit that the server states."""
    budget = math.floor(limit * window_s / 60 + 1e-9)
    assume(budget >= 1)
    stated = server(FixedWindow(budget=budget, window_s=window_s)).call(1.0).stated
    assert stated.limit == int(stated.limit)
    assert math.floor(stated.limit * window_s / 60 + 1e-6) == budget


def test_a_refusal_states_that_nothing_is_left():
    """A server whose numbers do not yet include the call still states 0 when it refuses one."""
    empty = server(FixedWindow(budget=2, window_s=60.0, used=2), Dialect(is_speed=False, is_before=True))
    assert empty.call(1.0).stated.remaining == 0


def test_a_dear_call_is_paid_in_full_or_refused():
    """It takes what it costs, of the next one's numbers too; where less is left, nothing of it is allowed."""
    dear = server(FixedWindow(budget=5, window_s=60.0), Dialect(is_speed=False, is_before=True, remaining="exact"))
    first, second, third = dear.call(1.0, cost=3), dear.call(2.0, cost=3), dear.call(3.0, cost=2)
    assert [each.is_allowed for each in (first, second, third)] == [True, False, True]
    assert (first.stated.remaining, third.stated.remaining) == (5, 2)


def test_what_was_taken_from_a_bucket_is_missing_until_it_is_full_again():
    """However long that takes: what somebody took before that excuses no refusal after it."""
    bucket = Gcra(budget=60, window_s=60.0, burst=10)
    for now in (1.0, 1.5, 2.0):
        bucket.count(now)
    assert bucket.opened_at(3.0) == -57.0
    for now in range(3, 100):
        bucket.count(float(now))
    assert bucket.opened_at(100.0) == 1.0
    bucket.count(200.0)
    assert bucket.opened_at(300.0) == 200.0

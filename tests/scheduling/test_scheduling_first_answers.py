"""What the first answer of a window proves of the books: tables of what was stated and what follows from it."""

from __future__ import annotations

import math

import pytest

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Span, Unit, states_nothing, token_bounds
from apteligent_async._scheduling.signals import Job, Reading
from apteligent_async._scheduling.views import views_of

COUNTED = Hypothesis(Unit.COUNT, includes_call=True)
INF = math.inf


def asked(budget, remaining, reset_s, *, at, limit=20.0, trip_s=0.2, cost=1):
    """Send one call, and take in its answer a fifth of a second later."""
    job = Job(cost=cost)
    job.granted_at = at
    budget.take(cost, now=at)
    budget.answer(job, Reading(limit=limit, remaining=remaining, reset_s=reset_s), now=at + trip_s)


def books(*hypotheses, is_alone=True):
    """Open books, by default for every way to read the numbers."""
    return Budget(is_alone=is_alone, views=views_of(hypotheses or ALL_HYPOTHESES))


def sizes(budget):
    """Give the bounds of a whole window, by unit and by whether the call is counted."""
    return {
        (view.hypothesis.unit, view.hypothesis.includes_call): (view.budget_lo, view.budget_hi)
        for view in budget.alive()
    }


# Whether windows begin anew


def windows_of(*, own, first, reset_s=60.0, is_alone=True, longest_s=60.0):
    """Spend some calls of a window of twenty a minute, and hear the first answer of the next one."""
    budget = books(COUNTED, is_alone=is_alone)
    for number in range(own):
        asked(budget, 19.0 - number, longest_s - number, at=float(number))
    asked(budget, first, reset_s, at=longest_s + 1.2)
    return budget


REFILLS = [
    # calls spent in a window of a minute, the next one's first count and reset; a counter that fades would state no
    # more than twenty, as the first answer told, less this call, less what is left of the last window's calls
    (3, 17, 60, True),
    (3, 16, 60, None),  # 20 - 1 - 3 * 59 / 61 are 16.1
    (3, 18, 30, True),
    (3, 17, 30, None),  # 20 - 1 - 3 * 29 / 61 are 17.57
    (3, 19, 0, None),  # what has faded wholly tells nothing: 19
    (15, 15, 60, True),
    (15, 14, 60, False),  # with this call less than four fifths of the nineteen that are promised: the last one weighs
]


@pytest.mark.parametrize(("own", "first", "reset_s", "refills"), REFILLS)
def test_a_window_that_begins_with_more_than_a_fading_counter_could_state_begins_anew(own, first, reset_s, refills):
    """And one that begins with less than four fifths of a whole one fades; in between nobody knows."""
    assert windows_of(own=own, first=first, reset_s=reset_s).windows.refills is refills


@pytest.mark.parametrize(
    ("first", "reset_s", "refills"),
    [
        (5031, 60, True),
        (5030, 60, None),  # 6000, as the first answer told, - 1 - 1001 * 59 / 61 are 5030.8
        (6000, 0, None),  # more than the first answer told: that was something else
        (4719, 60, None),
        (4718, 60, False),  # with this call, less than four fifths of 5900
    ],
)
def test_the_larger_the_budget_the_sharper_it_is_told(first, reset_s, refills):
    """To the call: a thousand of six thousand were spent in the window before."""
    budget = books(COUNTED)
    asked(budget, 5999, 60, at=0.0, limit=6000.0)
    asked(budget, 4999, 59, at=1.0, limit=6000.0, cost=1000)
    asked(budget, first, reset_s, at=61.2, limit=6000.0)
    assert budget.windows.refills is refills


def test_little_that_is_left_may_be_the_work_of_others():
    """Unless one is promised to be alone, it says nothing of how windows begin."""
    assert windows_of(own=15, first=4, is_alone=False).windows.refills is None
    assert windows_of(own=15, first=5, is_alone=False).windows.refills is True  # 20 - 1 - 15 * 59 / 61 are 4.5


@pytest.mark.parametrize(("spent", "refills"), [(1, None), (39, None), (40, True)])
def test_a_window_after_one_that_was_hardly_used_tells_nothing(spent, refills):
    """Its limit may be rounded down: at three calls a minute, forty minutes hold 120; a speed of 3 is 80 at least."""
    budget = books(Hypothesis(Unit.SPEED, includes_call=True))
    asked(budget, 2, 2000, at=0.0, limit=2.0)
    budget.outlay.own = spent
    asked(budget, 3, 2400, at=2003.0, limit=2.0)
    budget.windows.refills, budget.openings.own_before = None, spent
    budget.openings._watch_refill(budget, Reading(limit=2.0, remaining=3.0, reset_s=2400))
    assert budget.windows.refills is refills


def test_an_answer_that_proves_nothing_does_not_tell_that_windows_begin_anew():
    """However much seems to have been spent before: that may have been somebody else's."""
    budget = books(Hypothesis(Unit.SPEED, includes_call=True))
    asked(budget, 0, 3600, at=0.0, limit=1.0)
    budget.views[0].budget_hi, budget.outlay.own = 34, 33
    asked(budget, 0, 3478, at=3602.0, limit=1.0)
    assert budget.windows.refills is None


@pytest.mark.parametrize(("longest_s", "refills"), [(3.0, None), (4.0, True)])
def test_a_window_of_seconds_tells_nothing(longest_s, refills):
    """Rounding is all that its reset states."""
    assert windows_of(own=1, first=30, reset_s=longest_s, longest_s=longest_s).windows.refills is refills


def test_whatever_was_seen_to_fade_is_not_believed_again():
    """A whole window after it may be one that nobody spent; a window that fades after whole ones ends the belief."""
    budget = windows_of(own=15, first=9)
    for number in range(1, 4):
        asked(budget, 19.0, 60.0, at=61.2 + 61.4 * number)
    assert budget.windows.refills is False
    budget = windows_of(own=3, first=19)
    assert budget.windows.refills
    asked(budget, 5.0, 60.0, at=122.8)
    assert budget.windows.refills is False


# The inference of a whole minute

WHOLE, LEAST = (20, 20), (19, 20)
FIRST = [
    # the first answer of all, its limit being 20, and the sizes that follow by unit and by whether the call is counted
    (19, 60, {(Unit.SPEED, True): LEAST, (Unit.COUNT, True): LEAST}),
    (20, 60, dict.fromkeys([(unit, counts) for unit in Unit for counts in (True, False)], WHOLE)),
    (18, 60, None),
    (22, 60, None),
    (19, 58, None),
    (19, 61, None),
]


@pytest.mark.parametrize(("remaining", "reset_s", "found"), FIRST)
def test_a_first_answer_that_reads_like_a_whole_minute_is_taken_for_one(remaining, reset_s, found):
    """Where it states less than a whole bucket, the headers count the call that brings them; else it may be either."""
    budget = books()
    asked(budget, remaining, reset_s, at=0.0)
    nothing = dict.fromkeys([(unit, counts) for unit in Unit for counts in (True, False)], (0, INF))
    assert {key: value for key, value in sizes(budget).items() if key in (found or nothing)} == (found or nothing)


def test_all_but_the_call_itself_is_proven_of_a_whole_minute():
    """Whatever rounding makes of a speed."""
    budget = books()
    asked(budget, 20, 60, at=0.0)
    assert budget.left == 19


def test_only_the_unit_that_reads_like_a_whole_minute_is_concluded_from():
    """Twenty calls in fifty-eight seconds are a speed of twenty-one, and no count."""
    budget = books()
    asked(budget, 21, 59, at=0.0)
    assert {unit: hi for (unit, _), (_, hi) in sizes(budget).items()} == {Unit.SPEED: 20, Unit.COUNT: INF}


def test_nothing_is_concluded_without_a_limit():
    """A limit is what tells how much a whole minute is."""
    budget = books()
    asked(budget, 1, 60, at=0.0, limit=None)
    assert set(sizes(budget).values()) == {(0, INF)}


def test_nothing_is_concluded_beside_a_call_that_was_given_up():
    """It may be counted or not: the answer is no longer the window's first word for sure."""
    budget, lost = books(), Job()
    budget.take(1, now=0.0)
    budget.lose(lost, now=0.1)
    asked(budget, 19, 60, at=5.0)
    assert set(sizes(budget).values()) == {(0, INF)}


@pytest.mark.parametrize(("trip_s", "is_told"), [(0.2, True), (0.05, False)])
def test_what_a_reset_with_decimals_lacks_may_have_passed_on_the_way(trip_s, is_told):
    """A first reset of 59.8 s is a minute's, if the round trip took as long as that."""
    budget = books()
    asked(budget, 19, 59.8, at=0.0, trip_s=trip_s)
    assert (min(lo for lo, _ in sizes(budget).values()) > 0) is is_told


def most_of_small(*firsts):
    """Hear the first answers, speeds, of as many windows of nine calls, eight in each; give the most that one holds."""
    budget = books(Hypothesis(Unit.SPEED, includes_call=True))
    for number, first in enumerate(firsts):
        asked(budget, first, 60, at=61.4 * number, limit=9.0)
        if number + 1 < len(firsts):
            for spent in range(1, 8):
                asked(budget, first - spent, 59, at=61.4 * number + 0.5, limit=9.0)
    return sizes(budget)[Unit.SPEED, True][1]


def test_a_small_bucket_must_read_like_a_whole_one_twice_in_a_row():
    """One call less than the whole may be a coincidence there; twice, it is none, and tells more than our own calls."""
    assert most_of_small(8) == INF
    assert most_of_small(8, 8) == 9


@pytest.mark.parametrize(
    ("unit", "remaining", "reset_s", "is_nothing"),
    [
        (Unit.COUNT, 0, 300, True),
        (Unit.COUNT, 1, 300, False),
        (Unit.SPEED, 0, 59, True),  # one call would be a speed of one at least
        (Unit.SPEED, 0, 60, False),  # one call may be a speed of less than one
        (Unit.SPEED, 1, 10, False),
        (Unit.SPEED, -1, 0, True),
        (Unit.SPEED, None, None, True),
    ],
)
def test_an_answer_that_leaves_room_for_no_call_states_nothing(unit, remaining, reset_s, is_nothing):
    """A count says so whenever it is nothing, a speed in the last minute only."""
    assert states_nothing(Reading(remaining=remaining, reset_s=reset_s), unit) is is_nothing


@pytest.mark.parametrize(("remaining", "most"), [(18.9, 18.9), (19, INF), (20, INF), (21, INF), (21.1, 21.1)])
def test_a_number_within_one_of_the_limit_may_be_the_limit_itself(remaining, most):
    """Stated in place of a larger one, each rounded in its own way: it bounds nothing from above."""
    reading, job = Reading(limit=20, remaining=remaining, reset_s=60), Job()
    found = token_bounds(reading, COUNTED, job, ends=Span(59, 61), received_at=0.0)[1]
    assert found == (INF if most == INF else math.ceil(most))


@pytest.mark.parametrize(("reset_s", "least"), [(60, 118), (59, None), (59.9, 119), (59.5, None)])
def test_a_minute_is_no_shorter_than_its_longest_reset_may_be_off(reset_s, least):
    """A second where it is whole, a tenth where it has one decimal: then it is no minute, or it is shorter by that."""
    budget = books(COUNTED)
    asked(budget, 119, reset_s, at=0.0, limit=120.0, trip_s=0.0)
    assert sizes(budget) == {(Unit.COUNT, True): (0, INF) if least is None else (least, 120)}


@pytest.mark.parametrize(("limit", "is_concluded"), [(20, True), (29, True), (30, False), (120, False)])
def test_nothing_is_concluded_where_a_second_is_worth_half_a_call(limit, is_concluded):
    """Resets of 59 seconds may be those of a bucket that is a call smaller, and does not count the one that asks."""
    budget = books()
    asked(budget, limit - 1, 59, at=0.0, limit=float(limit), trip_s=0.0)
    assert all(view.hypothesis.includes_call for view in budget.alive()) is is_concluded


def test_an_inference_that_leaves_no_reading_is_none():
    """The only reading that is left is not ruled out by what reads like a whole minute."""
    budget = books(Hypothesis(Unit.COUNT, includes_call=False))
    asked(budget, 19, 60, at=0.0)
    assert len(budget.alive()) == 1
    assert not budget.openings.may_infer


def test_nothing_left_confirms_what_was_inferred():
    """After that, resets that move do not bring back the ways of reading that the inference has ruled out."""
    for is_confirmed in (True, False):
        budget = books()
        asked(budget, 19, 60, at=0.0)
        asked(budget, 0 if is_confirmed else 5, 10, at=50.0)
        budget.windows.is_moving = True
        asked(budget, 3, 9, at=51.0)
        assert (len(budget.alive()) == 2) is is_confirmed

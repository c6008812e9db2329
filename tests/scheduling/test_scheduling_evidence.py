"""What answers say for and against each way of reading, as the books take them in."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.evidence import _rest
from apteligent_async._scheduling.forecast import look_ahead
from apteligent_async._scheduling.outlay import Outlay
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Span, Unit, reset_span, token_bounds
from apteligent_async._scheduling.signals import Job, Reading
from apteligent_async._scheduling.views import views_of
from apteligent_async._scheduling.wording import Wording

INF = math.inf
COUNTED = Hypothesis(Unit.COUNT, includes_call=True)


def asked(budget, remaining, reset_s, *, at, limit=29.0, cost=1, trip_s=0.2):
    """Send one call and take in its answer."""
    job = Job(cost=cost)
    job.granted_at = at
    budget.take(cost, now=at)
    budget.answer(job, Reading(limit=limit, remaining=remaining, reset_s=reset_s), now=at + trip_s)


def units(budget):
    """Name the units that are still possible."""
    return {view.hypothesis.unit for view in budget.alive()}


def strikes(budget, unit):
    """Count the contradictions against a unit."""
    return max(view.strikes for view in budget.views if view.hypothesis.unit is unit)


def spending(*numbers, reset_s, is_alone=True, limit=29.0):
    """Hear what remains after each of some calls that follow each other within two seconds, all with one reset."""
    budget = Budget(is_alone=is_alone)
    for index, remaining in enumerate(numbers):
        at = 2 * index / len(numbers)
        asked(budget, float(remaining), math.ceil(reset_s - at), at=at, limit=limit, trip_s=0.05)
    return budget


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_count_that_falls_by_one_is_no_speed(is_alone):
    """At 21 seconds a speed of 28 is nine or ten calls, and twelve have been made."""
    budget = spending(*range(28, 15, -1), reset_s=21.0, is_alone=is_alone)
    assert strikes(budget, Unit.SPEED) >= 1
    assert strikes(budget, Unit.COUNT) == 0


def test_a_speed_that_hardly_falls_is_no_count():
    """Five minutes before the reset five calls are one a minute: once enough of them were made to tell."""
    falling = [200 - index // 5 for index in range(120)]
    assert units(spending(*falling[:20], reset_s=300.0, limit=150.0)) == set(Unit)
    assert units(spending(*falling, reset_s=300.0, limit=150.0)) == {Unit.SPEED}


def test_a_service_that_does_not_charge_contradicts_nobody():
    """Answers that cost nothing are no speed either: neither unit fits, so that neither is wrong."""
    budget = spending(*[45] * 60, reset_s=300.0)
    assert (strikes(budget, Unit.COUNT), strikes(budget, Unit.SPEED)) == (0, 0)


def test_calls_without_an_answer_are_not_held_against_what_is_stated():
    """Many given up in one go may never have reached the service."""
    budget = spending(28, 27, reset_s=300.0, limit=20.0)
    for _ in range(20):
        job = Job()
        job.granted_at = 1.0
        budget.take(1, now=1.0)
        budget.lose(job, now=1.0)
    for index in range(3):
        asked(budget, 26.0 - index, 260.0, at=40.0 + index, limit=20.0)
    assert strikes(budget, Unit.COUNT) == 0


def test_where_resets_move_calls_may_return():
    """Nothing is concluded from what they cost."""
    budget = Budget(is_alone=True)
    budget.windows.is_moving = True
    for index in range(13):
        asked(budget, 28.0 - index, 21.0, at=0.2 * index)
    assert strikes(budget, Unit.SPEED) == 0


@pytest.mark.parametrize(
    ("now", "left", "is_struck"),
    [
        (5.0, 6, True),  # seven have returned, and one a second may have since the first answer
        (6.5, 6, False),
        (2.0, 4, False),  # half of our calls may have returned to us
        (2.0, 5, True),
    ],
)
def test_what_may_have_returned_in_the_meantime_is_no_contradiction(now, left, is_struck):
    """By the limit, where there may be no windows, or from a log of our calls."""
    budget = Budget(limit=59.0, outlay=Outlay(own=11))
    for view in budget.views:
        is_count = view.hypothesis.unit is Unit.COUNT
        view._rested_least = view._rested_most = 28 if is_count else 9
        view.fresh = view.most = 18 if is_count else left
        view._rested_own = 1
    _rest(budget, now=now)
    assert (strikes(budget, Unit.SPEED) > 0) is is_struck
    assert strikes(budget, Unit.COUNT) == 0


@pytest.mark.parametrize(("refills", "size"), [(None, 23), (True, 20)])
def test_a_window_is_counted_with_what_the_last_one_may_still_weigh(refills, size):
    """Half of its six calls, half a window after it; nothing where windows begin anew."""
    budget = Budget(is_alone=True, views=views_of([COUNTED]))
    for index in range(6):
        asked(budget, 19.0 - index, 60.0 - index, at=float(index), limit=20.5)
    asked(budget, 19.0, 30.0, at=61.4, limit=20.5)
    budget.windows.refills = refills
    budget.views[0].forget_budget()
    asked(budget, 18.0, 29.0, at=62.4, limit=20.5)
    assert budget.views[0].budget_hi == size


def test_a_refusal_states_its_reset_as_it_is_written():
    """The body of a 429 may be in whole seconds where the headers are not."""
    budget = Budget(wording=Wording(0.01))
    job = Job()
    budget.take(1, now=0.0)
    budget.refuse(job, Reading(limit=20.0, remaining=0.0, reset_s=30.0), now=0.2)
    assert budget.ends == Span(29.0, 31.2)


def test_what_was_taken_for_exact_is_doubted_with_everything_else():
    """A service may have changed its words."""
    budget = Budget(wording=Wording(0.01, is_fine=True, is_uncapped=True))
    budget.doubt_everything()
    assert budget.wording == Wording()


@pytest.mark.parametrize(("surprised", "peers"), [(4, 4), (3, 1)])
def test_others_are_seen_only_by_all_readings(surprised, peers):
    """A wrong one is surprised by our own calls."""
    budget = Budget(limit=20.0, outlay=Outlay(own=5))
    budget.windows.ends, budget.windows.stated_until, budget.windows.longest_s = Span(59.0, 61.0), 61.0, 60.0
    for view in budget.views[:surprised]:
        view._wary = 2
    budget.take(1, now=62.0)
    assert budget.company.peers == peers


@pytest.mark.parametrize(("idle_s", "own_before"), [(50.0, 5), (61.0, 0)])
def test_what_was_spent_before_an_idle_window_weighs_no_more(idle_s, own_before):
    """Even under a counter that fades."""
    budget = Budget(limit=20.0, outlay=Outlay(own=5))
    budget.windows.ends, budget.windows.stated_until, budget.windows.longest_s = Span(59.0, 61.0), 61.0, 60.0
    budget.take(1, now=61.0 + idle_s)
    assert budget.openings.own_before == own_before


@pytest.mark.parametrize(
    ("is_alone", "first_reset_s", "left"), [(True, 900.0, 14), (False, 900.0, 1), (True, 890.0, 1), (True, 903.5, 1)]
)
def test_all_of_a_window_is_won_back_only_from_those_who_are_alone_in_steady_windows(is_alone, first_reset_s, left):
    """Where a stranger may have spent, or windows have other lengths, no more than was stated again."""
    budget = Budget(is_alone=is_alone, limit=1.0, views=views_of([Hypothesis(Unit.SPEED, includes_call=True)]))
    windows, view = budget.windows, budget.views[0]
    windows.longest_s = windows.whole_s = 900.0
    windows.has_stood = windows.refills = True
    windows.opened_at, budget.looks.first_reset_s, view.budget_lo = 0.0, first_reset_s, 15
    view.left, view.fresh, view.most, budget.outlay.own = 1, 1, 29, 1
    budget.openings.judge(budget, Reading(limit=1.0, remaining=1.0, reset_s=900.0), now=0.2)
    assert view.left == left


@pytest.mark.parametrize(("received_at", "least"), [(0.0, 10), (3.0, 10)])
def test_what_was_left_is_left_when_the_reset_has_passed_on_the_way(received_at, least):
    """A new window holds no less."""
    reading, speed = Reading(limit=600.0, remaining=500.0, reset_s=2.25), Hypothesis(Unit.SPEED, includes_call=True)
    ends = reset_span(2.25, sent_at=0.0, received_at=received_at)
    bounds = token_bounds(reading, speed, Job(), ends=ends, received_at=received_at)
    assert bounds[0] >= least


def test_a_forecast_counts_what_was_answered_and_holds_nothing_back_where_nothing_is_held():
    """The same numbers as the release."""
    budget = Budget(limit=20.0, outlay=Outlay(own=7))
    budget.windows.ends, budget.windows.longest_s = Span(59.0, 61.0), 60.0
    seen = look_ahead(budget, RatePolicy(reserve=0.1), now=0.0)
    assert (seen.answered, seen.hold_s, seen.unseen) == (7, pytest.approx(30.0), 1)
    budget.windows.is_moving = True
    assert look_ahead(budget, RatePolicy(reserve=0.1), now=0.0).hold_s == 0.0
    told = evolve(budget, views=views_of(each for each in ALL_HYPOTHESES if each.includes_call))
    assert look_ahead(told, RatePolicy(reserve=0.1), now=0.0).unseen == 0


def test_numbers_are_weighed_by_how_they_are_worded():
    """A call a minute of a quarter of an hour is fifteen, if it is stated exactly; and the reset to the hundredth."""
    speed = Hypothesis(Unit.SPEED, includes_call=True)
    plain, exact = (Budget(views=views_of([speed]), wording=each) for each in (Wording(), Wording(0.001, is_fine=True)))
    for budget in (plain, exact):
        asked(budget, 1.0, 900.0, at=0.0, limit=5.0, trip_s=0.0)
    assert (plain.left, exact.left) == (1, 15)
    assert exact.ends == Span(899.999, 900.001)
    uncapped = Budget(views=views_of([speed]), wording=Wording(is_uncapped=True))
    asked(uncapped, 5.0, 60.0, at=0.0, limit=5.0, trip_s=0.0)
    assert uncapped.most_left == 6


def test_a_contradiction_is_counted_once():
    """The next one is held against what was stated at the last."""
    counted = [strikes(spending(*range(25, 25 - calls, -1), reset_s=21.0), Unit.SPEED) for calls in (5, 6, 7, 8, 9)]
    assert counted == [0, 1, 1, 1, 2]

"""What the budget makes of one start or one end after the other, through its verbs alone."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from apteligent_async._scheduling.budget import STRAGGLER_S, Budget
from apteligent_async._scheduling.readings import Hypothesis, Unit
from apteligent_async._scheduling.signals import Cause, Job, Reading
from apteligent_async._scheduling.views import views_of

COUNTED = Hypothesis(Unit.COUNT, includes_call=True)
SPEED = Hypothesis(Unit.SPEED, includes_call=True)


def books(*hypotheses, is_alone=True):
    """Open books, by default for counts that include the call."""
    return Budget(is_alone=is_alone, views=views_of(hypotheses or (COUNTED,)))


def sent(budget, at, *, cost=1):
    """Start a call."""
    job = Job(cost=cost)
    job.granted_at = at
    budget.take(cost, now=at)
    return job


def answered(budget, job, remaining, reset_s, *, now, limit=20.0):
    """Take in an answer."""
    budget.answer(job, Reading(limit=limit, remaining=remaining, reset_s=reset_s), now=now)


def heard(remaining, reset_s, *hypotheses, is_alone=True, limit=20.0):
    """Open books that have heard one answer, at 0.2."""
    budget = books(*hypotheses, is_alone=is_alone)
    answered(budget, sent(budget, 0.0), remaining, reset_s, now=0.2, limit=limit)
    return budget


def test_a_window_holds_a_call_at_least():
    """However slow the limit, and however short the window."""
    assert Budget(limit=1.0).size_of(30.0) == 1.0
    assert Budget(limit=1.0).size_of(90.0) == 1.5


@pytest.mark.parametrize(("now", "cause"), [(3.4, Cause.LOST_ANSWER), (3.5, Cause.DRAINED)])
def test_a_pause_is_in_the_way_until_it_is_over(now, cause):
    """After a call without an answer, for the time that one call takes by the limit."""
    budget = heard(1, 30)
    budget.lose(sent(budget, 0.3), now=0.5)
    assert budget.obstacle(now=now) is cause


def test_what_lies_ahead_is_told_by_another_clock():
    """The end of the window, the gate and the pause, and nothing of the tokens."""
    budget = heard(8, 42)
    budget.refuse(sent(budget, 0.3), Reading(limit=20, reset_s=42.0, actual=25), now=0.5)
    there = budget.moved(100.0)
    assert (there.reopens_at, there.gate.shut_until) == (budget.reopens_at + 100, budget.gate.shut_until + 100)
    assert (there.left, there.own, there.refusals) == (budget.left, budget.own, 1)


def test_calls_given_up_add_up():
    """Each may be counted, and no answer need include any of them, as long as they may still arrive."""
    budget = heard(10, 40)
    first, second, third = (sent(budget, 1.0) for _ in range(3))
    budget.lose(first, now=2.0)
    budget.lose(second, now=2.0)
    assert (budget.own, budget.left) == (3, 7)
    answered(budget, third, 9, 38, now=2.2)
    assert budget.left == 7, "9 as stated, less two that may come"
    again = sent(budget, 2.0 + STRAGGLER_S + 0.1)
    answered(budget, again, 8, 8, now=2.2 + STRAGGLER_S)
    assert budget.left == 8, "they can come no more"


def test_late_answers_add_up_where_windows_may_move():
    """Each speaks of a window that is over, and may be charged to the next one."""
    budget = heard(15, 10)
    late = [sent(budget, 1.0) for _ in range(3)]
    for job in late[:2]:
        answered(budget, job, 15, 50, now=30.0)
    answered(budget, late[2], 14, 0, now=11.0)
    assert (budget.live, budget.left) == (0, 12)


def test_a_refusal_leaves_the_next_window_unknown():
    """Its end may be put off, and the next window charged: what it holds cannot be counted from its beginning."""
    budget = heard(8, 42)
    assert budget.left > 0
    budget.refuse(sent(budget, 0.3), Reading(limit=20, reset_s=42.0, actual=25), now=0.5)
    answered(budget, sent(budget, budget.reopens_at), 19, 60, now=budget.reopens_at + 0.2)
    assert not budget.windows.is_known
    honest = heard(0, 42)
    answered(honest, sent(honest, honest.reopens_at), 19, 60, now=honest.reopens_at + 0.2)
    assert honest.windows.is_known


@pytest.mark.parametrize(
    ("is_proven", "is_alone", "alive", "peers"),
    [(True, True, 2, 1), (True, False, 2, 4), (False, True, 1, 1), (False, False, 1, 1)],
)
def test_only_a_refusal_of_what_was_proven_is_a_contradiction(is_proven, is_alone, alive, peers):
    """It opens every reading again, and may be others' work; the first call of all may find nothing left."""
    budget = heard(9, 42, COUNTED, SPEED, is_alone=is_alone) if is_proven else books(COUNTED, SPEED, is_alone=is_alone)
    budget.views[1].rule_out()
    budget.refuse(sent(budget, 0.3), Reading(limit=20, reset_s=42.0, actual=25), now=0.5)
    assert (len(budget.alive()), budget.company.peers) == (alive, peers)


def test_one_burst_of_refusals_is_one_contradiction():
    """Later ones of the same window open no reading that was ruled out since, and make no crowd of others."""
    budget = heard(9, 42, COUNTED, SPEED, is_alone=False)
    jobs = [sent(budget, 0.3) for _ in range(3)]
    refusal = Reading(limit=20, reset_s=42.0, actual=25)
    budget.refuse(jobs[0], refusal, now=0.5)
    budget.views[1].rule_out()
    budget.refuse(jobs[1], evolve(refusal, actual=26), now=0.6)
    assert (len(budget.alive()), budget.company.peers, budget.refusals) == (1, 4, 2)


def test_others_who_were_seen_are_still_reckoned_with_in_the_next_window():
    """How many they are is guessed from our own part of the window that is over."""
    budget = heard(16, 60, is_alone=False)
    jobs = [sent(budget, 0.3) for _ in range(4)]
    for left, job in zip((6, 5, 4, 3), jobs, strict=True):
        answered(budget, job, left, 60, now=0.6)
    assert budget.others_seen
    answered(budget, sent(budget, 61.6), 19, 60, now=61.8)
    assert budget.company.peers == 4, "five of twenty were ours"


@pytest.mark.parametrize(
    ("unit", "reset_s", "has_more"), [(SPEED, 300, True), (COUNTED, 300, False), (SPEED, 30, False)]
)
def test_only_a_coarse_speed_hides_tokens(unit, reset_s, has_more):
    """A count says all there is, and so does a speed in the last minute."""
    budget = heard(3, reset_s, unit)
    assert (budget.looks.sharpens_at(budget, now=1.0) > 1.0) is has_more


@pytest.mark.parametrize(("cost", "is_held"), [(1, True), (2, False)])
def test_a_window_that_surely_holds_a_call_opens_beside_those_still_under_way(cost, is_held):
    """One that was counted, and stands still: whatever the old calls are charged to, there is room for one more."""
    budget = heard(19, 60)
    answered(budget, sent(budget, 5.0), 18, 55, now=5.2)
    slow = [sent(budget, 6.0) for _ in range(18)]
    assert (budget.live, budget.left) == (len(slow), 0)
    assert budget.opens_at(cost) == (budget.reopens_at if is_held else math.inf)


def test_no_window_opens_beside_calls_under_way_before_it_was_seen_to_stand():
    """Resets that move on with the calls hold nothing for sure."""
    budget = heard(19, 60)
    for _ in range(19):
        sent(budget, 1.0)
    assert budget.opens_at(1) == math.inf


def test_no_window_opens_beside_calls_under_way_where_the_way_is_long():
    """Ten round trips in a window: in a shorter one nobody knows which of them its answers speak of."""
    budget = heard(19, 60)
    answered(budget, sent(budget, 5.0), 18, 55, now=5.2)
    for _ in range(18):
        sent(budget, 6.0)
    assert budget.opens_at(1) == budget.reopens_at
    budget.trip_s = 6.0
    assert budget.opens_at(1) == math.inf


def test_a_dear_call_that_never_left_leaves_no_more_proven_than_before_it():
    """A reset proves a call of three tokens, and not three calls: cheaper ones that come next wait for an answer."""
    budget = books()
    sent(budget, 0.0, cost=3)
    assert budget.left == 0
    budget.give_back(3)
    assert budget.left == 1
    sent(budget, 0.1)
    budget.give_back(1)
    assert budget.left == 1, "what is given back once is not taken off again"


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_proven_call_that_is_refused_brings_back_every_reading(is_alone):
    """Even where others were seen, if they are promised not to be there: only then they do not explain it."""
    budget = books(COUNTED, Hypothesis(Unit.SPEED, includes_call=True), is_alone=is_alone)
    answered(budget, sent(budget, 0.0), 8, 42, now=0.2)
    budget.views[1].rule_out()
    budget.views[0]._wary = 2
    job = sent(budget, 1.0)
    budget.refuse(job, Reading(limit=20.0, reset_s=41.0), now=1.2)
    assert budget.views[1].is_alive is is_alone


def test_a_limit_below_one_call_a_minute_may_be_stated_as_none():
    """It is a limit like any other: what windows held under the one before is void."""
    budget = heard(19, 60)
    budget.views[0].budget_lo = 20
    answered(budget, sent(budget, 1.0), 18, 59, now=1.2, limit=0.0)
    assert (budget.limit, budget.views[0].budget_lo) == (0.0, 0)


@pytest.mark.parametrize(("limit", "pace"), [(None, 20.0), (0.0, 1.0), (0.5, 0.5), (30.0, 30.0)])
def test_a_limit_that_is_stated_as_none_is_one_a_minute_at_most(limit, pace):
    """Before any was stated it is what was ever attested."""
    assert Budget(limit=limit).pace == pace
    assert Budget(limit=limit).size_of(120.0) == max(2 * pace, 1.0)


def test_each_answer_that_only_others_explain_is_counted():
    """Once for each: two are two."""
    budget = heard(16, 60, is_alone=False)
    jobs = [sent(budget, 0.3) for _ in range(2)]
    answered(budget, jobs[0], 9, 60, now=0.6)
    assert budget.others_seen == 1
    answered(budget, jobs[1], 2, 60, now=0.7)
    assert budget.others_seen == 2


def test_what_a_known_window_holds_is_what_is_left_and_all_that_we_have_spent():
    """Its first answers hide much; one near its end tells, and every own call of the window adds to it."""
    budget = heard(0, 30, SPEED)
    opened_at = budget.reopens_at
    for after_s, speed in ((0.0, 19), (1.0, 19), (2.0, 19), (270.0, 192)):
        answered(budget, sent(budget, opened_at + after_s), speed, 300 - after_s, now=opened_at + after_s + 0.2)
    (view,) = budget.views
    assert view.left == 93, "a speed of 192 for 29 seconds at least, however rounded"
    assert view.budget_lo == 97

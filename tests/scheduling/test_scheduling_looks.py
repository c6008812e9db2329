"""When one more answer would show tokens that no answer has shown yet, and when a call for it is proven."""

from __future__ import annotations

import math
from copy import deepcopy
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import Row, play

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.looks import Looks
from apteligent_async._scheduling.outlay import Outlay
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span, Unit
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Cause, Job, Reading
from apteligent_async._scheduling.windows import Windows
from benchmarks.bounds import Trip, makespan_bound
from benchmarks.meters import Announced, Gcra, RunningAverage
from benchmarks.player import Client, Player
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

PAST = -math.inf
ENDS = Span(1900.0, 1902.0)
EXCLUSIVE = RatePolicy(mode="exclusive", reserve=0)


def books(*, limit=4.0, longest_s=900.0, ends=ENDS, own=1, is_moving=True, refills=None, stays=None, **looks):
    """Make books of a long window in which little was proven."""
    windows = Windows(ends=ends, longest_s=longest_s, is_moving=is_moving, refills=refills, stays=stays)
    return Budget(limit=limit, is_alone=True, outlay=Outlay(own=own), looks=Looks(**looks), windows=windows)


def first_answers(*resets, remaining=1.0, is_alone=True, others_seen=0, refills=None, units=tuple(Unit)):
    """Let first answers of windows state resets, each in turn the longest so far or not."""
    budget = books(longest_s=0.0)
    budget.is_alone, budget.others_seen, budget.windows.refills = is_alone, others_seen, refills
    for view in budget.views:
        view.is_alive = view.hypothesis.unit in units
    for reset_s in resets:
        budget.windows.longest_s = max(budget.windows.longest_s, reset_s)
        budget.looks.judge(budget, Reading(limit=4.0, remaining=remaining, reset_s=reset_s))
    return budget.looks


@pytest.mark.parametrize(
    ("resets", "is_due"),
    [
        ((900,), False),
        ((900, 900), True),
        ((900, 897), True),
        ((900, 896), False),
        ((300, 900), False),
        ((897, 900), True),
        ((896, 900), False),
        ((900, 300, 900, 900), True),
        ((900, 896, 897), False),
        ((300, 900, 900), True),
        ((900, 300, 900), False),
        ((60, 60), False),
        ((61, 61), True),
    ],
)
def test_a_look_is_due_where_long_windows_keep_their_length(resets, is_due):
    """Twice in a row the longest that was ever stated, and longer than a minute: shorter ones hide nothing."""
    assert first_answers(*resets).is_due is is_due


@pytest.mark.parametrize(("is_alone", "others_seen", "is_due"), [(True, 0, True), (False, 0, False), (True, 1, False)])
def test_where_nothing_is_said_to_be_left_rounding_may_hide_it(is_alone, others_seen, is_due):
    """Fifteen calls of a quarter of an hour are a speed of less than one: unless others have spent them."""
    looks = first_answers(900, 900, remaining=0.0, is_alone=is_alone, others_seen=others_seen)
    assert looks.is_due is is_due


def test_a_count_of_nothing_hides_nothing():
    """Where it can be no speed."""
    assert first_answers(900, 900, remaining=0.0, units=[Unit.COUNT]).is_due is False


@pytest.mark.parametrize(("refills", "is_due"), [(False, True), (None, False), (True, False)])
def test_a_minute_that_fades_hides_what_comes_back(refills, is_due):
    """Late in it, half of it has."""
    assert first_answers(60, 60, refills=refills).is_due is is_due
    assert first_answers(58, 58, refills=refills).is_due is False


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, 1870.0),
        ({"quiet_since": 980.0}, 1881.0),
        ({"quiet_since": 995.0}, 1896.0),
        ({"quiet_since": 996.0}, math.inf),
        ({"is_due": False}, math.inf),
        ({"own": 14}, 1870.0),
        ({"own": 15}, math.inf),
        ({"limit": None}, math.inf),
        ({"ends": None}, math.inf),
    ],
)
def test_a_call_is_proven_late_in_a_quiet_window(changes, at):
    """Half a minute before its reset and a window's length after all earlier calls, while few calls were made in it."""
    budget = books(**{"is_due": True, "quiet_since": 100.0, **changes})
    assert budget.looks.opens_at(budget, 1) == at


def test_no_look_is_taken_where_it_could_be_refused():
    """For more than hardly anything, after a refusal in this window, or where somebody else was seen to spend."""
    budget = books(is_due=True, quiet_since=100.0)
    assert [budget.looks.opens_at(budget, cost) for cost in (1, 14, 15)] == [1870.0, 1870.0, math.inf]
    budget.windows.is_disturbed = True
    assert budget.looks.opens_at(budget, 1) == math.inf
    budget.windows.is_disturbed = False
    budget.views[0]._wary = 1
    assert budget.looks.opens_at(budget, 1) == math.inf


@pytest.mark.parametrize(
    ("opened_at", "is_moving", "at"), [(1000.0, False, 1870.0), (None, True, 1870.0), (None, False, math.inf)]
)
def test_no_look_is_taken_in_a_window_that_follows_a_refusal(opened_at, is_moving, at):
    """It may be charged with what was refused; so it is not known from its beginning."""
    budget = books(is_due=True, quiet_since=100.0, is_moving=is_moving)
    budget.windows.opened_at = opened_at
    assert budget.looks.opens_at(budget, 1) == at


@pytest.mark.parametrize(("own_before", "borne"), [(0, 0), (1, 1), (14, 14), (15, 0)])
def test_a_look_brings_as_many_calls_as_the_last_window_bore(own_before, borne):
    """While all of them together stay a small part of what a window holds: sixty here."""
    budget = books(is_due=True)
    budget.openings.own_before = own_before
    assert budget.looks.borne(budget) == borne


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, 130.0),
        ({"limit": 60.0}, 110.0),
        ({"resets_at": 120.0}, 120.0),
        ({"vain": 1}, PAST),
        ({"vain": 1, "is_moving": False, "refills": False}, 1870.0),  # late in a window that may fade it costs nothing
        ({"vain": 1, "is_moving": False, "refills": False, "stays": True}, 1870.0),
        ({"vain": 1, "is_moving": False, "refills": False, "stays": False}, PAST),
        ({"vain": 1, "refills": False}, PAST),
        ({"limit": None}, PAST),
        ({"is_moving": False}, PAST),
    ],
)
def test_where_tokens_drip_a_look_waits_for_two_of_them(changes, at):
    """Or a round trip, if that is longer; never past the stated reset; and not once it was in vain."""
    budget = books(**changes)
    budget.trip_s = 10.0
    assert budget.looks.drips_at(budget, last_at=100.0) == at


def test_where_others_may_spend_nothing_is_kept_late_after_a_look_in_vain():
    """What comes back is no use to those who do not know what weighs."""
    budget = books(is_moving=False, refills=False, vain=1)
    assert budget.looks.drips_at(budget, last_at=100.0) == 1870.0
    budget.is_alone = False
    assert budget.looks.drips_at(budget, last_at=100.0) == PAST


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, 124.0),  # four seconds later, and two round trips, an answer tells whether the reset stands
        ({"stays": True}, 1870.0),  # it does: late in the window another one tells whether tokens have come back
        ({"stays": False}, PAST),
        ({"refills": True}, PAST),  # nothing is left to learn
        ({"refills": False}, PAST),
        ({"own": 2}, PAST),  # hardly anything has been spent that could come back
        ({"ends": Span(160.0, 162.0)}, 124.0),
        ({"ends": Span(153.0, 162.0)}, 123.0),  # late in the window, if that is sooner
        ({"ends": Span(152.0, 154.0)}, PAST),  # no window of a minute or less
        ({"is_moving": True}, PAST),
    ],
)
def test_while_nobody_knows_how_windows_begin_the_last_call_is_kept_to_learn_it(changes, at):
    """By whoever is alone."""
    budget = books(**{"own": 3, "is_moving": False, **changes})
    budget.trip_s = 10.0
    assert budget.looks.learns_at(budget, last_at=100.0, now=93.0) == at
    budget.others_seen = 1
    assert budget.looks.learns_at(budget, last_at=100.0, now=93.0) == PAST


def test_a_speed_that_was_contradicted_hides_nothing():
    """The last call of a window is not kept for what only a wrong reading could show."""
    budget = books(ends=Span(400.0, 402.0), is_moving=False)
    for view in budget.views:
        view.most = 9.0
    assert budget.looks.sharpens_at(budget, now=100.0) == 370.0
    for view in budget.views:
        view.strikes = 1
    assert budget.looks.sharpens_at(budget, now=100.0) == PAST


@pytest.mark.parametrize(
    ("sent_at", "left", "most", "is_vain"),
    [
        (130.0, 1, 2.0, False),  # as many as before, although it cost one
        (130.0, 0, 2.0, True),
        (130.0, 1, 1.0, True),  # one less: what was hidden before, and nothing new
        (130.0, 1, math.inf, False),
        (115.0, 0, 1.0, True),
        (114.9, 0, 1.0, False),  # sent at once, it was no look
    ],
)
def test_a_look_that_shows_nothing_new_was_in_vain(sent_at, left, most, is_vain):
    """Put off by a call's worth of time at least, it counts."""
    budget = books(answered_at=100.0, most=2.0)
    for view in budget.views:
        view.left = left
    budget._tally()
    job = Job()
    job.granted_at = sent_at
    for stated in (0.5, most):
        budget.looks.hear(stated)
    budget.looks.note(budget, job, was_last=True, resets_at=None, now=sent_at + 1)
    assert (bool(budget.looks.vain), budget.looks.most, budget.looks.answered_at) == (is_vain, most, sent_at + 1)


def test_where_windows_fade_looks_come_less_often_while_they_are_in_vain():
    """Half as often each time, down to one just before the edge; and twice as often once one was not."""
    budget = books(limit=4.0, ends=Span(1900.0, 1902.0))
    budget.fading.is_seen = True
    found = []
    for vain in range(8):
        budget.looks.vain = vain
        found.append(budget.looks.drips_at(budget, last_at=100.0))
    assert found == [130.0, 160.0, 220.0, 340.0, 580.0, 1060.0, 1896.0, 1896.0]


@pytest.mark.parametrize(("is_seen", "vain"), [(True, [1, 2, 3, 2, 1]), (False, [1, 2, 3, 0, 0])])
def test_looks_in_vain_are_counted(is_seen, vain):
    """One that shows something makes up for one that does not, where windows fade; elsewhere for all."""
    budget, found = books(answered_at=0.0, most=100.0), []
    budget.fading.is_seen = is_seen
    for number, left in enumerate((0, 0, 0, 1, 1), start=1):
        for view in budget.views:
            view.left = left
        budget._tally()
        job = Job()
        job.granted_at = 100.0 * number
        budget.looks.hear(math.inf)
        budget.looks.note(budget, job, was_last=True, resets_at=None, now=100.0 * number)
        found.append(budget.looks.vain)
    assert found == vain


def test_only_the_last_proven_call_is_a_look():
    """And only where calls come back one by one; whatever else was answered, the latest answer is remembered."""
    job = Job()
    job.granted_at = 130.0
    for was_last, is_moving in ((False, True), (True, False)):
        budget = books(answered_at=100.0, most=2.0, is_moving=is_moving)
        budget.looks.hear(0.5)
        budget.looks.note(budget, job, was_last=was_last, resets_at=150.0, now=131.0)
        looks = budget.looks
        assert (bool(looks.vain), looks.resets_at, looks.answered_at, looks.most) == (False, 150.0, 131.0, 0.5)
        looks.note(budget, job, was_last=False, resets_at=None, now=132.0)
        assert (looks.resets_at, looks.most) == (math.inf, 0.0)


def test_a_reset_ends_the_time_for_a_look():
    """What was spent before it is set apart, and the next window must show that it wants one."""
    looks = Looks(is_due=True)
    looks.reach(5.0)
    looks.reach(4.0)
    looks.begin_window()
    assert (looks.quiet_since, looks.is_due) == (5.0, False)


@given(st.floats(-1e6, 1e6))
def test_another_clock_tells_the_same_instants(by_s):
    """What was counted stays."""
    looks = Looks(reached_at=1.0, quiet_since=2.0, answered_at=3.0, resets_at=4.0, most=7.0, steady=2, is_due=True)
    there = looks.moved(by_s)
    told = (there.reached_at, there.quiet_since, there.answered_at, there.resets_at)
    assert told == pytest.approx((1.0 + by_s, 2.0 + by_s, 3.0 + by_s, 4.0 + by_s))
    assert (there.most, there.steady, there.is_due) == (7.0, 2, True)


def test_a_coarse_speed_costs_no_window_once_windows_were_seen_to_last():
    """Fifteen calls in fifteen minutes: a speed of one may be one call or twenty-nine, until half a minute is left."""
    first = "ok {} L=1 V=1 R=900"
    rows = [
        Row(0, "submit a b c d e f g", "a"),
        Row(0.2, first.format("a"), "", 901.2),
        Row(901.2, "ask", "b"),
        Row(901.4, first.format("b"), "", 1770.2),
        Row(1770.2, "ask", "c"),
        Row(1770.4, "ok c L=1 V=26 R=30", "d e f g"),
    ]
    play(EXCLUSIVE, rows)


def test_why_a_quiet_window_s_call_waits_is_said():
    """It waits for a late look, not for the reset."""
    budget = books(is_due=True, quiet_since=100.0, is_moving=False)
    budget.windows.stated_until, budget.windows.opened_at = 1902.0, 1000.0
    for view in budget.views:
        view.left = 0
    budget._tally()
    assert (budget.opens_at(1), budget.obstacle(now=1200.0)) == (1870.0, Cause.LATE_LOOK)
    budget.take(1, now=1870.0)
    assert (budget.live, budget.left, budget.looks.is_due, budget.ends) == (1, 0, False, ENDS)
    assert budget.opens_at(1) == math.inf, "the look is under way"


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize(
    ("meter", "most"),
    [
        (RunningAverage(budget=60, window_s=60.0), 1.2),
        (Gcra(budget=50, window_s=60.0, burst=20, announced=Announced.ALL), 1.1),
        (Gcra(budget=50, window_s=60.0, burst=20, announced=Announced.ONE), 1.1),
    ],
)
def test_a_bucket_that_drips_is_emptied_as_it_fills(meter, most, mode):
    """Without a refusal, and without waiting for resets that move on with every call."""
    meter = deepcopy(meter)
    bound_s = makespan_bound(meter, now=0.0, n=300, trip=Trip(0.1, 0.1))
    server = Server(meter=meter, dialect=Dialect(reset="exact"), dice=Random(1))
    client = Client(Scheduler(RatePolicy(mode=mode)))
    player = Player(server=server, link=Link(up_s=0.1, down_s=0.1), dice=Random(1))
    player.submit(client, [Job() for _ in range(300)])
    player.run()
    assert (server.refused, client.allowed) == (0, 300)
    assert client.done_at <= most * bound_s

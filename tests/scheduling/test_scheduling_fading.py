"""What comes back of a window into which the one before still weighs, and how that is seen."""

from __future__ import annotations

import math
from random import Random

import pytest
from attrs import evolve
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fading import Fading
from apteligent_async._scheduling.learned import learn, recall
from apteligent_async._scheduling.openings import Openings
from apteligent_async._scheduling.outlay import Outlay
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Cause, Job, Reading
from apteligent_async._scheduling.windows import Windows
from benchmarks.bounds import Trip, makespan_bound
from benchmarks.meters import Announced, SlidingCounter
from benchmarks.player import Client, Player
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

PAST, INF = -math.inf, math.inf
EXCLUSIVE = RatePolicy(mode="exclusive")
SEEN = {"refills": False, "stays": True, "is_even": True, "serial": 3, "longest_s": 61.0}


def ratio_of(meter, brain, *, n, is_speed=False):
    """Say how many times as long as a client that knows all it takes; nothing may be refused."""
    link = Link(up_s=0.1, down_s=0.1)
    bound_s = makespan_bound(evolve(meter), now=1000.0, n=n, trip=Trip(link.up_s, link.down_s))
    dialect = Dialect(is_speed=is_speed, is_before=False, remaining="exact", reset="round")
    server = Server(meter=meter, dialect=dialect, dice=Random("fading"))
    player = Player(server=server, link=link, dice=Random(1), now=1000.0)
    client = Client(brain)
    player.submit(client, [Job() for _ in range(n)])
    player.run()
    assert client.rate_limited == 0
    return (client.done_at - 1000.0) / bound_s


def books(*, own=0, before=0, limit=20.0, is_alone=True, others_seen=0, is_seen=True, is_refuted=False, **windows):
    """Make books of a window of a minute that ends at 1060, of which twenty calls may be used."""
    return Budget(
        is_alone=is_alone,
        others_seen=others_seen,
        limit=limit,
        windows=Windows(ends=Span(1059.0, 1060.0), **{**SEEN, **windows}),
        outlay=Outlay(own=own),
        openings=Openings(own_before=before),
        fading=Fading(is_seen, is_refuted),
    )


@pytest.mark.parametrize(
    ("own", "before", "cost", "at"),
    [
        (0, 0, 1, PAST),  # nothing weighs
        (0, 20, 1, 1003.0),  # a twentieth of it has faded
        (0, 20, 5, 1015.0),
        (9, 20, 1, 1030.0),
        (18, 20, 1, 1057.0),
        (19, 20, 1, INF),  # all of it has faded at the edge only, where the next window begins
        (20, 5, 1, INF),  # all is used up
        (10, 10, 1, 1006.0),
        (10, 10, 11, INF),
    ],
)
def test_what_weighs_fades_evenly(own, before, cost, at):
    """What is over is what a window holds, less our calls in it, less the part of those before that still weighs."""
    budget = books(own=own, before=before)
    assert budget.fading.opens_at(budget, cost) == at


@pytest.mark.parametrize(("now", "left"), [(1000.0, 0), (1003.0, 1), (1032.9, 10), (1060.0, 20), (1070.0, 20)])
def test_what_has_come_back_is_counted_in_whole_calls(now, left):
    """Never less than none."""
    budget = books(before=20)
    assert budget.fading.come_back(budget, now=now) == left
    assert books(own=30).fading.come_back(books(own=30), now=now) == 0


@pytest.mark.parametrize(
    "unlike",
    [
        {"is_alone": False},
        {"is_seen": False},
        {"is_refuted": True},
        {"refills": None},
        {"refills": True},
        {"is_even": False},
        {"serial": 2},  # somebody may have spent of the window before, before our first call
        {"others_seen": 1},
    ],
)
def test_nothing_is_foretold_where_something_else_may_be_meant(unlike):
    """Others who spend, windows that begin whole, or are of many lengths, an answer that stated less."""
    budget = books(**unlike)
    assert budget.fading.opens_at(budget, 1) == INF
    assert budget.fading.come_back(budget, now=1030.0) == 0


def test_nothing_is_foretold_after_a_refusal():
    """Until its reset has passed."""
    budget = books()
    budget.gate.shut(1060.0)
    assert budget.fading.opens_at(budget, 1) == INF


@pytest.mark.parametrize(
    ("stays", "is_rising", "was_seen", "is_seen"),
    [
        (True, True, False, True),
        (True, False, False, False),
        (None, True, False, False),  # no two answers were far enough apart
        (True, False, True, True),
        (None, False, True, True),
        (False, True, True, False),  # the reset has moved: tokens come back one by one
    ],
)
def test_it_is_seen_where_more_is_left_and_the_reset_stands(stays, is_rising, was_seen, is_seen):
    """As under no other way of counting."""
    budget = books(is_seen=was_seen, stays=stays)
    budget.fading.hear(budget, Job(), 20.0, is_rising=is_rising)
    assert budget.fading.is_seen is is_seen


@pytest.mark.parametrize(("longest_s", "is_seen"), [(30.0, True), (29.9, False)])
def test_it_is_not_seen_in_short_windows(longest_s, is_seen):
    """A few seconds tell nothing of their length."""
    budget = books(longest_s=longest_s)
    budget.fading.hear(budget, Job(), 20.0, is_rising=True)
    assert budget.fading.is_seen is is_seen


@pytest.mark.parametrize(("most", "live", "is_refuted"), [(9, 0, True), (10, 0, False), (7, 3, False), (6, 3, True)])
def test_an_answer_that_states_less_refutes_it_for_its_window(most, live, is_refuted):
    """With what is still under way; somebody else may have spent it."""
    budget, job = books(before=20), Job()
    job.granted_at, budget.live = 1030.0, live
    budget.fading.hear(budget, job, float(most), is_rising=False)
    assert budget.fading.is_refuted is is_refuted
    budget.live = 0
    budget.take(1, now=1061.0)
    assert not budget.fading.is_refuted


def test_a_call_goes_out_when_its_token_has_come_back():
    """And as many beside it as have come back with it."""
    budget = books(own=2, before=20)
    budget.windows.stated_until = 1060.0
    for view in budget.views:
        view.left = 0
    budget._tally()
    assert (budget.opens_at(1), budget.obstacle(now=1000.0)) == (1009.0, Cause.LATE_LOOK)
    budget.take(1, now=1012.5)
    assert (budget.left, budget.live) == (1, 1)
    assert budget.ends is not None, "it is no new window"


@pytest.mark.parametrize(
    ("serial", "is_even", "length_s", "at"),
    [
        (1, True, 60.0, INF),  # whoever was here before may have spent of it
        (2, False, 60.0, 1003.0),  # all of the first one weighs, whoever spent it
        (2, True, 64.1, INF),  # the first was of another length
        (2, True, None, INF),
        (3, False, 60.0, INF),
        (3, True, 60.0, PAST),
    ],
)
def test_what_was_recalled_allows_for_others_who_used_the_first_window(serial, is_even, length_s, at):
    """They may have spent all of it, and it weighs on the second."""
    again = Budget(is_alone=True)
    recall(learn(books(length_s=length_s)), again)
    assert again.fading.is_seen
    again.windows.serial, again.windows.is_even, again.windows.ends = serial, is_even, Span(1059.0, 1060.0)
    assert again.fading.opens_at(again, 1) == at


@pytest.mark.parametrize(
    ("before", "own", "stated", "is_even", "missing"),
    [
        (10, 1, (9, 9), True, 2),  # of twenty, ten weigh, and one was the call itself
        (10, 1, (7, 7), True, 2),
        (10, 1, (6, 6), True, 0),
        (10, 1, (11, 11), True, 2),
        (10, 1, (12, 12), True, 0),
        (10, 1, (9, 12), True, 0),  # so little is not stated for sure
        (10, 1, (9, 9), False, 0),
        (4, 1, (15, 15), True, 1),  # so little spent tells nothing, neither for nor against
        (5, 1, (13, 14), True, 2),
        (5, 1, (13, 15), True, 0),
    ],
)
def test_first_answers_that_lack_just_what_was_spent_before_are_counted(before, own, stated, is_even, missing):
    """In windows as long as each other; more or less than that was spent by somebody else, or comes back otherwise."""
    budget, job = books(own=own, before=before, is_even=is_even), Job()
    budget.fading.missing, job.granted_at = 1, 1000.0
    for view in budget.views:
        view.fresh, view.most = stated
    budget.fading.judge(budget, job, now=1000.0)
    assert budget.fading.missing == missing


@pytest.mark.parametrize(("stated", "missing"), [(65, 1), (64, 1), (53, 1), (66, 0), (52, 0)])
def test_what_is_missing_may_be_a_tenth_more_or_less(stated, missing):
    """Sixty of a hundred and twenty weigh, and one was the call itself."""
    budget, job = books(own=1, before=60, limit=120.0), Job()
    job.granted_at = 1000.0
    for view in budget.views:
        view.fresh = view.most = stated
    budget.fading.judge(budget, job, now=1000.0)
    assert budget.fading.missing == missing


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        ({}, 2),
        ({"live": 2}, 2),
        ({"live": 3}, 0),  # those under way may be counted already
        ({"is_alone": False}, 1),  # others may have spent it
        ({"others_seen": 1}, 1),
    ],
)
def test_what_is_missing_may_be_under_way_or_spent_by_others(state, missing):
    """Nine of twenty are left, ten weigh, and one was the call itself."""
    budget, job = books(own=1, before=10), Job()
    job.granted_at, budget.fading.missing = 1000.0, 1
    for name, value in state.items():
        setattr(budget, name, value)
    for view in budget.views:
        view.fresh = view.most = 12
    for view in budget.views[:1]:
        view.fresh = view.most = 9
    budget.fading.judge(budget, job, now=1000.0)
    assert budget.fading.missing == missing


def test_what_was_missing_is_forgotten_with_what_it_was_learned_from():
    """When everything is in doubt, under another limit, and where a window was not seen to begin."""
    budget = books()
    budget.fading.missing = 2
    budget.doubt_everything()
    assert budget.fading == Fading()
    for reset_s, limit, missing in [(60.0, 20.0, 2), (59.0, 30.0, 0)]:
        budget = books(own=1)
        budget.fading.missing, budget.live, job = 2, 1, Job()
        job.granted_at = 1000.0
        budget.answer(job, Reading(limit=limit, remaining=5.0, reset_s=reset_s), now=1000.1)
        assert budget.fading.missing == missing
    budget = books(own=1)
    budget.fading.missing, budget.live, job = 2, 1, Job()
    job.granted_at = 1061.0
    budget.answer(job, Reading(limit=20.0, remaining=5.0, reset_s=60.0), now=1061.1)
    assert budget.fading.missing == 0


@pytest.mark.parametrize(("stays", "missing", "is_seen"), [(True, 2, True), (True, 1, False), (None, 2, False)])
def test_two_windows_that_lack_just_that_show_it_where_the_reset_stands(stays, missing, is_seen):
    """Even if nobody has looked late in a window."""
    budget = books(is_seen=False, stays=stays)
    budget.fading.missing = missing
    budget.fading.hear(budget, Job(), 20.0, is_rising=False)
    assert budget.fading.is_seen is is_seen


def test_tokens_that_come_back_before_a_reset_that_stands_are_none_of_a_new_window():
    """The next one will begin with what the present one leaves."""
    budget = Budget(is_alone=True)
    for remaining, reset_s, is_seen in [(3, 300.0, False), (2, 290.0, False), (12, 120.0, True)]:
        job, now = Job(), 300.0 - reset_s
        job.granted_at = now
        budget.take(1, now=now)
        budget.answer(job, Reading(limit=20.0, remaining=float(remaining), reset_s=reset_s), now=now + 0.1)
        assert budget.fading.is_seen is is_seen
    assert budget.windows.refills is False


@st.composite
def histories(draw):
    """Draw a counter that fades, when its windows end, and what is called when."""
    window_s = draw(st.integers(60, 900))
    limit = draw(st.integers(1, 300))
    steps = draw(st.lists(st.floats(0, window_s / 3), min_size=3, max_size=60))
    return window_s, limit, steps


@TRIED
@given(histories())
def test_no_more_has_come_back_than_is_left(history):
    """Whatever was called when, by us alone."""
    window_s, limit, steps = history
    size = math.floor(limit * window_s / 60)
    meter = SlidingCounter(budget=max(size, 1), window_s=float(window_s), announced=Announced.EDGE)
    used, now, edge_at = [0, 0], 0.0, float(window_s)
    for step in steps:
        now += step
        while now >= edge_at:
            used, edge_at = [used[1], 0], edge_at + window_s
        budget = books(own=used[1], before=used[0], limit=float(limit), longest_s=float(window_s))
        budget.windows.ends = Span(edge_at, edge_at)
        assert budget.fading.come_back(budget, now=now) <= max(meter.left(now), 0)
        if meter.left(now) >= 1:
            meter.count(now)
            used[1] += 1


@TRIED
@given(histories(), st.floats(0, 1))
def test_no_more_has_come_back_than_is_left_whoever_used_the_first_window(history, part):
    """All that a window holds may weigh on the second one."""
    window_s, limit, steps = history
    size = max(math.floor(limit * window_s / 60), 1)
    meter = SlidingCounter(budget=size, window_s=float(window_s), before=round(part * size), announced=Announced.EDGE)
    now, own = 0.0, 0
    for step in steps:
        now = min(now + step, window_s - 0.001)
        budget = books(own=own, limit=float(limit), longest_s=float(window_s), length_s=float(window_s), serial=2)
        budget.windows.ends = Span(float(window_s), float(window_s))
        assert budget.fading.come_back(budget, now=now) <= max(meter.left(now), 0)
        if meter.left(now) >= 1:
            meter.count(now)
            own += 1


@pytest.mark.parametrize("is_speed", [False, True])
@pytest.mark.parametrize(("budget", "n"), [(29, 221), (20, 198)])
def test_a_counter_that_fades_is_used_as_it_does(budget, n, is_speed):
    """No refusal, and a quarter more time than a client that knows all; who waits for its edges needs twice as much."""
    meter = SlidingCounter(budget=budget, window_s=60.0, began_at=961.4, announced=Announced.EDGE)
    assert ratio_of(meter, Scheduler(EXCLUSIVE), n=n, is_speed=is_speed) <= 1.25


@pytest.mark.parametrize(
    ("counted", "n", "at_first", "again"),
    [
        ((197, 185.0, 938.0, 129), 1330, 1.05, 1.02),
        ((405, 900.0, 700.0, 405), 1119, 1.05, 1.02),
        ((600, 900.0, 194.6, 600), 3406, 1.05, 1.02),
        ((255, 900.0, 560.0, 0), 1105, 1.3, 1.02),  # nothing is left at the edge to find out more with
        ((450, 900.0, 524.4, 0), 1035, 2.0, 1.02),
    ],
)
def test_what_was_learned_of_a_counter_is_of_use_at_once(counted, n, at_first, again):
    """No refusal either time; it takes a window or two to find out, and the second window to go by it."""
    budget, window_s, began_at, before = counted
    counter = SlidingCounter(
        budget=budget, window_s=window_s, began_at=began_at, before=before, announced=Announced.EDGE
    )
    brain = Scheduler(EXCLUSIVE)
    assert ratio_of(evolve(counter), brain, n=n) <= at_first
    assert ratio_of(evolve(counter), Scheduler(EXCLUSIVE, learned=brain.learned()), n=n) <= again

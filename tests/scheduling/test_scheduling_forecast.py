"""When a call will start: nothing while it is free, whole windows where it is not, and honest at the door."""

from __future__ import annotations

import math

import pytest
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st
from runs import fixed, player
from scripts import Row, Script, play

from apteligent_async._scheduling.forecast import look_ahead
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Lane, Priority, Stage
from apteligent_async.errors import ConfigurationError
from benchmarks.player import Client
from benchmarks.surroundings import Link

ALONE = RatePolicy(mode="exclusive", reserve=0)

DRAINED = [
    Row(0, "submit a b c d e f g h i j", starts="a"),
    Row(0.2, "ok a L=10 V=9 R=60", starts="b c d e f g h i"),
    Row(0.4, "ok b c d e f g h i L=10 V=1 R=60", starts="j"),
    Row(0.5, "ok j L=10 V=0 R=60"),
]
"""Ten calls of ten are spent half a second into a window that surely ends at 61.8, with nobody in line."""


def test_a_free_call_starts_now():
    """While calls are proven and nobody waits, the forecast is nothing, for as many as are proven."""
    snapshot = play(ALONE, [*DRAINED[:1], Row(0.2, "ok a L=10 V=9 R=60", "b c d e f g h i")]).scheduler.snapshot(now=1)
    assert snapshot.eta(0) == 0.0
    fresh = play(ALONE, [Row(0, "submit a", "a"), Row(0.2, "ok a L=10 V=9 R=60")]).scheduler.snapshot(now=1)
    assert [fresh.eta(calls) == 0.0 for calls in (1, 9, 10)] == [True, True, False]


@pytest.mark.parametrize(("calls", "windows"), [(1, 0), (10, 0), (11, 1), (20, 1), (21, 2), (101, 10)])
def test_whole_windows_are_counted(calls, windows):
    """Beyond what is left, each further budget of calls takes another window."""
    snapshot = play(ALONE, DRAINED).scheduler.snapshot(now=31.2)
    assert snapshot.eta(calls) == pytest.approx(30.3 + windows * 60.6, abs=0.3)


@pytest.mark.parametrize("mode", ["exclusive", "shared", "polite"])
def test_nothing_is_hopeless_before_the_first_answer(mode):
    """While nothing at all is known of the budget, every deadline is let in, however long the line."""
    scheduler = Scheduler(RatePolicy(mode=mode))
    for _ in range(100):
        assert scheduler.submit(Job(deadline_at=5.0), now=0.0).is_admitted
    assert scheduler.snapshot(now=0.0).eta(50) == 0.0


def test_a_pause_between_attempts_is_told():
    """A call that waits to be tried again shows how long it will."""
    script = Script(Scheduler(ALONE), dice=0.9)
    assert script.happen("submit a", now=0.0) == "a"
    assert script.happen("broken a L=10 V=9 R=60", now=0.2) == ""
    waits_s = script.scheduler.snapshot(now=0.2).waits_s
    assert waits_s > 0
    assert waits_s == pytest.approx(script.scheduler.wake_at() - 0.2)


@pytest.mark.parametrize("calls", [1, 7, 30, 53, 60])
def test_a_shared_window_is_drained_as_forecast(calls):
    """In shared mode calls go out a part at a time, and the forecast counts the round trips that takes."""
    brain, game = Scheduler(RatePolicy(reserve=0)), player(fixed(60), link=Link())
    client = Client(brain)
    game.submit(client, [Job()])
    game.run()
    expected_s = brain.snapshot(now=game.now).eta(calls)
    jobs, since = [Job() for _ in range(calls)], game.now
    game.submit(client, jobs)
    game.run()
    assert jobs[-1].granted_at - since == pytest.approx(expected_s, abs=1.0)


def test_those_in_line_come_first():
    """Calls that wait already push the forecast back."""
    snapshot = play(ALONE, [*DRAINED, Row(1, "submit k l m")]).scheduler.snapshot(now=31.2)
    assert snapshot.eta(7) == pytest.approx(30.3, abs=0.3)
    assert snapshot.eta(8) == pytest.approx(90.9, abs=0.3)


def test_the_urgent_pass_by_bulk_calls_in_line():
    """Their forecast counts only those who are as urgent; whatever is no priority is refused."""
    scheduler = play(ALONE, DRAINED).scheduler
    for lane in [Lane.BULK] * 25 + [Lane.INTERACTIVE] * 3:
        scheduler.submit(Job(lane=lane), now=31.2)
    snapshot = scheduler.snapshot(now=31.2)
    assert [snapshot.eta(7, priority=each) for each in ("interactive", Priority.INTERACTIVE, "bulk", "BULK")] == [
        pytest.approx(seconds, abs=0.3) for seconds in (30.3, 30.3, 30.3 + 3 * 60.6, 30.3 + 3 * 60.6)
    ]
    with pytest.raises(ConfigurationError, match="priority='urgent'"):
        snapshot.eta(1, priority="urgent")


ADMITTED = [
    # tokens in line before it, its patience from instant 1 on, and whether it may wait: the reset is 60.2 s away
    (0, 10.0, False),
    (0, 60.0, False),
    (0, 64.0, True),
    (9, 64.0, True),
    (10, 64.0, False),
    (10, 126.0, True),
    (25, 126.0, False),
    (25, 190.0, True),
    (25, math.inf, True),
]


@pytest.mark.parametrize(("ahead", "patience_s", "is_admitted"), ADMITTED)
def test_only_hopeless_deadlines_are_refused(ahead, patience_s, is_admitted):
    """A job joins the line exactly if it can be expected to start in time, its place in line considered."""
    scheduler = play(ALONE, DRAINED).scheduler
    for _ in range(ahead):
        scheduler.submit(Job(), now=1.0)
    job = Job(deadline_at=1.0 + patience_s)
    admission = scheduler.submit(job, now=1.0)
    assert admission.is_admitted is is_admitted
    assert (admission.eta is None) is is_admitted
    assert job.stage is (Stage.WAITING if is_admitted else Stage.ENDED)


def test_who_can_start_at_once_needs_no_forecast():
    """Just before a reset, when a call may be counted after it, whoever can start now is let in, and nobody else."""
    scheduler = play(ALONE, [Row(0, "submit a", "a"), Row(0.2, "ok a L=10 V=9 R=60")]).scheduler
    assert look_ahead(scheduler.budget, ALONE, now=58.5).eta(1).pessimistic > 30.0
    hasty = [Job(deadline_at=59.0) for _ in range(12)]
    for job in hasty:
        if scheduler.submit(job, now=58.5).is_admitted:
            assert scheduler.due(now=58.5) == [job]
    assert [job.stage for job in hasty] == [Stage.STARTED] * 8 + [Stage.ENDED] * 4


def test_the_less_urgent_are_not_in_the_way():
    """An interactive job's chances do not depend on the bulk jobs in line; a bulk job's do on all."""
    scheduler = play(ALONE, DRAINED).scheduler
    for _ in range(50):
        scheduler.submit(Job(lane=Lane.BULK), now=1.0)
    assert scheduler.submit(Job(lane=Lane.INTERACTIVE, deadline_at=65.0), now=1.0).is_admitted
    assert not scheduler.submit(Job(lane=Lane.BULK, deadline_at=65.0), now=1.0).is_admitted


def test_a_refused_job_learns_the_forecast():
    """What is refused at the door is told when it would have started, from the best to the worst case."""
    scheduler = play(ALONE, DRAINED).scheduler
    eta = scheduler.submit(Job(deadline_at=10.0), now=1.0).eta
    assert 58.0 <= eta.optimistic <= eta.expected <= eta.pessimistic <= 63.0


def test_a_refused_job_leaves_the_line_as_it_was():
    """A hopeless job takes no place, and another may come after it."""
    scheduler = play(ALONE, DRAINED).scheduler
    scheduler.submit(Job(deadline_at=10.0), now=1.0)
    assert sum(scheduler.snapshot(now=1.0).queued.values()) == 0
    job = Job()
    scheduler.submit(job, now=1.0)
    assert scheduler.due(now=61.8) == [job]


def late_starts(budget, backlog, *, way_s, pause_s, policy=ALONE):
    """Let jobs in with no second to spare, `pause_s` after a first crowd, and return by how much each came too late."""
    brain, game = Scheduler(policy), player(fixed(budget), link=Link(up_s=way_s, down_s=way_s))
    client = Client(brain)
    game.submit(client, [Job() for _ in range(2 * budget + 1)])
    game.run()
    game.now += pause_s
    ahead = look_ahead(brain.budget, policy, now=game.now)
    worst_s = [ahead.eta(position).pessimistic for position in range(1, backlog + 1)]
    jobs = [Job(deadline_at=game.now + seconds) for seconds in worst_s]
    game.submit(client, jobs)
    game.run()
    assert client.given_up == 0
    return [job.granted_at - job.deadline_at for job in jobs if job.granted_at > job.deadline_at]


@TRIED
@given(
    st.integers(10, 60),
    st.integers(1, 120),
    st.sampled_from([0.02, 0.2, 0.5]),
    st.floats(0, 50),
    st.sampled_from(["exclusive", "shared", "polite"]),
)
def test_the_tightest_admitted_deadlines_are_kept(budget, backlog, way_s, pause_s, mode):
    """I9: with nobody else about, every job that is let in with no second to spare starts before its deadline."""
    policy = RatePolicy(mode=mode, reserve=0)
    assert late_starts(budget, backlog, way_s=way_s, pause_s=pause_s, policy=policy) == []


@pytest.mark.parametrize("way_s", [1.0, 1.5])
def test_a_slow_link_breaks_no_deadline(way_s):
    """Each window on the way costs a round trip more, whatever it takes."""
    assert late_starts(10, 35, way_s=way_s, pause_s=0.0) == []
    assert late_starts(40, 120, way_s=way_s, pause_s=30.0) == []


def test_nobody_is_let_in_behind_a_gate_that_opens_too_late():
    """A refusal without numbers keeps everybody back for a minute, and the door knows it."""
    scheduler = play(ALONE, [Row(0, "submit a b", "a"), Row(0.2, "refused a", wakes=60.2)]).scheduler
    assert not scheduler.submit(Job(deadline_at=50.0), now=1.0).is_admitted
    assert scheduler.submit(Job(deadline_at=200.0), now=1.0).is_admitted


def test_deadlines_promised_at_a_reset_are_kept():
    """The forecast holds even where a window may have ended already."""
    assert late_starts(10, 11, way_s=0.02, pause_s=59.0) == []


def test_no_deadline_is_promised_by_a_probe():
    """While a known window is being opened by its first call, a hundred calls ahead still take their windows."""
    scheduler = play(ALONE, [*DRAINED, Row(1, "submit k"), Row(61.8, "ask", starts="k")]).scheduler
    for _ in range(100):
        scheduler.submit(Job(), now=61.3)
    assert not scheduler.submit(Job(deadline_at=66.0), now=61.3).is_admitted


LINE = [
    # how the line takes a newcomer when it is full, who comes, and what becomes of it
    ("raise", Lane.INTERACTIVE, False),
    ("raise", Lane.BULK, False),
    ("wait", Lane.INTERACTIVE, False),
    ("shed", Lane.BULK, False),
    ("shed", Lane.INTERACTIVE, True),
]


@pytest.mark.parametrize(("on_full", "lane", "is_admitted"), LINE)
def test_a_full_line_takes_newcomers_as_it_was_told(on_full, lane, is_admitted):
    """Beyond the bound only a more urgent job comes in, and only where a less urgent one may be shed for it."""
    scheduler = Scheduler(RatePolicy(max_queue=2, on_full=on_full))
    scheduler.submit(Job(), now=0.0)
    scheduler.due(now=0.0)
    waiting = [Job(lane=Lane.BULK), Job(lane=Lane.BULK)]
    for job in waiting:
        assert scheduler.submit(job, now=0.0).is_admitted
    admission = scheduler.submit(Job(lane=lane), now=0.0)
    assert admission.is_admitted is is_admitted
    assert admission.eta is None
    assert admission.shed is (waiting[1] if is_admitted else None)
    assert sum(scheduler.snapshot(now=0.0).queued.values()) == 2


@pytest.mark.parametrize(("now", "is_over"), [(58.0, False), (60.4, False), (60.6, True), (61.0, True)])
def test_at_a_reset_the_likelier_window_is_expected(now, is_over):
    """Once the reset has most likely passed, what starts now is charged to the window after it, and so is the rest."""
    rows = [
        Row(0, "submit a", "a"),
        Row(0.2, "ok a L=10 V=9 R=60"),
        Row(1, "submit b", "b"),
        Row(1.2, "ok b L=10 V=8 R=60"),
    ]
    outlook = look_ahead(play(ALONE, rows).scheduler.budget, ALONE, now=now)
    assert [outlook.eta(calls).expected < 30.0 for calls in (8, 10, 11, 18)] == [True, True, not is_over, not is_over]
    assert outlook.eta(8).pessimistic > 60.0

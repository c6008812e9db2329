"""Tests of what first answers of windows may prove, on servers that punish concluding too much or too little."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest
from runs import player
from scripts import Row, play

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Unit, looks_whole
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Reading
from benchmarks.meters import Announced, FixedWindow, Gcra, Refusals, RunningAverage, SlidingCounter, SlidingLog
from benchmarks.player import Client
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

ALONE = RatePolicy(mode="exclusive")


def finish(meter, *, calls, dialect, link=None):
    """Play a client that is alone until all its calls are served; return it, and its refusals that nothing excuses."""
    server, blamed = Server(meter=meter, dialect=dialect, dice=Random("server")), []
    game, client = player(server, link=link), Client(Scheduler(ALONE))
    game.on_refusal = lambda _, answer, at: None if answer.excuses else blamed.append(at)
    game.submit(client, [Job() for _ in range(calls)])
    game.run()
    return client, blamed


@pytest.mark.parametrize("budget", [2, 20, 153])
@pytest.mark.parametrize("announced", [Announced.ONE, Announced.EDGE])
@pytest.mark.parametrize("phase_s", [1.0, 39.0, 59.0])
def test_a_counter_that_fades_is_not_taken_for_a_new_window(budget, announced, phase_s):
    """Where the last window still weighs, a minute's first answer proves no whole bucket, even if it reads like one."""
    meter = SlidingCounter(
        budget=budget, window_s=60.0, began_at=-phase_s, announced=announced, refusals=Refusals.EXTENDS
    )
    dialect = Dialect(remaining="exact", reset="ceil", is_clamped=False)
    client, blamed = finish(meter, calls=3 * budget + 10, dialect=dialect, link=Link(up_s=0.005, down_s=0.005))
    assert (client.allowed, blamed) == (3 * budget + 10, [])


def test_a_window_of_nearly_a_minute_is_told_by_its_decimals():
    """Numbers with decimals say how many calls are left: 59.5 s that hold 166 are no minute that holds 168."""
    meter = FixedWindow(budget=166, window_s=59.5)
    client, blamed = finish(meter, calls=424, dialect=Dialect(remaining="exact", reset="exact"))
    assert (client.allowed, blamed) == (424, [])


@pytest.mark.parametrize(("remaining", "is_whole"), [(19.5, True), (19.0, True), (18.4, False), (21.5, False)])
def test_a_speed_with_decimals_is_read_exactly(remaining, is_whole):
    """Twenty calls or nineteen in the 58.5 to 59.5 seconds of a reset of 59 are a speed between 19 and 21."""
    reading = Reading(limit=20, remaining=remaining, reset_s=59.0)
    assert looks_whole(reading, Unit.SPEED, 20) is is_whole


@pytest.mark.parametrize("remaining", ["floor", "round", "exact"])
@pytest.mark.parametrize("is_before", [True, False])
def test_a_long_window_of_few_calls_does_not_starve(remaining, is_before):
    """Where a whole window's speed rounds to one, at least every other one is used."""
    meter = FixedWindow(budget=30, window_s=900.0, began_at=-710.0)
    dialect = Dialect(remaining=remaining, reset="exact", is_before=is_before)
    client, blamed = finish(meter, calls=300, dialect=dialect)
    assert not blamed
    assert client.done_at <= 19 * 900.0


def test_resets_that_come_too_soon_are_no_ends_of_windows():
    """A reset a second after the last one shows that there are no windows: nothing is concluded from the next one."""
    script = play(
        ALONE,
        [
            Row(0.0, "submit a b c d e f g h", starts="a"),
            Row(0.2, "ok a L=20 V=0 R=59", wakes=60.2),
            Row(60.2, "ask", starts="b"),
            Row(60.4, "ok b L=20 V=0 R=60", wakes=121.4),
            Row(121.4, "ask", starts="c"),
            Row(121.6, "ok c L=20 V=0 R=2", wakes=124.6),
        ],
    )
    assert script.scheduler.budget.windows.is_moving


@pytest.mark.parametrize(
    ("make", "budget", "window_s"),
    [(SlidingLog, 17, 59.9), (SlidingLog, 243, 59.8), (SlidingLog, 190, 59.5), (FixedWindow, 17, 59.9)],
)
def test_a_window_of_nearly_a_minute_is_not_overdrawn(make, budget, window_s):
    """Eighteen calls a minute are seventeen in 59.9 s: the last one waits until the answers show whether it exists."""
    dialect = Dialect(remaining="ceil", reset="ceil")
    client, blamed = finish(make(budget=budget, window_s=window_s), calls=3 * budget, dialect=dialect)
    assert (client.allowed, blamed) == (3 * budget, [])


def told_by(meter, dialect, *, calls, trip_s=0.2):
    """Give what a server states of so many calls, one round trip apart, and whether it allows one more."""
    server = Server(meter=meter, dialect=dialect, dice=Random("server"))
    stated = [server.call(trip_s * number).stated for number in range(calls)]
    return stated, server.call(trip_s * calls).is_allowed


def test_one_window_of_nearly_a_minute_cannot_be_told_from_a_minute():
    """Two services say the same of seventeen calls; one has an eighteenth: whoever never dares it wastes a window.

    The one counts the call that brings the numbers, and eighteen a minute; the other does not, and holds seventeen in
    59.9 s. The client takes such a window for a minute, as the limit is one per minute, and learns from the refusal.
    """
    minute, has_more = told_by(FixedWindow(budget=18, window_s=60.0), Dialect(is_speed=False), calls=17)
    almost = FixedWindow(budget=17, window_s=59.9)
    nearly, has_more_too = told_by(almost, Dialect(is_speed=False, is_before=True), calls=17)
    assert minute == nearly
    assert (has_more, has_more_too) == (True, False)
    meter = FixedWindow(budget=17, window_s=59.9)
    client, blamed = finish(meter, calls=17 * 20, dialect=Dialect(is_speed=False, is_before=True))
    assert (client.allowed, len(blamed)) == (17 * 20, 1)


def test_what_was_taken_for_a_minute_is_doubted_where_resets_move():
    """An average that forgets reads like a minute's bucket at first; its next reset shows that there is none."""
    meter = RunningAverage(budget=42, window_s=60.0, level=0.9)
    client, blamed = finish(meter, calls=120, dialect=Dialect(is_before=True, reset="round", is_capped=True))
    assert (client.allowed, blamed) == (120, [])


@pytest.mark.parametrize("announced", [Announced.ONE, Announced.ALL])
@pytest.mark.parametrize(("budget", "burst", "window_s"), [(3, 3, 5.0), (7, 5, 10.1), (20, 20, 60.0)])
@pytest.mark.parametrize("is_speed", [True, False])
def test_resets_that_move_do_not_sharpen_each_other(announced, budget, burst, window_s, is_speed):
    """Where tokens drip in, each answer's reset is its own, and one that names an earlier reset is heard, too."""
    meter = Gcra(budget=budget, window_s=window_s, burst=burst, announced=announced)
    link = Link(up_s=0.1, down_s=0.1, jitter_s=0.1)
    dialect = Dialect(is_speed=is_speed, is_before=True, remaining="exact", reset="floor")
    client, blamed = finish(meter, calls=8 * budget, dialect=dialect, link=link)
    assert (client.allowed, blamed) == (8 * budget, [])


@pytest.mark.parametrize("is_speed", [True, False])
def test_a_short_reset_is_no_sign_that_a_window_was_left_unused(is_speed):
    """Where calls leave a log one by one, what the last one bore is not there again."""
    log = deque(1000.0 - at for at in (219.8, 219.3, 218.6, 216.2, 215.5, 214.3, 210.5, 206.7, 201.2, *range(1, 190)))
    meter = SlidingLog(budget=199, window_s=221.0, log=deque(at - 1000.0 for at in sorted(log)))
    dialect = Dialect(is_speed=is_speed, is_before=True, reset="exact", remaining="round")
    client, blamed = finish(meter, calls=60, dialect=dialect)
    assert (client.allowed, blamed) == (60, [])

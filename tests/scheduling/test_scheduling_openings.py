"""Tests of what first answers of windows may prove, on servers that punish concluding too much or too little."""

from __future__ import annotations

from random import Random

import pytest
from runs import player
from scripts import Row, play

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Unit, looks_whole
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Reading
from benchmarks.meters import Announced, FixedWindow, Refusals, SlidingCounter
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

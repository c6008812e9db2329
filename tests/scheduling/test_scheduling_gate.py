"""Tests of what forbids a call whatever is proven: refusals and pauses."""

from __future__ import annotations

import math

import pytest

from apteligent_async._scheduling.gate import Gate


def test_a_gate_is_open_at_first():
    """Nothing forbids the first call."""
    gate = Gate()
    assert (gate.is_shut, gate.opens_at) == (False, -math.inf)


def test_a_stated_reset_is_taken_as_it_is():
    """The last answer's word counts, be it earlier or later; opening forgets it, but no pause."""
    gate = Gate()
    gate.pause(5.0)
    gate.shut(30.0)
    gate.shut(20.0)
    assert (gate.is_shut, gate.opens_at, gate.pace_s) == (True, 20.0, 3.0)
    gate.open()
    assert (gate.is_shut, gate.opens_at) == (False, 5.0)


def test_a_reset_that_nobody_stated_only_puts_off():
    """And each refusal without numbers halves the pace, down to one call a minute."""
    gate = Gate(shut_until=30.0)
    gate.shut_blindly(20.0)
    assert (gate.shut_until, gate.pace_s) == (30.0, 6.0)
    gate.shut_blindly(40.0)
    assert (gate.shut_until, gate.pace_s) == (40.0, 12.0)
    for _ in range(5):
        gate.shut_blindly(40.0)
    assert gate.pace_s == 60.0


def test_a_success_without_numbers_is_one_call_a_minute_more():
    """From twenty a minute to twenty-one."""
    gate = Gate()
    gate.speed_up()
    assert gate.pace_s == pytest.approx(60 / 21)


def test_the_longest_pause_counts():
    """A shorter one takes nothing from it."""
    gate = Gate()
    gate.pause(7.0)
    gate.pause(6.0)
    assert (gate.paused_until, gate.is_shut) == (7.0, False)


def test_another_clock_tells_the_same_instants():
    """The gate itself stays as it is."""
    gate = Gate(shut_until=10.0, paused_until=12.0, pace_s=5.0)
    assert gate.moved(2.5) == Gate(shut_until=12.5, paused_until=14.5, pace_s=5.0)
    assert (gate.shut_until, gate.paused_until) == (10.0, 12.0)

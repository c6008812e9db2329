"""What is told of waits: those of more than a second, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.cli.waiting import WaitWatch

NOON = datetime(2016, 12, 12, 12, tzinfo=UTC)


@frozen(kw_only=True)
class Budget:
    """The part of a budget's snapshot that a wait shows in."""

    waits_for: str | None = None
    waits_s: float | None = None
    in_flight: int = 0


def look(watch, budget, *, now, done=0):
    """Look at an instant, in seconds after noon."""
    return watch.look(budget, done, now=100 + now, clock=NOON + timedelta(seconds=now))


def test_a_wait_for_the_reset_is_told_at_once_with_its_end():
    """It is known from the start that it takes more than a second."""
    waiting = look(WaitWatch(), Budget(waits_for="drained", waits_s=41.2), now=0)
    assert waiting.sentence == "Waiting 42 s, until 12:00:41: budget used up"


def test_a_wait_is_told_once():
    """While its end stays where it was, it is the same."""
    watch = WaitWatch()
    told = look(watch, Budget(waits_for="drained", waits_s=40.0), now=0)
    assert look(watch, Budget(waits_for="drained", waits_s=35.3), now=5, done=3) is told


def test_a_wait_whose_end_moves_is_told_again():
    """A reset that comes later than was said is news."""
    watch = WaitWatch()
    told = look(watch, Budget(waits_for="drained", waits_s=4.0), now=0)
    assert look(watch, Budget(waits_for="drained", waits_s=60.0), now=4) is not told


def test_a_slow_answer_is_told_after_a_second():
    """Nobody knows when it comes, so no time is made up."""
    watch = WaitWatch()
    assert look(watch, Budget(in_flight=1), now=0) is None
    assert look(watch, Budget(in_flight=1), now=0.9) is None
    assert look(watch, Budget(in_flight=1), now=1.1).sentence == "Waiting: the service has not answered yet"


def test_where_answers_come_nobody_waits_for_one():
    """However long all of it takes."""
    watch = WaitWatch()
    assert not any(look(watch, Budget(in_flight=50), now=second * 0.9, done=second) for second in range(100))


def test_the_end_of_a_wait_is_told():
    """There is nothing to tell any more."""
    watch = WaitWatch()
    assert look(watch, Budget(waits_for="drained", waits_s=4.0), now=0)
    assert look(watch, Budget(in_flight=1), now=4) is None


@given(st.floats(0, 1), st.sampled_from(["drained", "refused", "pace", "probe"]))
def test_a_pause_of_a_second_is_no_wait(waits_s, cause):
    """Nothing flickers."""
    assert look(WaitWatch(), Budget(waits_for=cause, waits_s=waits_s), now=0) is None

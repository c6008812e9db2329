"""What the scheduler asks its books, and writes down, whatever they hold: its own part of each decision."""

from __future__ import annotations

import math

import pytest
from attrs import define, field
from scripts import Script

from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._scheduling.queue import MOST_PASSES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Cause, Job, Lane, Limited, LinkFailed

LIKENESS = {"b": {"lane": Lane.BULK}, "f": {"lane": Lane.FREE, "cost": 0}}


@define
class Asked(OwnBooks):
    """Books that allow everything, or nothing, and note the reserve that they were asked about."""

    is_open: bool = True
    reserves: list[float] = field(factory=list)

    def starts_at(self, policy, job, *, wanted, now):
        """Note the reserve."""
        self.reserves.append(policy.reserve)
        return (-math.inf, Cause.NOTHING) if self.is_open else (math.inf, Cause.RESERVE)


def asked_script(**policy):
    """Make a script whose books note what they are asked."""
    books = Asked(Budget())
    return Script(Scheduler(RatePolicy(**{"reserve": 0.5, **policy}), books=books), dict(LIKENESS)), books


def test_a_reserve_binds_whoever_goes_in_the_order_of_urgency():
    """A bulk call whose turn has come because nobody more urgent waits leaves others their part."""
    script, books = asked_script()
    script.happen("submit b", now=0.0)
    assert set(books.reserves) == {0.5}


def test_a_reserve_does_not_bind_whoever_was_passed_over_for_long():
    """Its turn before the more urgent would be none if it had to wait for the window's end then."""
    script, books = asked_script(max_in_flight=1)
    script.happen("submit f0 b i", now=0.0)
    for number in range(MOST_PASSES):
        script.happen(f"submit f{number + 1}", now=1.0)
        assert script.happen(f"ok f{number}", now=1.0) == f"f{number + 1}"
    books.reserves.clear()
    assert script.happen(f"ok f{MOST_PASSES}", now=1000.0) == "b"
    assert books.reserves == [0.0]


def test_the_time_at_the_head_adds_up_over_attempts():
    """Each wait at the head of the line counts, not the last one alone."""
    script, _ = asked_script(max_in_flight=1)
    script.happen("submit f a", now=0.0)
    script.happen("ok f", now=2.0)
    job = script.jobs["a"]
    assert job.held_s == 2.0
    script.happen("submit f2", now=3.0)
    script.scheduler.settle(job, LinkFailed(was_sent=False), now=3.0, dice=0.0)
    script.happen("ask", now=3.0)
    script.happen("ok f2", now=8.0)
    assert (job.attempts, job.held_s) == (2, 7.0)


def test_refusals_of_one_call_add_up():
    """As failures do."""
    script, _ = asked_script()
    script.happen("submit f", now=0.0)
    for now in (1.0, 2.0, 3.0):
        script.scheduler.settle(script.jobs["f"], Limited(), now=now, dice=0.0)
        script.happen("ask", now=now)
    assert (script.jobs["f"].refusals, script.jobs["f"].failures) == (3, 0)


# What is written down


def watched(**policy):
    """Make a script with books of its own whose scheduler is watched."""
    script = Script(Scheduler(RatePolicy(**{"mode": "exclusive", "reserve": 0, **policy})), dict(LIKENESS))
    script.scheduler.watch()
    return script


def told(script, *names):
    """Give the events of these names since the last time, each with its instant and what it says."""
    return [(event.name, event.at, event.detail) for event in script.scheduler.events() if event.name in names]


def test_only_a_call_that_asks_for_numbers_is_a_probe():
    """One that costs nothing asks for none; the one that takes the last proven token of a window does not either."""
    script = watched()
    script.happen("submit f a", now=0.0)
    script.happen("ok a L=20 V=3 R=60", now=0.2)
    script.happen("submit c", now=0.3)
    assert [detail["is_probe"] for _, _, detail in told(script, "call.start")] == [False, True, False]


def test_a_line_that_is_held_says_until_when_and_how_many_wait():
    """Of those in line, the head included; None where an answer must come first."""
    script = watched()
    script.happen("submit a b c", now=0.0)
    script.happen("ok a L=20 V=0 R=30", now=0.5)
    assert [(at, detail["until"], detail["waiting"]) for _, at, detail in told(script, "line.blocked")] == [
        (0.0, None, 2),
        (0.5, 31.5, 2),
    ]


def test_a_gate_says_until_when_it_is_shut():
    """The instant at which the stated reset has surely passed."""
    script = watched()
    script.happen("submit a", now=0.0)
    script.happen("refused a L=20 R=42", now=0.2)
    (closed,) = told(script, "gate.close")
    assert closed == ("gate.close", 0.2, {"until": 43.2})


def test_a_call_that_comes_again_says_when():
    """Its next attempt waits for its pause, or for the gate."""
    script = watched()
    script.dice = 0.9
    script.happen("submit a", now=0.0)
    script.happen("broken a L=20 V=19 R=60", now=1.0)
    ((_, at, detail),) = told(script, "call.again")
    assert (at, detail["start_at"]) == (1.0, pytest.approx(1.0 + 0.9 * RetryPolicy().base_s))


@pytest.mark.parametrize(
    ("name", "likeness", "event"),
    [
        ("call.given_up", {"retry": RetryPolicy(max_attempts=1)}, "broken a"),
        ("call.rejected", {}, "submit b1"),
        ("call.shed", {}, "submit c"),
    ],
)
def test_an_end_without_an_answer_is_told_with_its_instant(name, likeness, event):
    """Given up, not let in, or sent away for a more urgent one."""
    script = watched(max_queue=1, on_full="shed")
    script.likeness["a"] = likeness
    script.happen("submit a", now=0.0)
    script.happen("submit b0", now=1.0)
    script.happen(event, now=7.0)
    assert [at for _, at, _ in told(script, name)] == [7.0]


def test_a_call_without_a_deadline_is_never_hopeless():
    """However long the line is."""
    scheduler = Scheduler(RatePolicy(mode="exclusive"), books=Asked(Budget(), is_open=False))
    for _ in range(50):
        assert scheduler.submit(Job(), now=0.0).is_admitted

"""What a scheduler tells those who watch, through the life of calls; the words are the journal's."""

from __future__ import annotations

import pytest
from scripts import Script

from apteligent_async._scheduling.leases import Demand
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._scheduling.queue import MOST_PASSES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Event, Lane

ALONE = {"mode": "exclusive"}


def watched(likeness=None, **policy):
    """Make a script whose scheduler is watched from the beginning."""
    script = Script(Scheduler(RatePolicy(**{**ALONE, **policy})), likeness or {})
    script.scheduler.watch()
    return script


def told(script):
    """Give the names of the events since the last time."""
    return [event.name for event in script.scheduler.events()]


def test_nothing_is_written_while_nobody_watches():
    """Neither before watching nor after; what was not fetched by then is gone."""
    script = Script(Scheduler(RatePolicy(**ALONE)))
    script.happen("submit a", now=0.0)
    script.scheduler.note("mine", now=0.0)
    assert list(script.scheduler.events()) == []
    script.scheduler.watch()
    script.happen("submit b", now=1.0)
    script.scheduler.watch()
    assert told(script) == ["call.queued", "line.blocked"]
    script.happen("ok a L=20 V=19 R=60", now=2.0)
    script.scheduler.unwatch()
    assert list(script.scheduler.events()) == []
    script.happen("withdraw b", now=3.0)
    script.scheduler.watch()
    assert list(script.scheduler.events()) == []


def test_the_life_of_a_call_that_succeeds():
    """Queued behind nobody, started as a probe, answered; the second waits for its answer."""
    script = watched({"a": {"label": "one"}, "b": {"label": "two", "lane": Lane.BULK, "flow": "f"}})
    script.happen("submit a b", now=1.0)
    script.happen("ok a L=20 V=19 R=60", now=2.0)
    events = script.scheduler.events()
    assert [(event.name, event.detail.get("label"), event.at) for event in events] == [
        ("call.queued", "one", 1.0),
        ("call.queued", "two", 1.0),
        ("call.start", "one", 1.0),
        ("line.blocked", None, 1.0),
        ("call.answer", "one", 2.0),
        ("window.open", None, 2.0),
        ("call.start", "two", 2.0),
    ]
    queued = [event.detail for event in events[:2]]
    assert [(each["lane"], each["flow"], each["ahead"]) for each in queued] == [
        ("interactive", None, 0),
        ("bulk", "f", 1),
    ]
    assert [event.detail["is_probe"] for event in events if event.name == "call.start"] == [True, False]
    assert events[3].detail["cause"] == "probe"


def test_a_refusal_closes_the_gate_and_the_next_start_opens_it():
    """In between the call is told to come again."""
    script = watched()
    script.happen("submit a", now=0.0)
    script.happen("refused a L=20 R=30", now=1.0)
    names = told(script)
    assert names[2:] == ["call.answer", "window.open", "gate.close", "call.again", "line.blocked"]
    script.happen("ask", now=script.scheduler.wake_at())
    assert told(script) == ["gate.open", "call.start"]


def test_a_call_that_is_given_up_says_why():
    """After the last attempt there is no other."""
    script = watched({"a": {"retry": RetryPolicy(max_attempts=1)}})
    script.happen("submit a", now=0.0)
    script.happen("broken a", now=1.0)
    (given_up,) = [event for event in script.scheduler.events() if event.name == "call.given_up"]
    assert given_up.detail["why"] == "1 attempts failed"


@pytest.mark.parametrize(
    ("verb", "name", "detail"),
    [
        ("withdraw", "call.withdrawn", {"was_started": True}),
        ("abandon", "call.abandoned", {}),
    ],
)
def test_a_caller_that_goes_is_told_of(verb, name, detail):
    """Before anything was sent, or after."""
    script = watched({"a": {"label": "one"}})
    script.happen("submit a", now=0.0)
    ticket = script.jobs["a"].ticket
    script.happen(f"{verb} a", now=1.0)
    assert script.scheduler.events()[2:] == [Event(name, 1.0, {"call": ticket, "label": "one", **detail})]


def test_a_call_that_waits_is_withdrawn_as_one_that_waits():
    """It has cost nothing; one that has ended is not told of again."""
    script = watched()
    script.happen("submit a b", now=0.0)
    script.happen("withdraw b", now=1.0)
    assert [event.detail["was_started"] for event in script.scheduler.events() if "was_started" in event.detail] == [
        False
    ]
    script.happen("ok a L=20 V=19 R=60", now=2.0)
    told(script)
    script.scheduler.withdraw(script.jobs["a"], now=3.0)
    assert told(script) == []


def test_a_call_that_the_line_has_no_room_for_is_told_of():
    """Rejected, or in the place of a younger and less urgent one."""
    bulk = {"lane": Lane.BULK}
    script = watched({"b": bulk}, max_queue=1, on_full="shed")
    script.happen("submit a", now=0.0)
    script.happen("submit b1", now=1.0)
    told(script)
    script.happen("submit b2", now=2.0)
    (rejected,) = [event for event in script.scheduler.events() if event.name == "call.rejected"]
    assert (rejected.detail["eta_s"], rejected.detail["cause"]) == (None, "nothing")
    script.happen("submit c", now=3.0)
    assert told(script)[:2] == ["call.shed", "call.queued"]


def test_a_hopeless_deadline_is_rejected_with_what_makes_it_so():
    """The estimate and the cause stand in the event."""
    script = watched({"d": {"deadline_at": 10.0}})
    script.happen("submit a", now=0.0)
    script.happen("refused a L=20 R=30", now=1.0)
    told(script)
    script.happen("submit d", now=2.0)
    (rejected,) = [event for event in script.scheduler.events() if event.name == "call.rejected"]
    assert rejected.detail["eta_s"] > 8
    assert rejected.detail["cause"] == "refused"


def test_a_change_that_the_shell_makes_is_told_too():
    """What a block changes in the books is news like what an answer does."""
    script = watched()
    script.happen("submit a", now=0.0)
    script.happen("ok a L=20 V=19 R=60", now=1.0)
    told(script)
    with script.scheduler.noting_change(2.0):
        script.scheduler.budget.others_seen += 1
    script.scheduler.note("store.degraded", now=3.0, why="gone")
    events = script.scheduler.events()
    assert [(event.name, event.at) for event in events] == [("others.seen", 2.0), ("store.degraded", 3.0)]
    assert events[-1].detail == {"why": "gone"}
    script.scheduler.unwatch()
    with script.scheduler.noting_change(4.0):
        script.scheduler.budget.others_seen += 1
    assert list(script.scheduler.events()) == []


def test_a_scheduler_says_what_waits_for_tokens():
    """By lane, with the cost of the head; nothing while no place is free."""
    script = watched({"b": {"lane": Lane.BULK, "cost": 3}}, max_in_flight=1)
    assert script.scheduler.demand(now=0.0) == Demand()
    script.happen("submit a b", now=0.0)
    assert script.scheduler.demand(now=0.0) == Demand()
    script.happen("lost a", now=1.0)
    script.scheduler.withdraw(script.jobs["a"], now=1.0)
    demand = script.scheduler.demand(now=1.0)
    assert (demand.lanes[Lane.BULK], demand.cost) == (3, 3)


@pytest.mark.parametrize("kind", [{}, {"deadline_at": 900.0}])
def test_a_scheduler_says_whether_its_head_has_a_deadline(kind):
    """A line behind it does not count."""
    script = watched({"a": kind, "b": {"deadline_at": 900.0}})
    script.happen("submit a b", now=0.0)
    script.happen("lost a", now=1.0)
    script.happen("submit a2 b2", now=1.0)
    assert script.scheduler.demand(now=1.0).is_dated is bool(kind)


def test_the_head_of_what_waits_is_whoever_goes_next():
    """A bulk call that has waited and been passed over long enough stands before the urgent."""
    script = watched({"b": {"lane": Lane.BULK, "cost": 3}, "f": {"lane": Lane.FREE, "cost": 0}})
    script.happen("submit a b1", now=0.0)
    script.happen("submit i", now=0.0)
    assert script.scheduler.demand(now=1.0).cost == 1
    script.happen("submit " + " ".join(f"f{number}" for number in range(MOST_PASSES)), now=1.0)
    assert script.scheduler.demand(now=1.0).cost == 1
    assert script.scheduler.demand(now=100.0).cost == 3

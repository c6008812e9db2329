"""What the scheduler writes down, word for word: events are read by people, by metrics and by `explain`."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.journal import Journal, Marks
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.signals import (
    Cause,
    Event,
    Job,
    Limited,
    LinkFailed,
    Overloaded,
    Reading,
    Refused,
    Succeeded,
)

MARKS = Marks(left=5.0, is_gated=False, others_seen=0, window=1)
READING = Reading(limit=20.0, remaining=3.0, reset_s=40.0)


def job(**state):
    """Make a job in the middle of its life."""
    made = Job(cost=2, label="apps.list")
    for name, value in {"ticket": 7, "submitted_at": 10.0, "attempts": 3, **state}.items():
        setattr(made, name, value)
    return made


def test_events_are_fetched_once_in_order():
    """Whoever fetches gets what is new, oldest first, and it is gone."""
    journal = Journal()
    journal.note("one", 1.0, a=1)
    journal.note("two", 2.0)
    assert journal.fetch() == [Event("one", 1.0, {"a": 1}), Event("two", 2.0, {})]
    assert journal.fetch() == []


def test_an_event_of_a_call_names_the_call():
    """Its number and its label come first, what is special after."""
    journal = Journal()
    journal.note_call("queued", job(), 11.0, ahead=4)
    assert journal.fetch() == [Event("call.queued", 11.0, {"call": 7, "label": "apps.list", "ahead": 4})]


@pytest.mark.parametrize("is_probe", [True, False])
def test_a_start_tells_what_it_cost_and_how_long_it_waited(is_probe):
    """The tokens proven to remain are those of the budget at that instant."""
    journal, budget = Journal(), Budget(is_alone=True)
    journal.note_start(job(), budget, was_gated=False, is_probe=is_probe, at=12.5)
    told = {"call": 7, "label": "apps.list", "attempt": 3, "cost": 2, "waited_s": 2.5}
    (event,) = journal.fetch()
    assert event == Event("call.start", 12.5, {**told, "left": budget.left, "is_probe": is_probe})


@pytest.mark.parametrize(
    ("was_gated", "is_gated", "names"),
    [
        (True, False, ["gate.open", "call.start"]),
        (True, True, ["call.start"]),
        (False, False, ["call.start"]),
    ],
)
def test_the_gate_opens_with_the_first_start_after_it(was_gated, is_gated, names):
    """It is told once, before the call that shows it."""
    journal, budget = Journal(), Budget(is_alone=True)
    if is_gated:
        budget.refuse(job(), Reading(limit=20.0, remaining=0.0, reset_s=40.0), now=12.0)
    assert budget.is_gated is is_gated
    journal.note_start(job(), budget, was_gated=was_gated, is_probe=True, at=12.5)
    events = journal.fetch()
    assert [event.name for event in events] == names
    assert {event.at for event in events} == {12.5}


def test_the_same_obstacle_is_told_once_until_a_call_starts():
    """Another cause or another instant is news, and after a start the old one is news again."""
    journal = Journal()
    for cause, until, waiting in [
        (Cause.DRAINED, 60.0, 3),
        (Cause.DRAINED, 60.0, 4),
        (Cause.PROBE, 60.0, 4),
        (Cause.PROBE, 61.0, 4),
    ]:
        journal.note_blocked(cause, until, waiting=waiting, at=1.0)
    told = [(event.detail["cause"], event.detail["until"], event.detail["waiting"]) for event in journal.fetch()]
    assert told == [("drained", 60.0, 3), ("probe", 60.0, 4), ("probe", 61.0, 4)]
    journal.note_start(job(), Budget(is_alone=True), was_gated=False, is_probe=False, at=2.0)
    journal.note_blocked(Cause.PROBE, 61.0, waiting=1, at=3.0)
    assert journal.fetch()[-1] == Event("line.blocked", 3.0, {"cause": "probe", "until": 61.0, "waiting": 1})


def test_waiting_for_an_answer_has_no_instant():
    """JSON knows no infinity."""
    journal = Journal()
    journal.note_blocked(Cause.ANSWERS, math.inf, waiting=1, at=1.0)
    assert journal.fetch()[0].detail == {"cause": "answers", "until": None, "waiting": 1}


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Succeeded(reading=READING), "succeeded"),
        (Refused(reading=READING), "refused"),
        (Limited(reading=READING), "limited"),
        (Overloaded(reading=READING), "overloaded"),
        (LinkFailed(reading=READING), "link failed"),
        (LinkFailed(reading=READING, was_sent=False), "not sent"),
    ],
)
def test_an_answer_tells_its_outcome_and_what_was_stated(outcome, name):
    """The tokens before and after stand beside the stated numbers."""
    journal = Journal()
    journal.note_answer(job(), outcome, MARKS, evolve(MARKS, left=3.0), until=60.0, at=14.0)
    told = {"call": 7, "label": "apps.list", "outcome": name, "left_before": 5.0, "left": 3.0}
    assert journal.fetch() == [Event("call.answer", 14.0, {**told, "limit": 20.0, "remaining": 3.0, "reset_s": 40.0})]


def test_an_answer_that_states_nothing_says_nothing_of_numbers():
    """And its headers are not called invalid: there were none."""
    journal = Journal()
    journal.note_answer(job(), Succeeded(), MARKS, MARKS, until=60.0, at=14.0)
    (event,) = journal.fetch()
    assert list(event.detail) == ["call", "label", "outcome", "left_before", "left"]


@pytest.mark.parametrize(("outcome", "is_told"), [(Succeeded, True), (Overloaded, True), (Limited, False)])
def test_unusable_headers_are_told_of_all_but_refusals(outcome, is_told):
    """A 429 states what it likes; its reset counts all the same."""
    journal = Journal()
    bad = evolve(READING, reset_s=-1.0)
    journal.note_answer(job(), outcome(reading=bad), MARKS, MARKS, until=60.0, at=14.0)
    events = journal.fetch()[1:]
    assert events == ([Event("headers.invalid", 14.0, {"call": 7})] if is_told else [])


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        ({}, {}, []),
        ({}, {"window": 2}, [Event("window.open", 9.0, {"left": 5.0, "ends_at": 60.0})]),
        ({"window": None}, {}, [Event("window.open", 9.0, {"left": 5.0, "ends_at": 60.0})]),
        ({}, {"window": None}, []),
        ({}, {"others_seen": 1, "left": 2.0}, [Event("others.seen", 9.0, {"left": 2.0})]),
        ({"others_seen": 1}, {"others_seen": 1}, []),
        ({}, {"is_gated": True}, [Event("gate.close", 9.0, {"until": 60.0})]),
        ({"is_gated": True}, {"is_gated": True}, []),
        ({"is_gated": True}, {}, []),
    ],
)
def test_only_a_change_is_news(before, after, events):
    """Windows that open, strangers that are seen and a gate that closes are told once, with what they mean."""
    journal = Journal()
    journal.note_change(evolve(MARKS, **before), evolve(MARKS, **after), until=60.0, at=9.0)
    assert journal.fetch() == events


def test_what_an_answer_changed_is_told_after_it():
    """At the same instant, and until the same one."""
    journal = Journal()
    gated = evolve(MARKS, is_gated=True, window=2)
    journal.note_answer(job(), Limited(reading=READING), MARKS, gated, until=60.0, at=14.0)
    assert journal.fetch()[1:] == [
        Event("window.open", 14.0, {"left": 5.0, "ends_at": 60.0}),
        Event("gate.close", 14.0, {"until": 60.0}),
    ]


def test_marks_are_those_of_the_budget():
    """A window without an end is none."""
    budget = Budget(is_alone=True)
    budget.others_seen, budget.windows.serial = 3, 4
    assert Marks.of(budget) == Marks(left=budget.left, is_gated=False, others_seen=3, window=None)
    budget.windows.ends = Span(50.0, 51.0)
    assert Marks.of(budget).window == 4

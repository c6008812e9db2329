"""What becomes of one job between its entry and its end: places, starts and ends, whatever the budget holds."""

from __future__ import annotations

import pytest
from scripts import Script

from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.learned import Learned, LearnedView, learn, verdicts
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import (
    Again,
    Cause,
    Done,
    GiveUp,
    Job,
    Lane,
    Limited,
    LinkFailed,
    Overloaded,
    Refused,
    Stage,
    Succeeded,
)

FREE = {"f": {"lane": Lane.FREE, "cost": 0}}


def script(**policy):
    """Make a script in which jobs whose names begin with f cost nothing."""
    return Script(Scheduler(RatePolicy(**{"mode": "exclusive", "reserve": 0, **policy})), dict(FREE))


def books_of(script):
    """Say what the books count of our calls: under way, and in this window."""
    return script.scheduler.budget.live, script.scheduler.budget.own


def test_a_job_that_costs_nothing_waits_for_no_budget():
    """It starts while a probe is under way, and in a window that is used up."""
    line = script()
    assert line.happen("submit a b f1", now=0.0) == "f1 a"
    assert line.happen("ok a L=20 V=0 R=30", now=0.2) == ""
    assert line.happen("submit f2", now=0.3) == "f2"
    assert line.happen("submit c", now=0.4) == ""


@pytest.mark.parametrize("end", ["withdraw", "abandon", "ok", "refused", "lost"])
def test_a_job_that_costs_nothing_is_in_no_books(end):
    """Neither while it is under way nor however it ends; its place under way is free again."""
    line = script(max_in_flight=1)
    line.happen("submit f", now=0.0)
    assert books_of(line) == (0, 0)
    line.happen(f"{end} f", now=0.2)
    assert books_of(line) == (0, 0)
    assert line.scheduler.budget.refusals == 0
    line.scheduler.withdraw(line.jobs["f"], now=0.2)
    assert line.happen("submit a", now=0.3) == "a"


def test_even_a_job_that_costs_nothing_needs_a_place_under_way():
    """A connection is what it takes."""
    line = script(max_in_flight=1)
    assert line.happen("submit a f", now=0.0) == "f"
    assert line.scheduler.snapshot(now=0.0).waits_for == Cause.IN_FLIGHT.value


def test_a_job_that_comes_back_takes_its_old_place():
    """As after a new token: before those that came after it, and without being judged by the line's length."""
    line = script(max_in_flight=1, max_queue=1)
    line.happen("submit a", now=0.0)
    line.happen("submit b", now=0.0)
    again = line.jobs["a"]
    assert line.happen("denied a L=20 V=19 R=60", now=0.1) == "b"
    line.happen("submit c", now=0.1)
    admission = line.scheduler.submit(again, now=0.2)
    assert admission.is_admitted
    assert line.happen("ok b L=20 V=18 R=60", now=0.3) == "a"
    assert (again.attempts, again.ticket) == (2, 1)


@pytest.mark.parametrize(("retry_after_s", "wakes_at"), [(2.0, 2.3), (50.0, 43.2)])
def test_the_next_wake_up_is_the_earliest(retry_after_s, wakes_at):
    """That of a job that was put aside, or of the window that those in line wait for."""
    line = script()
    line.happen("submit a b c", now=0.0)
    assert line.happen("ok a L=20 V=8 R=42", now=0.2) == "b c"
    verdict = line.scheduler.settle(line.jobs["b"], Overloaded(retry_after_s=retry_after_s), now=0.3, dice=0.0)
    assert verdict == Again(at=0.3 + retry_after_s)
    assert line.happen("refused c L=20 R=42 A=25", now=0.2) == ""
    assert line.scheduler.wake_at() == wakes_at


def test_a_refused_job_that_costs_nothing_is_in_line_again_at_once():
    """No gate is shut for it, as no budget counts it; it stands before those that came later."""
    line = script(max_in_flight=1)
    line.happen("submit f1 f2", now=0.0)
    verdict = line.scheduler.settle(line.jobs["f1"], Limited(), now=0.5, dice=0.0)
    assert verdict == Again(at=0.5)
    assert line.jobs["f1"].refusals == 1
    assert [line.jobs["f1"]] == list(line.scheduler.due(now=0.5))


@pytest.mark.parametrize(
    ("outcome", "failures", "refusals"),
    [(Overloaded(), 1, 0), (LinkFailed(), 1, 0), (Limited(), 0, 1), (Succeeded(), 0, 0), (Refused(), 0, 0)],
)
def test_failures_and_refusals_are_told_apart(outcome, failures, refusals):
    """The ones are the service's and the link's, the others the budget's."""
    line = script()
    line.happen("submit a", now=0.0)
    line.scheduler.settle(line.jobs["a"], outcome, now=0.1, dice=0.0)
    assert (line.jobs["a"].failures, line.jobs["a"].refusals) == (failures, refusals)


def test_a_job_is_not_tried_again_beyond_its_deadline():
    """Nor is one whose gate opens only then; up to the very instant it is."""
    for deadline_at, expected in ((60.9, GiveUp), (61.0, Again)):
        line = script()
        job = line.jobs["a"] = Job(deadline_at=deadline_at)
        line.scheduler.submit(job, now=0.0)
        line.scheduler.due(now=0.0)
        verdict = line.scheduler.settle(job, Limited(), now=1.0, dice=0.0)
        assert isinstance(verdict, expected)
        assert job.stage is (Stage.ENDED if expected is GiveUp else Stage.WAITING)


def test_what_is_done_is_done():
    """An answer, good or bad, ends a job."""
    line = script()
    line.happen("submit a", now=0.0)
    assert line.scheduler.settle(line.jobs["a"], Refused(), now=0.1, dice=0.0) == Done()
    assert line.jobs["a"].stage is Stage.ENDED


def test_the_time_that_a_job_is_held_at_the_head_is_noted():
    """From when nobody was before it to its start; time behind others is not held."""
    line = script(max_in_flight=1)
    line.happen("submit a b c", now=0.0)
    line.happen("ok a L=20 V=19 R=60", now=2.0)
    line.happen("ok b L=20 V=18 R=60", now=5.0)
    assert [line.jobs[name].held_s for name in "abc"] == [0.0, 2.0, 3.0]
    assert line.jobs["c"].headed_at is None
    assert [line.jobs[name].granted_at for name in "abc"] == [0.0, 2.0, 5.0]


def test_a_job_that_was_taken_back_before_it_was_sent_has_no_attempt():
    """Its place and its token are free again; one that waits leaves nothing."""
    line = script(max_in_flight=1)
    line.happen("submit a b", now=0.0)
    assert line.happen("withdraw a", now=0.1) == "b"
    assert (line.jobs["a"].attempts, line.scheduler.budget.live) == (0, 1)
    line.happen("submit c", now=0.2)
    assert line.happen("withdraw c", now=0.3) == ""
    seen = line.scheduler.snapshot(now=0.3)
    assert (seen.queued["interactive"], seen.in_flight) == (0, 1)


@pytest.mark.parametrize("end", ["withdraw", "abandon", "ok", "denied"])
def test_whoever_ends_frees_one_place_under_way(end):
    """And no more than one."""
    line = script(max_in_flight=2)
    line.happen("submit f1 f2", now=0.0)
    line.happen(f"{end} f1", now=0.1)
    assert line.scheduler.snapshot(now=0.1).in_flight == 1


def test_a_deadline_matters_to_those_only_who_cannot_start_at_once():
    """Where nobody is before it and a token is there, a job is let in however soon it must be done."""
    line = script(max_in_flight=1)
    line.happen("submit a", now=0.0)
    line.happen("ok a L=20 V=8 R=42", now=0.2)
    line.jobs["b"] = Job(deadline_at=0.3)
    assert line.scheduler.submit(line.jobs["b"], now=0.3).is_admitted
    assert line.happen("ask", now=0.3) == "b"


def test_at_the_very_reset_a_job_can_start_at_once():
    """And is let in, whatever the deadline."""
    line = script()
    line.happen("submit a", now=0.0)
    line.happen("ok a L=20 V=0 R=30", now=0.2)
    line.jobs["b"] = Job(deadline_at=31.2)
    assert line.scheduler.submit(line.jobs["b"], now=31.2).is_admitted
    assert line.happen("ask", now=31.2) == "b"


def test_a_hopeless_deadline_is_told_at_once():
    """With the estimate and the cause; what costs nothing is not judged, nor what can be done in time."""
    line = script()
    line.happen("submit a b", now=0.0)
    line.happen("ok a L=20 V=1 R=30", now=0.2)
    hopeless = line.scheduler.submit(Job(deadline_at=25.0), now=0.3)
    assert (hopeless.is_admitted, hopeless.cause) == (False, Cause.DRAINED)
    assert hopeless.eta.pessimistic > 25
    assert line.scheduler.submit(Job(deadline_at=1000.0), now=0.3).is_admitted
    assert line.scheduler.submit(Job(deadline_at=0.3, lane=Lane.FREE, cost=0), now=0.3).is_admitted


def test_a_snapshot_says_all_that_is_known():
    """Of the service as of those who wait, and for what."""
    line = script(max_in_flight=2)
    line.happen("submit a b c d", now=0.0)
    line.happen("ok a L=20 V=19 R=60", now=0.2)
    seen = line.scheduler.snapshot(now=10.2)
    assert (seen.mode, seen.limit, seen.left_low, seen.is_gated, seen.refusals) == ("exclusive", 20, 16, False, 0)
    assert seen.left_high == line.scheduler.budget.most_left
    assert seen.reset_s == pytest.approx(50, abs=1)
    assert seen.queued == {"free": 0, "token": 0, "interactive": 1, "bulk": 0}
    assert (seen.in_flight, seen.waits_for, seen.waits_s) == (2, "in_flight", None)
    assert (seen.queued_elsewhere, seen.others_seen) == ({}, 0)
    settled = verdicts(line.scheduler.budget)
    unit = None if settled.unit is None else settled.unit.value
    found = (seen.bucket_s, seen.bucket_calls, seen.unit, seen.includes_call)
    assert found == (settled.length_s, settled.budget, unit, settled.includes_call)
    assert line.scheduler.learned() == learn(line.scheduler.budget)


def test_a_snapshot_says_what_was_settled():
    """What one bucket holds, how long it is, and how to read the numbers."""
    views = [LearnedView(unit="speed", includes_call=True, is_alive=True, strikes=0, calls_at_least=9, calls_at_most=9)]
    known = {"limit": 9.0, "bucket_s": 60.0, "longest_s": 60.0, "whole_s": 60.0, "has_stood": True, "is_moving": False}
    scheduler = Scheduler(hypotheses=ALL_HYPOTHESES[:1], learned=Learned(**known, views=tuple(views)))
    seen = scheduler.snapshot(now=0.0)
    assert (seen.bucket_calls, seen.bucket_s, seen.unit, seen.includes_call) == (9, 60.0, "speed", True)


def test_a_snapshot_tells_of_those_who_wait_elsewhere():
    """As the books heard of them last."""
    books = OwnBooks(Budget())
    books.queued_elsewhere = {"bulk": 3}
    assert Scheduler(books=books).snapshot(now=0.0).queued_elsewhere == {"bulk": 3}


def test_a_snapshot_tells_how_long_the_wait_is():
    """To the next wake-up, and nothing once that has passed; an empty line waits for nothing."""
    line = script()
    assert line.scheduler.snapshot(now=0.0).waits_for is None
    line.happen("submit a b", now=0.0)
    line.happen("refused a L=20 R=42 A=25", now=0.2)
    seen = line.scheduler.snapshot(now=10.2)
    assert (seen.is_gated, seen.refusals, seen.waits_for, seen.left_low) == (True, 1, "refused", 0)
    assert seen.waits_s == pytest.approx(33.0)
    assert line.scheduler.snapshot(now=99.0).waits_s == 0.0
    assert line.scheduler.snapshot(now=99.0).reset_s == 0.0


# What it is made of


@pytest.mark.parametrize(("mode", "is_alone"), [("exclusive", True), ("shared", False), ("polite", False)])
def test_a_scheduler_keeps_books_of_its_own_if_not_given_any(mode, is_alone):
    """They know whether it is promised to be alone, and read numbers in the ways that it is told."""
    scheduler = Scheduler(RatePolicy(mode=mode), hypotheses=ALL_HYPOTHESES[:1])
    assert scheduler.budget.is_alone is is_alone
    assert [view.hypothesis for view in scheduler.budget.views] == [ALL_HYPOTHESES[0]]
    assert Scheduler().policy == RatePolicy()
    assert len(Scheduler().budget.views) == len(ALL_HYPOTHESES)
    books = OwnBooks(Budget(limit=7.0))
    assert Scheduler(books=books).budget is books.budget


def test_a_scheduler_recalls_what_an_earlier_one_has_learned():
    """And trusts none of its tokens."""
    first = script()
    first.happen("submit a", now=0.0)
    first.happen("ok a L=30 V=29 R=60", now=0.2)
    second = Scheduler(learned=first.scheduler.learned())
    assert second.budget.limit == 30
    assert second.budget.left == 1


# Room in line


def full(on_full="raise"):
    """Make a line with one place, which an interactive job has, behind one that is under way."""
    line = script(max_in_flight=1, max_queue=1, on_full=on_full)
    line.likeness["b"] = {"lane": Lane.BULK}
    line.likeness["t"] = {"lane": Lane.TOKEN}
    line.happen("submit a", now=0.0)
    return line


def test_a_full_line_takes_nobody_but_tokens():
    """The one who is told no is ended, and nobody is shed for it."""
    line = full()
    assert line.scheduler.submit(Job(), now=0.0).is_admitted
    late = Job()
    refused = line.scheduler.submit(late, now=0.0)
    assert (refused.is_admitted, refused.shed, refused.eta, late.stage) == (False, None, None, Stage.ENDED)
    assert line.scheduler.submit(Job(lane=Lane.TOKEN), now=0.0).is_admitted
    assert line.scheduler.submit(Job(lane=Lane.FREE, cost=0), now=0.0).is_admitted


def test_a_less_urgent_one_makes_room_where_that_is_wished():
    """And only there; among equals nobody does."""
    for on_full, is_admitted in (("shed", True), ("raise", False), ("wait", False)):
        line = full(on_full)
        bulk = Job(lane=Lane.BULK)
        line.scheduler.submit(bulk, now=0.0)
        admission = line.scheduler.submit(Job(), now=0.0)
        assert (admission.is_admitted, admission.shed) == (is_admitted, bulk if is_admitted else None)
        assert bulk.stage is (Stage.ENDED if is_admitted else Stage.WAITING)
        assert not line.scheduler.submit(Job(), now=0.0).is_admitted


def test_up_to_its_very_deadline_a_job_is_let_in():
    """At the pessimistic estimate it is still in time."""
    line = script()
    line.happen("submit a b", now=0.0)
    line.happen("ok a L=20 V=1 R=30", now=0.2)
    at = 0.3 + line.scheduler.submit(Job(deadline_at=1.0), now=0.3).eta.pessimistic
    assert not line.scheduler.submit(Job(deadline_at=at - 0.01), now=0.3).is_admitted
    assert line.scheduler.submit(Job(deadline_at=at), now=0.3).is_admitted


def test_why_it_is_given_up_is_said():
    """In words for people."""
    line = script()
    job = line.jobs["a"] = Job(deadline_at=60.0)
    line.scheduler.submit(job, now=0.0)
    line.scheduler.due(now=0.0)
    verdict = line.scheduler.settle(job, Limited(), now=1.0, dice=0.0)
    assert verdict == GiveUp(why="the next attempt would start after the deadline")

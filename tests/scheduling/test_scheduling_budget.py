"""What may start after which answers: tables of instants and decisions, one caller with the budget to itself.

A whole number of seconds may be off by one either way, so that a reset stated as R by an answer that arrived at t has
surely passed at t + R + 1. What remains may be a speed or a count and may or may not include the call that states it:
until that is settled, the most cautious of the four readings decides.
"""

from __future__ import annotations

import pytest
from scripts import Row, play

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.signals import Job
from apteligent_async._scheduling.windows import Windows

ALONE = RatePolicy(mode="exclusive", reserve=0)
ASLEEP = None

TABLES = {
    "the first call is a probe, and a fresh bucket of a minute opens all at once": [
        Row(0, "submit a b c", starts="a", wakes=ASLEEP),
        Row(0.1, "ask", wakes=ASLEEP),
        Row(0.2, "ok a L=20 V=19 R=60", starts="b c", wakes=ASLEEP),
    ],
    "an answer without a whole bucket proves what its most cautious reading does": [
        Row(0, "submit a b c d e f g h", starts="a"),
        # a speed of 10 over at least 39 s proves 6 calls, less the one that may not be taken off yet
        Row(0.2, "ok a L=20 V=10 R=40", starts="b c d e f"),
        # 9 prove 5 more after b: one more than our own books know of
        Row(0.4, "ok b L=20 V=9 R=40", starts="g"),
        Row(0.6, "ok c L=20 V=8 R=40"),
    ],
    "a drained bucket waits for the reset and then sends one probe": [
        Row(0, "submit a b c d", starts="a"),
        Row(0.2, "ok a L=20 V=1 R=30", wakes=31.2),
        Row(31.1, "ask", wakes=31.2),
        Row(31.2, "ask", starts="b", wakes=ASLEEP),
        Row(31.3, "ask", wakes=ASLEEP),
        Row(31.4, "ok b L=20 V=19 R=60", starts="c d"),
    ],
    "the first call that finds nothing left waits for the stated reset, once": [
        Row(0, "submit a b", starts="a"),
        Row(0.2, "refused a L=20 R=42 A=25", wakes=43.2),
        Row(43.1, "ask", wakes=43.2),
        Row(43.2, "ask", starts="a"),
        Row(43.4, "ok a L=20 V=19 R=60", starts="b"),
    ],
    "one refusal shuts the gate for everybody, later ones change nothing": [
        Row(0, "submit a b c d e f", starts="a"),
        Row(0.2, "ok a L=20 V=8 R=42", starts="b c d e"),
        Row(0.4, "refused b L=20 R=42 A=25"),
        Row(0.5, "refused c L=20 R=42 A=25"),
        Row(0.6, "lost d"),
        Row(0.7, "ok e L=20 V=0 R=42", wakes=43.7),
        Row(43.6, "ask", wakes=43.7),
        Row(43.7, "ask", starts="b", wakes=ASLEEP),
        Row(43.4, "ok b L=20 V=19 R=60", starts="c d f"),
    ],
    "a refusal that names a later reset than its answers did is believed": [
        Row(0, "submit a b c", starts="a"),
        Row(0.2, "ok a L=20 V=8 R=10", starts="b"),
        Row(0.4, "refused b L=20 R=42 A=25", wakes=43.4),
        Row(11.3, "ask", wakes=43.4),
        Row(43.4, "ask", starts="b"),
    ],
    "a refusal that says nothing lasts a minute": [
        Row(0, "submit a b", starts="a"),
        Row(0.2, "refused a", wakes=60.2),
        Row(60.1, "ask", wakes=60.2),
        Row(60.2, "ask", starts="a"),
        Row(60.3, "refused a", wakes=120.3),
        Row(120.3, "ask", starts="a"),
    ],
    "an answer of the window before says nothing of the new one": [
        Row(0, "submit a b c d", starts="a"),
        Row(0.2, "ok a L=20 V=8 R=10", starts="b"),
        Row(1, "abandon b", wakes=11.2),
        Row(11.2, "ask", starts="c"),
        # it was worded just before the reset: the bucket that it speaks of is gone
        Row(11.4, "ok c L=20 V=0 R=0", wakes=12.4),
        Row(12.4, "ask", starts="d"),
    ],
    "a call given up counts as spent, and no answer is taken to include it": [
        Row(0, "submit a b c d e f g h", starts="a"),
        Row(0.2, "ok a L=20 V=10 R=40", starts="b c d e f"),
        Row(0.5, "abandon b"),
        # 9 remain as stated: 6 at least as a speed over 38.6 s, less one unread call and the one given up: 4, all live
        Row(0.6, "ok c L=20 V=9 R=40", starts=""),
        Row(0.7, "ok d L=20 V=8 R=40", starts=""),
        # as a speed, 7 prove 4 calls, which are less than our own books know: 6 - 5 settled
        Row(0.8, "ok e L=20 V=7 R=40"),
    ],
    "a call that never left costs nothing": [
        Row(0, "submit a b", starts="a"),
        Row(0.1, "unsent a", starts="a"),
        Row(0.2, "withdraw a", starts="b"),
        Row(0.4, "ok b L=20 V=19 R=60", wakes=ASLEEP),
        Row(0.5, "submit c d", starts="c d"),
    ],
    "answers without numbers are followed one at a time, and slowly": [
        Row(0, "submit a b c d", starts="a"),
        Row(0.2, "ok a", wakes=3.2),
        Row(3.1, "ask", wakes=3.2),
        Row(3.2, "ask", starts="b", wakes=ASLEEP),
        Row(9, "ok b L=20 V=12 R=30", starts="c d"),
    ],
    "numbers that cannot be true are no numbers": [
        Row(0, "submit a b c", starts="a"),
        Row(0.2, "ok a L=20 V=nan R=60", wakes=3.2),
        Row(3.2, "ask", starts="b"),
        Row(3.4, "ok b L=20 V=12 R=1e9"),
        Row(3.5, "ask"),
        Row(20, "ask", starts="c"),
        Row(20.2, "ok c L=20 V=12 R=-4", wakes=ASLEEP),
    ],
    "lost numbers within a window cost one call and a pause, no more": [
        Row(0, "submit a b c d e f g h", starts="a"),
        Row(0.2, "ok a L=20 V=7 R=60", starts="b c d e f"),
        Row(0.4, "ok b"),
        Row(0.5, "ok c L=20 V=5 R=60"),
        Row(0.6, "ok d L=20 V=4 R=60"),
        Row(0.7, "ok e L=20 V=3 R=60"),
        Row(0.8, "ok f L=20 V=2 R=60", wakes=61.8),
    ],
    "a new window opens with one call, though the last one was counted": [
        Row(0, "submit a b c d e f g h i j", starts="a"),
        Row(0.2, "ok a L=10 V=9 R=60", starts="b c d e f g h i"),
        Row(0.4, "ok b L=10 V=8 R=60"),
        Row(0.4, "ok c L=10 V=7 R=60"),
        Row(0.5, "submit k l m", wakes=ASLEEP),
        Row(0.6, "ok d e f g h i L=10 V=1 R=60", starts="j"),
        Row(0.7, "ok j L=10 V=0 R=60", wakes=61.7),
        Row(61.7, "ask", starts="k", wakes=ASLEEP),
        Row(61.4, "ok k L=10 V=9 R=60", starts="l m"),
    ],
    "a limit cut within a window takes effect with the first answer that states it": [
        Row(0, "submit a b c d e f g h", starts="a"),
        Row(0.2, "ok a L=20 V=10 R=60", starts="b c d e f g h"),
        Row(0.3, "submit i j k", starts="i"),
        Row(0.4, "ok b L=2 V=0 R=60"),
        Row(0.5, "ok c L=2 V=0 R=60"),
    ],
    "a speed over five minutes is held for a count until that is settled, and the last call is kept for later": [
        Row(0, "submit a b c d e f g h", starts="a"),
        Row(0.2, "ok a L=20 V=5 R=300", starts="b c d"),
        Row(0.4, "ok b L=20 V=5 R=300", starts="e"),
    ],
}


@pytest.mark.parametrize("title", TABLES)
def test_table(title):
    """Every instant of the table starts what it says, and names the wake-up that it says."""
    play(ALONE, TABLES[title])


def test_somebody_else_is_noticed():
    """An answer far below our own books is somebody else's doing: it is believed, counted and told."""
    rows = [
        Row(0, "submit a b c d e f g h", starts="a"),
        Row(0.2, "ok a L=20 V=16 R=60", starts="b c d"),
        Row(0.4, "ok b L=20 V=4 R=60"),
        Row(0.5, "ok c L=20 V=3 R=60"),
        Row(0.6, "ok d L=20 V=2 R=60", wakes=61.6),
    ]
    scheduler = play(RatePolicy(mode="shared", reserve=0), rows).scheduler
    snapshot = scheduler.snapshot(now=1.0)
    assert snapshot.others_seen >= 1
    assert snapshot.left_low == 0


def test_a_burst_of_refusals_is_told_as_what_it_is():
    """The snapshot counts each refusal, knows that the gate is shut, and that it opens with the window."""
    rows = TABLES["one refusal shuts the gate for everybody, later ones change nothing"]
    shut = play(ALONE, rows[:6]).scheduler.snapshot(now=0.7)
    assert (shut.is_gated, shut.refusals, shut.left_low, shut.in_flight) == (True, 2, 0, 0)
    assert shut.reset_s == pytest.approx(41.5)
    assert not play(ALONE, rows[:8]).scheduler.snapshot(now=43.2).is_gated


def test_costs_are_charged_in_full():
    """A call of three tokens takes three, and waits while only two are proven."""
    rows = [
        Row(0, "submit a", starts="a"),
        Row(0.2, "ok a L=4 V=3 R=60"),
        Row(0.3, "submit b", starts="b"),
        Row(0.4, "ok b L=4 V=2 R=60"),
        Row(0.5, "submit dear", wakes=106.4),
        Row(106.4, "ask", starts="dear"),
    ]
    script = play(ALONE, rows, d={"cost": 3})
    assert script.scheduler.budget.live == 3


@pytest.mark.parametrize(
    ("changes", "one_at", "three_at"),
    [
        ({}, 61.0, 70.0),
        ({"refills": False}, 61.0, 70.0),
        ({"refills": True}, 61.0, 61.0),
        ({"refills": True, "is_moving": True}, 40.0, 70.0),
        ({"is_moving": True}, 40.0, 70.0),
    ],
)
def test_a_reset_proves_one_token_until_windows_are_seen_to_refill(changes, one_at, three_at):
    """Where they do not, two more take half as long again as at 20 a minute, after every reset that was stated."""
    windows = Windows(ends=Span(59.0, 61.0), stated_until=61.0, forbidden_until=40.0, **changes)
    budget = Budget(limit=20.0, windows=windows)
    for view in budget.views:
        view.budget_lo = 3
    assert (budget.proves_at(1), budget.proves_at(3)) == (one_at, three_at)
    budget.views[0].budget_lo = 2
    assert budget.proves_at(3) == 70.0, "a window may hold no more than that"


def test_a_refused_call_waits_until_it_can_be_paid_for():
    """The reset that a refusal states is that of one token, whatever windows did before."""
    budget = Budget(limit=20.0, windows=Windows(ends=Span(59.0, 61.0), stated_until=61.0, refills=True))
    for view in budget.views:
        view.budget_lo = 3
    budget.gate.shut(70.0)
    assert (budget.proves_at(1), budget.proves_at(3)) == (70.0, 79.0)


def test_a_dear_call_that_is_lost_is_paused_for_as_many():
    """At 20 a minute three tokens are worth nine seconds."""
    budget = Budget(limit=20.0)
    budget.take(3, now=0.0)
    budget.lose(Job(cost=3), now=1.0)
    assert budget.gate.paused_until == 10.0

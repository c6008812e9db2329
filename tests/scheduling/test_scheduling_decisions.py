"""When a call may start, by what the books say, and what its end means for them."""

from __future__ import annotations

import math

import pytest
from attrs import define, field

from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.company import Company
from apteligent_async._scheduling.decisions import account, starts_at
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.release import most_jitter_s
from apteligent_async._scheduling.signals import (
    Cause,
    Job,
    Limited,
    LinkFailed,
    Overloaded,
    Reading,
    Refused,
    Succeeded,
)

PAST = -math.inf
NOW = 10.0
READING = Reading(limit=20.0, remaining=10.0, reset_s=50.0)


@define
class Stated:
    """Books that say what they are told to, and note what they are told."""

    left: float = 5.0
    opens: float = PAST
    ends: Span | None = field(factory=lambda: Span(60.0, 62.0))
    expected_length_s: float = 40.0
    live: int = 0
    own: int = 5
    sharp: float = 30.0
    drips: float = PAST
    company: Company = field(factory=Company)
    risks: float = math.inf
    told: list[tuple[object, ...]] = field(factory=list)

    def opens_at(self, cost):
        """Say from when tokens are proven."""
        return self.opens

    def risks_at(self, cost, *, now):
        """Say from when a call may be risked."""
        return self.risks

    def obstacle(self, *, now):
        """Say what is in the way."""
        return Cause.DRAINED

    @property
    def looks(self):
        """Say of themselves what looks say."""
        return self

    def shows_more_at(self, books, *, last_at, now):
        """Say when numbers are sharp, or tokens have come back one by one."""
        return max(self.sharp, last_at + self.drips)

    def __getattr__(self, verb):
        if verb not in {"take", "refuse", "give_back", "lose", "answer"}:
            raise AttributeError(verb)
        return lambda *arguments, **named: self.told.append((verb, *arguments, *named.items()))


def asked(books, *, mode="exclusive", job=None, wanted=1.0, last_at=PAST, jitter=0.5, **options):
    """Ask when a job may start."""
    policy = RatePolicy(mode=mode)
    return starts_at(policy, books, job or Job(), wanted=wanted, last_at=last_at, jitter=jitter, now=NOW, **options)


@pytest.mark.parametrize("opens", [PAST, NOW - 1, NOW])
def test_what_is_proven_goes_at_once(opens):
    """From the very instant at which it is."""
    assert asked(Stated(opens=opens)) == (PAST, Cause.NOTHING)


@pytest.mark.parametrize(
    ("left", "opens", "mode", "ends", "at"),
    [
        (0.0, 62.0, "exclusive", Span(60.0, 62.0), 62.0),
        (0.0, 62.0, "shared", Span(60.0, 62.0), 62.2),  # half of 40 s / 100
        (0.0, 62.0, "polite", Span(60.0, 62.0), 62.2),
        (0.0, 62.0, "shared", None, 62.0),  # nobody knows of a window to meet at
        (1.0, 62.0, "shared", Span(60.0, 62.0), 62.0),  # paused, with tokens left
        (5.0, NOW + 1, "shared", Span(60.0, 62.0), NOW + 1),
    ],
)
def test_what_is_not_proven_waits_for_the_books(left, opens, mode, ends, at):
    """Where others may wait for the same window, each comes a little later, by the draw."""
    assert asked(Stated(left=left, opens=opens, ends=ends), mode=mode) == (pytest.approx(at), Cause.DRAINED)


@pytest.mark.parametrize(("length_s", "most_s"), [(10.0, 0.1), (50.0, 0.5), (600.0, 0.5)])
def test_the_draw_is_a_hundredth_of_a_window_and_half_a_second_at_most(length_s, most_s):
    """A longer spread would waste the window's beginning."""
    assert most_jitter_s(length_s) == pytest.approx(most_s)
    late, _ = asked(Stated(left=0.0, opens=62.0, expected_length_s=length_s), mode="shared", jitter=0.25)
    assert late == pytest.approx(62.0 + most_s / 4)


@pytest.mark.parametrize(
    ("left", "wanted", "at", "cause"),
    [
        (1.0, 2.0, 30.0, Cause.LATE_LOOK),
        (1.9, 2.0, 30.0, Cause.LATE_LOOK),
        (1.0, 1.0, PAST, Cause.NOTHING),  # nobody waits behind
        (2.0, 9.0, PAST, Cause.NOTHING),  # one is left after it
    ],
)
def test_the_last_token_of_a_backlog_is_kept_for_a_late_look(left, wanted, at, cause):
    """Where the numbers become sharp later in the window."""
    assert asked(Stated(left=left), wanted=wanted) == (at, cause)


@pytest.mark.parametrize(
    ("sharp", "drips", "live", "at"),
    [(PAST, 4.0, 0, 12.0), (11.0, 4.0, 0, 12.0), (30.0, 4.0, 0, 30.0), (PAST, 4.0, 1, math.inf), (PAST, 2.0, 1, NOW)],
)
def test_it_is_kept_until_more_tokens_show(sharp, drips, live, at):
    """By rounding less or by coming back, whichever takes longer; while calls are under way their answers may do."""
    books = Stated(left=1.0, sharp=sharp, drips=drips, live=live)
    assert asked(books, wanted=2.0, last_at=8.0) == (at, Cause.LATE_LOOK)


def test_polite_calls_keep_their_distance_from_the_last_one():
    """The window that is left is divided by the tokens that are left and one."""
    at, cause = asked(Stated(left=9.0), mode="polite", last_at=10.0)
    assert (at, cause) == (pytest.approx(15.0), Cause.PACE)


def test_shared_calls_keep_a_part_under_way():
    """The part that they are told."""
    books = Stated(left=8.0, live=2)
    assert asked(books, mode="shared", phi=0.3) == (PAST, Cause.NOTHING)
    assert asked(books, mode="shared", phi=0.25) == (math.inf, Cause.ANSWERS)
    assert asked(books, mode="shared") == (math.inf, Cause.ANSWERS)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Limited(reading=READING), "refuse"),
        (LinkFailed(was_sent=False), "give_back"),
        (LinkFailed(reading=READING, was_sent=False), "give_back"),
        (LinkFailed(), "lose"),
        (LinkFailed(reading=READING), "answer"),
        (Succeeded(reading=READING), "answer"),
        (Succeeded(), "answer"),
        (Refused(reading=READING), "answer"),
        (Overloaded(reading=READING), "answer"),
        (Overloaded(), "answer"),
    ],
)
def test_each_end_of_an_attempt_is_one_entry(outcome, told):
    """A call that never left costs nothing, one without an answer may have cost, the others say what is left."""
    books, job = Stated(), Job(cost=3)
    account(books, job, outcome, now=NOW)
    entry = {"give_back": (3,), "lose": (job, ("now", NOW))}.get(told, (job, outcome.reading, ("now", NOW)))
    assert books.told == [(told, *entry)]


def test_something_else_is_no_end():
    """A new kind of outcome must be thought of here."""
    with pytest.raises(AssertionError, match="gone"):
        account(Stated(), Job(), "gone", now=NOW)


def test_own_books_remember_the_last_start():
    """Polite calls pace themselves by it."""
    books, policy = OwnBooks(Stated(left=9.0)), RatePolicy(mode="polite")
    books.start(Job(cost=2), now=NOW)
    assert books.budget.told == [("take", 2, ("now", NOW))]
    assert books.starts_at(policy, Job(), wanted=1, now=NOW) == (pytest.approx(15.0), Cause.PACE)


@pytest.mark.parametrize(("phi", "cause"), [(0.3, Cause.NOTHING), (0.25, Cause.ANSWERS)])
def test_own_books_keep_their_own_part_under_way(phi, cause):
    """The one that they were made with."""
    books = OwnBooks(Stated(left=8.0, live=2), phi=phi)
    assert books.starts_at(RatePolicy(), Job(), wanted=1, now=NOW)[1] is cause


def test_own_books_spread_the_next_opening_by_the_draw_of_the_last_answer():
    """Before the first answer there is none."""
    books, policy = OwnBooks(Stated(left=0.0, opens=62.0)), RatePolicy()
    assert books.starts_at(policy, Job(), wanted=1, now=NOW)[0] == 62.0
    books.settle(Job(), Succeeded(), now=NOW, dice=0.75)
    assert books.starts_at(policy, Job(), wanted=1, now=NOW)[0] == pytest.approx(62.3)

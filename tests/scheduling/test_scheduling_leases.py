"""What one line of a fleet holds, asks and tells: each promise by itself, told by instants of two clocks."""

from __future__ import annotations

import math

import pytest

from apteligent_async import RatePolicy
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet import Fleet, Granted, Member, News
from apteligent_async._scheduling.leases import (
    ALONE_PHI,
    FIRST_RETRY_S,
    LONGEST_RETRY_S,
    MOST_NEWS,
    Demand,
    LeasedBooks,
)
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.signals import Cause, Job, Lane, LinkFailed, Reading, Succeeded

POLICY = RatePolicy(mode="exclusive", reserve=0)
DONE = Succeeded(reading=None)
NOTHING = Demand()


def wants(interactive=0, bulk=0, *, cost=1):
    """Say what waits in a line."""
    return Demand((0, 0, interactive, bulk), cost)


def stated(*, left, ends=(59.0, 60.0), size=60):
    """Make books that know of a minute's window with so many tokens left."""
    budget = Budget(limit=float(size))
    budget.windows.length_s, budget.windows.ends, budget.windows.stated_until = 60.0, Span(*ends), ends[1]
    for view in budget.views:
        view.left, view.budget_lo = left, size
    budget._tally()
    return budget


def granted(tokens, *, valid_until=100.0, asks_at=math.inf, cause=Cause.TURN, epoch=3):
    """Say what a visit brought, on the store's clock."""
    return Granted(tokens=tokens, epoch=epoch, valid_until=valid_until, asks_at=asks_at, cause=cause)


def visited(brought=None, *, demand=NOTHING, rest=(0, 0, 0, 0), others=None, stamped_at=10.0, sent_at=10.0, now=10.0):
    """Make a line that comes back from its first visit, which began at `sent_at`; nobody's clock is ahead."""
    books = LeasedBooks("me", POLICY, Budget(), host="h", pid=7)
    errand = books.errand(demand, now=sent_at)
    come_back(books, errand, brought or granted(0), rest=rest, others=others, stamped_at=stamped_at, now=now)
    return books


def come_back(books, errand, brought, *, rest=(0, 0, 0, 0), others=None, stamped_at=10.0, now=10.0):
    """Let a visit end; what is left of the line's wishes, and who else is there, is in the state."""
    members = {"me": Member("h", 7, wanted=rest)} | (others or {})
    fleet = Fleet(budget=stated(left=5), members=members, clock="c", stamped_at=stamped_at)
    books.take_in(errand, brought, fleet, now=now)


def end(books, *, cost=1, at=10.0, outcome=DONE):
    """Start a call and let it end."""
    job = Job(cost=cost)
    job.granted_at = at
    books.start(job, now=at)
    books.settle(job, outcome, now=at, dice=0.0)


def test_a_leased_token_lets_a_job_go_until_it_is_void():
    """For its cost, and not at the instant at which it ends."""
    books = visited(granted(2, valid_until=12.0))
    assert books.starts_at(POLICY, Job(cost=2), wanted=2, now=11.9) == (-math.inf, Cause.NOTHING)
    assert books.starts_at(POLICY, Job(cost=3), wanted=3, now=11.9) == (math.inf, Cause.TURN)
    assert books.starts_at(POLICY, Job(cost=2), wanted=2, now=12.0) == (math.inf, Cause.TURN)


def test_a_line_that_was_never_at_the_store_starts_nothing():
    """It has nothing in hand, and nobody has told it why."""
    books = LeasedBooks("me", POLICY, Budget())
    assert books.starts_at(POLICY, Job(), wanted=1, now=0.0) == (math.inf, Cause.NOTHING)


def test_tokens_are_in_hand_or_under_way():
    """A start moves them from the one to the other, and a start that is taken back the other way."""
    books, job = visited(granted(5)), Job(cost=2)
    books.start(job, now=10.0)
    assert (books.tokens, books.in_flight) == (3, 2)
    books.give_back(job)
    assert (books.tokens, books.in_flight) == (5, 0)


def test_what_has_ended_is_told_once():
    """With what it cost, when it left at the earliest, and how it ended; an answer that never comes is news too."""
    books, lost = visited(granted(5), stamped_at=110.0, sent_at=9.5, now=10.0), Job(cost=2)
    end(books, at=10.5)
    lost.granted_at = 10.75
    books.start(lost, now=10.75)
    books.lose(lost, now=40.0)
    assert books.in_flight == 0
    step = books.errand(NOTHING, now=41.0).step
    assert step.news == (News(1, 110.5, DONE), News(2, 110.75, LinkFailed()))
    assert books.errand(NOTHING, now=42.0).step.news == ()


def test_a_visit_says_who_one_is_and_what_one_holds():
    """Name, host, process, policy, epoch, the dead, and the tokens under way and in hand."""
    books = visited(granted(5, valid_until=60.0))
    books.start(Job(cost=3), now=10.0)
    errand = books.errand(wants(4, 9), dead=("gone",), now=11.0)
    step = errand.step
    assert (step.member, step.host, step.pid, step.policy, step.dead) == ("me", "h", 7, POLICY, ("gone",))
    assert (step.epoch, step.is_back, step.held, step.wanted) == (3, False, 5, (0, 0, 4, 9))
    assert errand.sent_at == 11.0


@pytest.mark.parametrize(
    ("demand", "now", "returned"),
    [(NOTHING, 11.0, 4), (wants(9, cost=9), 11.0, 0), (wants(9, cost=9), 12.0, 4)],
)
def test_tokens_that_serve_nobody_are_handed_back(demand, now, returned):
    """Where nothing waits, or where they are void; what is handed back is held no longer."""
    books = visited(granted(4, valid_until=12.0))
    step = books.errand(demand, now=now).step
    assert (step.returned, step.held, books.tokens) == (returned, 4 - returned, 4 - returned)


@pytest.mark.parametrize(("tokens", "cost", "asked"), [(0, 5, 5), (3, 5, 2), (3, 4, 1), (3, 3, 1), (3, 0, 0)])
def test_what_is_in_hand_is_not_asked_for_again(tokens, cost, asked):
    """A line that wants a job started asks for one token at least; one that wants none asks for none."""
    books = visited(granted(tokens, valid_until=60.0))
    assert books.errand(wants(9, cost=cost), now=11.0).step.cost == asked


def test_instants_come_in_early():
    """The store's clock is known within the time that the visit took, and nothing may start too late in its eyes."""
    brought = granted(1, valid_until=112.0, asks_at=111.0)
    books = visited(brought, demand=wants(1), rest=(0, 0, 1, 0), stamped_at=110.0, sent_at=9.0, now=10.0)
    # between 9 and 10 here it was 110 there: 112 there is 11 here at the earliest, and 111 is 11 at the latest
    assert books.starts_at(POLICY, Job(), wanted=1, now=10.99)[0] == -math.inf
    assert books.starts_at(POLICY, Job(), wanted=1, now=11.0)[0] == math.inf
    assert books.visits_at(wants(1), now=10.5) == 11.0
    assert books.budget.ends == Span(59.0 - 101.0, 60.0 - 101.0)


def test_a_visit_adds_to_what_is_in_hand():
    """Tokens of an earlier visit are kept, and the epoch is the new one."""
    books = visited(granted(2, epoch=3))
    come_back(books, books.errand(wants(9, cost=9), now=11.0), granted(4, epoch=5), now=11.0)
    assert (books.tokens, books.epoch, books.fleet.clock) == (6, 5, "c")


def test_nobody_goes_for_nothing():
    """With nothing to want, to tell or to hand back, the next visit is never."""
    assert visited().visits_at(NOTHING, now=11.0) == math.inf


def test_who_wants_something_new_goes_at_once():
    """For the first job, and for one of a more urgent lane than was announced; not for one more of the same."""
    assert LeasedBooks("me", POLICY, Budget()).visits_at(wants(1), now=11.0) == 11.0
    books = visited(granted(0, asks_at=50.0), demand=wants(0, 3), rest=(0, 0, 0, 3))
    assert books.visits_at(wants(0, 4), now=11.0) == 50.0
    assert books.visits_at(wants(0, 4), now=51.0) == 51.0
    assert books.visits_at(wants(1, 3), now=11.0) == 11.0
    books = visited(granted(0, asks_at=50.0), demand=wants(1, 3), rest=(0, 0, 1, 3))
    assert books.visits_at(wants(0, 3), now=11.0) == 50.0


def test_who_got_all_that_was_announced_goes_for_more_at_once():
    """What waited then has been granted, so what waits now was never told."""
    books = visited(granted(3, asks_at=50.0), demand=wants(3), rest=(0, 0, 0, 0))
    assert books.visits_at(wants(2), now=11.0) == 11.0


@pytest.mark.parametrize(("under_way", "enough"), [(0, 1), (3, 1), (4, 2), (7, 2), (8, 3), (100, MOST_NEWS)])
def test_who_waits_tells_of_the_ended_before_all_have(under_way, enough):
    """After a quarter of what is under way, or `MOST_NEWS`: they may free what it waits for."""
    books = visited(granted(300, asks_at=50.0), demand=wants(9, cost=999), rest=(0, 0, 9, 0))
    books.start(Job(cost=under_way), now=10.0)
    for number in range(enough):
        assert books.visits_at(wants(9, cost=999), now=11.0) == 50.0, number
        end(books)
    assert books.visits_at(wants(9, cost=999), now=11.0) == 11.0


def test_the_end_of_the_last_call_is_told_at_once():
    """Nobody may come after it to take the news along."""
    books = visited(granted(1))
    end(books)
    assert books.visits_at(NOTHING, now=11.0) == 11.0


def test_while_calls_are_under_way_the_news_of_others_may_wait():
    """Until there are `MOST_NEWS` of them; one that nobody waits for is told with the next."""
    books = visited(granted(99, valid_until=60.0))
    books.start(Job(cost=99 - MOST_NEWS), now=10.0)
    for number in range(MOST_NEWS):
        assert books.visits_at(NOTHING, now=11.0) == math.inf, number
        end(books)
        books.tokens = 0
    assert books.visits_at(NOTHING, now=11.0) == 11.0


def test_news_that_others_wait_for_are_told_at_once():
    """One that has ended, or a token in hand, while somebody else was seen to wait."""
    others = {"you": Member("h", 8, wanted=(0, 0, 0, 1))}
    books = visited(granted(3), others=others)
    books.start(Job(), now=10.0)
    assert books.visits_at(NOTHING, now=11.0) == 11.0
    assert visited(granted(0), others=others).visits_at(NOTHING, now=11.0) == math.inf


def test_who_wants_nothing_any_more_says_so():
    """Others keep clear of what it announced."""
    books = visited(granted(1, asks_at=50.0), demand=wants(2), rest=(0, 0, 1, 0))
    books.start(Job(), now=10.0)
    assert books.visits_at(NOTHING, now=11.0) == 11.0


def test_others_are_seen_without_oneself():
    """Who waits, and for how many tokens by lane, as last heard; nobody is seen before the first visit."""
    you = Member("h", 8, wanted=(0, 1, 2, 3))
    books = visited(granted(0), demand=wants(5), rest=(0, 0, 5, 0), others={"you": you, "she": you})
    assert books.wanted_elsewhere
    assert books.queued_elsewhere == {"free": 0, "token": 2, "interactive": 4, "bulk": 6}
    assert not visited(granted(0), demand=wants(5), rest=(0, 0, 5, 0)).wanted_elsewhere
    fresh = LeasedBooks("me", POLICY, Budget())
    assert (fresh.wanted_elsewhere, fresh.queued_elsewhere) == (False, {})


def test_a_line_says_whether_it_has_anything():
    """News, tokens in hand, or a wish that it announced."""
    assert not visited().has_anything
    assert visited(granted(1)).has_anything
    assert visited(granted(0), demand=wants(1), rest=(0, 0, 1, 0)).has_anything
    books = visited(granted(1))
    end(books)
    assert (books.tokens, books.has_anything) == (0, True)


# Without the store


def test_a_store_that_is_gone_is_tried_again_later_and_later():
    """Twice as long after each failure, up to `LONGEST_RETRY_S`, half to one and a half times as the dice say."""
    books = visited(granted(2))
    pauses_s = []
    for failure in range(7):
        assert books.go_alone(now=20.0, dice=0.5) is (failure == 0)
        pauses_s.append(books.retry_at - 20.0)
    assert pauses_s == [0.5, 1, 2, 4, 8, 8, 8]
    assert (FIRST_RETRY_S, LONGEST_RETRY_S) == (0.5, 8.0)
    books.go_alone(now=20.0, dice=0.0)
    assert books.retry_at == 24.0


def test_many_failures_overflow_nothing():
    """However long a store is gone."""
    books = visited(granted(2))
    for _ in range(2000):
        books.go_alone(now=20.0, dice=0.5)
    assert books.retry_at == 28.0


def test_after_a_visit_pauses_begin_anew():
    """And so do the books: what was learned alone is not kept, and the line is one of the fleet again."""
    books = visited(granted(2))
    books.go_alone(now=20.0, dice=0.5)
    books.go_alone(now=20.0, dice=0.5)
    errand = books.errand(NOTHING, now=21.0)
    assert errand.step.is_back
    come_back(books, errand, granted(1), now=21.0)
    assert (books.alone, books.tokens) == (None, 1)
    assert not books.errand(NOTHING, now=22.0).step.is_back
    assert books.go_alone(now=30.0, dice=0.5) is True
    assert books.retry_at == 30.5


def test_who_is_alone_goes_for_the_store_only_with_work():
    """At the instant of the next attempt, or at once if that has passed."""
    books = visited(granted(2))
    books.go_alone(now=20.0, dice=0.5)
    assert books.visits_at(wants(1), now=20.1) == 20.5
    assert books.visits_at(wants(1), now=30.0) == 30.0
    assert books.visits_at(NOTHING, now=30.0) == math.inf
    assert not books.has_anything
    assert books.queued_elsewhere == {}


def test_books_of_one_s_own_trust_no_leased_token():
    """What is under way counts as live in them, and what the window holds is to be proven by a probe."""
    books = visited(granted(9))
    books.start(Job(cost=2), now=10.0)
    books.go_alone(now=11.0, dice=0.5)
    assert books.tokens == 0
    assert books.budget is books.alone.budget
    assert (books.budget.live, books.budget.left) == (2, -1)
    assert books.alone.phi == ALONE_PHI
    assert books.budget.limit == 60


@pytest.mark.parametrize(("left", "opens_at"), [(0.5, 50.0), (1.0, -math.inf)])
def test_a_drained_window_is_waited_for_alone_as_well(left, opens_at):
    """No probe is sent into one that is known to be used up."""
    books = LeasedBooks("me", POLICY, stated(left=left, ends=(49.0, 50.0)))
    books.go_alone(now=11.0, dice=0.5)
    assert books.budget.opens_at(1) == opens_at


def test_calls_of_a_line_that_is_alone_are_its_own_books_matter():
    """Starts, ends, losses and starts taken back are written there, and nothing is kept for the store."""
    books, job = LeasedBooks("me", POLICY, Budget()), Job()
    books.go_alone(now=10.0, dice=0.5)
    books.start(job, now=10.0)
    assert (books.budget.live, books.in_flight, books.tokens) == (1, 1, 0)
    books.give_back(job)
    assert (books.budget.live, books.in_flight, books.tokens) == (0, 0, 0)
    books.start(job, now=10.0)
    job.granted_at = 10.0
    books.settle(job, Succeeded(reading=Reading(limit=60, remaining=40, reset_s=30)), now=10.5, dice=0.75)
    assert (books.budget.live, books.in_flight, books.budget.limit) == (0, 0, 60)
    assert (books.budget.trip_s, books.alone._jitter) == (0.5, 0.75)
    books.start(job, now=11.0)
    books.lose(job, now=12.0)
    assert (books.budget.live, books.in_flight) == (0, 0)
    assert books.budget.outlay.stragglers == [(42.0, 1)]
    assert books.errand(NOTHING, now=13.0).step.news == ()


def test_a_promise_to_be_alone_does_not_hold_without_the_store():
    """An exclusive line goes as carefully as a shared one, and `ALONE_PHI` of it; a polite one stays polite."""
    books = LeasedBooks("me", POLICY, Budget())
    books.go_alone(now=10.0, dice=0.5)
    probe = Job()
    probe.granted_at = 10.0
    books.start(probe, now=10.0)
    books.settle(probe, Succeeded(reading=Reading(limit=60, remaining=60, reset_s=60)), now=10.1, dice=0.0)
    started = 0
    while books.starts_at(POLICY, Job(), wanted=50, now=10.2)[0] <= 10.2:
        books.start(Job(), now=10.2)
        started += 1
    assert started == int(ALONE_PHI * (books.budget.left + started))
    assert books.starts_at(POLICY, Job(), wanted=50, now=10.2) == (math.inf, Cause.ANSWERS)
    polite = RatePolicy(mode="polite", reserve=0)
    at, cause = books.starts_at(polite, Job(), wanted=50, now=10.2)
    assert (cause, 10.2 < at < 70) == (Cause.PACE, True)


def test_a_deadline_at_the_head_is_news():
    """It may go where one that can wait was kept; told once, it is none."""
    lanes = (0, 0, 0, 1)
    dated = Demand(lanes, 1, is_dated=True)
    books = visited(granted(0, asks_at=50.0), demand=Demand(lanes, 1), rest=lanes)
    assert books.visits_at(dated, now=11.0) == 11.0
    errand = books.errand(dated, now=11.0)
    assert errand.step.is_dated
    come_back(books, errand, granted(0, asks_at=50.0), rest=lanes, stamped_at=11.0, now=11.0)
    assert (books.visits_at(dated, now=12.0), books.visits_at(Demand(lanes, 1), now=12.0)) == (50.0, 50.0)


@pytest.mark.parametrize(("rest", "lane"), [((0, 0, 0, 1), Lane.BULK), ((0, 1, 0, 0), Lane.TOKEN)])
def test_the_most_urgent_lane_is_what_is_compared(rest, lane):
    """A job of the very lane that was announced is no news, whatever else waits behind it."""
    books = visited(granted(0, asks_at=50.0), demand=Demand(rest, 1), rest=rest)
    lanes = tuple(int(each >= lane) for each in Lane)
    assert books.visits_at(Demand(lanes, 1), now=11.0) == 50.0
    sooner = tuple(int(each >= lane - 1) for each in Lane)
    assert books.visits_at(Demand(sooner, 1), now=11.0) == 11.0

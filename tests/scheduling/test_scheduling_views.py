"""The books of one way to read the numbers, entry by entry."""

from __future__ import annotations

import math

import pytest

from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Unit
from apteligent_async._scheduling.views import View, views_of

COUNT = Hypothesis(Unit.COUNT, includes_call=True)
INF = math.inf


def view(**state):
    """Open the books in some state."""
    return View(COUNT, **state)


def settled(books, least, most, *, cost=1, blind=0, live=0, now=10.0):
    """Take in one answer."""
    return books.settle(cost, (least, most), blind=blind, live=live, now=now)


@pytest.mark.parametrize(
    ("left", "bounds", "unseen", "proven", "is_surprised"),
    [
        (1, (9, 9), (0, 0), 9, False),  # the answer proves more than our books
        (10, (5, 9), (0, 0), 9, False),  # our books prove more than the answer
        (10, (9, 9), (3, 0), 9, False),  # calls that the answer may not include
        (10, (8, 8), (0, 0), 8, True),  # somebody else has spent: only what is stated counts
        (10, (8, 8), (2, 0), 6, True),
        (10, (8, 8), (0, 1), 9, False),  # the call under way explains it
        (10, (7, 7), (0, 1), 7, True),
        (1, (0, 0), (5, 0), 0, False),  # never below nothing
    ],
)
def test_the_better_proof_counts_unless_others_spend(left, bounds, unseen, proven, is_surprised):
    """Books less the call, or what is stated less what it may not include."""
    books, (blind, live) = view(left=left), unseen
    assert settled(books, *bounds, blind=blind, live=live) is is_surprised
    assert (books.left, books.is_wary) == (proven, is_surprised)


def test_a_stretch_keeps_the_smallest_statement():
    """Answers may overtake one another; a new stretch begins without them."""
    books = view(left=0)
    settled(books, 9, 9)
    settled(books, 11, 11)
    assert (books.left, books.fresh, books.most) == (9, 9, 9)
    books.begin_stretch()
    settled(books, 11, 11)
    assert (books.fresh, books.most) == (11, 9)


def test_wariness_lasts_three_windows_or_until_forgiven():
    """Then our own books are believed again."""
    books = view(left=10)
    settled(books, 5, 5)
    for expected in [True, True, False, False]:
        books.begin_window()
        assert books.is_wary is expected
    books.left = 10
    settled(books, 5, 5)
    books.forgive()
    assert not books.is_wary


def test_a_new_window_has_no_upper_bound():
    """What was stated of the old one says nothing of it, and it may be contradicted anew."""
    books = view(most=3)
    books.strike()
    books.begin_window()
    assert books.most == INF
    books.strike()
    assert books.strikes == 2


def test_two_windows_that_contradict_rule_a_reading_out():
    """Within one window a contradiction counts once; reviving it forgets strikes and sizes."""
    books = view(budget_lo=5, budget_hi=6)
    books.strike()
    books.strike()
    assert (books.strikes, books.is_alive) == (1, True)
    books.begin_window()
    books.strike()
    assert (books.strikes, books.is_alive) == (2, False)
    books.revive()
    assert (books.strikes, books.is_alive, books.budget_lo, books.budget_hi) == (0, True, 0, INF)


def test_what_is_ruled_out_stays_out_whatever_it_is_told():
    """A strike does not bring it back."""
    books = view()
    books.rule_out()
    books.strike()
    assert not books.is_alive


def test_simple_entries():
    """A proof is taken as it is, a charge never goes below nothing, a refusal leaves nothing."""
    books = view(left=2)
    books.prove(7)
    assert books.left == 7
    books.charge(3)
    assert books.left == 4
    books.charge(9)
    assert books.left == 0
    books = view(left=5, fresh=6, most=7)
    books.refuse()
    assert (books.left, books.fresh, books.most) == (0, 0, 0)


@pytest.mark.parametrize(
    ("sent_at", "least", "rises"),
    [(10.1, 6, True), (10.0, 6, False), (10.1, 5, False), (11.0, 5.5, True)],
)
def test_windows_never_refill(sent_at, least, rises):
    """More than could be left, found by a call sent after all that was heard, is a rise."""
    books = view()
    settled(books, 5, 5, now=10.0)
    assert books.rises(least, sent_at=sent_at) is rises


def test_own_calls_in_a_known_window_tell_its_size():
    """At least what is left and surely spent, at most what can be left and may be spent."""
    books = view(left=10)
    books.count(own_lo=5, own_hi=6, most=12)
    assert (books.budget_lo, books.budget_hi) == (15, 18)
    books.count(own_lo=4, own_hi=5, most=12)
    assert (books.budget_lo, books.budget_hi) == (15, 17)
    books.count(own_lo=9, own_hi=9, most=12)
    assert (books.budget_lo, books.budget_hi) == (0, INF), "bounds that cross fit no window"


def test_bounds_that_touch_are_a_size():
    """They say it exactly."""
    books = view(left=10)
    books.count(own_lo=5, own_hi=5, most=10)
    assert (books.budget_lo, books.budget_hi) == (15, 15)


@pytest.mark.parametrize(
    ("known", "told", "narrowed"),
    [
        ((0, INF), (19, 20), (19, 20)),
        ((20, 20), (19, 20), (20, 20)),
        ((18, 30), (19, 20), (19, 20)),
        ((19, 20), (20, 20), (20, 20)),
        ((15, 18), (19, 20), (19, 20)),  # what was counted was something else
        ((21, 30), (19, 20), (19, 20)),
        ((15, 19), (19, 20), (19, 19)),
    ],
)
def test_bounds_of_a_size_that_are_told_narrow_those_that_were_counted(known, told, narrowed):
    """Those win only where both cannot be."""
    books = view(budget_lo=known[0], budget_hi=known[1])
    books.narrow_budget(*told)
    assert (books.budget_lo, books.budget_hi) == narrowed


def test_a_size_is_not_bounded_from_above_where_others_spend():
    """What they took is not known."""
    books = view(left=10, wary=1)
    books.count(own_lo=5, own_hi=6, most=12)
    assert (books.budget_lo, books.budget_hi) == (15, INF)


@pytest.mark.parametrize(
    ("state", "size", "own_hi", "left", "budget_lo"),
    [
        ({"left": 8}, 15, 5, 10, 3),  # the size says ten, the answer eight
        ({"left": 5}, 15, 5, 10, 3),  # just twice as many is believed
        ({"left": 4.9}, 15, 5, 4.9, 3),  # more than twice is not
        ({"left": 12}, 15, 5, 12, 3),  # nothing is taken away
        ({"left": 8, "budget_lo": 16}, 15, 5, 11, 16),  # the proven size, where it is more
        ({"left": 8, "wary": 1}, 15, 5, 8, 3),  # not where others spend
        ({"left": 8, "most": 10}, 15, 5, 10, 3),
        ({"left": 8, "most": 9}, 15, 5, 8, 0),  # it cannot be: the sizes are forgotten
    ],
)
def test_what_rounding_hides_is_won_back_from_the_size(state, size, own_hi, left, budget_lo):
    """As far as what was stated allows it."""
    books = view(**{"budget_lo": 3, **state})
    books.lift(size=size, own_hi=own_hi, times=2)
    assert (books.left, books.budget_lo) == (left, budget_lo)


def test_nobody_else_having_spent_all_of_the_size_is_won_back():
    """However little of it was stated."""
    books = view(left=1, budget_lo=15)
    books.lift(size=0, own_hi=1, times=INF)
    assert books.left == 14
    books = view(left=0, budget_lo=15)
    books.lift(size=0, own_hi=1, times=INF)
    assert books.left == 0, "nothing is won back where nothing was stated to be left"


@pytest.mark.parametrize(
    ("first", "most", "own", "fresh", "found"),
    [
        ((27, 28), 17, 24, 17, (23, 12, 1)),  # five were to be left
        ((27, 28), 5, 24, 4, (23, 0, 2)),
        ((27, 28), 5, 24, 5, (23, 0, 1)),
        ((28, 28), 7, 24, 6, (23, 1, 1)),
        ((27, 28), 28, 1, 28, (0, 0, 1)),
        ((27, INF), 28, 24, 28, (0, 0, 0)),  # a number that may be the limit's bounds nothing: it begins later
        ((27, 28), 4, 24, 4, (23, 0, 1)),
        ((27, 28), 3, 24, 3, (23, -1, 1)),  # somebody else has spent one
    ],
)
def test_what_our_calls_cost_is_held_against_what_is_stated(first, most, own, fresh, found):
    """From the first moment of a window with nothing under way to a later one."""
    books = view(fresh=first[0], most=first[1])
    assert books.rest(own=1)[:2] == (0, 0)
    books.fresh, books.most = fresh, most
    assert books.rest(own=own) == found


def test_a_contradiction_counts_from_there():
    """So that the next one is another; two rule a reading out, within one window, too."""
    books = view(most=28, fresh=27)
    books.rest(own=1)
    assert books.rest(own=11)[:2] == (10, 9)
    books.contradict(own=11)
    assert (books.rest(own=11)[:2], books.strikes, books.is_alive) == ((0, 0), 1, True)
    books.contradict(own=21)
    assert not books.is_alive


@pytest.mark.parametrize("forget", [View.begin_window, View.forget_budget, lambda books: books.charge(1)])
def test_what_was_stated_before_a_new_window_or_a_lost_answer_is_held_against_nothing(forget):
    """Nor what was counted under another limit."""
    books = view(most=28, fresh=27)
    books.rest(own=1)
    forget(books)
    assert books.rest(own=11)[:2] == (0, 0)


def test_unlikely_readings_begin_closed():
    """They wait for a refusal that contradicts the likely ones."""
    unlikely = Hypothesis(Unit.SPEED, includes_call=False, is_likely=False)
    assert [books.is_alive for books in views_of([COUNT, unlikely])] == [True, False]
    assert [books.hypothesis for books in views_of(ALL_HYPOTHESES)] == list(ALL_HYPOTHESES)

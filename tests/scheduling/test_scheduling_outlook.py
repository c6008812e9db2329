"""The arithmetic of the forecast: what the books and the policy make of the time ahead, and each place in line."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st
from scripts import Row, Script, play

from apteligent_async._scheduling.forecast import PROBE_S, Eta, Outlook, _harmonic, look_ahead
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.release import GROWTH
from apteligent_async._scheduling.scheduler import Scheduler

ALONE = RatePolicy(mode="exclusive", reserve=0)
STARTED = [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=19 R=60")]
"""One of twenty calls is spent in a window that ends between 59 and 61.2."""


def outlook(**known):
    """Make an outlook of windows of ten, of which nothing is left; the next begins in 28 to 30 seconds."""
    plain = {"free": 0, "first_lo": 28.0, "first_hi": 30.0, "late_s": 0.0, "size": 10, "sure": 10, "length_s": 60.0}
    modest = {"trip_s": 0.5, "part": 1.0, "is_paced": False, "jitter_s": 0.0, "hold_s": 0.0, "unseen": 0, "answered": 1}
    return Outlook(**{**plain, **modest, "token_s": 0.0, **known})


def ahead(policy, rows, *, now, **likeness):
    """Look ahead from what a table of instants and decisions leaves."""
    return look_ahead(play(policy, rows, **likeness).scheduler.budget, policy, now=now)


def ahead_of_first_answer(*, reset_s, limit):
    """Give books that one answer was entered into."""
    return play(ALONE, [Row(0, "submit a", "a"), Row(0.2, f"ok a L={limit} V=1 R={reset_s}")]).scheduler.budget


# The arithmetic


@pytest.mark.parametrize(
    ("position", "windows", "trip_s"), [(1, 0, 0), (2, 0, 0.5), (10, 0, 0.5), (11, 1, 0), (25, 2, 0.5)]
)
def test_a_window_is_opened_by_one_call_and_the_rest_wait_for_its_answer(position, windows, trip_s):
    """At best when the reset may have passed, as expected once it surely has, at worst a probe later in each window."""
    assert outlook().eta(position) == Eta(
        28.0 + 60 * windows, 30.0 + 60 * windows + trip_s, 30.0 + 60 * windows + (PROBE_S + 0.5) * (1 + windows)
    )


@pytest.mark.parametrize(("position", "worst_s"), [(1, 30.0 + 3 * 4), (10, 30.0 + 12 * 4), (16, 30.0 + 18 * 4)])
def test_windows_may_be_longer_than_they_seem(position, worst_s):
    """Then they hold more: a call comes no later than the calls before it take, and two more, at the limit's speed."""
    probes_s = (PROBE_S + 0.5) * (1 if position <= 10 else 2)
    assert outlook(token_s=4.0).eta(position).pessimistic == pytest.approx(worst_s + probes_s)
    assert outlook(token_s=4.0).eta(position).expected == outlook().eta(position).expected


@pytest.mark.parametrize(
    ("reset_s", "limit", "token_s"),
    [(60, 20, 0.0), (61, 20, 60 / 19), (200, 20, 60 / 19), (200, 1, 120.0), (200, 2, 60.0), (200, 0.5, 240.0)],
)
def test_a_reset_of_more_than_a_minute_leaves_the_length_of_windows_open(reset_s, limit, token_s):
    """Until another window was seen; what rounding hides of a speed counts as not there."""
    budget = ahead_of_first_answer(reset_s=reset_s, limit=limit)
    assert look_ahead(budget, ALONE, now=1.0).token_s == pytest.approx(token_s)
    budget.windows.length_s = 300.0
    assert look_ahead(budget, ALONE, now=1.0).token_s == 0.0


def test_what_is_free_starts_now():
    """However it turns out, unless so near the reset that it may be charged to the next window."""
    assert outlook(free=3, late_s=60.0).eta(3) == Eta(0.0, 0.0, 0.0)
    assert outlook(free=3, late_s=60.0, first_lo=2.0).eta(3) == Eta(0.0, 0.0, 60.0)
    assert outlook(free=3).eta(4).expected == 30.0
    assert outlook(free=math.inf, part=0.25).eta(1000) == Eta(0.0, 0.0, 0.5)
    assert outlook(free=math.inf, is_paced=True).eta(1000) == Eta(0.0, 0.0, 0.0)


def test_a_window_that_may_have_ended_unseen_puts_off_those_behind_it_too():
    """By a whole window, at worst."""
    plain, late = outlook(first_lo=2.0).eta(1), outlook(first_lo=2.0, late_s=60.0).eta(1)
    assert (late.expected, late.pessimistic) == (plain.expected, plain.pessimistic + 60)
    assert outlook(first_lo=2.1, late_s=60.0).eta(1).pessimistic == plain.pessimistic


def test_so_do_those_who_go_out_until_the_reset():
    """What starts a second before it may be charged to the window after it, though it was free long before."""
    slow = outlook(free=20, part=0.25, trip_s=4.0, late_s=60.0)
    assert slow.eta(5).pessimistic < 30
    assert slow.eta(20).pessimistic > 60
    assert slow.eta(21).pessimistic == outlook(free=20, part=0.25, trip_s=4.0).eta(21).pessimistic + 60


@pytest.mark.parametrize(("position", "is_hidden"), [(6, False), (7, True), (10, True), (16, False), (17, True)])
def test_what_rounding_hides_comes_a_window_later_at_worst(position, is_hidden):
    """Only so many calls of a window are sure to show at once."""
    shy, plain = outlook(sure=6).eta(position), outlook().eta(position)
    assert shy.pessimistic == plain.pessimistic + (60.0 if is_hidden else 0.0)
    assert (shy.optimistic, shy.expected) == (plain.optimistic, plain.expected)


def test_an_opening_is_put_off_at_random_by_half_of_the_most_on_average():
    """That is expected; at best it is not put off at all."""
    plain, put_off = outlook().eta(1), outlook(jitter_s=0.4).eta(1)
    assert (put_off.optimistic, put_off.expected) == (plain.optimistic, plain.expected + 0.2)


@pytest.mark.parametrize(("position", "at"), [(1, 0.0), (2, 6.0), (5, 24.0)])
def test_a_paced_window_lets_its_calls_out_evenly(position, at):
    """From its beginning to its end, or to the end of what is left of it; at worst each is one turn late."""
    free = outlook(is_paced=True, free=5).eta(position)
    assert (free.optimistic, free.expected, free.pessimistic) == (0.0, at, at + 6.0)
    later = outlook(is_paced=True).eta(position)
    assert later.expected == 30.0 + (0.5 if position > 1 else 0.0) + at
    assert later.pessimistic == 30.0 + at + PROBE_S + 0.5 + 6.0


@given(st.integers(1, 200), st.sampled_from([1 / 4, 1 / 6]))
def test_a_part_at_a_time_goes_out_in_as_many_round_trips(size, part):
    """The forecast is the instant at which a line of that length is drained, give or take two round trips."""
    seen, left, rounds, position = outlook(free=size, part=part, trip_s=1.0), size, 0, 0
    while left:
        batch = max(1, min(math.floor(part * left), GROWTH * (1 + position)))
        for _ in range(batch):
            position += 1
            eta = seen.eta(position)
            assert eta.expected == pytest.approx(rounds, abs=2)
            assert eta.pessimistic == eta.expected + 1.0
        left, rounds = left - batch, rounds + 1


def test_the_last_calls_of_a_shared_window_go_out_one_by_one():
    """Each takes a round trip, once less than two whole parts are left."""
    seen = outlook(free=20, part=0.25, trip_s=1.0, answered=5)
    last = [seen.eta(position).expected for position in range(13, 21)]
    assert [later - earlier for earlier, later in pairwise(last)] == pytest.approx([1.0] * 7)
    assert seen.eta(1).expected == 0.0
    assert seen.eta(2).expected == pytest.approx(1 / 5, abs=0.05)


def test_a_window_that_begins_slowly_is_drained_later():
    """Each round trip lets five times as many out, until a part of the window is under way."""
    started = [
        outlook(free=1000, part=0.25, trip_s=1.0, answered=answered).eta(100).expected for answered in (1, 5, 25)
    ]
    assert [earlier - later for earlier, later in pairwise(started)] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("position", "windows", "held_s"),
    [(1, 0, 0.0), (4, 0, 0.0), (5, 0, 1.0), (7, 0, 17.0), (10, 0, 41.0), (19, 1, 33.0)],
)
def test_the_reserve_holds_bulk_calls_back_towards_the_end_of_a_window(position, windows, held_s):
    """Each token of it by a part of the window more than the one before."""
    seen = outlook(first_hi=30.0, trip_s=0.0, hold_s=8.0, length_s=50.0)
    plain, bulk = seen.eta(position), seen.eta(position, is_bulk=True)
    assert plain.expected == 30.0 + 50 * windows
    assert bulk.expected == pytest.approx(plain.expected + held_s)
    assert bulk.pessimistic == pytest.approx(plain.pessimistic + held_s)


def test_the_reserve_of_the_present_window_shrinks_until_its_end():
    """What is free is held back no longer than that."""
    seen = outlook(free=3, first_lo=10.0, hold_s=4.0, length_s=50.0)
    assert [seen.eta(position, is_bulk=True).expected for position in (1, 2, 3)] == [0.0, 1.0, 5.0]
    assert seen.eta(3).expected == 0.0


@pytest.mark.parametrize(("position", "is_hidden"), [(10, False), (20, True), (19, False), (29, True), (28, False)])
def test_what_never_shows_comes_a_window_later_at_worst(position, is_hidden):
    """One call of each window before it, where nobody knows whether the answers count their own call."""
    shy, plain = outlook(unseen=1).eta(position), outlook().eta(position)
    assert shy.pessimistic == plain.pessimistic + (60.0 if is_hidden else 0.0)
    assert (shy.optimistic, shy.expected) == (plain.optimistic, plain.expected)


@pytest.mark.parametrize(("least", "most"), [(2, 3), (2, 15), (3, 40), (5, 6)])
def test_sums_of_parts_are_nearly_right(least, most):
    """A fiftieth of a round trip is near enough."""
    exact = sum(1 / part for part in range(least + 1, most + 1))
    assert _harmonic(most) - _harmonic(least) == pytest.approx(exact, abs=0.02)


def test_less_than_one_part_counts_as_one():
    """At least one call goes out in a round trip."""
    assert _harmonic(0.1) == _harmonic(1) == 0.5


@TRIED
@given(
    st.fixed_dictionaries(
        {
            "free": st.integers(0, 30),
            "first_lo": st.floats(0, 60),
            "size": st.integers(1, 60),
            "part": st.sampled_from([1.0, 0.25, 1 / 6]),
            "is_paced": st.booleans(),
            "trip_s": st.floats(0, 10),
            "jitter_s": st.floats(0, 0.5),
            "late_s": st.sampled_from([0.0, 60.0]),
        }
    )
)
def test_the_best_comes_before_the_likely_and_that_before_the_worst(known):
    """At every place in line, and nobody further back starts earlier at best."""
    seen = outlook(**known, first_hi=known["first_lo"] + 2, sure=known["size"])
    etas = [seen.eta(position) for position in range(1, 100)]
    assert all(0 <= eta.optimistic <= eta.expected <= eta.pessimistic for eta in etas)
    assert [eta.optimistic for eta in etas] == sorted(eta.optimistic for eta in etas)


def test_what_is_likely_is_expected_and_promises_nothing():
    """The best and the worst case are those of what is proven."""
    seen = outlook(likely=outlook(free=5))
    assert seen.eta(3) == Eta(28.0, 0.0, outlook().eta(3).pessimistic)


# What the books and the policy make of it


@pytest.mark.parametrize(
    ("share", "free", "size"), [(None, 18, 20), (1, 18, 20), (0.5, 9, 10), (0.3, 5, 6), (0.02, 0, 1)]
)
def test_a_share_counts_only_its_part_of_every_window(share, free, size):
    """What our calls have spent is taken off the present one; one call of a window is always ours."""
    policy = RatePolicy(mode="exclusive", reserve=0, share=share)
    seen = ahead(policy, STARTED, now=1.0)
    assert (seen.free, seen.size) == (free, size)
    assert (seen.likely is None) is (share is not None and share < 1)
    assert seen.first_lo == pytest.approx(58.0)
    assert seen.first_hi == pytest.approx(60.2)


def test_our_share_is_no_more_than_is_left():
    """Where others, or we, have used the window."""
    rows = [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=3 R=60")]
    assert ahead(RatePolicy(mode="exclusive", reserve=0, share=0.9), rows, now=1.0).free == 1


def test_the_mode_says_how_a_window_goes_out():
    """All at once, a quarter at a time or evenly; only those who are alone open windows without delay."""
    found = {
        mode: ahead(RatePolicy(mode=mode, reserve=0), STARTED, now=1.0) for mode in ("exclusive", "shared", "polite")
    }
    assert {mode: (each.part, each.is_paced) for mode, each in found.items()} == {
        "exclusive": (1.0, False),
        "shared": (0.25, False),
        "polite": (1.0, True),
    }
    assert [each.jitter_s for each in found.values()] == [0.0, 0.5, 0.5]


PROBED = [
    Row(0, "submit a", "a"),
    Row(0.2, "ok a L=10 V=9 R=60"),
    Row(1, "submit b c d e f g h", starts="b c d e f g h"),
    Row(1.2, "ok b c d e f g h L=10 V=1 R=59"),
    Row(2, "submit i", starts="i"),
    Row(2.2, "ok i L=10 V=1 R=58"),
    Row(3, "submit j k l", starts="j"),
    Row(3.2, "ok j L=10 V=0 R=57"),
    Row(61.4, "ask", starts="k"),
]
"""A window of ten is opened by its first call, whose answer is awaited."""


def test_while_a_window_is_probed_its_expected_size_counts():
    """But for the probe itself; what comes after it has at most a whole window to wait."""
    seen = ahead(ALONE, PROBED, now=61.5)
    assert (seen.free, seen.first_lo, seen.first_hi) == (9, 0.0, 60.0)
    assert seen.late_s == 0.0


def test_a_straggler_counts_while_a_window_is_probed():
    """A call that was given up may be charged to it."""
    rows = [*PROBED[:2], Row(40, "submit b c", starts="b c"), Row(40.2, "abandon b"), Row(40.3, "abandon c")]
    assert ahead(ALONE, [*rows, Row(61.4, "submit d", starts="d")], now=61.5).free == 7


def test_a_reset_that_may_have_passed_is_no_time_ahead():
    """Neither at best nor at worst is it negative."""
    seen = ahead(ALONE, STARTED, now=60.0)
    assert (seen.first_lo, seen.first_hi) == (0.0, pytest.approx(1.2))
    assert ahead(ALONE, STARTED, now=70.0).first_hi == 0.0


@pytest.mark.parametrize(("refusal", "opens_s"), [("refused a", 57.2), ("refused a L=20 R=42", 40.2)])
def test_nothing_is_free_behind_a_shut_gate(refusal, opens_s):
    """Whether the refusal has stated a reset or not, nobody starts before the gate opens."""
    seen = ahead(ALONE, [Row(0, "submit a b", "a"), Row(0.2, refusal)], now=3.0)
    assert seen.free == 0
    assert seen.first_hi == pytest.approx(opens_s)
    assert seen.eta(1).expected >= opens_s


SURE = [
    # what the first answer states, and how many calls of a later window its first answers are sure to show
    ("L=10 V=9 R=60", 10),  # any speed above zero proves one more, in a window of a minute
    ("L=20 V=12 R=30", 19 * 59 / 60 - 1),  # it may be a speed, rounded down, just before the reset that it states
    ("L=10 V=9 R=300", 9 * 299 / 60 - 1),
    ("L=1 V=1 R=30", 0),
    ("V=5 R=30", 0),
]


@pytest.mark.parametrize(("stated", "sure"), SURE)
def test_only_what_the_first_answers_prove_is_sure(stated, sure):
    """However they round a speed."""
    assert ahead(ALONE, [Row(0, "submit a", "a"), Row(0.2, f"ok a {stated}")], now=1.0).sure == pytest.approx(sure)


@pytest.mark.parametrize(("reset_s", "sure"), [(60, 10), (61, 9 * 60 / 60 - 1)])
def test_a_minute_hides_nothing_from_those_who_know_that_numbers_count_the_call(reset_s, sure):
    """Any speed above zero proves one more call there; in a longer window a slow speed may come to none."""
    counting = [each for each in ALL_HYPOTHESES if each.includes_call]
    script = Script(Scheduler(ALONE, hypotheses=counting))
    script.happen("submit a", now=0.0)
    script.happen(f"ok a L=10 V=6 R={reset_s}", now=0.2)
    assert look_ahead(script.scheduler.budget, ALONE, now=1.0).sure == pytest.approx(sure)


def test_a_share_is_sure_of_its_part():
    """Of what the first answers of a window show."""
    policy = RatePolicy(mode="exclusive", reserve=0, share=0.5)
    assert ahead(policy, [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=12 R=30")], now=1.0).sure == pytest.approx(
        0.5 * (19 * 59 / 60 - 1)
    )


@pytest.mark.parametrize(("now", "free"), [(50.0, 9), (60.0, 10), (60.5, 10)])
def test_most_likely_all_of_a_counted_window_is_left(now, free):
    """The token that rounding hides is expected; at the reset, so is a whole window."""
    seen = ahead(ALONE, [Row(0, "submit a", "a"), Row(0.2, "ok a L=10 V=9 R=60")], now=now)
    assert seen.free == 8
    assert seen.likely.free == free


def test_the_very_last_token_is_likely_charged_to_the_next_window_at_its_reset():
    """So that the rest of that window is expected now."""
    seen = ahead(ALONE, [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=3 R=60")], now=60.5)
    assert (seen.free, seen.likely.free) == (1, 20)


def test_calls_under_way_are_not_left():
    """Neither for sure nor most likely."""
    rows = [Row(0, "submit a", "a"), Row(0.2, "ok a L=10 V=9 R=60"), Row(1, "submit b c", starts="b c")]
    seen = ahead(ALONE, rows, now=2.0)
    assert (seen.free, seen.likely.free) == (6, 7)


def test_nothing_is_likely_where_nothing_was_counted():
    """Then what is proven is expected."""
    seen = ahead(ALONE, [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=12 R=30")], now=1.0)
    assert seen.likely.free == seen.free


def test_one_call_is_the_default():
    """Of a snapshot's forecast, at the end of the line."""
    rows = [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=3 R=60")]
    snapshot = play(ALONE, rows).scheduler.snapshot(now=1.0)
    assert snapshot.eta() == snapshot.eta(1) == 0.0
    assert snapshot.eta(2) > 0.0

"""One step of one member of a fleet: each rule of the books by itself, from a state that the test writes."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from apteligent_async import RatePolicy
from apteligent_async._scheduling.budget import STRAGGLER_S, Budget
from apteligent_async._scheduling.fleet import Fleet, Granted, Member, News, Step
from apteligent_async._scheduling.queue import MOST_PASSES
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.sharing import (
    DEAD_STRAGGLER_S,
    FORGOTTEN_S,
    GRACE_S,
    LATEST_S,
    LEASE_S,
    RESTARTED_S,
    SILENT_S,
    SOONEST_S,
    SPACING_S,
    transition,
)
from apteligent_async._scheduling.signals import Cause, LinkFailed, Reading, Succeeded

NOW = 100.0
ALONE = RatePolicy(mode="exclusive", reserve=0)
STEP = Step(member="me", policy=ALONE, host="h", pid=7, epoch=1)


def stated(*, left=500, size=1000, ends=(129.5, 130.5), live=0):
    """Make books that know of a window of a minute and what is left in it."""
    budget = Budget(limit=float(size), live=live)
    budget.windows.length_s, budget.windows.ends = 60.0, None if ends is None else Span(*ends)
    budget.windows.stated_until = -math.inf if ends is None else ends[1]
    for view in budget.views:
        view.left, view.budget_lo = left + live, size
    budget._tally()
    return budget


def fleet_of(budget=None, *, trip_s=0.2, **members):
    """Write a state in which everybody was just here; members are given by what differs from that."""
    known = {"me": {}} | members
    made = {name: Member("h", 7, **{"epoch": 1, "seen_at": NOW - 1, **each}) for name, each in known.items()}
    return Fleet(
        budget=budget or stated(live=sum(each.held for each in made.values())),
        members=made,
        clock="c",
        stamped_at=NOW - 1,
        epochs=len(made),
        trip_s=trip_s,
    )


def take(fleet, *, clock="c", now=NOW, blur_s=0.0, **step):
    """Take a step."""
    return transition(fleet, evolve(STEP, **step), clock=clock, now=now, blur_s=blur_s)


def wants(interactive=0, bulk=0, token=0):
    """Say what waits, by lane."""
    return (0, token, interactive, bulk)


def waiting(wanted, *, tag=0.0, asks_at=NOW, **others):
    """Describe a member that waits and said when it would come again."""
    return {"wanted": wanted, "tag": tag, "asks_at": asks_at, **others}


# Clocks


def test_a_step_is_stamped():
    """With the instant that it was taken at; the member was here then, and a clock never goes back a little."""
    fleet = fleet_of()
    take(fleet)
    assert (fleet.stamped_at, fleet.members["me"].seen_at) == (NOW, NOW)
    take(fleet, now=NOW - 0.5)
    assert (fleet.stamped_at, fleet.members["me"].seen_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("clock", "now", "is_new"),
    [("c", NOW, False), ("next", NOW, True), ("c", NOW - 1 - RESTARTED_S, False), ("c", NOW - 1.1 - RESTARTED_S, True)],
)
def test_a_clock_that_began_anew_voids_every_token(clock, now, is_new):
    """What was learned is kept, and nobody of before is left."""
    fleet = fleet_of(you={"held": 5})
    fleet.last_at = NOW - 1
    take(fleet, clock=clock, now=now)
    assert set(fleet.members) == ({"me"} if is_new else {"me", "you"})
    assert fleet.clock == clock
    assert fleet.budget.limit == 1000
    assert fleet.budget.live == (0 if is_new else 5)
    assert fleet.last_at == (-math.inf if is_new else NOW - 1)
    assert fleet.stamped_at == (now if is_new else NOW - 1 if now < NOW else NOW)


@pytest.mark.parametrize(("mode", "is_alone"), [("exclusive", True), ("shared", False), ("polite", False)])
def test_a_promise_to_be_alone_is_the_fleet_s(mode, is_alone):
    """Whoever was here last has made it or not."""
    fleet = fleet_of()
    take(fleet, policy=RatePolicy(mode=mode))
    assert fleet.budget.is_alone is is_alone


# Members who die, fall silent or come back


def test_the_dead_are_written_off_at_once():
    """What they held may be counted by the service for a moment yet, and they are members no longer."""
    fleet = fleet_of(gone={"held": 5})
    before = fleet.budget.left
    take(fleet, dead=("gone", "never heard of"))
    assert "gone" not in fleet.members
    assert (fleet.budget.live, fleet.budget.left) == (0, before)
    assert fleet.budget.outlay.stragglers == [(NOW + DEAD_STRAGGLER_S, 5)]
    assert fleet.budget.own == 5


@pytest.mark.parametrize(("silent_s", "is_silent"), [(SILENT_S, False), (SILENT_S + 0.1, True)])
def test_the_silent_hold_nothing_any_more(silent_s, is_silent):
    """Their epoch ends; as they may live, their calls may arrive for longer."""
    fleet = fleet_of(mute={"held": 5, "seen_at": NOW - silent_s})
    take(fleet)
    mute = fleet.members["mute"]
    assert (mute.held, mute.epoch) == ((0, 0) if is_silent else (5, 1))
    assert fleet.budget.outlay.stragglers == ([(NOW + STRAGGLER_S, 5)] if is_silent else [])


def test_nothing_is_written_off_of_those_who_hold_nothing():
    """Silent or not, their epoch goes on."""
    fleet = fleet_of(mute={"seen_at": NOW - SILENT_S - 1})
    take(fleet)
    assert fleet.members["mute"].epoch == 1
    assert fleet.budget.outlay.stragglers == []


@pytest.mark.parametrize(("silent_s", "is_kept"), [(FORGOTTEN_S, True), (FORGOTTEN_S + 0.1, False)])
def test_the_long_silent_are_forgotten(silent_s, is_kept):
    """And everybody after them is looked at all the same."""
    seen = {"seen_at": NOW - silent_s}
    fleet = fleet_of(mute=seen, near={}, still={"held": 2, **seen})
    take(fleet)
    assert ("mute" in fleet.members, "still" in fleet.members) == (is_kept, is_kept)
    assert "near" in fleet.members
    assert fleet.budget.live == 0


def test_whoever_speaks_is_not_silent():
    """However long it was away."""
    fleet = fleet_of()
    fleet.members["me"].seen_at, fleet.members["me"].held, fleet.budget.live = NOW - FORGOTTEN_S - 1, 3, 3
    take(fleet, held=3)
    assert (fleet.members["me"].held, fleet.budget.live) == (3, 3)


def test_a_new_member_states_what_it_has_under_way():
    """It gets an epoch that nobody had, and what it holds is live; others' tokens stay as they are."""
    fleet = fleet_of(you={"held": 2})
    brought = take(fleet, member="new", host="elsewhere", pid=9, epoch=0, held=4)
    new = fleet.members["new"]
    assert (new.host, new.pid, new.held, new.epoch, fleet.epochs, brought.epoch) == ("elsewhere", 9, 4, 3, 3, 3)
    assert fleet.budget.live == 6


def test_one_whose_epoch_ended_states_anew_what_it_has_under_way():
    """Its news are of no account: those tokens were written off. What it holds is live once more."""
    fleet = fleet_of(other={})
    fleet.members["me"].epoch = 5
    brought = take(fleet, held=2, news=(News(1, NOW - 1, Succeeded()),), returned=1)
    assert (fleet.members["me"].held, fleet.budget.live, brought.epoch) == (2, 2, 3)
    assert fleet.budget.own == 0


def test_one_that_spent_without_the_books_ends_everybody_s_trust():
    """What is under way stays live, what was learned is kept, and no token is; its new epoch is not the old one."""
    fleet = fleet_of(you={"held": 3})
    brought = take(fleet, is_back=True, held=2)
    assert (fleet.budget.live, fleet.budget.limit, fleet.budget.ends) == (5, 1000, None)
    assert fleet.budget.left == 1 - 5
    assert (brought.epoch, fleet.members["me"].held) == (3, 2)


@pytest.mark.parametrize(("left", "waits_until"), [(0.5, 130.5), (1, -math.inf)])
def test_a_drained_window_stays_drained_when_trust_ends(left, waits_until):
    """Its end is waited for, as nothing was proven to remain; otherwise a probe may go."""
    fleet = fleet_of(stated(left=left))
    take(fleet, is_back=True)
    assert fleet.budget.opens_at(1) == waits_until


# What they tell


def test_news_are_heard_with_the_instant_at_which_the_call_left():
    """The call is live no longer, its numbers are believed, and the trip counts."""
    fleet = fleet_of(me={"held": 4})
    fleet.budget.trip_s = 0.2
    reading = Reading(limit=1000, remaining=400, reset_s=30)
    take(fleet, held=2, news=(News(2, NOW - 1, Succeeded(reading=reading)),), blur_s=0.6)
    assert (fleet.members["me"].held, fleet.budget.live, fleet.budget.own) == (2, 2, 2)
    assert fleet.trip_s == pytest.approx(0.2 + (1.6 - 0.2) / 8)
    assert fleet.budget.left <= 400 - 2


def test_news_from_the_future_came_just_now():
    """A member's clock is known within bounds only; no trip is shorter than nothing."""
    fleet = fleet_of(me={"held": 1})
    take(fleet, news=(News(1, NOW + 5, Succeeded()),))
    assert fleet.trip_s == pytest.approx(0.2 - 0.2 / 8)


def test_an_answer_that_did_not_come_says_nothing_of_the_trip():
    """It says how long somebody waited."""
    fleet = fleet_of(me={"held": 1})
    take(fleet, news=(News(1, NOW - 50, LinkFailed()),))
    assert fleet.trip_s == 0.2
    assert fleet.budget.outlay.stragglers == [(NOW + STRAGGLER_S, 1)]


def test_what_is_handed_back_can_be_had_again():
    """It was never sent."""
    fleet = fleet_of(me={"held": 5})
    before = fleet.budget.left
    take(fleet, held=2, returned=3)
    assert (fleet.members["me"].held, fleet.budget.live, fleet.budget.left) == (2, 2, before + 3)


@pytest.mark.parametrize(("waited_before", "tag"), [(wants(0), 40.0), (wants(1), 7.0)])
def test_nobody_saves_turns_by_wanting_nothing(waited_before, tag):
    """Whoever comes back to the line stands where the line stands now; who waited all the time keeps its place."""
    fleet = fleet_of(stated(left=0), me={"wanted": waited_before, "tag": 7.0})
    fleet.virtual = 40.0
    take(fleet, wanted=wants(1), cost=1)
    assert fleet.members["me"].tag == tag


def test_a_place_far_back_is_kept():
    """Who was given more than the others still has to wait for them."""
    fleet = fleet_of(stated(left=0), me={"tag": 90.0})
    fleet.virtual = 40.0
    take(fleet, wanted=wants(1), cost=1)
    assert fleet.members["me"].tag == 90.0


# What they get


def test_who_wants_nothing_gets_nothing():
    """And need not come again."""
    brought = take(fleet_of(), cost=0, wanted=wants(3))
    assert brought == Granted(tokens=0, epoch=1, valid_until=NOW + LEASE_S, asks_at=math.inf, cause=Cause.NOTHING)
    assert take(fleet_of(), cost=1, wanted=(5, 0, 0, 0)).tokens == 0


def test_a_lease_is_a_hundredth_of_a_window():
    """Of its size, and at most half of what is left for each who waits; what it gets is taken off what it wants."""
    fleet = fleet_of()
    brought = take(fleet, cost=1, wanted=wants(4, 30))
    me = fleet.members["me"]
    assert (brought.tokens, brought.cause, brought.asks_at) == (10, Cause.NOTHING, NOW)
    assert (me.held, me.given, me.wanted, fleet.budget.live, fleet.last_at) == (10, 10, wants(0, 24), 10, NOW)
    assert me.asks_at == NOW
    assert take(fleet_of(stated(left=10)), cost=1, wanted=wants(50)).tokens == 5
    assert take(fleet_of(stated(left=12), you=waiting(wants(1), tag=9.0)), cost=1, wanted=wants(50)).tokens == 3


@pytest.mark.parametrize(("longest_s", "tokens"), [(0.0, 20), (60.0, 10), (119.0, 19)])
def test_a_lease_is_measured_by_the_longest_reset_that_was_stated(longest_s, tokens):
    """Where windows begin with a call, two resets lie as far apart as the calls that began them."""
    budget = stated(left=5000, size=1000)
    budget.windows.length_s, budget.windows.longest_s = 120.0, longest_s
    assert take(fleet_of(budget), wanted=wants(100), cost=1).tokens == tokens


def test_no_more_is_leased_than_is_wanted():
    """The rest is for others, and there is nothing to come again for."""
    fleet = fleet_of()
    brought = take(fleet, cost=1, wanted=wants(2, 1))
    assert (brought.tokens, brought.asks_at, brought.cause) == (3, math.inf, Cause.NOTHING)
    assert fleet.members["me"].wanted == wants()
    assert fleet.members["me"].asks_at == math.inf


def test_a_dear_call_gets_all_that_it_costs_or_nothing():
    """However small leases are; what follows it comes one by one."""
    assert take(fleet_of(stated(left=12)), cost=9, wanted=wants(9)).tokens == 9
    assert take(fleet_of(stated(left=8)), cost=9, wanted=wants(9)).tokens == 0


def test_one_that_is_alone_and_holds_much_gets_a_whole_lease_ahead():
    """So that a busy process goes to the store seldom: for more than it says that it wants."""
    fleet = fleet_of(me={"held": 11})
    assert take(fleet, held=11, cost=1, wanted=wants(1)).tokens == 10
    assert take(fleet_of(me={"held": 10}), held=10, cost=1, wanted=wants(1)).tokens == 1
    shared = fleet_of(me={"held": 11}, you=waiting(wants(1), tag=9.0))
    assert take(shared, held=11, cost=1, wanted=wants(1)).tokens == 1


@pytest.mark.parametrize(("ends", "tokens"), [((NOW + 3, NOW + 4), 10), ((NOW + 2.9, NOW + 4), 1), (None, 1)])
def test_towards_the_end_of_a_window_tokens_are_leased_one_by_one(ends, tokens):
    """In its last twentieth, and while no end is known."""
    fleet = fleet_of(stated(ends=ends, live=0))
    assert take(fleet, cost=1, wanted=wants(50)).tokens == tokens


@pytest.mark.parametrize(
    ("ends", "until"), [(None, NOW + LEASE_S), ((101.0, 101.5), 101.5), ((129.0, 130.0), NOW + LEASE_S)]
)
def test_a_lease_is_void_after_a_moment_or_with_its_window(ends, until):
    """Whichever comes first."""
    assert take(fleet_of(stated(ends=ends)), cost=1, wanted=wants(1)).valid_until == until


def test_what_is_not_proven_is_not_leased():
    """Of what is proven all may go to one who is alone; then it is told to ask when an answer may have come."""
    fleet = fleet_of(stated(left=2, size=100))
    brought = [take(fleet, held=held, cost=1, wanted=wants(9)) for held in range(3)]
    assert [each.tokens for each in brought] == [1, 1, 0]
    assert brought[-1].cause is Cause.ANSWERS
    assert brought[-1].asks_at == pytest.approx(NOW + 0.1)
    assert fleet.members["me"].asks_at == brought[-1].asks_at


@pytest.mark.parametrize(
    ("trip_s", "pause_s"), [(0.2, 0.1), (0.0, SOONEST_S), (0.5, LATEST_S), (9.0, LATEST_S), (0.008, SOONEST_S)]
)
def test_who_waits_for_answers_asks_after_half_a_trip(trip_s, pause_s):
    """Not too soon and not too late, and those who stand behind others half as much later each."""
    drained = stated(left=0, live=0)
    drained.live = 5
    for view in drained.views:
        view.left = 5
    drained._tally()
    others = {name: waiting(wants(1), tag=-1.0) for name in ("a", "b")}
    first = take(fleet_of(drained, trip_s=trip_s), cost=1, wanted=wants(1))
    assert first.asks_at == pytest.approx(NOW + pause_s)
    drained.live = 5
    third = take(fleet_of(drained, trip_s=trip_s, **others), cost=1, wanted=wants(1))
    assert third.asks_at == pytest.approx(NOW + 2 * pause_s)


def test_those_who_wait_for_a_reset_come_one_after_the_other():
    """In the order of their turns."""
    others = {name: waiting(wants(1), tag=-1.0) for name in ("a", "b")}
    brought = take(fleet_of(stated(left=0), **others), cost=1, wanted=wants(1))
    assert (brought.tokens, brought.cause) == (0, Cause.DRAINED)
    assert brought.asks_at == 130.5 + 2 * SPACING_S


def test_an_ask_never_lies_in_the_past():
    """Where an instant has passed that a call waits for, it is now."""
    fleet = fleet_of(stated(left=0, ends=(90.0, 91.0)))
    brought = take(fleet, cost=1, wanted=wants(2))
    assert (brought.tokens, brought.asks_at >= NOW) == (1, True)


# Who goes first


def test_the_more_urgent_lane_goes_first():
    """Whoever was given less: all that waits there in a more urgent lane is kept for it."""
    fleet = fleet_of(stated(left=4), you=waiting(wants(4), tag=99.0))
    assert take(fleet, cost=1, wanted=wants(0, 9)).cause is Cause.TURN
    fleet = fleet_of(stated(left=5), you=waiting(wants(4), tag=99.0))
    assert take(fleet, cost=1, wanted=wants(0, 9)).tokens == 1
    fleet = fleet_of(stated(left=4), you=waiting(wants(0, 4), tag=-99.0))
    assert take(fleet, cost=1, wanted=wants(9)).tokens == 1
    fleet = fleet_of(stated(left=3), you=waiting(wants(token=3), tag=99.0))
    assert take(fleet, cost=1, wanted=wants(9)).cause is Cause.TURN


def test_in_a_lane_who_was_given_less_goes_first():
    """It keeps what it was given less, or a lease where that is less; whoever was given more keeps nothing."""
    fleet = fleet_of(stated(left=4), you=waiting(wants(9), tag=6.0), me={"tag": 10.0, "wanted": wants(1)})
    brought = take(fleet, cost=1, wanted=wants(9))
    assert (brought.tokens, brought.cause) == (0, Cause.TURN)
    fleet = fleet_of(stated(left=5), you=waiting(wants(9), tag=6.0), me={"tag": 10.0, "wanted": wants(1)})
    assert take(fleet, cost=1, wanted=wants(9)).tokens == 1
    fleet = fleet_of(stated(left=4), you=waiting(wants(9), tag=11.0), me={"tag": 10.0, "wanted": wants(1)})
    assert take(fleet, cost=1, wanted=wants(9)).tokens == 1


def test_a_claim_is_a_lease_at_least():
    """A member that is a little ahead keeps a lease for itself, and never more than it wants."""
    size = {"left": 40, "size": 800}
    fleet = fleet_of(stated(**size), you=waiting(wants(30), tag=9.5), me={"tag": 10.0, "wanted": wants(1)})
    assert take(fleet, cost=33, wanted=wants(33)).cause is Cause.TURN
    fleet = fleet_of(stated(**size), you=waiting(wants(30), tag=9.5), me={"tag": 10.0, "wanted": wants(1)})
    assert take(fleet, cost=32, wanted=wants(32)).tokens == 32
    fleet = fleet_of(stated(**size), you=waiting(wants(5), tag=-9.0), me={"tag": 10.0, "wanted": wants(1)})
    assert take(fleet, cost=35, wanted=wants(35)).tokens == 35


def test_more_urgent_calls_are_kept_whole_and_those_of_one_s_own_lane_in_part():
    """What was given less counts in the lane that both wait in."""
    you = waiting(wants(2, 9), tag=6.0)
    fleet = fleet_of(stated(left=6), you=you, me={"tag": 10.0, "wanted": wants(0, 1)})
    assert take(fleet, cost=1, wanted=wants(0, 9)).cause is Cause.TURN
    fleet = fleet_of(stated(left=7), you=you, me={"tag": 10.0, "wanted": wants(0, 1)})
    assert take(fleet, cost=1, wanted=wants(0, 9)).tokens == 1


def test_at_the_same_place_names_decide():
    """So that two members never wait for each other."""
    assert take(fleet_of(stated(left=1), a=waiting(wants(1))), cost=1, wanted=wants(1)).tokens == 0
    assert take(fleet_of(stated(left=1), z=waiting(wants(1))), cost=1, wanted=wants(1)).tokens == 1


@pytest.mark.parametrize(("late_s", "tokens"), [(GRACE_S, 0), (GRACE_S + 0.01, 1)])
def test_a_claim_ends_when_its_member_is_overdue(late_s, tokens):
    """Nobody waits for one that does not come."""
    fleet = fleet_of(stated(left=1), you=waiting(wants(1), tag=-1.0, asks_at=NOW - late_s))
    assert take(fleet, cost=1, wanted=wants(1)).tokens == tokens


@pytest.mark.parametrize(("ends_in_s", "tokens"), [(1.71, 0), (1.69, 1), (-0.5, 0)])
def test_shortly_before_a_window_s_end_claims_fall(ends_in_s, tokens):
    """A fiftieth of it, a tenth of a second and two trips before, as what is left then is lost."""
    ends = (NOW + ends_in_s, NOW + ends_in_s + 2)
    fleet = fleet_of(stated(left=1, ends=ends), you=waiting(wants(1), tag=-1.0))
    assert take(fleet, cost=1, wanted=wants(1)).tokens == tokens


def test_a_long_trip_counts_for_a_quarter_of_a_second():
    """However long answers take, claims hold until half a second, a tenth and a fiftieth before the end."""
    for ends_in_s, tokens in ((1.81, 0), (1.79, 1)):
        fleet = fleet_of(stated(left=1, ends=(NOW + ends_in_s, NOW + 5)), trip_s=9.0, you=waiting(wants(1), tag=-1.0))
        assert take(fleet, cost=1, wanted=wants(1)).tokens == tokens


@pytest.mark.parametrize(("passes", "tokens"), [(MOST_PASSES - 1, 0), (MOST_PASSES, 1)])
def test_bulk_calls_that_were_passed_by_often_go_before_others_once(passes, tokens):
    """Then they stand in the interactive lane, by what each was given."""
    fleet = fleet_of(stated(left=1), you=waiting(wants(1), tag=5.0))
    fleet.passes = passes
    assert take(fleet, cost=1, wanted=wants(0, 1)).tokens == tokens
    assert fleet.passes == (0 if tokens else passes)


def test_a_starving_bulk_call_of_another_is_let_pass():
    """An interactive call makes room for it, too."""
    fleet = fleet_of(stated(left=1), you=waiting(wants(0, 1), tag=-5.0))
    fleet.passes = MOST_PASSES
    assert take(fleet, cost=1, wanted=wants(1)).tokens == 0


def test_passing_by_bulk_calls_is_counted_while_there_are_some():
    """Each token counts; where no bulk call waits, the count begins anew."""
    fleet = fleet_of(you=waiting(wants(0, 1), tag=9.0))
    take(fleet, cost=1, wanted=wants(4))
    assert fleet.passes == 4
    fleet = fleet_of(you=waiting(wants(1), tag=9.0))
    fleet.passes = 3
    take(fleet, cost=1, wanted=wants(4))
    assert fleet.passes == 0


def test_what_is_given_moves_one_back():
    """By as many places as tokens; and the line's own place moves on to whom it served."""
    fleet = fleet_of(me={"tag": 8.0, "wanted": wants(1)})
    take(fleet, cost=3, wanted=wants(4))
    assert fleet.members["me"].tag == 12.0
    assert fleet.virtual == 11.0
    fleet.virtual = 50.0
    take(fleet, held=4, cost=1, wanted=wants(1))
    assert fleet.virtual == 50.0


def test_a_first_lease_is_one_probe():
    """Where nothing is known, one token; the next only after its answer."""
    fleet = Fleet(clock="c", stamped_at=NOW)
    assert take(fleet, member="a", epoch=0, cost=1, wanted=wants(9)).tokens == 1
    second = take(fleet, member="b", epoch=0, cost=1, wanted=wants(9))
    assert (second.tokens, second.cause) == (0, Cause.PROBE)


def test_a_reserve_holds_in_a_fleet():
    """What a member reserves for interactive calls is not leased to it for bulk ones."""
    brought = take(fleet_of(stated(left=20)), policy=RatePolicy(reserve=1), cost=1, wanted=wants(0, 5))
    assert (brought.tokens, brought.cause) == (0, Cause.RESERVE)


def test_who_is_polite_paces_the_fleet():
    """From one lease to the next, whoever got the last one: so many tokens left, so many equal parts of the time."""
    fleet = fleet_of(stated(left=9), you={})
    fleet.last_at = NOW - 1
    brought = take(fleet, policy=RatePolicy(mode="polite"), cost=1, wanted=wants(1))
    assert (brought.tokens, brought.cause) == (0, Cause.PACE)
    assert brought.asks_at == pytest.approx(NOW - 1 + (129.5 - (NOW - 1)) / 10)


def test_a_fleet_meets_a_reset_without_dice():
    """Its members come one after the other as it is, so nobody is put off by chance."""
    brought = take(fleet_of(stated(left=0)), policy=RatePolicy(mode="shared"), cost=1, wanted=wants(1))
    assert (brought.tokens, brought.cause, brought.asks_at) == (0, Cause.DRAINED, 130.5)


@pytest.mark.parametrize(
    ("others", "is_dated", "tokens"),
    [
        ({}, False, 1),
        ({"you": waiting(wants(1), tag=9.0)}, False, 0),
        ({"you": waiting(wants(1), tag=9.0)}, True, 1),  # a deadline waits for no look
    ],
)
def test_the_last_proven_token_is_kept_while_the_fleet_wants_more(others, is_dated, tokens):
    """What others wait for counts: the look at what rounding hides is sharper late in the window."""
    budget = stated(left=1, ends=(NOW + 100, NOW + 101))
    for view in budget.views:
        view.most = 30.0
    brought = take(fleet_of(budget, **others), cost=1, wanted=wants(1), is_dated=is_dated)
    assert brought.tokens == tokens
    assert (brought.cause is Cause.LATE_LOOK) is not bool(tokens)

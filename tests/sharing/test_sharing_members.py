"""Members that come, go, die and come back: what becomes of their tokens, and who goes first."""

from __future__ import annotations

import pytest
from members import Fleetwide
from reference import Service, Words

from apteligent_async import RatePolicy
from apteligent_async._scheduling.leases import FIRST_RETRY_S
from apteligent_async._scheduling.sharing import SILENT_S
from apteligent_async._scheduling.signals import Cause, Lane
from benchmarks.fleet_run import jain

EXACT = Words()


def fleetwide(*, budget=20, processes=2, policy=None, window_s=60.0):
    """Make a fleet whose first window is known: its first call has been answered."""
    service = Service(budget=budget, window_s=window_s, ends_at=window_s, words=EXACT)
    everybody = Fleetwide(service, policy or RatePolicy(mode="exclusive", reserve=0))
    for _ in range(processes):
        everybody.join()
    probe = everybody.processes[0]
    everybody.submit(probe)
    everybody.work(4)
    everybody.granted.clear()
    return everybody


def left(everybody):
    """Say what the books still offer."""
    return everybody.fleet.budget.left


def test_a_cold_fleet_sends_one_probe():
    """Whoever comes first gets one token; nobody gets another before its answer was told."""
    everybody = Fleetwide(Service(budget=20, window_s=60.0, ends_at=60.0), RatePolicy())
    first, second = everybody.join(), everybody.join()
    everybody.submit(first, 5)
    everybody.submit(second, 5)
    assert everybody.visit(first).tokens == 1
    assert everybody.visit(second).tokens == 0
    assert everybody.visit(first).cause in {Cause.PROBE, Cause.TURN}


def test_a_fleet_that_has_heard_no_number_asks_at_the_slowest_pace_it_can():
    """A lost first answer may have been the last call: one probe follows after a pause, and its refusal stops all."""
    everybody = Fleetwide(Service(budget=1, window_s=300.0, ends_at=120.0, words=EXACT), RatePolicy())
    one, two = everybody.join(), everybody.join()
    everybody.submit(one, 5)
    everybody.visit(one)
    [lost] = one.flights
    everybody.arrive(lost)
    everybody.cut(one, lost)
    everybody.submit(two, 5)
    everybody.work(40)
    assert (one.started, two.started) == (1, 0)
    everybody.work(300)
    assert (one.started + two.started, everybody.has_heard, everybody.refused) == (2, True, 0)
    everybody.now = 122.0
    everybody.work(4)
    assert (one.started + two.started, everybody.refused) == (3, 0)


def test_a_lost_first_answer_of_a_window_costs_one_call_s_worth_of_time():
    """Where a window holds one call, that is the whole window; where it holds many, next to nothing."""
    for budget, pause_s in ((1, 60.0), (600, 0.1)):
        everybody = fleetwide(budget=budget)
        [one, two] = everybody.processes
        everybody.now = 62.0
        everybody.submit(one, 2)
        everybody.visit(one)
        [lost] = one.flights
        everybody.arrive(lost)
        everybody.cut(one, lost)
        asks_at = everybody.visit(one).asks_at
        assert asks_at == pytest.approx(62.0 + pause_s)
        everybody.now = asks_at
        everybody.submit(two)
        everybody.work(4)
        assert two.started + one.started >= 3
        assert everybody.refused == 0


def test_what_a_dead_process_held_is_spent():
    """A killed process's token is never granted again in this window, sent or not."""
    everybody = fleetwide()
    victim, other = everybody.processes
    everybody.submit(victim)
    everybody.visit(victim)
    before = left(everybody)
    everybody.kill(victim, arrives=0)
    everybody.visit(other, dead=[victim.name])
    assert left(everybody) == before
    assert victim.name not in everybody.fleet.members


def test_a_silent_member_s_tokens_are_written_off_and_live_again_when_it_speaks():
    """Its epoch has ended: what it still has under way is live once more, and its late news count for nothing."""
    everybody = fleetwide()
    slow, other = everybody.processes
    everybody.submit(slow)
    everybody.visit(slow)
    [flight] = slow.flights
    everybody.now += SILENT_S + 1
    everybody.visit(other)
    assert everybody.fleet.budget.live == 0
    everybody.visit(slow)
    assert everybody.fleet.budget.live == 1
    everybody.arrive(flight)
    everybody.answer(slow, flight)
    everybody.visit(slow)
    assert everybody.fleet.budget.live == 0
    assert everybody.refused == 0


def test_a_token_is_void_at_the_window_s_end():
    """What was not started by then is handed back, and another one asked for."""
    everybody = fleetwide()
    holder = everybody.processes[0]
    everybody.submit(holder)
    everybody.now = 59.9
    granted = everybody.visit(holder)
    assert granted.valid_until <= everybody.fleet.budget.ends.hi
    holder.scheduler.withdraw(holder.flights.pop().job, now=59.9)
    assert holder.books.tokens == 1
    everybody.now = 70.0
    everybody.submit(holder)
    assert not holder.flights
    everybody.visit(holder)
    assert everybody.fleet.members[holder.name].held == len(holder.flights) == 1


def test_a_new_clock_keeps_what_was_learned_and_no_token():
    """After a restart of the machine one probe goes out, whatever was left."""
    everybody = fleetwide(budget=100)
    process = everybody.processes[0]
    learned = process.scheduler.learned()
    everybody.submit(process, 30)
    everybody.clock, everybody.now = "next boot", 3.0
    granted = everybody.visit(process)
    assert granted.tokens == 1
    assert process.scheduler.learned().limit == learned.limit
    assert everybody.visit(process).tokens == 0


def test_nothing_stampedes_when_the_store_comes_back():
    """Alone, each had one call under way; they come back at instants of their own, and get nothing before an answer."""
    everybody = fleetwide(budget=100, processes=8)
    for number, process in enumerate(everybody.processes):
        process.started = 0
        process.books.go_alone(now=everybody.now, dice=number / 8)
        everybody.submit(process, 9)
    assert [process.started for process in everybody.processes] == [1] * 8
    retries_s = [process.books.retry_at - everybody.now for process in everybody.processes]
    assert (min(retries_s), len(set(retries_s))) == (FIRST_RETRY_S / 2, 8)
    assert [everybody.visit(process).tokens for process in everybody.processes] == [0] * 8
    everybody.work(300)
    assert sum(process.started for process in everybody.processes) == 72
    assert everybody.refused == 0


def test_an_interactive_call_goes_before_everybody_s_bulk():
    """While one process waits with an interactive call, no bulk call of another takes the token that it may have."""
    everybody = fleetwide(budget=20)
    bulk, urgent = everybody.processes
    everybody.submit(bulk, 40, Lane.BULK)
    everybody.work(60)
    assert everybody.service.used == 20
    everybody.submit(urgent, 1)
    everybody.now = everybody.visit(urgent).asks_at + 0.05
    assert urgent.started == 0
    assert everybody.visit(bulk).tokens == 0
    assert everybody.visit(urgent).tokens == 1


def test_bulk_calls_are_not_starved():
    """However many interactive calls keep coming, some bulk call goes in between."""
    everybody = fleetwide(budget=200, policy=RatePolicy(mode="exclusive", reserve=0))
    bulk, urgent = everybody.processes
    everybody.submit(bulk, 50, Lane.BULK)
    for _ in range(80):
        everybody.submit(urgent, 2)
        everybody.work(1)
    assert bulk.started >= 10


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_everybody_gets_the_same(processes):
    """Over ten windows, Jain's index of the calls of each is at least 0.95, every token is used, and nobody refused."""
    everybody = fleetwide(budget=60, processes=processes, window_s=6.0)
    for process in everybody.processes:
        everybody.submit(process, 700)
    everybody.work(int(60 / 0.02))
    assert everybody.refused == 0
    assert jain([process.started for process in everybody.processes]) >= 0.95
    assert sum(process.started for process in everybody.processes) >= 0.98 * 60 * 9


def test_it_takes_few_visits_where_the_budget_is_large():
    """With a thousand calls a window, one busy process goes to the store less than once in two calls."""
    everybody = fleetwide(budget=1000, processes=1)
    [process] = everybody.processes
    everybody.submit(process, 900)
    everybody.work(400)
    assert process.started >= 900
    assert len(everybody.granted) < 450

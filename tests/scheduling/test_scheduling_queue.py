"""Who is next: strict lanes that starve nobody, flows that share fairly, and a cost that stays logarithmic."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from random import Random
from types import SimpleNamespace

import pytest
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st

import apteligent_async._scheduling.queue
from apteligent_async._scheduling.queue import MOST_PASSES, Queue
from apteligent_async._scheduling.signals import Job, Lane, Stage

NEVER_OLD = math.inf
TOKEN, INTERACTIVE, BULK = Lane.TOKEN, Lane.INTERACTIVE, Lane.BULK


def entered(queue, *jobs):
    """Let jobs enter, all at instant zero, and return them."""
    for job in jobs:
        job.submitted_at = 0.0
        queue.enter(job)
    return jobs


def drained(queue, *, now=0.0, age_s=NEVER_OLD, most=10**9):
    """Start what is next until nothing waits, and return it in order."""
    order = []
    while len(order) < most and (job := queue.head(now=now, age_s=age_s)) is not None:
        queue.pop(job)
        order.append(job)
    return order


def test_lanes_are_strict():
    """Calls that cost nothing go first, then token calls, interactive ones and bulk, whoever came first."""
    queue = Queue()
    jobs = entered(queue, *(Job(lane=lane) for lane in (BULK, INTERACTIVE, TOKEN, Lane.FREE)))
    assert drained(queue) == list(jobs[::-1])


def test_looking_changes_nothing():
    """The head stays in place, and stays the same, until it is taken out."""
    queue = Queue()
    first, _ = entered(queue, Job(), Job())
    assert queue.head(now=0, age_s=NEVER_OLD) is queue.head(now=9, age_s=NEVER_OLD) is first
    assert len(queue) == 2


def test_an_aged_lane_is_passed_over_a_stated_number_of_times():
    """Under a flood of interactive calls an old bulk call starts after MOST_PASSES of them, again and again."""
    queue = Queue()
    entered(queue, *(Job(lane=INTERACTIVE) for _ in range(50)), *(Job(lane=BULK) for _ in range(4)))
    order = "".join("IB"[job.lane is BULK] for job in drained(queue, now=61.0, age_s=60.0))
    assert order == ("I" * MOST_PASSES + "B") * 4 + "I" * (50 - 4 * MOST_PASSES)


def test_a_young_lane_waits_its_turn():
    """Before the age is reached no number of passes lets bulk calls go first."""
    queue = Queue()
    entered(queue, *(Job(lane=INTERACTIVE) for _ in range(50)), Job(lane=BULK))
    assert drained(queue, now=59.0, age_s=60.0)[-1].lane is BULK


def test_nobody_ages_past_a_token_call():
    """Token calls go first even before the oldest of the others: without a token none of them can be sent."""
    queue = Queue()
    entered(queue, *(Job(lane=TOKEN) for _ in range(30)), Job(lane=BULK), Job(lane=INTERACTIVE))
    assert [job.lane for job in drained(queue, now=1e6, age_s=60.0)[:30]] == [TOKEN] * 30


@TRIED
@given(st.lists(st.sampled_from(Lane), min_size=1, max_size=120))
def test_an_aged_call_waits_for_a_bounded_number_of_others(lanes):
    """However the lanes are filled, an old bulk call is passed over MOST_PASSES times at most, token calls apart."""
    queue = Queue()
    entered(queue, *(Job(lane=lane) for lane in lanes))
    passes = 0
    for job in drained(queue, now=60.0, age_s=60.0):
        passes = 0 if job.lane is BULK else passes + (job.lane is INTERACTIVE)
        assert passes <= MOST_PASSES or not queue.waiting(BULK)


@TRIED
@given(st.lists(st.sampled_from(Lane), min_size=1, max_size=120))
def test_ageing_never_turns_the_lanes_around(lanes):
    """While interactive calls wait, no two bulk calls start one after the other."""
    queue = Queue()
    entered(queue, *(Job(lane=lane) for lane in lanes))
    last = None
    for job in drained(queue, now=60.0, age_s=60.0):
        assert not (last is job.lane is BULK and queue.waiting(INTERACTIVE))
        last = job.lane


def test_a_small_flow_is_not_behind_a_big_one():
    """Beside a flow of a thousand calls, a later flow of ten has every second place."""
    queue = Queue()
    entered(queue, *(Job(flow="big") for _ in range(1000)), *(Job(flow="small") for _ in range(10)))
    order = [job.flow for job in drained(queue)]
    assert order[:20] == ["big", "small"] * 10
    assert set(order[20:]) == {"big"}


def test_a_dear_flow_gets_its_share_in_tokens():
    """A flow whose calls cost three tokens starts a third as many of them."""
    queue = Queue()
    entered(queue, *(Job(flow="dear", cost=3) for _ in range(100)), *(Job(flow="cheap") for _ in range(100)))
    first = Counter(job.flow for job in drained(queue, most=80))
    assert first == {"dear": 20, "cheap": 60}


def test_a_flow_that_comes_late_starts_even():
    """A flow that was silent for long has saved up nothing: it shares from now on."""
    queue = Queue()
    entered(queue, *(Job(flow="busy") for _ in range(100)))
    drained(queue, most=50)
    entered(queue, *(Job(flow="late") for _ in range(20)))
    order = [job.flow for job in drained(queue, most=20)]
    assert order.count("late") == 10


@TRIED
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=80))
def test_flows_keep_their_order(kinds):
    """Whatever the costs and the mixture, calls of one flow start in the order in which they came."""
    queue = Queue()
    jobs = entered(queue, *(Job(flow=flow, cost=cost) for flow, cost in kinds))
    order = drained(queue)
    assert sorted(job.ticket for job in order) == [job.ticket for job in jobs]
    for flow in range(4):
        tickets = [job.ticket for job in order if job.flow == flow]
        assert tickets == sorted(tickets)


@TRIED
@given(st.lists(st.sampled_from(Lane), min_size=1, max_size=60), st.randoms(use_true_random=False), st.data())
def test_withdrawals_in_any_order_leave_the_others_in_place(lanes, dice, data):
    """Whoever leaves, and in whatever order, the rest starts as if they had never been there."""
    queue = Queue()
    jobs = entered(queue, *(Job(lane=lane) for lane in lanes))
    gone = dice.sample(jobs, data.draw(st.integers(0, len(jobs))))
    for job in gone:
        queue.leave(job)
    stayed = sorted((job for job in jobs if job not in gone), key=lambda job: (job.lane, job.ticket))
    assert len(queue) == queue.wanted_up_to(BULK) == len(stayed)
    assert {job.stage for job in gone} <= {Stage.ENDED}
    assert drained(queue) == stayed


def test_those_who_stay_keep_their_places_when_most_of_a_long_line_leaves():
    """What the leavers have left behind is cleared away, and nobody else with it."""
    queue = Queue()
    jobs = entered(queue, *(Job(lane=BULK) for _ in range(200)))
    for job in jobs[:150]:
        queue.leave(job)
    newcomers = entered(queue, Job(lane=BULK), Job(lane=BULK))
    assert queue.youngest(below=INTERACTIVE) is newcomers[-1]
    assert drained(queue) == [*jobs[150:], *newcomers]


def test_delayed_jobs_ripen_at_their_old_places():
    """A job put aside comes back, at its instant and not before, in front of those that came after it."""
    queue = Queue()
    first, second, third = entered(queue, Job(), Job(), Job())
    queue.pop(first)
    queue.delay(first, 5.0)
    assert (len(queue), queue.ripens_at(), first.stage) == (2, 5.0, Stage.DELAYED)
    queue.ripen(4.9)
    assert queue.head(now=4.9, age_s=NEVER_OLD) is second
    queue.ripen(5.0)
    assert queue.ripens_at() is None
    assert drained(queue) == [first, second, third]


def test_a_delayed_job_that_left_does_not_ripen():
    """Whoever leaves while put aside stays away."""
    queue = Queue()
    first, second = entered(queue, Job(), Job())
    queue.pop(first)
    queue.delay(first, 5.0)
    queue.leave(first)
    queue.ripen(5.0)
    assert drained(queue) == [second]


def test_a_delayed_job_that_left_wakes_nobody():
    """Once it has left, its instant is no reason to wake up."""
    queue = Queue()
    (job,) = entered(queue, Job())
    queue.pop(job)
    queue.delay(job, 5.0)
    queue.leave(job)
    assert queue.ripens_at() is None


def test_a_job_that_comes_back_overtakes_those_behind_it():
    """A job that is tried again stands where it stood, before all later ones of its flow."""
    queue = Queue()
    jobs = entered(queue, *(Job(flow="one") for _ in range(5)))
    for job in (jobs[0], jobs[1]):
        queue.pop(job)
    queue.rejoin(jobs[1])
    queue.rejoin(jobs[0])
    assert drained(queue) == list(jobs)


def test_the_youngest_of_the_least_urgent_lane_is_shed():
    """Room is made by the last bulk call; an interactive call gives way to a token call only."""
    queue = Queue()
    _, late, interactive = entered(queue, Job(lane=BULK), Job(lane=BULK), Job(lane=INTERACTIVE))
    assert queue.youngest(below=INTERACTIVE) is late
    queue.leave(late)
    queue.leave(queue.youngest(below=INTERACTIVE))
    assert queue.youngest(below=INTERACTIVE) is None
    assert queue.youngest(below=TOKEN) is interactive
    assert queue.youngest(below=BULK) is None
    newest = entered(queue, *(Job(lane=BULK) for _ in range(3)))[-1]
    assert queue.youngest(below=INTERACTIVE) is newest
    (newcomer,) = entered(queue, Job(lane=BULK))
    assert queue.youngest(below=INTERACTIVE) is newcomer


def test_what_waits_is_counted_by_lane_in_calls_and_tokens():
    """The counts follow every job in and out, whatever its cost."""
    queue = Queue()
    first, *_ = entered(queue, Job(cost=3), Job(), Job(lane=BULK, cost=2))
    assert [queue.waiting(lane) for lane in (TOKEN, INTERACTIVE, BULK)] == [0, 2, 1]
    assert [queue.wanted(lane) for lane in (TOKEN, INTERACTIVE, BULK)] == [0, 4, 2]
    queue.pop(first)
    assert (len(queue), queue.wanted_up_to(BULK)) == (2, 3)


class Counted(Job):
    """A job that counts how often the queue asks what stage it is in: once for each touch of its entry."""

    __slots__ = ()
    touches = 0

    def __getattribute__(self, name):
        if name == "stage":
            Counted.touches += 1
        return super().__getattribute__(name)


ORDERS = {
    "first come": lambda jobs: jobs,
    "last come": lambda jobs: jobs[::-1],
    "at random": lambda jobs: Random("order").sample(jobs, len(jobs)),
    "every second first": lambda jobs: jobs[::2] + jobs[1::2],
}


@pytest.mark.parametrize("order", ORDERS)
def test_withdrawing_many_is_cheap_in_any_order(order):
    """Twenty thousand withdrawals, with a look at the head after each, touch a few entries each, not all of them."""
    queue, many = Queue(), 20_000
    jobs = entered(queue, *(Counted() for _ in range(many)))
    Counted.touches = 0
    for job in ORDERS[order](list(jobs)):
        queue.leave(job)
        queue.head(now=0.0, age_s=NEVER_OLD)
    assert len(queue) == 0
    assert Counted.touches < 6 * many


def test_entering_and_starting_is_logarithmic(monkeypatch):
    """Each call goes in and out by one heap operation."""
    operations = Counter()

    def counted(name):
        return lambda *given: (operations.update([name]), getattr(heapq, name)(*given))[1]

    # The queue's name for the module, not the module: event loops of other threads have heaps, too.
    counting = SimpleNamespace(**{name: counted(name) for name in heapq.__all__})
    monkeypatch.setattr(apteligent_async._scheduling.queue, "heapq", counting)
    queue = Queue()
    entered(queue, *(Job(flow=number % 7) for number in range(5000)))
    drained(queue)
    assert operations == {"heappush": 5000, "heappop": 5000}


def test_shedding_many_is_cheap():
    """Making room for a thousand newcomers touches a few entries for each, not all that wait."""
    queue, many = Queue(), 1000
    entered(queue, *(Counted(lane=BULK) for _ in range(many)))
    Counted.touches = 0
    for _ in range(many):
        queue.leave(queue.youngest(below=INTERACTIVE))
        entered(queue, Counted(lane=BULK))
    assert Counted.touches < 50 * many


def test_withdrawn_calls_are_not_held_against_their_flow():
    """A flow that asked for a hundred calls and took them back shares like any other afterwards."""
    queue = Queue()
    entered(queue, *(Job(flow="steady") for _ in range(200)))
    for job in entered(queue, *(Job(flow="fickle") for _ in range(100))):
        queue.leave(job)
    entered(queue, Job(flow="fickle"))
    assert [job.flow for job in drained(queue, most=4)].count("fickle") == 1


def test_a_newcomer_does_not_overtake_a_returning_job_of_its_flow():
    """A flow's order holds although several of its calls come back while the line is empty."""
    queue = Queue()
    jobs = entered(queue, Job(flow="one"), Job(flow="one"), Job(flow="one"))
    drained(queue)
    queue.rejoin(jobs[0])
    drained(queue)
    (late,) = entered(queue, Job(flow="one"))
    queue.rejoin(jobs[2])
    assert drained(queue) == [jobs[2], late]


def test_tokens_are_counted_up_to_a_lane_and_no_further():
    """What a newcomer has before it: its own lane and the more urgent ones."""
    queue = Queue()
    entered(queue, Job(lane=TOKEN, cost=2), Job(lane=INTERACTIVE, cost=3), Job(lane=BULK, cost=5))
    assert [queue.wanted_up_to(lane) for lane in (TOKEN, INTERACTIVE, BULK)] == [2, 5, 10]
    assert [queue.wanted(lane) for lane in (TOKEN, INTERACTIVE, BULK)] == [2, 3, 5]


@pytest.mark.parametrize(("now", "next_lane"), [(159.9, INTERACTIVE), (160.0, BULK)])
def test_age_is_counted_from_when_a_call_came(now, next_lane):
    """At the very age, not before, and not from the beginning of time."""
    queue = Queue()
    (old,) = entered(queue, Job(lane=BULK))
    old.submitted_at = 100.0
    entered(queue, *(Job(lane=INTERACTIVE) for _ in range(MOST_PASSES + 2)))
    drained(queue, now=100.0, age_s=60.0, most=MOST_PASSES)
    assert queue.head(now=now, age_s=60.0).lane is next_lane

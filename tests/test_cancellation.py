"""Cancellation in the line: at every await, in one tick with a grant, in crowds; nothing is left behind."""

from __future__ import annotations

from functools import partial
from itertools import count

import anyio
import pytest
from anyio.lowlevel import checkpoint
from counterparts import WindowService, gather
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from line import CancelledAt, Line, cut, reply

from apteligent_async import RatePolicy, RetryPolicy
from apteligent_async._scheduling.signals import Lane

pytestmark = pytest.mark.anyio

FOREVER_S = 100_000
EXCLUSIVE = RatePolicy(mode="exclusive")


async def _scenario(step, *, place, name="victim", **options):
    """Let five callers call, one of whom is cancelled at one of its awaits; say at how many it could have been."""
    line = Line(service=WindowService(calls=3), **options)
    cancelled = None

    async def victim():
        nonlocal cancelled
        with anyio.CancelScope() as scope:
            cancelled = CancelledAt(line.call(name), scope, step=step)
            await cancelled

    calls = [partial(line.call, number) for number in range(4)]
    calls.insert(place, victim)

    async def late(number):
        await anyio.sleep(number / 1000)
        await calls[number]()

    with anyio.fail_after(FOREVER_S):
        ends = await gather(*[partial(late, number) for number in range(5)])
    line.assert_clean()
    assert not [end for end in ends if isinstance(end, Exception)]
    assert set(range(4)) <= set(line.sent)
    return cancelled.steps, line


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_a_call_can_be_cancelled_at_each_of_its_awaits(place):
    """Whether it heads the line, keeps the time or came last: it leaves no trace, and its siblings are served."""
    for step in count(1):
        steps, line = await _scenario(step, place=place)
        assert line.sent.count("victim") <= 1
        assert line.service.refused == []
        if steps < step:
            break
    assert step >= 3


async def test_a_retried_call_can_be_cancelled_at_each_of_its_awaits():
    """Also while it backs off, or stands at the gate that a refusal shut."""
    faults = {"victim": [reply(503), cut(), reply(429, {}, {"limit": 3, "reset": 5, "actual": 4})]}
    for step in count(1):
        copies = {name: list(answers) for name, answers in faults.items()}
        steps, line = await _scenario(step, place=1, faults=copies)
        if steps < step:
            break
    assert step > 6
    assert line.sent.count("victim") >= 4


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_cancelled_in_the_tick_of_its_grant_is_not_sent(when):
    """The start is given back, so that nobody waits for a call that was never made."""
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=2))
    visits = {number: line.visit(number) for number in range(6)}
    scopes = {number: anyio.CancelScope() for number in visits}
    victim, due = 3, line.scheduler.due

    def cancelling(*, now):
        started = due(now=now)
        if visits[victim].job in started:
            if when == "before":
                scopes[victim].cancel()
            else:
                line.scheduler.due = due
                started = [job for job in started if job is not visits[victim].job] + [visits[victim].job]
        return started

    ring = type(visits[victim]).ring

    def ring_and_cancel(visit):
        ring(visit)
        if when == "after" and visit is visits[victim] and visit.has_turn:
            scopes[victim].cancel()

    line.scheduler.due = cancelling
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(visits[victim]), "ring", ring_and_cancel)

        async def call(number):
            await anyio.sleep(number / 1000)
            with scopes[number]:
                await line.dispatcher.perform(visits[number])

        await gather(*[partial(call, number) for number in visits])
    assert scopes[victim].cancelled_caught
    assert line.sent == [0, 1, 2, 4, 5]
    assert visits[victim].attempts == 0
    line.assert_clean()


async def test_the_timekeeper_hands_the_timer_over():
    """Cancelling whoever keeps the time, again and again, makes nobody late."""
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=1))
    scopes = {}

    async def call(number):
        with anyio.CancelScope() as scopes[number]:
            await line.call(number)

    async def hunt():
        await anyio.sleep(5)
        while len(line.dispatcher._sleepers) > 1:
            timer = line.dispatcher._timer
            assert timer is not None
            youngest = next(reversed(scopes))
            scopes.pop(youngest).cancel()
            for _ in range(5):
                await checkpoint()

    began_at = anyio.current_time()
    await gather(*[partial(call, number) for number in range(10)], hunt)
    assert len(line.sent) == 2
    assert anyio.current_time() - began_at == pytest.approx(60, abs=2)
    line.assert_clean()


async def test_a_timekeeper_that_is_granted_hands_the_timer_over():
    """While its call is long under way, a sibling that backs off is still woken at its instant."""
    faults = {"keeper": [reply(503)], "heir": [reply(503)]}
    line = Line(policy=EXCLUSIVE, faults=faults, dice=lambda: 0.5)
    await line.call("first")
    began_at = anyio.current_time()

    async def keeper():
        await line.call("keeper", trip_s=100.0, retry=RetryPolicy(base_s=10))

    async def heir():
        await line.call("heir", trip_s=102.0, retry=RetryPolicy(base_s=40, cap_s=40))
        return anyio.current_time() - began_at

    _, ended_s = await gather(keeper, heir)
    assert ended_s == pytest.approx(102 + 20 + 102, abs=0.01)
    line.assert_clean()


async def test_whoever_waits_for_room_passes_the_word_on_when_it_leaves():
    """The first outside is called in and cancelled in one tick: the second comes in instead."""
    line = Line(policy=RatePolicy(max_queue=1, on_full="wait"), service=WindowService(calls=1))
    await line.call("first")
    scopes = {name: anyio.CancelScope() for name in "abc"}

    async def call(name):
        await anyio.sleep(ord(name) / 1000)
        with scopes[name]:
            await line.call(name)

    async def cancel():
        await anyio.sleep(1)
        scopes["a"].cancel()
        await checkpoint()
        scopes["b"].cancel()

    with anyio.fail_after(FOREVER_S):
        await gather(*[partial(call, name) for name in "abc"], cancel)
    assert line.sent == ["first", "c"]
    line.assert_clean()


async def test_a_newcomer_does_not_slip_past_those_who_wait_for_room():
    """Even in the tick in which a place is free and the first outside has not woken yet."""
    line = Line(policy=RatePolicy(max_queue=1, on_full="wait"), service=WindowService(calls=1))
    await line.call("first")
    leaver = line.visit("leaver")

    async def outside():
        await anyio.sleep(0.1)
        await line.call("outside")

    async def newcomer():
        await anyio.sleep(1)
        line.dispatcher.close([leaver])
        await line.call("newcomer")

    await gather(partial(line.dispatcher.perform, leaver), outside, newcomer)
    assert line.sent == ["first", "outside", "newcomer"]
    line.assert_clean()


async def test_a_crowd_can_be_cancelled_at_once():
    """Each that leaves wakes a few others at most, not the whole crowd."""
    line = Line(service=WindowService(calls=1))
    await line.call("first")
    visits = [line.visit(number) for number in range(10_000)]
    looked = 0
    ring = type(visits[0]).ring

    def counted(visit):
        nonlocal looked
        looked += 1
        ring(visit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(visits[0]), "ring", counted)
        async with anyio.create_task_group() as group:
            for visit in visits:
                group.start_soon(line.dispatcher.perform, visit)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
    assert looked <= 3 * len(visits)
    line.assert_clean()


ARRIVALS = st.lists(
    st.tuples(
        st.floats(0, 130),  # when it comes
        st.none() | st.floats(0, 130),  # after how long it is cancelled
        st.floats(0, 5),  # how long a round trip takes
        st.sampled_from([[], [500], [None], [429], [503, None], ["never sent"]]),
        st.sampled_from(list(Lane)),
        st.integers(0, 3),  # scheduler steps between the instant and the deed
    ),
    min_size=1,
    max_size=25,
)
POLICIES = st.sampled_from([EXCLUSIVE, RatePolicy(), RatePolicy(mode="polite"), RatePolicy(max_in_flight=2)])


def _fault(kind):
    if isinstance(kind, int):
        return reply(kind, {}, {"limit": 6, "reset": 7, "actual": 7} if kind == 429 else {})
    return cut(was_sent=kind is None)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals=ARRIVALS, policy=POLICIES)
def test_whatever_comes_every_call_ends_and_nothing_is_left(runs, arrivals, policy):
    """Random arrivals, cancellations, failures and latencies: one timer at most, no leak, nobody forgotten."""
    runs(_storm, arrivals, policy)


async def _storm(arrivals, policy):
    faults = {number: [_fault(kind) for kind in kinds] for number, (_, _, _, kinds, _, _) in enumerate(arrivals)}
    line = Line(policy=policy, service=WindowService(calls=6, window_s=20), faults=faults)
    gone = set()

    async def call(number, arrival):
        at, patience_s, trip_s, _, lane, steps = arrival
        await anyio.sleep(at)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                if patience_s is not None:
                    group.start_soon(leave, number, patience_s, steps, scope)
                answer = await line.call(number, trip_s=trip_s, lane=lane, retry=RetryPolicy(max_attempts=3))
                assert answer is not None
                group.cancel_scope.cancel()

    async def leave(number, patience_s, steps, scope):
        await anyio.sleep(patience_s)
        for _ in range(steps):
            await checkpoint()
        if number not in line.sent:
            gone.add(number)
        scope.cancel()

    with anyio.fail_after(FOREVER_S):
        ends = await gather(*[partial(call, number, arrival) for number, arrival in enumerate(arrivals)])
    assert not [end for end in ends if isinstance(end, BaseException)]
    assert not gone & set(line.sent), "a call was sent for a caller who had gone"
    line.assert_clean()

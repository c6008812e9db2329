"""The line in real time: gates, one timer, retries; and no cancellation leaves a trace."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count

import anyio
import pytest
from anyio.lowlevel import checkpoint
from counterparts import WindowService, gather
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from line import CancelledAt, Line, cut, reply

from apteligent_async import ClientStateError, DeadlineExceeded, QueueFull, RatePolicy, RetryPolicy
from apteligent_async._dispatch import NotSent
from apteligent_async._scheduling.signals import Lane

pytestmark = pytest.mark.anyio

FOREVER_S = 100_000
EXCLUSIVE = RatePolicy(mode="exclusive")


async def test_calls_go_in_the_order_in_which_they_came():
    """First come, first sent, over several windows."""
    line = Line(service=WindowService(calls=5))

    async def late(number):
        await anyio.sleep(number / 1000)
        await line.call(number)

    await gather(*[partial(late, number) for number in range(20)])
    assert line.sent == list(range(20))
    assert line.service.refused == []
    line.assert_clean()


async def test_one_timer_is_armed_however_many_wait():
    """A thousand sleepers cost the event loop one timer, and none is left when they have gone."""
    line = Line(service=WindowService(calls=1))
    counts = set()

    def armed():
        return sum(1 for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled())

    await line.call("first")
    async with anyio.create_task_group() as group:
        for number in range(999):
            group.start_soon(line.call, number)
        for _ in range(20):
            await anyio.sleep(11)
            if _is_asyncio():
                counts.add(armed())
            assert len(line.dispatcher._sleepers) + len(line.sent) == 1000
        group.cancel_scope.cancel()
    line.assert_clean()
    if _is_asyncio():
        assert counts == {1}
        assert armed() == 0


def _is_asyncio():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def test_a_timer_that_rings_early_does_not_run_ahead_of_the_clock():
    """Whoever wakes by the timer asks for now, not for the instant that somebody else has set meanwhile."""
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=1))
    asked = []
    due = line.scheduler.due

    def watched(*, now):
        asked.append(now - anyio.current_time())
        return due(now=now)

    line.scheduler.due = watched

    async def disturb():
        await anyio.sleep(1)
        while line.dispatcher._sleepers:
            line.dispatcher._timer.cancel()
            await anyio.sleep(7)

    await gather(*[partial(line.call, number) for number in range(4)], disturb)
    assert max(asked) <= 0
    assert line.service.refused == []
    line.assert_clean()


async def test_a_429_shuts_one_gate_for_everybody():
    """Nothing is sent before the reset, and the refused calls go first afterwards, in their old order."""
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=10))
    thief = line.service

    async def steal():
        await anyio.sleep(1)
        for _ in range(10):
            thief.answer(anyio.current_time())

    async def late(number):
        await anyio.sleep(2 + number / 1000)
        return await line.call(number)

    answers = await gather(partial(line.call, "first"), steal, *[partial(late, number) for number in range(30)])
    assert {answer.status for answer in answers if answer is not None} == {200}
    opens_at = thief.phase_s + 60
    early = [at for at in thief.arrived if opens_at - 58 < at < opens_at]
    assert len(early) <= 10
    before, after = line.sent[1 : 1 + len(early)], line.sent[1 + len(early) :]
    assert before == list(range(len(early)))
    assert after[0] == 0
    assert set(after[: len(early)]) == set(before)
    line.assert_clean()


async def test_a_failed_attempt_is_made_again_and_each_costs_budget():
    """5xx and cuts are retried with growing waits; the last answer is given."""
    line = Line(faults={"a": [reply(500), cut(), reply(503)]})
    visit = line.visit("a")
    answer = await line.dispatcher.perform(visit)
    assert (answer.status, visit.attempts, line.sent) == (200, 4, ["a"] * 4)
    assert len(line.service.arrived) == 4
    line.assert_clean()


async def test_what_is_not_repeatable_is_not_sent_twice():
    """Unless it certainly never left."""
    line = Line(faults={"a": [reply(500)], "b": [cut()], "c": [cut(was_sent=False)]})
    for name, attempts in (("a", 1), ("b", 1), ("c", 2)):
        visit = line.visit(name, is_repeatable=False)
        await line.dispatcher.perform(visit)
        assert visit.attempts == attempts
    line.assert_clean()


async def test_what_send_raises_of_ours_gives_the_start_back():
    """Nothing was sent, so nothing is charged: the next call goes at once."""
    line = Line(policy=EXCLUSIVE)
    visit = line.visit("a")

    async def not_now():
        raise NotSent

    send, visit.send = visit.send, not_now
    with pytest.raises(NotSent):
        await line.dispatcher.perform(visit)
    line.assert_clean()
    assert (visit.attempts, line.scheduler.budget.left) == (0, 1)
    visit.send = send
    assert (await line.dispatcher.perform(visit)).status == 200
    assert visit.attempts == 1


async def test_a_fault_in_send_is_written_off_and_raised():
    """Nobody knows whether the service counted it; the line goes on."""
    line = Line()
    visit = line.visit("a")

    async def broken():
        raise ZeroDivisionError

    visit.send = broken
    with pytest.raises(ZeroDivisionError):
        await line.dispatcher.perform(visit)
    line.assert_clean()
    assert (await line.call("b")).status == 200


async def test_a_hopeless_deadline_fails_before_queueing():
    """With the time at which it would have started; an hour is enough, a second is not."""
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=3))
    await gather(*[partial(line.call, number) for number in range(3)])
    now = anyio.current_time()
    with pytest.raises(DeadlineExceeded) as caught:
        await line.call("late", deadline_at=now + 1)
    assert caught.value.eta == pytest.approx(60, abs=3)
    assert isinstance(caught.value, TimeoutError)
    assert anyio.current_time() == pytest.approx(now, abs=1e-3)
    assert (await line.call("early", deadline_at=now + 3600)).status == 200
    assert line.sent == [*line.sent[:3], "early"]
    line.assert_clean()


async def test_a_full_line_raises():
    """The one too many is told what to do, at once."""
    line = Line(policy=RatePolicy(max_queue=3), service=WindowService(calls=2))
    ends = await gather(*[partial(line.call, number) for number in range(10)])
    full = [end for end in ends if isinstance(end, QueueFull)]
    assert len(full) == 6
    assert "max_queue" in str(full[0])
    line.assert_clean()


async def test_a_full_line_sheds_the_least_urgent():
    """An interactive call takes the place of the youngest bulk call, and of no interactive one."""
    line = Line(policy=RatePolicy(max_queue=3, on_full="shed"), service=WindowService(calls=2))

    async def late():
        await anyio.sleep(0.05)
        return await line.call("human")

    bulk = [partial(line.call, number, lane=Lane.BULK) for number in range(4)]
    *ends, human = await gather(*bulk, late)
    (shed,) = [end for end in ends if isinstance(end, Exception)]
    assert isinstance(shed, QueueFull)
    assert "shed" in str(shed)
    assert human.status == 200
    line.assert_clean()


async def test_a_full_line_lets_callers_wait_outside_in_order():
    """They come in one by one, are all served, and those who leave or give up hold up nobody."""
    line = Line(policy=RatePolicy(max_queue=3, on_full="wait"), service=WindowService(calls=5))

    async def late(number):
        await anyio.sleep(number / 1000)
        with anyio.move_on_after(30 if number % 7 == 0 else FOREVER_S):
            return await line.call(number)

    ends = await gather(*[partial(late, number) for number in range(40)])
    assert line.sent == sorted(line.sent)
    assert {number for number, end in enumerate(ends) if end is None} == set(range(0, 40, 7)) - set(line.sent)
    assert set(range(40)) - set(line.sent) <= set(range(0, 40, 7))
    assert line.service.refused == []
    line.assert_clean()


async def test_closing_fails_those_outside_too():
    """Whoever waits for room learns at once that there will be none."""
    line = Line(policy=RatePolicy(max_queue=1, on_full="wait"), service=WindowService(calls=1))
    visits = [line.visit(number) for number in range(6)]

    async def close():
        await anyio.sleep(10)
        line.dispatcher.close(visits)

    *ends, _ = await gather(*[partial(line.dispatcher.perform, visit) for visit in visits], close)
    assert sum(isinstance(end, ClientStateError) for end in ends) == 5
    line.assert_clean()


# Cancellation


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


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def runs(request):
    """Run one coroutine to its end in virtual time."""
    import trio.testing
    from virtual_loop import VirtualLoop

    def run(function, *arguments):
        if request.param == "trio":
            return anyio.run(
                function,
                *arguments,
                backend="trio",
                backend_options={"clock": trio.testing.MockClock(autojump_threshold=0)},
            )
        return anyio.run(function, *arguments, backend_options={"loop_factory": VirtualLoop})

    return run


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

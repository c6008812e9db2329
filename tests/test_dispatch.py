"""The line in real time: gates, one timer, retries; and no cancellation leaves a trace."""

from __future__ import annotations

import asyncio
from functools import partial

import anyio
import pytest
from counterparts import WindowService, gather
from line import Line, cut, reply

from apteligent_async import ClientStateError, DeadlineExceeded, QueueFull, RatePolicy
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
    line = Line(policy=EXCLUSIVE, service=WindowService(calls=1))
    await line.call("first")
    now = anyio.current_time()
    with pytest.raises(DeadlineExceeded) as caught:
        await line.call("late", deadline_at=now + 1)
    assert caught.value.eta == pytest.approx(60, abs=3)
    assert isinstance(caught.value, TimeoutError)
    assert anyio.current_time() == pytest.approx(now, abs=1e-3)
    assert (await line.call("early", deadline_at=now + 3600)).status == 200
    assert line.sent == ["first", "early"]
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

"""What waiting costs in our scheduler: the pure core by itself, and whole calls through the dispatcher."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, Final, get_args

import anyio
from anyio.lowlevel import checkpoint
from tenacity import AsyncRetrying, retry_if_result
from tenacity.stop import stop_never
from tenacity.wait import wait_none

from apteligent_async._dispatch import Dispatcher, Visit
from apteligent_async._scheduling.policy import Mode
from apteligent_async._scheduling.signals import Job, Reading, Succeeded
from apteligent_async._wire.messages import Reply
from benchmarks.core import new_brain
from benchmarks.player import Client, Player
from benchmarks.scenarios import SCENARIOS, START_AT
from benchmarks.waiting import ORDERS, Acquire, Cost, Turnstile, order_of
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["ANYIO", "BARE", "DISPATCHER", "core_costs", "loop_costs", "wake_up_costs"]

_CORE: Final = "apteligent_async core"
_ROUNDS: Final = 5
_PLENTY: Final = Reading(limit=10_000_000, remaining=10_000_000, reset_s=60)
_LITTLE: Final = Reading(limit=60, remaining=10, reset_s=60)


def core_costs(*, few: int, many: int) -> Iterator[Cost]:
    """Measure the core alone: no event loop, no task, no clock."""
    yield Cost(client=_CORE, measure="submit + due", value=_lowest(_submit_and_due, many), unit="µs")
    yield Cost(client=_CORE, measure="submit + due + settle", value=_lowest(_whole_rounds, many), unit="µs")
    for waiters in (few, many):
        value = _lowest(_grants, waiters)
        yield Cost(client=_CORE, measure="grant (settle + due)", value=value, unit="µs", waiters=waiters)
    yield Cost(client=_CORE, measure="bytes per waiter", value=_weight(many), unit="B", waiters=many)
    for order in ORDERS:
        value = _withdrawals(order_of(order, many))
        yield Cost(client=_CORE, measure=f"cancel {order}", value=value, unit="s", waiters=many)


def _lowest(measure: Callable[[int], float], count: int) -> float:
    """Measure several times and take the lowest: whatever disturbs a measurement only adds to it."""
    return min(measure(count) for _ in range(_ROUNDS))


def _probed(reading: Reading, *, behind: int = 0) -> tuple[Scheduler, list[Job]]:
    """Return a scheduler that has had one answer, and the jobs that waited behind the first and still do."""
    brain = new_brain("exclusive")
    probe, jobs = Job(), [Job() for _ in range(behind)]
    for job in (probe, *jobs):
        brain.submit(job, now=0.0)
    brain.due(now=0.0)
    brain.settle(probe, Succeeded(reading=reading), now=0.1, dice=0.5)
    return brain, jobs


def _submit_and_due(count: int) -> float:
    brain, _ = _probed(_PLENTY)
    jobs = [Job() for _ in range(count)]
    gc.collect()
    began = time.process_time()
    for job in jobs:
        brain.submit(job, now=0.2)
        brain.due(now=0.2)
    spent_s = time.process_time() - began
    _require(all(job.attempts == 1 for job in jobs), "every job was to start at once")
    return spent_s / count * 1e6


def _whole_rounds(count: int) -> float:
    brain, _ = _probed(_PLENTY)
    outcome = Succeeded(reading=_PLENTY)
    gc.collect()
    began = time.process_time()
    for _ in range(count):
        job = Job()
        brain.submit(job, now=0.2)
        brain.due(now=0.2)
        brain.settle(job, outcome, now=0.3, dice=0.5)
    return (time.process_time() - began) / count * 1e6


def _grants(waiters: int, *, rounds: int = 900) -> float:
    """Measure grants that each follow an answer; the line never gets shorter than `waiters`."""
    brain, _ = _probed(_LITTLE, behind=waiters + rounds)
    outcome, flying = Succeeded(reading=_LITTLE), deque(brain.due(now=0.1))
    granted = -len(flying)
    gc.collect()
    began = time.process_time()
    for number in range(rounds):
        now = 0.2 + number / 10_000
        brain.settle(flying.popleft(), outcome, now=now, dice=0.5)
        flying += brain.due(now=now)
    spent_s = time.process_time() - began
    granted += rounds + len(flying)
    _require(granted > rounds / 2, f"only {granted} of {rounds} answers let somebody in")
    return spent_s / granted * 1e6


def _weight(count: int) -> float:
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = _probed(_LITTLE, behind=count)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / len(kept[1])


def _withdrawals(order: list[int]) -> float:
    brain, jobs = _probed(_LITTLE, behind=len(order))
    gc.collect()
    began = time.process_time()
    for index in order:
        brain.withdraw(jobs[index], now=0.2)
        brain.due(now=0.2)
    return time.process_time() - began


def _require(holds: bool, what: str) -> None:  # noqa: FBT001  the check's own result
    """Refuse to report a figure of something that did not happen."""
    if not holds:
        raise AssertionError(what)


def wake_up_costs() -> Iterator[Cost]:
    """Count the timer's alarms per call that was granted, over a backlog of three windows."""
    scenario = SCENARIOS["fast"]
    for mode in get_args(Mode):
        dice = Random(0)
        server = Server(meter=scenario.meter(), dialect=Dialect(), dice=dice)
        player, client = Player(server=server, link=scenario.link, dice=dice, now=START_AT), Client(new_brain(mode))
        player.submit(client, [Job() for _ in range(scenario.n)])
        player.run()
        value = client.wake_ups / client.allowed
        yield Cost(client=f"{_CORE}, {mode}", measure="wake-ups per grant", value=value, unit="", waiters=scenario.n)


async def loop_costs(count: int) -> list[Cost]:
    """Measure what stands around the core for each call: tenacity's loop, and a cancel scope of anyio."""

    async def nothing() -> None:
        await checkpoint()

    async def retried() -> None:
        loop = AsyncRetrying(retry=retry_if_result(bool), stop=stop_never, wait=wait_none())
        await loop(nothing)

    async def scoped() -> None:
        with anyio.CancelScope(deadline=anyio.current_time() + 60):
            await nothing()

    rounds = [[await _each(step, count // _ROUNDS) for step in (nothing, retried, scoped)] for _ in range(_ROUNDS)]
    floor, loop_us, scope_us = (min(values) for values in zip(*rounds, strict=True))
    return [
        Cost(client="tenacity's loop", measure="per call", value=loop_us - floor, unit="µs"),
        Cost(client="anyio's cancel scope", measure="per call", value=scope_us - floor, unit="µs"),
    ]


async def _each(step: Callable[[], Awaitable[None]], count: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(count):
        await step()
    return (time.process_time() - began) / count * 1e6


def _answer(remaining: int) -> Reply:
    headers = {"rate-limit-limit": "10000000", "rate-limit-remaining": str(remaining), "rate-limit-reset": "60"}
    return Reply(status=200, headers=headers, body=b"{}")


def _performing(send: Callable[[], Awaitable[Any]]) -> Acquire:
    dispatcher = Dispatcher(new_brain("exclusive"), dice=lambda: 0.5)
    return lambda: dispatcher.perform(Visit(Job(), send))


def _answering(remaining: int) -> Acquire:
    answer = _answer(remaining)

    async def send() -> Reply:
        await checkpoint()
        return answer

    return _performing(send)


def _chain() -> Acquire:
    """Let each waiter set the event of the next."""
    last = [anyio.Event()]
    last[0].set()

    async def acquire() -> None:
        before, last[0] = last[0], (mine := anyio.Event())
        await before.wait()
        mine.set()

    return acquire


def _capacity(tokens: int, *, is_taken: bool = False) -> Acquire:
    limiter = anyio.CapacityLimiter(tokens)
    if is_taken:
        limiter.acquire_on_behalf_of_nowait(limiter)

    async def acquire() -> None:
        async with limiter:
            pass

    return acquire


DISPATCHER: Final = Turnstile(
    client="apteligent_async dispatcher",
    wide=lambda: _answering(9_000_000),
    dripping=lambda: _answering(100),
    shut=lambda: _performing(anyio.sleep_forever),
)
"""Whole calls, the reading of an answer's headers included, in front of a service that answers at once."""

BARE: Final = Turnstile(
    client="bare anyio.Event", wide=lambda: checkpoint, dripping=_chain, shut=lambda: anyio.sleep_forever
)
"""What a task that waits costs in any case."""

ANYIO: Final = Turnstile(
    client="anyio.CapacityLimiter",
    wide=lambda: _capacity(1_000_000),
    dripping=lambda: _capacity(1),
    shut=lambda: _capacity(1, is_taken=True),
)

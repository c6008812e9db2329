"""What a token of a shared budget costs when no other process wants one: waiting, and ways to the store."""

from __future__ import annotations

import random
import time
from statistics import quantiles
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from attrs import define, field, frozen

from apteligent_async._budgets import budget_from, take_seat
from apteligent_async._dispatch import Dispatcher, Visit
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.signals import Job
from apteligent_async._wire.messages import Reply

if TYPE_CHECKING:
    from apteligent_async._budgets.courier import Courier
    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["Cost", "acquire_cost"]

_PLENTY = {"rate-limit-limit": "60000", "rate-limit-remaining": "60000", "rate-limit-reset": "60"}
_WARM_UP = 100


@frozen(kw_only=True)
class Cost:
    """What a call costs beside itself, with the store to oneself and a large budget.

    Attributes:
        p50_acquire_us: microseconds from asking for a token to having it, of one caller: the median.
        p99_acquire_us: the same, at the 99th percentile.
        p50_round_trips: to the store and back for one call of that caller, telling how it ended among them: the median.
        p99_round_trips: the same, at the 99th percentile.
        amortised_round_trips: for one call where sixteen callers are at it.
    """

    p50_acquire_us: float
    p99_acquire_us: float
    p50_round_trips: float
    p99_round_trips: float
    amortised_round_trips: float


@define(eq=False)
class _Bench:
    """A seat at the budget, calls that cost nothing but their tokens, and how long each waited."""

    dispatcher: Dispatcher
    courier: Courier
    waits: list[float] = field(factory=list)

    @property
    def trips(self) -> int:
        return getattr(self.courier.store, "trips", self.courier.visits)

    async def call(self) -> None:
        asked_at = time.perf_counter()

        async def send() -> Reply:
            self.waits.append(time.perf_counter() - asked_at)
            await anyio.lowlevel.checkpoint()
            return Reply(status=200, headers=_PLENTY, body=b"{}")

        await self.dispatcher.perform(Visit(Job(), send))


async def acquire_cost(address: str, *, calls: int = 1000) -> Cost:
    """Measure so many calls one after the other, and as many by sixteen callers."""
    budget = budget_from(address)
    assert budget is not None
    seat = take_seat(budget, anyio.lowlevel.current_token(), RatePolicy(), _bench, account="nobody else")
    bench = seat.runner
    for _ in range(_WARM_UP):
        await bench.call()
    bench.waits.clear()
    trips: list[int] = []
    for _ in range(calls):
        before = bench.trips
        await bench.call()
        trips.append(bench.trips - before)
    waits, before = quantiles(bench.waits, n=100), bench.trips
    await _call_by_many(bench, calls)
    amortised = (bench.trips - before) / calls
    await seat.leave()
    return Cost(
        p50_acquire_us=round(waits[49] * 1e6, 1),
        p99_acquire_us=round(waits[98] * 1e6, 1),
        p50_round_trips=quantiles(trips, n=100)[49],
        p99_round_trips=quantiles(trips, n=100)[98],
        amortised_round_trips=round(amortised, 3),
    )


async def _call_by_many(bench: _Bench, calls: int) -> None:
    left = iter(range(calls))

    async def call_on() -> None:
        for _ in left:
            await bench.call()

    async with anyio.create_task_group() as group:
        for _ in range(16):
            group.start_soon(call_on)


def _bench(scheduler: Scheduler, courier: Courier | None) -> _Bench:
    assert courier is not None
    return _Bench(Dispatcher(scheduler, dice=random.random, courier=courier), courier)

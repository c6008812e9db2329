"""What one caller waits for a token of a shared budget when nobody else wants one."""

from __future__ import annotations

import random
import time
from statistics import quantiles
from typing import TYPE_CHECKING

import anyio.lowlevel

from apteligent_async._budgets import budget_from, take_seat
from apteligent_async._dispatch import Dispatcher, Visit
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.signals import Job
from apteligent_async._wire.messages import Reply

if TYPE_CHECKING:
    from apteligent_async._budgets.courier import Courier
    from apteligent_async._scheduling.scheduler import Scheduler

__all__ = ["acquire_us"]

_PLENTY = {"rate-limit-limit": "60000", "rate-limit-remaining": "60000", "rate-limit-reset": "60"}
_WARM_UP = 100


async def acquire_us(address: str, *, calls: int = 1000) -> tuple[float, float]:
    """Measure so many calls, one after the other, that cost nothing but their tokens; give the median and the p99."""
    budget = budget_from(address)
    assert budget is not None
    seat = take_seat(budget, anyio.lowlevel.current_token(), RatePolicy(), _dispatcher, account="nobody else")
    sent_at = 0.0

    async def send() -> Reply:
        nonlocal sent_at
        sent_at = time.perf_counter()
        return Reply(status=200, headers=_PLENTY, body=b"{}")

    waits: list[float] = []
    for _ in range(_WARM_UP + calls):
        asked_at = time.perf_counter()
        await seat.runner.perform(Visit(Job(), send))
        waits.append(sent_at - asked_at)
    await seat.leave()
    hundredths = quantiles(waits[_WARM_UP:], n=100)
    return hundredths[49] * 1e6, hundredths[98] * 1e6


def _dispatcher(scheduler: Scheduler, courier: Courier | None) -> Dispatcher:
    return Dispatcher(scheduler, dice=random.random, courier=courier)

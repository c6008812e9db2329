"""Puts an HTTP client under load, so many calls in flight at once, and says what a call cost its process.

This file may import neither the package nor a rival: it is used in both environments.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import anyio
from attrs import define, field, frozen

__all__ = ["Call", "Load", "Opened", "Sample", "sample"]

Call = Callable[[], Awaitable[object]]
"""Makes one call: the whole body is read, and what the answer says of the budget."""

Opened = Callable[[str, int], AbstractAsyncContextManager[Call]]
"""Opens a client for an origin and so many calls in flight; gives what makes one call."""

_WARM_UP: Final = 0.3  # of the time measured: connections are made, and what is imported late is imported


@frozen(kw_only=True)
class Load:
    """What is asked of a client: against which server, how many calls in flight, for how long."""

    url: str
    in_flight: int
    seconds: float


@frozen(kw_only=True)
class Sample:
    """One measurement, in real time; `cpu_us` is processor time of the client's process per call."""

    calls: int
    req_per_s: float
    cpu_us: float


@define
class _Shift:
    """Workers make a call each, and more until its time is over; they end with the call that they are in.

    Where others keep the processor, the time may pass before anybody has begun; and a clock may not have moved yet.
    """

    seconds: float
    began_at: float = field(factory=time.perf_counter)
    began_cpu: float = field(factory=time.process_time)
    calls: int = 0

    async def work(self, call: Call) -> None:
        is_over = False
        while not is_over:
            await call()
            self.calls += 1
            is_over = self._is_over()

    def _is_over(self) -> bool:
        return time.perf_counter() > self.began_at + self.seconds and time.process_time() > self.began_cpu


async def sample(opened: Opened, load: Load) -> Sample:
    """Warm a client up and measure it."""
    async with opened(load.url, load.in_flight) as call:
        await _work(call, load.in_flight, load.seconds * _WARM_UP)
        gc.collect()
        began, began_cpu = time.perf_counter(), time.process_time()
        calls = await _work(call, load.in_flight, load.seconds)
        cpu_s, took_s = time.process_time() - began_cpu, time.perf_counter() - began
    return Sample(calls=calls, req_per_s=calls / took_s, cpu_us=cpu_s / calls * 1e6)


async def _work(call: Call, workers: int, seconds: float) -> int:
    shift = _Shift(seconds)
    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(shift.work, call)
    return shift.calls

"""What it costs to wait: the same four measurements for anything whose `acquire` can be awaited.

This file may import neither the package nor a rival: it is used in both environments. All figures are processor time on
an asyncio loop that jumps, so that nobody pays for idling and no limiter is favoured by its timer's resolution.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ORDERS", "Acquire", "Cost", "Turnstile", "costs_of", "line_of", "order_of"]

Acquire = Callable[[], Awaitable[Any]]

ORDERS: Final = ("oldest first", "newest first", "random")
"""In which waiters are cancelled."""

_BYTES_OF: Final = 10_000  # waiters that are weighed: tracing allocations is slow


@frozen(kw_only=True)
class Turnstile:
    """One limiter, made anew for each measurement.

    Attributes:
        wide: makes an `acquire` that never waits.
        dripping: makes an `acquire` that lets some 20,000 waiters a second through, up to 100 at a time.
        shut: makes an `acquire` that, for all the measurement can tell, waits for ever.
    """

    client: str
    wide: Callable[[], Acquire]
    dripping: Callable[[], Acquire]
    shut: Callable[[], Acquire]


@frozen(kw_only=True)
class Cost:
    """One measured figure: of whom, of what, in front of how many waiters."""

    client: str
    measure: str
    value: float
    unit: str
    waiters: int = 0


def order_of(order: str, count: int) -> list[int]:
    """Return the indices of `count` waiters in the order in which they leave."""
    indices = list(range(count))
    if order == "newest first":
        indices.reverse()
    elif order == "random":
        Random(0).shuffle(indices)
    return indices


async def costs_of(turnstile: Turnstile, *, few: int, many: int) -> list[Cost]:
    """Measure one limiter with nobody, with few and with many waiting."""
    client = turnstile.client
    costs = [Cost(client=client, measure="free acquire", value=await _free(turnstile.wide(), many), unit="µs")]
    for waiters in (few, many):
        value = await _drain(turnstile.dripping(), waiters)
        costs.append(Cost(client=client, measure="grant", value=value, unit="µs", waiters=waiters))
    weight = await _weigh(turnstile.shut(), min(many, _BYTES_OF))
    costs.append(Cost(client=client, measure="bytes per waiter", value=weight, unit="B", waiters=min(many, _BYTES_OF)))
    for order in ORDERS:
        spent_s = await _cancel(turnstile.shut(), order_of(order, many))
        costs.append(Cost(client=client, measure=f"cancel {order}", value=spent_s, unit="s", waiters=many))
    return costs


async def _free(acquire: Acquire, count: int) -> float:
    await acquire()
    gc.collect()
    began = time.process_time()
    for _ in range(count):
        await acquire()
    return (time.process_time() - began) / count * 1e6


async def _drain(acquire: Acquire, count: int) -> float:
    """Return µs per grant of a full line, without what it takes to form it."""
    tasks = await _line(acquire, count)
    gc.collect()
    began = time.process_time()
    await asyncio.gather(*tasks)
    return (time.process_time() - began) / count * 1e6


async def _weigh(acquire: Acquire, count: int) -> float:
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tasks = await _line(acquire, count)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await _leave(tasks, range(count))
    return (after - before) / count


async def _cancel(acquire: Acquire, order: Sequence[int]) -> float:
    tasks = await _line(acquire, len(order))
    gc.collect()
    began = time.process_time()
    await _leave(tasks, order)
    return time.process_time() - began


async def _line(acquire: Acquire, count: int) -> list[asyncio.Future[Any]]:
    """Let `count` tasks line up, and give each of them its first turn."""
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(acquire()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def _leave(tasks: Sequence[asyncio.Future[Any]], order: Sequence[int]) -> None:
    for index in order:
        tasks[index].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def line_of(cost: Cost) -> str:
    """Word a cost as a line of the table."""
    return f"{cost.client:28} {cost.measure:22} {cost.waiters or '':>8} {cost.value:12.3f} {cost.unit}"

"""Packages that read no numbers of the server: told the budget in advance, or guided by 429s alone.

Each of them makes an `issue`: a function that sends one call until it is served. Limiters know nothing of refusals;
their callers wait as the 429 asks and pass the limiter again, which is the kindest reading.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from benchmarks.rivals.wire import Reply, Wire
    from benchmarks.scenarios import Scenario

__all__ = ["aiolimiter", "httpx_retries", "pyrate_limiter", "tenacity"]


def _obedient(wire: Wire, gate: Callable[[], AbstractAsyncContextManager[Any]]) -> Callable[[], Awaitable[None]]:
    """Return a call that passes a gate, and after a 429 waits as asked and passes it again."""

    async def issue() -> None:
        while True:
            async with gate():
                reply = await wire.call()
            if reply.status != 429:
                return
            await asyncio.sleep(reply.retry_after_s)

    return issue


@asynccontextmanager
async def aiolimiter(wire: Wire, told: Scenario) -> AsyncIterator[Any]:
    """Pass a leaky bucket of the right size."""
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(told.budget, told.window_s)
    yield _obedient(wire, lambda: limiter)


@asynccontextmanager
async def pyrate_limiter(wire: Wire, told: Scenario) -> AsyncIterator[Any]:
    """Pass a sliding log of the right size."""
    from pyrate_limiter import Limiter, Rate

    limiter = Limiter(Rate(told.budget, int(told.window_s * 1000)))

    @asynccontextmanager
    async def gate() -> AsyncIterator[None]:
        await limiter.try_acquire_async("wire")
        yield

    yield _obedient(wire, gate)


@asynccontextmanager
async def tenacity(wire: Wire, _: Scenario) -> AsyncIterator[Any]:
    """Try again after exponentially growing random waits, without regard to what the 429 says."""
    from tenacity import retry, retry_if_result, wait_random_exponential

    random.seed(0)

    @retry(wait=wait_random_exponential(multiplier=1, max=60), retry=retry_if_result(lambda reply: reply.status == 429))
    async def issue() -> Reply:
        return await wire.call()

    yield issue


@asynccontextmanager
async def httpx_retries(wire: Wire, _: Scenario) -> AsyncIterator[Any]:
    """Try again when the 429's Retry-After says so."""
    import httpx
    from httpx_retries import Retry, RetryTransport

    random.seed(0)

    class WireTransport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reply = await wire.call()
            return httpx.Response(reply.status, headers=reply.headers, json={}, request=request)

    retry = Retry(total=1_000_000, backoff_factor=0.5, max_backoff_wait=1e9)
    async with httpx.AsyncClient(transport=RetryTransport(transport=WireTransport(), retry=retry)) as client:
        yield lambda: client.get("http://wire/")

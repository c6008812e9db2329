"""The HTTP clients that are measured in the package's own environment: ours, what lies below it, and plain httpx."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx

from apteligent_async import ApteligentClient, MemoryBudget, RatePolicy, StaticToken
from apteligent_async._connections import open_stack
from benchmarks.loopback import HEADERS, PIE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from apteligent_async._scheduling.policy import Mode
    from benchmarks.load import Call, Opened

__all__ = ["OWN"]


@asynccontextmanager
async def _sdk(mode: Mode, url: str, in_flight: int) -> AsyncIterator[Call]:
    """Open the whole of it: arguments checked, token, line, tenacity's loop, transport, decoding into models."""
    policy = RatePolicy(mode=mode, max_in_flight=in_flight)
    async with ApteligentClient(StaticToken("t"), base_url=url, policy=policy, budget=MemoryBudget()) as client:

        async def call() -> object:
            return await client.error_monitoring.pie(
                graph="crashes", group_by="appVersion", app_id="519d53101386202089000007", duration=1440
            )

        yield call


@asynccontextmanager
async def _our_transport(url: str, in_flight: int) -> AsyncIterator[Call]:
    """Open an ordinary client over our transport; the request is built once."""
    stack = open_stack(httpx.URL(url), proxy=None, ssl_context=None, most_free=in_flight)
    async with httpx.AsyncClient(transport=stack, headers=HEADERS) as client:
        request = client.build_request("GET", url + PIE)

        async def call() -> object:
            return (await client.send(request)).headers["rate-limit-remaining"]

        yield call


@asynccontextmanager
async def _httpx(limits: httpx.Limits | None, url: str, in_flight: int) -> AsyncIterator[Call]:
    """Open plain httpx, with one pool that holds a connection for every call in flight, or as it is by default."""
    limits = limits or httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(headers=HEADERS, limits=limits) as client:

        async def call() -> object:
            return (await client.get(url + PIE)).headers["rate-limit-remaining"]

        yield call


OWN: Final[dict[str, Opened]] = {
    "apteligent_async": partial(_sdk, "exclusive"),
    "apteligent_async, a budget that never binds": partial(_sdk, "shared"),
    "AsyncClient.send over our transport": _our_transport,
    "httpx": partial(_httpx, None),
    "httpx, default limits": partial(_httpx, httpx.Limits(max_connections=100, max_keepalive_connections=20)),
}
"""What opens each client that needs nothing but the package's own environment, on asyncio and on trio."""

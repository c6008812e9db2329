"""Packages that follow the server's headers, each put to work the way its own client does it.

Each of them makes an `issue`: a function that sends one call until it is served. Patience limits that would end a call
with an error are raised as far as the package allows.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.rivals.wire import Reply, Wire
    from benchmarks.scenarios import Scenario

__all__ = ["asyncprawcore", "asyncprawcore_sequential", "discord_py", "hikari"]

_FOREVER: Final = 1e9


@asynccontextmanager
async def asyncprawcore(wire: Wire, told: Scenario) -> AsyncIterator[Any]:
    """Pass the package's rate limiter with as many calls at once as are wanted."""
    from asyncprawcore.rate_limit import RateLimiter

    limiter = RateLimiter(window_size=int(told.window_s))

    async def no_headers() -> dict[str, str]:
        return {}

    @asynccontextmanager
    async def request(*_: Any, **__: Any) -> AsyncIterator[Reply]:
        yield await wire.call()

    async def issue() -> None:
        while True:
            call = limiter.call(method="GET", request_function=request, set_header_callback=no_headers, url="/")
            async with call as reply:
                if reply.status != 429:
                    return
            await asyncio.sleep(reply.retry_after_s)

    yield issue


@asynccontextmanager
async def asyncprawcore_sequential(wire: Wire, told: Scenario) -> AsyncIterator[Any]:
    """Pass the package's rate limiter one call after the other, as it is meant to be used."""
    one_by_one = asyncio.Lock()
    async with asyncprawcore(wire, told) as issue:

        async def issue_alone() -> None:
            async with one_by_one:
                await issue()

        yield issue_alone


@asynccontextmanager
async def hikari(wire: Wire, _: Scenario) -> AsyncIterator[Any]:
    """Call the bucket manager in the order in which the package's own REST client calls it."""
    from hikari.impl.buckets import RESTBucketManager
    from hikari.internal.routes import Route

    manager = RESTBucketManager(max_rate_limit=_FOREVER)
    manager.start()
    route = Route("GET", "/wire").compile()

    async def issue() -> None:
        while True:
            async with manager.acquire_bucket(route, "token"):
                reply = await wire.call()
                headers = reply.headers
                manager.update_rate_limits(
                    compiled_route=route,
                    authentication="token",
                    bucket_header="wire",
                    remaining_header=int(headers["x-ratelimit-remaining"]),
                    limit_header=int(headers["x-ratelimit-limit"]),
                    reset_at=float(headers["x-ratelimit-reset-at"]),
                    reset_after=float(headers["x-ratelimit-reset-after"]),
                )
            if reply.status != 429:
                return

    try:
        yield issue
    finally:
        await manager.close()


class _DiscordResponse:
    """What the package's client reads of an answer."""

    reason = ""

    def __init__(self, reply: Reply) -> None:
        from multidict import CIMultiDict

        self.status = reply.status
        self.headers = CIMultiDict(reply.headers)

    async def text(self, encoding: str = "utf-8") -> str:  # noqa: ARG002  the parameter is the package's
        return json.dumps({"retry_after": float(self.headers["x-ratelimit-reset-after"]), "message": "limited"})


class _DiscordSession:
    """Stands where the package keeps its HTTP session."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @asynccontextmanager
    async def request(self, *_: Any, **__: Any) -> AsyncIterator[_DiscordResponse]:
        yield _DiscordResponse(await self._wire.call())


@asynccontextmanager
async def discord_py(wire: Wire, _: Scenario) -> AsyncIterator[Any]:
    """Use the whole HTTP client of the package, over a session that leads to the wire."""
    warnings.simplefilter("ignore")
    from discord.errors import HTTPException
    from discord.http import HTTPClient, Route

    client: Any = HTTPClient(asyncio.get_running_loop())
    client._HTTPClient__session = _DiscordSession(wire)  # noqa: SLF001  there is no public way to bring a session
    client._global_over = asyncio.Event()  # noqa: SLF001  made by its login, which needs the network
    client._global_over.set()  # noqa: SLF001

    async def issue() -> None:
        while True:
            try:
                await client.request(Route("GET", "/wire"))
            except HTTPException:  # after five tries of its own
                continue
            return

    yield issue

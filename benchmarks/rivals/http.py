"""The HTTP clients that are measured in the rivals' environment, each as its own documentation uses it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.loopback import HEADERS, PIE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.load import Call, Opened

__all__ = ["RIVALS"]


@asynccontextmanager
async def _httpx2(url: str, in_flight: int) -> AsyncIterator[Call]:
    import httpx2

    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx2.AsyncClient(headers=HEADERS, limits=limits) as client:

        async def call() -> object:
            return (await client.get(url + PIE)).headers["rate-limit-remaining"]

        yield call


@asynccontextmanager
async def _httpx_over_aiohttp(url: str, in_flight: int) -> AsyncIterator[Call]:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(headers=HEADERS, transport=AiohttpTransport(limits=limits)) as client:

        async def call() -> object:
            return (await client.get(url + PIE)).headers["rate-limit-remaining"]

        yield call


@asynccontextmanager
async def _aiohttp(url: str, in_flight: int) -> AsyncIterator[Call]:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:

        async def call() -> object:
            async with session.get(url + PIE) as response:
                await response.read()
                return response.headers["Rate-Limit-Remaining"]

        yield call


@asynccontextmanager
async def _niquests(url: str, in_flight: int) -> AsyncIterator[Call]:
    import niquests

    async with niquests.AsyncSession(pool_connections=1, pool_maxsize=in_flight) as session:
        session.headers.update(HEADERS)

        async def call() -> object:
            return (await session.get(url + PIE)).headers["Rate-Limit-Remaining"]

        yield call


RIVALS: Final[dict[str, Opened]] = {
    "httpx2": _httpx2,
    "httpx over aiohttp": _httpx_over_aiohttp,
    "aiohttp": _aiohttp,
    "niquests": _niquests,
}
"""What opens each client that lives in the rivals' environment, on asyncio."""

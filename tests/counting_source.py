"""A service that counts, and a client with a cache in front of it."""

from __future__ import annotations

import anyio
import httpx
from attrs import define, field
from own_client import client_of

from apteligent_async import Freshness, MemoryCache

EPOCH_S = 1_480_000_000.0
FRESHNESS = Freshness(young_s=60, live_s=10, growth=0.1, final_s=10**6, most_s=3600)


@define
class Source(httpx.AsyncBaseTransport):
    """Answers apps whose name is the number of the answer, after a while; it notes who asked for what."""

    trip_s: float = 1.0
    left: int = 1000
    reset_s: int = 40
    limit: int = 10_000
    failing: list = field(factory=list)
    asked: list = field(factory=list)
    ended: int = 0

    async def handle_async_request(self, request):
        """Count the call, wait, and answer."""
        number = len(self.asked) + 1
        self.asked.append(f"{request.url.path}?{request.url.query.decode()} {request.headers.get('authorization')}")
        await anyio.sleep(self.trip_s)
        self.ended += 1
        headers = {
            "Rate-Limit-Limit": str(self.limit),
            "Rate-Limit-Remaining": str(self.left),
            "Rate-Limit-Reset": str(self.reset_s),
            "Content-Type": "application/json",
        }
        status = self.failing.pop(0) if self.failing else 200
        owner = request.headers.get("authorization", "").removeprefix("Bearer ")
        body = {"data": {"app1": {"appName": f"{owner} {number}"}}}
        return httpx.Response(status, headers=headers, json=body, request=request)


def virtual_time():
    """Tell an epoch that goes with the event loop's clock."""
    return EPOCH_S + anyio.current_time()


def memory(**options):
    """Make a cache in virtual time."""
    return MemoryCache(**{"freshness": FRESHNESS, "clock": virtual_time, **options})


def cached_client(transport, cache, credentials=None, **options):
    """Make a client with a cache."""
    return client_of(transport, credentials, cache=cache, **options)


def name_of(apps):
    """Say which answer it was."""
    return apps[0].app_name


async def another(client, number=0):
    """Make a call that is like no other."""
    return await client.request("GET", "/v2/apps", params={"number": number})

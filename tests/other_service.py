"""Another service than Apteligent, and a client that paces its requests to it."""

from __future__ import annotations

import anyio
import httpx
from counterparts import Scripted

from apteligent_async import (
    RateLimitedTransport,
    XRateLimitDialect,
)

URL = "https://api.example.com/things"


def limited(**options):
    """A refusal that ends in five seconds."""
    return httpx.Response(429, headers={"Retry-After": "5"}, **options)


def allowed(**options):
    """An answer that leaves plenty."""
    return httpx.Response(200, headers={"X-RateLimit-Remaining": "50", "X-RateLimit-Reset": "50"}, **options)


def scripted(*answers, **options):
    """A client over a service that gives these answers, one after the other, then only good ones."""
    left = list(answers)
    service = Scripted(lambda request, number: left.pop(0) if left else allowed())
    transport = RateLimitedTransport(service, dialect=XRateLimitDialect(), **options)
    return httpx.AsyncClient(transport=transport), transport, service


class Body(httpx.AsyncByteStream):
    """A body in parts; it notes how many were asked for, and whether it was closed."""

    def __init__(self, *parts):
        self.parts, self.given, self.is_closed = parts, 0, False

    async def __aiter__(self):
        for part in self.parts:
            self.given += 1
            await anyio.sleep(0.01)
            if isinstance(part, Exception):
                raise part
            yield part

    async def aclose(self):
        """Note it, once it is done."""
        await anyio.sleep(0.01)
        self.is_closed = True

"""A FastAPI application under test, started as servers start it, but without a socket."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import httpx


@asynccontextmanager
async def running(app):
    """Run an application from its startup to its shutdown; give a client of it."""
    started, ending, told = anyio.Event(), anyio.Event(), []

    async def receive():
        if not started.is_set() and not told:
            return {"type": "lifespan.startup"}
        await ending.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message):
        told.append(message["type"])
        started.set()

    async with anyio.create_task_group() as group:
        group.start_soon(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        await started.wait()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
            yield browser
        ending.set()
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

"""Calls leave nothing behind: no object, no byte."""

from __future__ import annotations

import gc
import tracemalloc

import anyio
import anyio.lowlevel
import pytest
from counterparts import Scripted, fine
from own_client import assert_clean, client_of

from apteligent_async import RatePolicy

pytestmark = pytest.mark.anyio

CALLS = 10_000
WORKERS = 20


class Forgetful(Scripted):
    """Answers like a script and forgets the requests, whose keeping would be a leftover of the test's own."""

    async def handle_async_request(self, request):
        """Let others run in between."""
        await anyio.lowlevel.checkpoint()
        answer = await super().handle_async_request(request)
        self.requests.clear()
        self.arrived.clear()
        return answer


async def call_many(call, count):
    """Make so many calls, some at once."""
    left = count

    async def work():
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    async with anyio.create_task_group() as group:
        for _ in range(WORKERS):
            group.start_soon(work)


async def left_behind(call):
    """Count the objects that ten thousand calls add to what a thousand left, and the bytes that a thousand more do."""
    await call_many(call, CALLS // 10)
    gc.collect()
    objects = len(gc.get_objects())
    await call_many(call, CALLS)
    gc.collect()
    objects = len(gc.get_objects()) - objects
    tracemalloc.start()
    try:
        await call_many(call, CALLS // 10)
        gc.collect()
        n_bytes, _ = tracemalloc.get_traced_memory()
        return objects, n_bytes
    finally:
        tracemalloc.stop()


async def test_ten_thousand_calls_leave_nothing_behind():
    """Objects and bytes are as many as before, but for what the interpreter keeps for itself."""
    transport = Forgetful(lambda request, number: fine(left=900_000, limit=900_000, reset=60))
    async with client_of(transport, policy=RatePolicy(mode="exclusive", max_in_flight=WORKERS)) as client:

        async def call():
            await client.error_monitoring.pie(graph="crashes", group_by="os", app_id="a" * 24)

        transport.script = lambda request, number: fine(
            left=900_000, limit=900_000, reset=60, body={"data": {"slices": [{"name": "a", "value": 1}]}}
        )
        objects, n_bytes = await left_behind(call)
        assert_clean(client)
    assert objects < 100
    assert n_bytes < 20_000

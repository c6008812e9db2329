"""Runs of a client on the simulator, in virtual time and with things in their way, and the logs of them."""

from __future__ import annotations

import random
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache

import anyio
import httpx

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    EventLog,
    MemoryBudget,
    PasswordGrant,
    RatePolicy,
    RetryPolicy,
    read_events,
)
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World

UP_S = 0.1
"""Seconds from a call's start to its arrival at the service."""


@cache
def world():
    """Make the world once; it does not change."""
    return World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))


CALLER = ContextVar("CALLER")
"""The scope of the call under way, for the way to the service to cancel."""


class Troubled(SimulatorTransport):
    """A way to the simulator on which, by seeded dice, connections fail, answers are lost, and callers leave."""

    def __init__(self, service, *, seed, trouble, impatient):
        super().__init__(service, up=UP_S, down=0.1)
        self.dice, self.trouble, self.impatient = random.Random(seed), trouble, impatient

    async def handle_async_request(self, request):
        """Lose it before it is sent, or its answer, or neither."""
        fate = self.dice.random()
        if fate < self.trouble:
            raise httpx.ConnectError("refused", request=request)
        if self.dice.random() < self.impatient / 3:
            CALLER.get().deadline = anyio.current_time() + self.dice.uniform(0.01, 0.19)
        answer = await super().handle_async_request(request)
        if fate > 1 - self.trouble:
            raise httpx.ReadError("cut", request=request)
        return answer


async def record(path, *, calls, seed=0, trouble=0.0, impatient=0.0, initial_use=0, **policy):
    """Make calls within a policy, some of which are cancelled; give the service's own log of what it counted."""
    service = Service(world(), quota=QuotaSettings(initial_use=initial_use, starts_at=anyio.current_time()))
    link = Troubled(service, seed=seed, trouble=trouble, impatient=impatient)
    dice = random.Random(seed)
    grant = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
    options = {"policy": RatePolicy(**policy), "budget": MemoryBudget(), "retry": RetryPolicy(max_attempts=6)}
    async with ApteligentClient(grant, base_url="http://127.0.0.1:9", transport=link, **options) as client:
        with EventLog(path) as log:
            client.on_event(log)
            async with anyio.create_task_group() as group:
                for _ in range(calls):
                    patience_s = dice.uniform(0, 100) if dice.random() < impatient else float("inf")
                    group.start_soon(_call, client, dice.uniform(0, 20), patience_s)
            await anyio.sleep(1)
            link.settle()
    return service.quota().log


async def _call(client, begins_s, patience_s):
    await anyio.sleep(begins_s)
    async with anyio.create_task_group() as group:
        CALLER.set(group.cancel_scope)
        group.start_soon(_cancel_after, group.cancel_scope, patience_s)
        with suppress(ApteligentError):
            await client.apps.list(["appName"])
        group.cancel_scope.cancel()


async def _cancel_after(scope, patience_s):
    """Cancel without a deadline that admission could foresee."""
    await anyio.sleep(patience_s)
    scope.cancel()


def events_of(path):
    """Read a log."""
    return list(read_events(path))

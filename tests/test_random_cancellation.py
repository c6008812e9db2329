"""Cancellation at random awaits of every public operation, as many times as one likes (``--cancellations N``).

A million of them over the scheduler and the dispatcher alone, which takes some minutes::

    python -m pytest tests/test_random_cancellation.py -k line --cancellations 1000000
"""

from __future__ import annotations

from functools import partial
from itertools import count
from random import Random

import anyio
import pytest
from counterparts import WindowService, gather
from line import CancelledAt, Line, cut, reply
from operations import OPERATIONS, small_world
from own_client import EXCLUSIVE, assert_clean
from strangers import tasks_alive

from apteligent_async import ApteligentClient, ApteligentError, MemoryBudget, PasswordGrant, RatePolicy
from apteligent_async._scheduling.signals import Lane
from apteligent_async.simulator import (
    DEMO_ACCOUNT,
    FaultRule,
    FaultSchedule,
    QuotaSettings,
    Service,
    SimulatorTransport,
    faults,
    uniform,
)

GRANT = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
AT_ONCE = 10
ROUND = 50
"""Cancellations for each client, after which nothing may be left of them."""

FOREVER_S = 1e7
TROUBLE = FaultSchedule(
    [
        FaultRule(faults.Refuse(reset_s=2), probability=0.05, until_s=500),
        FaultRule(faults.Fail(status=503), probability=0.05, until_s=500),
        FaultRule(faults.RevokedToken(), probability=0.05, until_s=500),
        FaultRule(faults.SlowBody(seconds=2), probability=0.2, until_s=500),
        FaultRule(faults.Truncated(), probability=0.05, until_s=500),
    ]
)
"""So that calls are cancelled while they back off, renew a token, or read a body, too."""


@pytest.fixture
def rounds(request):
    """Give the number of each round of cancellations."""
    return range(max(1, request.config.getoption("cancellations") // ROUND))


async def cancelled_at(step, call):
    """Make a call and cancel it at one of its awaits; say how many it had, and what became of it."""
    with anyio.CancelScope() as scope:
        cancelled = CancelledAt(call(), scope, step=step)
        try:
            await cancelled
        except ApteligentError as error:
            return cancelled.steps, error
    return cancelled.steps, None


def test_operations_cancelled_anywhere_leave_nothing(runs, rounds):
    """No task, job, start, connection or token call is left, and the client works as before."""
    for number in rounds:
        service = Service(
            small_world(), quota=QuotaSettings(limit=600), faults=FaultSchedule(TROUBLE.rules, seed=number)
        )
        runs(_storm_of_operations, SimulatorTransport(service, up=uniform(0.0, 0.2, seed=number)), Random(number))


async def _storm_of_operations(transport, dice):
    before, budget = tasks_alive(), MemoryBudget()
    policy = dice.choice([EXCLUSIVE, RatePolicy(), RatePolicy(mode="polite"), RatePolicy(max_in_flight=2)])

    async def one():
        await anyio.sleep(dice.uniform(0, 20))
        operation = OPERATIONS[dice.choice(sorted(OPERATIONS))]
        view = client.with_options(deadline=dice.choice([None, 100]), priority=dice.choice(["interactive", "bulk"]))
        await cancelled_at(dice.randint(1, 30), partial(operation, view))

    async with ApteligentClient(
        GRANT, base_url="http://127.0.0.1:9", transport=transport, budget=budget, policy=policy
    ) as client:
        with anyio.fail_after(FOREVER_S):
            for _ in range(ROUND // AT_ONCE):
                assert not [end for end in await gather(*[one] * AT_ONCE) if end is not None]
                _assert_nothing_left(client, transport)
            await anyio.sleep(1000)  # the trouble is over
            assert len(await client.apps.list()) == 2
        _assert_nothing_left(client, transport)
    assert not budget.is_in_use
    assert tasks_alive() == before


def _assert_nothing_left(client, transport):
    assert_clean(client)
    assert transport.in_flight == 0
    assert client._session._keeper._fetching is None


def test_entering_and_leaving_can_be_cancelled_anywhere(runs):
    """At each await in turn: the client can still be closed, and its budget is given back."""
    runs(_interrupted_lives)


async def _interrupted_lives():
    service = Service(small_world())
    for step in count(1):
        budget = MemoryBudget()
        client = ApteligentClient(
            GRANT, base_url="http://127.0.0.1:9", transport=SimulatorTransport(service), budget=budget
        )
        entered, _ = await cancelled_at(step, client.open)
        left, _ = await cancelled_at(step, client.aclose)
        await client.aclose()
        assert not budget.is_in_use
        if max(entered, left) < step:
            return


def test_places_in_the_line_cancelled_anywhere_leave_nothing(runs, rounds):
    """The scheduler and the dispatcher alone: no sleeper, no job, no start, no timer."""
    for number in rounds:
        runs(_storm_in_line, Random(number))


async def _storm_in_line(dice):
    policy = dice.choice([EXCLUSIVE, RatePolicy(), RatePolicy(mode="polite"), RatePolicy(max_in_flight=2)])
    line = Line(policy=policy, service=WindowService(calls=dice.randint(1, 40), window_s=20), dice=dice.random)
    troubles = [[], [], [reply(503)], [cut()], [reply(429, {}, {"limit": 6, "reset": 7, "actual": 7})]]
    line.faults = {number: list(dice.choice(troubles)) for number in range(ROUND)}

    async def one(number):
        await anyio.sleep(dice.uniform(0, 60))
        options = {"trip_s": dice.uniform(0, 5), "lane": dice.choice(list(Lane))}
        await cancelled_at(dice.randint(1, 8), partial(line.call, number, **options))

    with anyio.fail_after(FOREVER_S):
        ends = await gather(*[partial(one, number) for number in range(ROUND)])
        assert not [end for end in ends if end is not None]
        line.assert_clean()
        assert await line.call("last") is not None
    line.assert_clean()

"""Callers who share one call: whoever leaves, closes, hurries or runs out of time disturbs nobody else."""

from __future__ import annotations

import anyio
import pytest
from counterparts import gather
from counting_source import Source, another, cached_client, memory, name_of

from apteligent_async import (
    ClientStateError,
    DeadlineExceeded,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_whoever_leaves_disturbs_nobody(leaver):
    """One of three callers is cancelled, the first included: the others get the answer of the one request."""
    source, ends = Source(trip_s=10), {}
    scopes = [anyio.CancelScope() for _ in range(3)]

    async def ask(number):
        with scopes[number]:
            ends[number] = await client.apps.list()

    async with cached_client(source, memory()) as client, anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(ask, number)
        await anyio.sleep(5)
        scopes[leaver].cancel()
    assert sorted(ends) == [number for number in range(3) if number != leaver]
    assert (len(source.asked), source.ended) == (1, 1)


async def test_the_last_one_to_leave_ends_the_call():
    """Nobody waits, so nothing goes on; the next caller makes a new call."""
    source = Source(trip_s=10)
    async with cached_client(source, memory()) as client:
        for _ in range(2):
            with anyio.move_on_after(5):
                await client.apps.list()
        await anyio.sleep(20)
        assert (len(source.asked), source.ended) == (2, 0)
        assert len(client._answers._cached._flights) == 0
        assert client.budget().in_flight == 0


async def test_closing_leaves_no_task_behind():
    """A renewal that nobody waits for ends with the client."""
    source = Source(trip_s=1)
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(90)
        source.trip_s = 50
        await client.apps.list()
        await anyio.sleep(1)
        flights = client._answers._cached._flights
        assert len(flights) == 1
    assert len(flights) == 0
    assert source.ended == 1


async def test_callers_who_wait_when_the_client_closes_are_told():
    """A shared call that waits for budget fails for all as a lone one does."""
    source = Source(left=0, reset_s=1000)
    client = cached_client(source, memory())
    await client.open()
    await client.apps.list()
    ends = []

    async def ask():
        try:
            await another(client)
        except ClientStateError as error:
            ends.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await anyio.sleep(5)
        await client.aclose()
    assert len(ends) == 3


async def test_an_urgent_caller_does_not_wait_behind_a_backlog():
    """A bulk call for the same waits behind others: the urgent one goes first, and serves both."""
    source = Source(left=0, reset_s=50)
    async with cached_client(source, memory()) as client:
        bulk = client.with_options(priority="bulk")
        await another(client)
        ended = []

        async def ask(who, call):
            await call()
            ended.append(who)

        source.left = 1
        async with anyio.create_task_group() as group:
            for number in (1, 2, 3):
                group.start_soon(ask, "other", lambda number=number: another(bulk, number))
            await anyio.sleep(1)
            group.start_soon(ask, "bulk", bulk.apps.list)
            await anyio.sleep(1)
            group.start_soon(ask, "urgent", client.apps.list)
        assert set(ended[:2]) == {"bulk", "urgent"}
    assert sum("attributes" in asked for asked in source.asked) == 1


async def test_a_short_deadline_of_the_first_is_not_that_of_the_second():
    """A call that was hopeless for whoever began it is made for whoever has time."""
    source = Source(left=0, reset_s=50)
    async with cached_client(source, memory()) as client:
        await another(client)
        source.left = 100
        ends = await gather(client.with_options(deadline=5).apps.list, client.with_options(deadline=500).apps.list)
    assert isinstance(ends[0], DeadlineExceeded)
    assert name_of(ends[1]) == "t 2"


@pytest.mark.parametrize(("left", "trip_s", "cause"), [(0, 1, "budget"), (1000, 20, "answer")])
async def test_who_joined_and_ran_out_of_time_is_told_what_kept_the_answer(left, trip_s, cause):
    """The budget, for which to come again later, or the service."""
    source = Source(left=left, reset_s=40)
    async with cached_client(source, memory()) as client, anyio.create_task_group() as group:
        await another(client)
        source.trip_s = trip_s
        group.start_soon(client.with_options(deadline=120).apps.list)
        await anyio.sleep(1)
        with pytest.raises(DeadlineExceeded) as caught:
            await client.with_options(deadline=5).apps.list()
    assert caught.value.cause == cause


async def test_a_scope_around_a_shared_call_behaves_as_scopes_do():
    """A hopeless call within a scope ends when the scope does, not before."""
    source = Source(left=0, reset_s=50)
    async with cached_client(source, memory()) as client:
        await another(client)
        began_at = anyio.current_time()
        with anyio.move_on_after(7) as scope:
            await client.apps.list()
    assert scope.cancelled_caught
    assert anyio.current_time() - began_at == pytest.approx(7)

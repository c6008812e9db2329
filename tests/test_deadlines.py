"""Deadlines of our own, and scopes around a call."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
import pytest
from counterparts import Scripted, fine
from own_client import assert_clean, client_of

from apteligent_async import (
    DeadlineExceeded,
)
from apteligent_async.simulator import World

pytestmark = pytest.mark.anyio

FOREVER_S = 100_000
WORLD = World(now=datetime(2016, 12, 12, tzinfo=UTC), apps=1)


@pytest.fixture
async def drained():
    """A client whose budget is used up for 50 seconds."""
    transport = Scripted(lambda request, number: fine(left=0, reset=50))
    async with client_of(transport) as client:
        await client.apps.list()
        yield client, transport
        assert_clean(client)


async def test_a_hopeless_deadline_fails_at_once(drained):
    """With the time that it would have taken; nothing is sent."""
    client, transport = drained
    began_at = anyio.current_time()
    with pytest.raises(DeadlineExceeded) as caught:
        await client.with_options(deadline=5).apps.list()
    assert anyio.current_time() - began_at < 0.01
    assert caught.value.eta == pytest.approx(50, abs=3)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.endpoint, caught.value.attempts) == ("apps.list", 0)
    assert len(transport.requests) == 1


async def test_a_deadline_that_can_be_met_is_waited_for(drained):
    """The wait is told with the result."""
    client, _ = drained
    apps = await client.with_options(deadline=120).apps.list()
    assert apps.http.timeline.waited_s == pytest.approx(50, abs=3)


async def test_a_deadline_that_passes_under_way_ends_the_call():
    """The error says that it was the answer that did not come."""

    async def slow():
        await anyio.sleep(60)
        return fine()

    async with client_of(Scripted(lambda request, number: slow())) as client:
        began_at = anyio.current_time()
        with pytest.raises(DeadlineExceeded, match="deadline of 7 s") as caught:
            await client.with_options(deadline=7).apps.list()
        assert anyio.current_time() - began_at == pytest.approx(7, abs=0.01)
        assert (caught.value.cause, caught.value.attempts) == ("answer", 1)
        assert_clean(client)


async def test_an_enclosing_scope_behaves_as_scopes_do(drained):
    """``move_on_after`` moves on and ``fail_after`` fails, at their own instants; nothing is sent meanwhile."""
    client, transport = drained
    began_at = anyio.current_time()
    with anyio.move_on_after(5) as scope:
        await client.apps.list()
    assert scope.cancelled_caught
    assert anyio.current_time() - began_at == pytest.approx(5, abs=0.01)
    with pytest.raises(TimeoutError), anyio.fail_after(5):
        await client.apps.list()
    assert anyio.current_time() - began_at == pytest.approx(10, abs=0.01)
    assert len(transport.requests) == 1


async def test_a_scope_whose_end_is_moved_lets_the_call_go_on(drained):
    """What was hopeless is not any more."""
    client, _ = drained
    ended = []

    async def move(scope):
        await anyio.sleep(2)
        scope.deadline = anyio.current_time() + 500

    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(move, scope)
            ended.append(await client.apps.list())
    assert not scope.cancelled_caught
    assert len(ended[0]) == 1


async def test_the_tighter_of_two_limits_counts(drained):
    """A deadline within a wider scope raises; a scope within a wider deadline moves on."""
    client, _ = drained
    with anyio.fail_after(20), pytest.raises(DeadlineExceeded):
        await client.with_options(deadline=5).apps.list()
    with anyio.move_on_after(5) as scope:
        await client.with_options(deadline=20).apps.list()
    assert scope.cancelled_caught

"""The whole client over real sockets, on every event loop that a user may run: asyncio, asyncio on uvloop, trio."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import anyio
import pytest

from apteligent_async import (
    ApteligentClient,
    ConnectionFailed,
    DeadlineExceeded,
    MemoryBudget,
    RetryPolicy,
    SQLiteBudget,
    StaticToken,
)
from apteligent_async.testing import ApteligentServer

SERVER = ApteligentServer(apps=3, limit=1_000_000)
UVLOOP = pytest.param(
    ("asyncio", {"use_uvloop": True}),
    id="asyncio+uvloop",
    marks=pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed"),
)


@pytest.fixture(params=[pytest.param("asyncio", id="asyncio"), UVLOOP, pytest.param("trio", id="trio")])
def anyio_backend(request):
    """Run the test in real time."""
    return request.param


@pytest.fixture(scope="module")
def origin():
    """Listen on loopback for all tests here, with a budget that none of them comes near."""
    with SERVER.listening() as url:
        yield url


def client_of(origin, **options):
    """Make a client with a budget of its own."""
    ready = {"budget": MemoryBudget(), "base_url": origin}
    return ApteligentClient(StaticToken(SERVER.token), **{**ready, **options})


@pytest.mark.anyio
async def test_the_loop_is_the_one_that_was_asked_for(anyio_backend_name, anyio_backend_options):
    """Otherwise the tests below would say nothing about it."""
    if anyio_backend_name == "asyncio":
        is_uvloop = type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        assert is_uvloop == anyio_backend_options.get("use_uvloop", False)


@pytest.mark.anyio
async def test_many_calls_at_once_are_answered(origin):
    """Each task gets the answer to its own question."""
    found = {}
    async with client_of(origin) as client:
        apps = await client.apps.list()

        async def ask(app, number):
            found[app.id, number] = (await client.trends.dau(app.id)).http.status

        async with anyio.create_task_group() as group:
            for app in apps:
                for number in range(10):
                    group.start_soon(ask, app, number)
    assert found == dict.fromkeys(found, 200)
    assert len(found) == 10 * len(apps)


@pytest.mark.anyio
async def test_a_shared_budget_works_in_threads_of_this_loop(origin, tmp_path):
    """A budget in a file, whose reads and writes leave the loop."""
    async with client_of(origin, budget=SQLiteBudget(tmp_path / "budget.db")) as client:
        assert len(await client.apps.list()) == 3


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_leaves_the_client_usable(origin):
    """What was under way is dropped, and the next call is answered."""
    async with client_of(origin) as client:
        with anyio.move_on_after(0) as scope:
            await client.apps.list()
        assert scope.cancelled_caught
        assert len(await client.apps.list()) == 3


@pytest.mark.anyio
async def test_who_does_not_answer_is_one_of_our_errors():
    """A server that accepts and says nothing ends at the deadline; a port where nobody listens, at once."""

    async def say_nothing(stream):
        async with stream:
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, say_nothing)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with client_of(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(DeadlineExceeded):
                await client.with_options(deadline=0.2).apps.list()
        group.cancel_scope.cancel()
    async with client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(ConnectionFailed):
            await client.with_options(retry=RetryPolicy(max_attempts=1)).apps.list()

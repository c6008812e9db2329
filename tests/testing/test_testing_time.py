"""The virtual clock that users get for their tests, and which this project's own tests run on."""

from __future__ import annotations

import asyncio
import signal
import socket
import time

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.testing import NeedsRealTime, VirtualLoop, run_virtually, virtual_backend

DELAYS = st.lists(st.floats(0, 1e6), min_size=1, max_size=20)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(delays=DELAYS)
def test_sleepers_wake_in_order_and_at_their_instants(backend, delays):
    """However long tasks sleep, each wakes when it said, and the whole takes as long as the longest."""
    woken = []

    async def sleep(began_at, delay):
        await anyio.sleep(delay)
        woken.append((anyio.current_time() - began_at, delay))

    async def main():
        began_at = anyio.current_time()
        async with anyio.create_task_group() as group:
            for delay in delays:
                group.start_soon(sleep, began_at, delay)
        return anyio.current_time() - began_at

    took_s = run_virtually(main, backend=backend)
    assert took_s == pytest.approx(max(delays), abs=1e-3)
    assert [delay for _, delay in woken] == pytest.approx(sorted(delays), abs=1e-3)
    assert [at for at, _ in woken] == pytest.approx([delay for _, delay in woken], abs=1e-3)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_month_of_waiting_takes_no_time(backend):
    """The clock jumps, the wall clock hardly moves."""
    began_at = time.monotonic()

    async def main(days):
        await anyio.sleep(days * 86_400)
        return days

    assert run_virtually(main, 30, backend=backend) == 30
    assert time.monotonic() - began_at < 30


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_deadline_strikes_in_virtual_time(backend):
    """Cancel scopes keep to the virtual clock."""

    async def main():
        with anyio.move_on_after(3600) as scope:
            await anyio.sleep(7200)
        return scope.cancelled_caught

    assert run_virtually(main, backend=backend)


async def _socket():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_recv(ours, 1)


async def _signal():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)


async def _executor():
    await asyncio.get_running_loop().run_in_executor(None, print)


async def _for_ever():
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        (_executor, "a thread"),
        (_socket, "a socket"),
        (_signal, "a signal"),
        (_for_ever, "no timer is set"),
    ],
)
def test_what_needs_real_time_is_refused_by_the_asyncio_loop(needs, told):
    """A test that would hang or lie fails, and says why."""
    loop = VirtualLoop()
    with pytest.raises(NeedsRealTime, match=told):
        loop.run_until_complete(needs())
    loop.close()


def test_every_backend_comes_with_a_clock_of_its_own():
    """No test sees the time of another."""
    one, two = virtual_backend("trio"), virtual_backend("trio")
    assert one[1]["clock"] is not two[1]["clock"]
    assert virtual_backend("asyncio") == ("asyncio", {"loop_factory": VirtualLoop})
    with pytest.raises(ValueError, match="curio"):
        virtual_backend("curio")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_errors_come_through(backend):
    """What the function raises is what the caller gets."""

    async def main():
        await anyio.sleep(1)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run_virtually(main, backend=backend)

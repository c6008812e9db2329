"""Visits to the store: one at a time, and when a look is over."""

from __future__ import annotations

import anyio
import pytest
from attrs import define, field

from apteligent_async import RatePolicy
from apteligent_async._budgets.courier import Courier
from apteligent_async._budgets.store import StoreGone, Told
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.leases import LeasedBooks
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.scheduler import Scheduler

pytestmark = pytest.mark.anyio

TRIP_S = 1.0


@define
class SlowStore:
    """A store that reads the state at once and takes a second to answer.

    Attributes:
        read_at: when each change was applied.
        is_gone: whether it cannot be reached any more.
    """

    text: str | None = None
    read_at: list[float] = field(factory=list)
    is_gone: bool = False

    async def change(self, change):
        """Apply a change, and answer a second later."""
        self.read_at.append(anyio.current_time())
        self.text, found = change(Told(self.text, "clock", anyio.current_time()))
        await anyio.sleep(TRIP_S)
        if self.is_gone:
            raise StoreGone
        return found

    async def aclose(self):
        """Keep nothing."""


def courier_of(store):
    """Make the courier of a line that wants nothing."""
    policy = RatePolicy()
    books = LeasedBooks("me", policy, Budget(), host="h", pid=1)
    return Courier(Scheduler(policy, books=books), books, store, ALL_HYPOTHESES)


async def looked(courier, ended):
    """Look, and note when that is over."""
    await courier.look()
    ended.append(round(anyio.current_time(), 3))


async def test_a_look_during_a_visit_goes_again():
    """That visit may have read the state before the others wrote: one more is made, for all who look meanwhile."""
    store, ended = SlowStore(), []
    courier = courier_of(store)
    began = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(courier.visit)
        await anyio.sleep(TRIP_S / 2)
        for _ in range(3):
            group.start_soon(looked, courier, ended)
    assert [round(at - began, 3) for at in store.read_at] == [0, TRIP_S]
    assert [at - began for at in ended] == pytest.approx([2 * TRIP_S] * 3, abs=0.01)


async def test_a_look_goes_at_once_while_nobody_is_away():
    """And it is over when it is back."""
    store, ended = SlowStore(), []
    courier = courier_of(store)
    began = anyio.current_time()
    await looked(courier, ended)
    assert (len(store.read_at), ended[0] - began) == (1, pytest.approx(TRIP_S, abs=0.01))


async def test_a_look_ends_where_the_store_is_gone():
    """What was known last is all that there is; nobody waits for the store's return."""
    store = SlowStore(is_gone=True)
    courier = courier_of(store)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(courier.visit)
            await anyio.sleep(TRIP_S / 2)
            group.start_soon(courier.look)
    assert len(store.read_at) == 1
    await courier.look()
    assert len(store.read_at) == 1


async def test_a_looker_that_goes_away_leaves_the_others_their_visit():
    """Cancelling the one who waits for the visit under way does not end it."""
    store, ended = SlowStore(), []
    courier = courier_of(store)
    async with anyio.create_task_group() as group:
        group.start_soon(courier.visit)
        await anyio.sleep(TRIP_S / 2)
        with anyio.move_on_after(TRIP_S / 4):
            await courier.look()
        group.start_soon(looked, courier, ended)
    assert (len(store.read_at), len(ended)) == (2, 1)

"""Budgets in a file and in Redis: real stores, real time, and what happens when they go away."""

from __future__ import annotations

import gc
import sqlite3
import stat
from contextlib import closing
from functools import partial

import anyio
import httpx
import pytest
from anyio.to_thread import run_sync
from counterparts import APPS, gather

from apteligent_async import ApteligentClient, ConfigurationError, MemoryBudget, RedisBudget, SQLiteBudget, StaticToken
from apteligent_async._budgets import budget_from, sqlite
from apteligent_async._budgets.redis import RedisStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on both loops, in real time: files and sockets know no other."""
    return request.param


class Counter(httpx.AsyncBaseTransport):
    """A service with so many calls, whose window never ends; it says how many are left."""

    def __init__(self, calls):
        self.calls = calls
        self.refused = 0

    async def handle_async_request(self, request):
        """Count."""
        self.calls -= 1
        self.refused += self.calls < 0
        left = max(self.calls, 0)
        headers = {"Rate-Limit-Limit": "1000", "Rate-Limit-Remaining": str(left), "Rate-Limit-Reset": "60"}
        return httpx.Response(200 if self.calls >= 0 else 429, headers=headers, json=APPS, request=request)


def client_of(budget, service):
    """Make a client of the one account."""
    return ApteligentClient(
        StaticToken("t", client_id="id"), base_url="http://127.0.0.1:9", transport=service, budget=budget
    )


async def share(make_budget):
    """Let two clients with budget objects of their own call at once; give the service and how the store was used."""
    service = Counter(100)
    async with client_of(make_budget(), service) as one, client_of(make_budget(), service) as two:
        ends = await gather(*[one.apps.list] * 30, *[two.apps.list] * 30)
        assert not [end for end in ends if isinstance(end, Exception)]
    return service


async def test_a_file_shares_a_budget(tmp_path):
    """Two clients that only know the same path never overdraw, and the file is ours alone."""
    path = tmp_path / "deep" / "budget.db"
    service = await share(lambda: SQLiteBudget(path))
    assert (service.calls, service.refused) == (40, 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(sqlite3.connect(path)) as file:
        assert b"id" not in {row[0] for row in file.execute("SELECT account FROM budgets")}


async def test_a_server_shares_a_budget(redis_url):
    """Two clients that only know the same address never overdraw."""
    service = await share(lambda: RedisBudget(redis_url))
    assert (service.calls, service.refused) == (40, 0)


def one_more(told):
    """Count."""
    count = int(told.text or 0) + 1
    return str(count), count


async def test_those_who_come_to_a_server_at_once_take_turns(redis_url):
    """None of their changes is lost, and none of them is overtaken again and again."""
    stores = [RedisStore(redis_url, "crowd") for _ in range(6)]
    before = int((await stores[0].look()).text or 0)

    async def change_often(store):
        for _ in range(20):
            await store.change(one_more)

    await gather(*[partial(change_often, store) for store in stores])
    assert int((await stores[0].look()).text) == before + 120
    assert sum(store.trips for store in stores) <= 3 * 120
    for store in stores:
        await store.aclose()


async def test_a_turn_that_is_never_passed_on_stops_nobody(redis_url):
    """Whoever waits behind one that died is patient for a moment, then goes on; the order is restored with that."""
    dead, heir = RedisStore(redis_url, "heir"), RedisStore(redis_url, "heir")
    count = await dead.change(one_more)
    await run_sync(dead._guarded, lambda: dead._turn(dead._seen))
    await heir.look()
    heir._is_crowded = True
    with anyio.fail_after(2):
        assert await heir.change(one_more) == count + 1
    trips, heir._is_crowded = heir.trips, True
    assert await heir.change(one_more) == count + 2
    assert heir.trips - trips == 2
    await dead.aclose()
    await heir.aclose()


async def test_an_open_file_is_refused(tmp_path):
    """The message says how to close it, and the client can be made again once it is."""
    path = tmp_path / "budget.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        async with client_of(SQLiteBudget(path), Counter(5)):
            pass


async def test_a_store_that_is_gone_stops_nobody(tmp_path):
    """Calls go on, one event says that the store is gone, and one that it is back."""
    path, events = tmp_path / "budget.db", []
    async with client_of(SQLiteBudget(path), Counter(100)) as client:
        client.on_event(lambda event: events.append(event.name))
        await client.apps.list()
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with anyio.fail_after(10):
            await client.apps.list()
            await client.apps.list()
        holder.execute("ROLLBACK")
        holder.close()
        await anyio.sleep(1.2)
        await client.apps.list()
        await anyio.sleep(0.1)
        await client.apps.list()
    assert events.count("store.degraded") == 1
    assert events.count("store.restored") <= 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_that_is_not_there_stops_nobody():
    """The first call goes out as a probe, and nothing secret is told."""
    events = []
    budget = RedisBudget("redis://user:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in repr(budget)
    async with client_of(budget, Counter(100)) as client:
        client.on_event(events.append)
        with anyio.fail_after(10):
            await client.apps.list()
    assert "hunter2" not in repr(events)
    gc.collect()  # coredis leaves streams open that it could not connect


@pytest.mark.parametrize(
    ("address", "kind"),
    [("sqlite:///tmp/a.db", SQLiteBudget), ("redis://h:1", RedisBudget), ("memory://", type(None))],
)
def test_an_address_names_a_budget(address, kind):
    """Each scheme has its own."""
    assert isinstance(budget_from(address), kind)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "carrier-pigeon://", "http://secret@h"])
def test_another_address_is_refused(address):
    """And not repeated, as it may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        budget_from(address)
    assert "secret" not in str(caught.value)


def test_a_path_is_from_the_root():
    """However many slashes there are: processes run in different folders."""
    assert str(budget_from("sqlite:///var/b.db").path) == "/var/b.db"
    assert str(budget_from("sqlite:////var/b.db").path) == "/var/b.db"


async def test_a_memory_budget_starts_no_thread(monkeypatch):
    """Nothing of what is shared is touched."""
    monkeypatch.setattr(sqlite, "run_sync", None)
    async with client_of(MemoryBudget(), Counter(5)) as client:
        await client.apps.list()
        assert client._session._dispatcher._courier is None

"""The cache in a file: shared, private, bounded, and never in the way. In real time, as it uses a thread."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from functools import partial

import anyio
import pytest
from counterparts import gather
from counting_source import EPOCH_S, FRESHNESS, Source, cached_client, name_of

from apteligent_async import CacheState, ConfigurationError, SQLiteCache, StaticToken
from apteligent_async._cache.entries import CacheEntry

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on the real clock."""
    return request.param


@pytest.fixture
def path(tmp_path):
    """A place for the file."""
    return tmp_path / "cache.sqlite"


def entry(body=b"{}", *, stored_at=EPOCH_S, fresh_s=60.0):
    """Make something to keep."""
    return CacheEntry(status=200, headers={"content-type": "x"}, body=body, stored_at=stored_at, fresh_s=fresh_s)


def store(path, **options):
    """Open a cache whose clock stands still."""
    return SQLiteCache(path, **{"freshness": FRESHNESS, "clock": lambda: EPOCH_S, **options})


async def test_two_clients_with_files_of_their_own_share_answers(path):
    """What one process keeps, another has, the same to the byte; identical calls in both are one."""
    source = Source(trip_s=0.05)
    async with cached_client(source, store(path)) as one, cached_client(source, store(path)) as two:
        ends = await gather(*[one.apps.list, two.apps.list] * 20)
        later = await two.apps.list()
        assert len(source.asked) == 1
        with sqlite3.connect(path) as file:
            assert file.execute("SELECT count(*) FROM claims").fetchone() == (0,), "a right was not given back"
        file.close()
    assert {name_of(end) for end in ends} == {"t 1"}
    assert (later.http.cache, later.http.headers["content-type"]) == (CacheState.FRESH, "application/json")
    assert later == ends[0]
    async with cached_client(source, store(path)) as third:
        assert (await third.apps.list()).http.body == later.http.body
    assert len(source.asked) == 1


async def test_accounts_share_a_file_and_nothing_in_it(path):
    """A token is not found in the file, nor another account's answer under it."""
    source = Source(trip_s=0)
    for token in ("first-secret-token", "second-secret-token"):
        async with cached_client(source, store(path), StaticToken(token)) as client:
            assert name_of(await client.apps.list()).startswith(token)
    with sqlite3.connect(path) as file:
        keys = [key for (key,) in file.execute("SELECT key FROM replies")]
    file.close()
    assert len(set(keys)) == 2
    assert not [key for key in keys if "secret" in key or "apps" in key]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
async def test_the_file_is_its_owner_s_alone(path):
    """Made with mode 600, its companions too; one that others can read is refused, and the mend is named."""
    cache = store(path)
    await cache.open()
    await cache.write("k", entry())
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    await cache.aclose()
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        await store(path).open()


async def test_a_file_that_is_none_of_ours_is_left_alone(path):
    """Garbage and foreign databases are refused, not overwritten; the client is not open then."""
    path.write_bytes(b"precious" * 1000)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no cache, or a damaged one"):
        async with cached_client(Source(), store(path)):
            pytest.fail("it was opened")
    assert path.read_bytes() == b"precious" * 1000
    path.unlink()
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE theirs (a)")
    file.close()
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no cache of ours"):
        await store(path).open()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        await store(path / "below a file").open()


async def test_another_version_is_made_anew(path):
    """What an older or newer version kept is dropped, as it can be fetched again."""
    cache = store(path)
    await cache.open()
    await cache.write("k", entry())
    await cache.aclose()
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    cache = store(path)
    await cache.open()
    assert await cache.read("k") is None
    await cache.write("k", entry())
    assert await cache.read("k") == entry()
    await cache.aclose()


async def test_trouble_with_the_file_fails_no_call(path, caplog):
    """The tables vanish under an open cache: calls go on, and it is said once."""
    source, cache = Source(trip_s=0), store(path)
    async with cached_client(source, cache) as client:
        with sqlite3.connect(path) as file:
            file.execute("DROP TABLE replies")
            file.execute("DROP TABLE claims")
        file.close()
        assert name_of(await client.apps.list()) == "t 1"
        await client.with_options(cache="refresh").apps.list()
    assert cache.statistics().failed > 2
    assert len([each for each in caplog.records if "cannot be used" in each.message]) == 1


async def test_the_file_is_bounded(path):
    """The oldest go first, what can never be given again goes too, and what is too large is not kept."""
    now = [EPOCH_S]
    cache = store(path, max_bytes=3000, clock=lambda: now[0])
    await cache.open()
    for number in range(10):
        now[0] += 1
        await cache.write(f"k{number}", entry(b"x" * 800, stored_at=now[0]))
        with sqlite3.connect(path) as file:
            kept = [key for (key,) in file.execute("SELECT key FROM replies ORDER BY stored_at")]
        file.close()
        assert kept == [f"k{each}" for each in range(max(number - 2, 0), number + 1)]
    await cache.write("huge", entry(b"x" * 4000))
    assert await cache.read("huge") is None
    now[0] += 4000
    await cache.write("new", entry(stored_at=now[0]))
    assert await cache.read("k9") is None
    await cache.clear()
    assert await cache.read("new") is None
    await cache.aclose()


async def test_room_is_not_looked_for_at_every_writing(path):
    """But each time that one part in 64 of what may be kept was written: what is kept does not slow what comes."""
    cache, said = store(path, max_bytes=64 * 10_000), []
    await cache.open()
    cache._file.set_trace_callback(said.append)
    for number in range(100):
        await cache.write(f"k{number}", entry(b"x" * 800, stored_at=EPOCH_S + number))
    await cache.aclose()
    sweeps = [each for each in said if "sum(size)" in each]
    assert 10 <= len(sweeps) <= 12


async def test_the_right_to_fetch_is_one_s_alone_and_lapses(path):
    """Held by one, kept by asking again, free when given back or when its time is up."""
    now = [EPOCH_S]
    cache = store(path, clock=lambda: now[0])
    await cache.open()
    claim = partial(cache.claim, "k", for_s=10)
    assert [await claim("a"), await claim("b"), await claim("a")] == [True, False, True]
    await cache.release("k", "b")
    assert not await claim("b")
    await cache.release("k", "a")
    assert await claim("b")
    now[0] += 10
    assert await claim("a")
    now[0] -= 1000
    assert await claim("b"), "a clock set back does not lock anybody out"
    await cache.aclose()


def _fetch(path, ready, numbers):
    """Ask in a process of its own, at the same moment as the others; say how many calls that took."""

    async def main():
        source = Source(trip_s=0.3)
        async with cached_client(source, SQLiteCache(path)) as client:
            ready.wait()
            await gather(*[client.apps.list] * 10)
        numbers.put(len(source.asked))

    anyio.run(main)


def test_processes_fetch_once_in_all(path):
    """Four processes ask for the same at once: one request."""
    context = multiprocessing.get_context("spawn")
    ready, numbers = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_fetch, args=[path, ready, numbers]) for _ in range(4)]
    for worker in workers:
        worker.start()
    asked = sorted(numbers.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join()
    assert asked == [0, 0, 0, 1]

"""What holds of any cache, whoever calls when: checked with made-up days of many callers."""

from __future__ import annotations

import anyio
import pytest
from counting_source import Source, cached_client, memory
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async import CacheState, Freshness, MemoryCache, StaticToken
from apteligent_async._cache.entries import CacheEntry
from apteligent_async._cache.freshness import FINAL_AFTER_S
from apteligent_async.testing import run_virtually

SECONDS = st.floats(min_value=0, max_value=10**7)
VISITS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, 5.0, 59.0, 61.0, 200.0, 3000.0, 5000.0]),  # until the next one comes
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["use", "use", "use", "refresh"]),
        st.sampled_from([None, 0.5]),  # patience
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=40, deadline=None)
@given(visits=VISITS, left=st.sampled_from([0, 3, 1000]))
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_nobody_gets_another_s_answer_or_one_too_old(backend, visits, left):
    """Whatever the order of calls, patience and budget: the body is the caller's own, its age is true and allowed."""
    source, cache = Source(trip_s=1.0, left=left, reset_s=30), memory()
    stamps = {}
    given_out = []

    async def visit(client, owner, mode, patience_s):
        with anyio.move_on_after(patience_s):
            apps = await client.with_options(cache=mode).apps.list()
            given_out.append((owner, apps, anyio.current_time()))

    async def main():
        clients = {owner: cached_client(source, cache, StaticToken(owner)) for owner in ("ann", "bob")}
        async with clients["ann"], clients["bob"], anyio.create_task_group() as group:
            for wait_s, owner, mode, patience_s in visits:
                group.start_soon(visit, clients[owner], owner, mode, patience_s)
                await anyio.sleep(wait_s)

    run_virtually(main, backend=backend)
    for owner, apps, _ in given_out:
        assert apps[0].app_name.split()[0] == owner
    for _, apps, at in given_out:
        stamps.setdefault(apps[0].app_name, at)  # about when it came: the first to get it got it then, or joined
    for _, apps, at in given_out:
        assert 0 <= apps.http.age_s <= cache.freshness.most_s
        if apps.http.cache is CacheState.FRESH:
            assert apps.http.age_s <= cache.freshness.young_s
        assert at - stamps[apps[0].app_name] <= apps.http.age_s + 1.1


@settings(max_examples=30, deadline=None)
@given(joins=st.lists(st.floats(min_value=0, max_value=0.9), min_size=1, max_size=12), data=st.data())
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_callers_of_one_flight_spend_one_call(backend, joins, data):
    """However many come while it is under way, and whoever leaves: as long as one stays, one request is all."""
    leaves = data.draw(st.lists(st.booleans(), min_size=len(joins), max_size=len(joins)))
    source, ends = Source(trip_s=2.0), []

    async def ask(client, after_s, is_leaving):
        await anyio.sleep(after_s)
        with anyio.move_on_after(0.4 if is_leaving else None):
            ends.append(await client.apps.list())

    async def main():
        async with cached_client(source, memory()) as client, anyio.create_task_group() as group:
            group.start_soon(ask, client, 0, False)
            for after_s, is_leaving in zip(joins, leaves, strict=True):
                group.start_soon(ask, client, after_s, is_leaving)

    run_virtually(main, backend=backend)
    assert len(source.asked) == 1
    assert len(ends) == 1 + leaves.count(False)


@given(younger=SECONDS, older=SECONDS, settings_of=st.tuples(SECONDS, st.floats(0, 1), SECONDS))
def test_older_data_stay_fresh_longer(younger, older, settings_of):
    """Time grows with the age of the data, and only what is 72 hours old is final."""
    young_s, growth, most_s = settings_of
    freshness = Freshness(young_s=young_s, growth=growth, most_s=most_s, final_s=10**9)
    younger, older = sorted((younger, older))
    assert freshness.fresh_s(younger) <= freshness.fresh_s(older)
    assert (freshness.fresh_s(older) == 10**9) == (older >= FINAL_AFTER_S)
    fresh_s = freshness.fresh_s(younger)
    assert fresh_s <= freshness.stale_s(fresh_s) <= freshness.usable_s(fresh_s)


@settings(max_examples=60)
@given(
    writes=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 900)), max_size=30),
    max_bytes=st.integers(0, 3000),
)
def test_memory_is_bounded_and_gives_what_was_put_in(writes, max_bytes):
    """Never more bytes than allowed; what is given under a key is the last that was kept under it."""
    cache, last = MemoryCache(max_bytes=max_bytes), {}

    async def main():
        for number, (key, length) in enumerate(writes):
            body = bytes([number]) * length
            last[key] = body
            await cache.write(key, CacheEntry(status=200, headers={}, body=body, stored_at=0.0, fresh_s=1.0))
            found = [await cache.read(each) for each in "abcdef"]
            assert sum(entry.size for entry in found if entry) <= max_bytes
            for each, entry in zip("abcdef", found, strict=True):
                assert entry is None or entry.body == last[each]

    anyio.run(main)

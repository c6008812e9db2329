"""What a client with a cache sends, and what it gives instead of sending."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
import httpx
import pytest
from attrs import define, field
from counterparts import Scripted, fine, gather
from counting_source import EPOCH_S, FRESHNESS, Source, another, cached_client, memory, name_of, virtual_time
from own_client import client_of

from apteligent_async import (
    BadRequestError,
    CacheState,
    ConfigurationError,
    DeadlineExceeded,
    Freshness,
    MemoryCache,
    PasswordGrant,
    Priority,
    ServerError,
    StaticToken,
)
from apteligent_async._cache.cached_calls import CLAIM_S, CachedCalls
from apteligent_async._cache.entries import CacheEntry, CacheMode
from apteligent_async._cache.flights import Errand

pytestmark = pytest.mark.anyio


@define(eq=False)
class Beaten(MemoryCache):
    """A cache in which another process's answer, if there is one, turns up at the last moment; it notes who claims."""

    faster: object = None
    claims: list = field(factory=list)
    released: list = field(factory=list)

    async def claim(self, key, holder, *, for_s):
        """Grant it, just after the other has kept its answer."""
        self.claims.append(anyio.current_time())
        if self.faster is not None:
            entry = CacheEntry(status=200, headers={}, body=self.faster.http.body, stored_at=self.now(), fresh_s=60)
            await self.write(key, entry)
        return True

    async def release(self, key, holder):
        """Note it."""
        self.released.append(anyio.current_time())


class Series(Scripted):
    """Answers graphs of one point."""

    def __init__(self):
        body = {"data": {"series": [{"name": "a", "points": [1]}], "start": "x", "end": "y", "interval": 86400}}
        super().__init__(lambda request, number: fine(left=1000, body=body))


async def test_what_is_fresh_is_given_again():
    """A second call within the time costs nothing and says how old its answer is; equal to the fetched one."""
    source, cache = Source(), memory()
    async with cached_client(source, cache) as client:
        first = await client.apps.list()
        await anyio.sleep(30)
        second = await client.apps.list()
    assert first == second
    assert (first.http.cache, first.http.age_s) == (CacheState.MISSED, 0)
    assert (second.http.cache, second.http.age_s) == (CacheState.FRESH, pytest.approx(30))
    assert (second.http.body, second.http.timeline.attempts) == (first.http.body, 0)
    assert "rate-limit-remaining" not in second.http.headers
    assert len(source.asked) == 1
    assert cache.statistics().hit_ratio == 0.5


async def test_without_a_cache_nothing_is_kept_and_nothing_is_joined():
    """Two identical calls at once are two requests."""
    source = Source()
    async with client_of(source) as client:
        await client.apps.list()
        ends = await gather(client.apps.list, client.apps.list)
    assert len(source.asked) == 3
    assert {end.http.cache for end in ends} == {None}


async def test_identical_calls_in_flight_are_one():
    """Two hundred callers, one request; all but the first have joined."""
    source, cache = Source(), memory()
    async with cached_client(source, cache) as client:
        ends = await gather(*[client.apps.list] * 200)
    assert len(source.asked) == 1
    assert {name_of(end) for end in ends} == {"t 1"}
    assert cache.statistics().joined == 199


async def test_stale_answers_are_given_at_once_and_renewed_for_the_next():
    """Whoever comes just too late does not wait; whoever comes after him has the new one."""
    source = Source()
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(90)
        began_at = anyio.current_time()
        late = await client.apps.list()
        assert anyio.current_time() == began_at
        assert (late.http.cache, name_of(late)) == (CacheState.STALE, "t 1")
        await anyio.sleep(5)
        assert name_of(await client.apps.list()) == "t 2"
    assert len(source.asked) == 2


async def test_what_is_too_old_is_fetched_while_there_is_budget():
    """After twice its time a caller waits for the new answer."""
    source = Source()
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(125)
        assert (await client.apps.list()).http.cache is CacheState.MISSED
    assert len(source.asked) == 2


async def test_without_budget_old_answers_are_given_at_once():
    """With their age; once they are older than allowed, the caller waits like any other."""
    source = Source(left=0, reset_s=5000)
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(600)
        began_at = anyio.current_time()
        old = await client.apps.list()
        assert anyio.current_time() == began_at
        assert (old.http.cache, old.http.age_s) == (CacheState.STALE, pytest.approx(600))
        await anyio.sleep(3500)
        began_at = anyio.current_time()
        with pytest.raises(DeadlineExceeded) as caught:
            await client.with_options(deadline=5).apps.list()
        assert anyio.current_time() - began_at < 0.1
        assert caught.value.endpoint == "apps.list"


async def test_a_backlog_of_bulk_calls_does_not_make_people_see_old_answers():
    """As long as a call of theirs could start at once, what is too old is fetched, not given."""
    calls = CachedCalls(memory(), must_wait=lambda priority: priority is Priority.BULK)
    async with client_of(Source()) as client:

        def errand(priority):
            return Errand(
                key="apps",
                priority=priority,
                deadline_at=math.inf,
                fetch=lambda priority, until: client.apps.list(),
                fresh_s=lambda at: 60.0,
                restore=lambda kept: first,
            )

        first = await calls.answer(errand(Priority.BULK), CacheMode.USE)
        await anyio.sleep(400)
        answers = [await calls.answer(errand(each), CacheMode.USE) for each in (Priority.BULK, Priority.INTERACTIVE)]
        await calls.aclose()
    assert [each.http.cache for each in answers] == [CacheState.STALE, CacheState.MISSED]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_service_that_fails_is_stood_in_for_by_what_is_kept(status):
    """Old answers are better than none; without one the error is the usual."""
    source = Source(failing=[200] + [status] * 50)
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(600)
        assert (await client.apps.list()).http.cache is CacheState.STALE
        with pytest.raises(ServerError):
            await another(client)


async def test_what_grew_too_old_while_a_new_one_was_tried_is_not_given():
    """The age that counts is that of the moment in which it would be given."""
    source = Source(failing=[200] + [500] * 50)
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        await anyio.sleep(3580)
        source.trip_s = 30
        with pytest.raises(ServerError):
            await client.apps.list()


async def test_causes_reach_every_caller():
    """The link's own words hang on each caller's error."""

    def cut(request, number):
        raise httpx.ReadError("cut in two", request=request)

    async with cached_client(Scripted(cut), memory()) as client:
        ends = await gather(*[client.apps.list] * 2)
    assert [str(end.__cause__) for end in ends] == ["cut in two"] * 2


async def test_what_came_while_the_right_to_fetch_was_taken_is_not_fetched_again():
    """Another process was faster by a hair: its answer is given."""
    source, cache = Source(), Beaten(freshness=FRESHNESS, clock=virtual_time)
    async with cached_client(source, memory()) as other:
        cache.faster = await other.apps.list()
    async with cached_client(source, cache) as client:
        assert name_of(await client.apps.list()) == "t 1"
    assert len(source.asked) == 1


async def test_the_right_to_fetch_is_kept_while_the_call_is_under_way():
    """It is taken again in time, however long the call takes, and given back in the end."""
    cache = Beaten(freshness=FRESHNESS, clock=virtual_time)
    async with cached_client(Source(trip_s=35), cache) as client:
        await client.apps.list()
    assert len(cache.claims) >= 35 / CLAIM_S
    assert max(later - earlier for earlier, later in pairwise(cache.claims)) < CLAIM_S
    assert cache.released == [cache.claims[0] + 35]


async def test_errors_are_not_kept_and_each_caller_gets_his_own():
    """An error reaches everybody who waits for it, and nobody who comes later."""
    source = Source(failing=[400])
    async with cached_client(source, memory()) as client:
        ends = await gather(*[client.apps.list] * 3)
        assert [type(end) for end in ends] == [BadRequestError] * 3
        assert len({id(end) for end in ends}) == 3
        assert name_of(await client.apps.list()) == "t 2"


async def test_accounts_never_see_each_other_s_answers():
    """Tokens, users, headers of their own: every difference that the service could see keeps callers apart."""
    cache, source = memory(), Source(trip_s=0)
    for token in ("one", "two"):
        async with cached_client(source, cache, StaticToken(token, client_id="same")) as client:
            assert name_of(await client.apps.list()).startswith(f"{token} ")
    async with cached_client(source, cache, StaticToken("one"), headers={"x-team": "b"}) as client:
        assert name_of(await client.apps.list()) == "one 3"
    async with cached_client(source, cache, StaticToken("one"), source="another-tag") as client:
        assert name_of(await client.apps.list()) == "one 1"
    grants = [PasswordGrant("id", "ann", "p"), PasswordGrant("id", "bob", "p"), PasswordGrant("id2", "ann", "p")]
    assert len({grant.identity for grant in grants}) == 3


async def test_a_cache_outlives_its_clients():
    """What one client fetched, the next one of the account has."""
    cache, source = memory(), Source()
    for _ in range(2):
        async with cached_client(source, cache) as client:
            await client.apps.list()
    assert len(source.asked) == 1


async def test_calls_can_pass_by_the_cache_or_renew_it():
    """``bypass`` neither takes nor keeps; ``refresh`` fetches and keeps."""
    source = Source()
    async with cached_client(source, memory()) as client:
        await client.apps.list()
        passed = await client.with_options(cache="bypass").apps.list()
        assert (name_of(passed), passed.http.cache) == ("t 2", None)
        assert name_of(await client.apps.list()) == "t 1"
        assert name_of(await client.with_options(cache="refresh").apps.list()) == "t 3"
        assert name_of(await client.apps.list()) == "t 3"
        with pytest.raises(ConfigurationError, match=r"cache='never'.*use, refresh, bypass"):
            client.with_options(cache="never")


@pytest.mark.parametrize("keeps_personal", [False, True])
async def test_personal_data_is_kept_only_if_asked_for(keeps_personal):
    """Users and details of crashes, also where only their path was known."""
    source = Source()
    cache = memory(keeps_personal=keeps_personal)
    async with cached_client(source, cache) as client:
        for _ in range(2):
            await client.request("GET", "/v2/crash/userData/3c496d3c7239325385dc9232/abc")
            await client.request("GET", "/v2/crash/3c496d3c7239325385dc9232/abc")
            await client.request("GET", "/v2/nobody/knows")
            await client.request("POST", "/v2/apps")
            await client.request("GET", "/v2/apps")
    assert len([each for each in source.asked if "knows" in each]) == 2
    assert len(cache) == (3 if keeps_personal else 1), source.asked


async def test_what_is_about_the_distant_past_is_kept_long():
    """A graph of three days ago and more is final; a younger one grows old more slowly than one of today."""
    assert FRESHNESS.fresh_s(0) == 60
    assert FRESHNESS.fresh_s(3600) == 420
    assert FRESHNESS.fresh_s(72 * 3600) == 10**6
    assert FRESHNESS.fresh_s(0, is_live=True) == 10
    for ended_h, is_final in ((72, False), (85, False), (87, True)):  # an app's own time may lie 14 hours behind
        source = Series()
        async with cached_client(source, memory()) as client:
            end = datetime.fromtimestamp(virtual_time(), UTC).replace(tzinfo=None) - timedelta(hours=ended_h)
            asked = {"graph": "crashes", "app_id": "519d53101386202089000007", "start": end, "end": end}
            await client.error_monitoring.graph(**asked)
            await anyio.sleep(100 * 3600)
            await client.error_monitoring.graph(**asked)
        assert (len(source.requests) == 1) == is_final


def test_settings_that_cannot_be_are_refused():
    """A cache that is none, ages below nothing, sizes that are no numbers."""
    with pytest.raises(ConfigurationError, match="cache= must be a MemoryCache"):
        client_of(Source(), cache={})
    with pytest.raises(ConfigurationError, match="young_s=-1"):
        Freshness(young_s=-1)
    with pytest.raises(ConfigurationError, match="max_bytes"):
        MemoryCache(max_bytes=1.5)


def test_a_clock_set_back_makes_nothing_young():
    """An answer from the future is none."""
    now = [EPOCH_S]
    source = Source(trip_s=0)
    cache = memory(clock=lambda: now[0])

    async def main():
        async with cached_client(source, cache) as client:
            await client.apps.list()
            now[0] -= 1000
            await client.apps.list()

    anyio.run(main)
    assert len(source.asked) == 2

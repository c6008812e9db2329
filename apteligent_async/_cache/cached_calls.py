"""What a call does with the cache: take what is kept, join an identical call, or fetch and keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import anyio
from anyio.lowlevel import checkpoint
from attrs import evolve

from apteligent_async._cache.entries import CacheEntry, CacheMode, CacheStore, kept_headers
from apteligent_async._cache.flights import Errand, Flight, Flights
from apteligent_async.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    QueueFull,
    RateLimitedError,
    ServerError,
)
from apteligent_async.models.result import CacheState, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from apteligent_async._scheduling.signals import Priority

__all__ = ["CachedCalls"]

Found = TypeVar("Found", bound=Result)

CLAIM_S = 10.0
"""Seconds for which the right to fetch is taken; renewed while the call is under way, so a killed holder's lapses."""

_LOOK_AGAIN_S = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Seconds between two looks at what another process fetches; the last one is repeated."""

_NOT_TO_BE_HAD = (DeadlineExceeded, RateLimitedError, QueueFull, ServerError, ConnectionFailed)


class CachedCalls:
    """Answers calls from a store and fetches what is missing, once. Its state is the calls under way.

    Args:
        store: where answers are kept.
        must_wait: whether a call of a priority that starts now would have to wait for budget.
    """

    def __init__(self, store: CacheStore, *, must_wait: Callable[[Priority], bool]) -> None:
        self._store = store
        self._must_wait = must_wait
        self._flights = Flights(self._fetch, must_wait=must_wait)
        self._name = uuid4().hex

    async def answer(self, errand: Errand[Found], mode: CacheMode) -> Found:
        """Give a kept answer that is good enough, or a new one.

        Raises:
            ApteligentError: no new one could be had, and none that may be given is kept.
        """
        if mode is CacheMode.REFRESH:
            return await self._new(evolve(errand, newer_than=self._store.now()))
        kept = await self._store.read(errand.key)
        if kept is None or not self._is_usable(kept):
            return await self._new(errand)
        errand = evolve(errand, newer_than=kept.stored_at)
        if self._is_good_enough(errand, kept):
            await checkpoint()
            return self._restored(errand, kept)
        try:
            return await self._new(errand)
        except _NOT_TO_BE_HAD:
            if not self._is_usable(kept):
                raise
            return self._restored(errand, kept)

    async def aclose(self) -> None:
        """End the calls that nobody waits for."""
        with anyio.CancelScope(shield=True):
            await self._flights.aclose()

    def _age_s(self, kept: CacheEntry) -> float:
        return self._store.now() - kept.stored_at

    def _is_usable(self, kept: CacheEntry) -> bool:
        """Whether it may be given at all; nothing can be said of the age if the clock was set back."""
        return 0 <= self._age_s(kept) <= self._store.freshness.usable_s(kept.fresh_s)

    def _is_good_enough(self, errand: Errand[Any], kept: CacheEntry) -> bool:
        """Whether it is given without waiting for a new one, which is then fetched behind the caller's back."""
        age_s = self._age_s(kept)
        if age_s <= kept.fresh_s:
            return True
        if age_s > self._store.freshness.stale_s(kept.fresh_s) and not self._must_wait(errand.priority):
            return False
        self._store.counts["refreshed"] += self._flights.begin_unwatched(errand)
        return True

    def _restored(self, errand: Errand[Found], kept: CacheEntry) -> Found:
        age_s = self._age_s(kept)
        state = CacheState.FRESH if age_s <= kept.fresh_s else CacheState.STALE
        self._store.counts[state.value] += 1
        return _marked(errand.restore(kept), state, age_s)

    async def _new(self, errand: Errand[Found]) -> Found:
        found, is_joined = await self._flights.ride(errand)
        is_missed = not is_joined and found.http is not None and found.http.cache is CacheState.MISSED
        self._store.counts["missed" if is_missed else "joined"] += 1
        return _marked(found, CacheState.JOINED, 0.0) if is_joined else found

    async def _fetch(self, errand: Errand[Found], flight: Flight) -> Found:
        """Fetch and keep, if no other process does; else wait for what it keeps."""
        looks = iter(_LOOK_AGAIN_S)
        while not await self._store.claim(errand.key, self._name, for_s=CLAIM_S):
            await anyio.sleep(next(looks, _LOOK_AGAIN_S[-1]))
            found = await self._kept_meanwhile(errand)
            if found is not None:
                return found
        try:
            return await self._kept_meanwhile(errand) or await self._fetched(errand, flight)
        finally:
            with anyio.CancelScope(shield=True):
                await self._store.release(errand.key, self._name)

    async def _kept_meanwhile(self, errand: Errand[Found]) -> Found | None:
        kept = await self._store.read(errand.key)
        if kept is None or kept.stored_at <= errand.newer_than or not 0 <= self._age_s(kept) <= kept.fresh_s:
            return None
        return _marked(errand.restore(kept), CacheState.JOINED, self._age_s(kept))

    async def _fetched(self, errand: Errand[Found], flight: Flight) -> Found:
        failure: Exception | None = None
        fetched: list[Found] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._hold, errand.key)
            try:
                fetched.append(await errand.fetch(flight.priority, flight.until))
            except Exception as error:  # noqa: BLE001  raised below: a group would wrap it
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        [found] = fetched
        await self._keep(errand, found)
        return _marked(found, CacheState.MISSED, 0.0)

    async def _hold(self, key: str) -> None:
        while True:
            await anyio.sleep(CLAIM_S / 3)
            await self._store.claim(key, self._name, for_s=CLAIM_S)

    async def _keep(self, errand: Errand[Any], found: Result) -> None:
        http, now = found.http, self._store.now()
        if http is not None:
            entry = CacheEntry(
                status=http.status,
                headers=kept_headers(http.headers),
                body=http.body,
                stored_at=now,
                fresh_s=errand.fresh_s(now),
            )
            await self._store.write(errand.key, entry)


def _marked(found: Found, state: CacheState, age_s: float) -> Found:
    """Write on a result where it came from; what it says stays as it is."""
    return found if found.http is None else evolve(found, http=evolve(found.http, cache=state, age_s=age_s))

"""Where a client's results come from: the session that sends, and the cache in front of it if there is one."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
from attrs import evolve

from apteligent_async._cache.entries import CacheMode, CacheStore, data_age_s, is_kept, key_of, row_of
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from apteligent_async.errors import ApteligentError, ConfigurationError
from apteligent_async.models.result import Result
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from apteligent_async._cache import CachedCalls, Errand
    from apteligent_async._cache.entries import CacheEntry
    from apteligent_async._options import CallOptions
    from apteligent_async._scheduling.signals import Priority
    from apteligent_async._session import Session
    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Request
    from apteligent_async.models.result import Part

__all__ = ["Answers"]

Found = TypeVar("Found", bound="Part")


class Answers:
    """Gives results: kept ones, shared ones, or those of calls of one's own. Its state is the open cache.

    Without a cache every call is sent, by the task that makes it.

    Args:
        session: sends.
        cache: where answers are kept.

    Raises:
        ConfigurationError: the cache is none.
    """

    def __init__(self, session: Session, cache: CacheStore | None) -> None:
        if cache is not None and not isinstance(cast("object", cache), CacheStore):
            raise ConfigurationError(
                f"cache= must be a MemoryCache(), a SQLiteCache(path) or another CacheStore, "
                f"not of type {type(cache).__name__}."
            )
        self.session = session
        self._store = cache
        self._cached: CachedCalls | None = None

    async def open(self) -> None:
        """Open the session, and the cache behind it.

        Raises:
            ApteligentError: one of them cannot be opened; neither is then.
        """
        await self.session.open()
        if self._store is None:
            return
        try:
            await self._store.open()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.session.aclose()
            raise
        from apteligent_async._cache import CachedCalls  # noqa: PLC0415  for those who have a cache

        self._cached = CachedCalls(self._store, must_wait=self._must_wait)

    async def aclose(self) -> None:
        """Close both; twice does no harm."""
        await self.session.aclose()
        cached, self._cached = self._cached, None
        if cached is not None and self._store is not None:
            await cached.aclose()
            with anyio.CancelScope(shield=True):
                await self._store.aclose()

    async def call(self, endpoint: Endpoint[Found], request: Request, options: CallOptions) -> Found:
        """Give the result of a request.

        Raises:
            ApteligentError: whatever went wrong, with the endpoint, the attempts and the time waited.
        """
        cached, store = self._cached, self._store
        if cached is None or store is None or options.cache is CacheMode.BYPASS:
            return await self.session.call(endpoint, request, options)
        row = row_of(endpoint, request)
        if not is_kept(row, request, keeps_personal=store.keeps_personal):
            return await self.session.call(endpoint, request, options)
        self.session.require_open()
        errand = self._errand(row, endpoint, request, options)
        try:
            found: Found = await cached.answer(errand, options.cache)
        except ApteligentError as error:
            error.endpoint = error.endpoint or request.endpoint
            raise
        self._tell(request, found)
        return found

    def _tell(self, request: Request, found: Part) -> None:
        if isinstance(found, Result) and found.http is not None and found.http.cache is not None:
            state, age_s = found.http.cache.value, found.http.age_s
            self.session.tell("cache.answer", label=request.endpoint, state=state, age_s=age_s)

    def _must_wait(self, priority: Priority) -> bool:
        return self.session.snapshot().eta(1, priority=priority) > 0

    def _errand(
        self, row: Endpoint[Any], endpoint: Endpoint[Any], request: Request, options: CallOptions
    ) -> Errand[Any]:
        from apteligent_async._cache import Errand  # noqa: PLC0415  as above

        assert self._store is not None  # noqa: S101  else nobody asks
        freshness = self._store.freshness

        def fresh_s(at: float) -> float:
            return freshness.fresh_s(data_age_s(row, request, at=at), is_live=row.is_live)

        return Errand(
            key=key_of(self.session.account, request),
            priority=options.priority,
            deadline_at=math.inf if options.deadline is None else anyio.current_time() + options.deadline,
            fetch=partial(self._fetch, endpoint, request, options),
            fresh_s=fresh_s,
            restore=partial(_restored, endpoint),
        )

    async def _fetch(
        self, endpoint: Endpoint[Any], request: Request, options: CallOptions, priority: Priority, until: float
    ) -> Any:
        shared = evolve(options, priority=priority, deadline=None)
        return await self.session.call(endpoint, request, shared, wanted_until=until)


def _restored(endpoint: Endpoint[Found], kept: CacheEntry) -> Found:
    """Decode an answer that was decoded when it came."""
    began_at = time.perf_counter()

    def timeline() -> Timeline:
        took_s = time.perf_counter() - began_at
        return Timeline(waited_s=0.0, total_s=took_s, attempts=0, decode_s=took_s)

    return decode(endpoint, Reply(status=kept.status, headers=kept.headers, body=kept.body), timeline=timeline)

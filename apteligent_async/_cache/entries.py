"""What is kept, under which key, and the port that every store fills."""

from __future__ import annotations

import json
from collections import Counter  # noqa: TC003  attributes of a protocol that is looked at when it runs
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

from apteligent_async._wire.endpoints import endpoint_for
from apteligent_async.models.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from apteligent_async._cache.freshness import Freshness
    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Request

__all__ = [
    "CacheEntry",
    "CacheMode",
    "CacheStatistics",
    "CacheStore",
    "account_of",
    "data_age_s",
    "is_kept",
    "kept_headers",
    "key_of",
    "row_of",
    "statistics_of",
]

_KEPT_HEADERS = frozenset({"content-type", "content-language", "date"})
_FARTHEST_ZONE = timedelta(hours=14)


class CacheMode(Enum):
    """What a call does with the cache."""

    USE = "use"
    """Takes what is kept, and keeps what it fetches."""
    REFRESH = "refresh"
    """Fetches, and keeps that."""
    BYPASS = "bypass"
    """Neither takes nor keeps, and is not joined with identical calls."""


@frozen(kw_only=True)
class CacheEntry:
    """One kept answer, as it came.

    Attributes:
        status: the HTTP status.
        headers: those that say something of the body; what was said of the budget is no longer true.
        body: the bytes, not compressed.
        stored_at: seconds since the epoch.
        fresh_s: seconds for which it is fresh.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    stored_at: float
    fresh_s: float

    @property
    def size(self) -> int:
        """Bytes that it is counted with."""
        return len(self.body) + 200


@frozen(kw_only=True)
class CacheStatistics:
    """What became of the calls that asked a cache, in this process.

    Attributes:
        fresh: were answered with a fresh answer.
        stale: were answered with an older one, marked with its age.
        joined: were answered by an identical call of somebody else's.
        missed: were sent to the service.
        refreshed: calls made to renew a stale answer; nobody waited for them.
        failed: readings and writings that the store could not do.
    """

    fresh: int = 0
    stale: int = 0
    joined: int = 0
    missed: int = 0
    refreshed: int = 0
    failed: int = 0

    @property
    def hit_ratio(self) -> float:
        """The part of the calls that cost nothing; 0 before the first."""
        hits = self.fresh + self.stale + self.joined
        return hits / (hits + self.missed) if hits + self.missed else 0.0


@runtime_checkable
class CacheStore(Protocol):
    """Where answers are kept. A store's own troubles never fail a call: what cannot be read is missing.

    Attributes:
        freshness: how old answers may be.
        keeps_personal: whether answers with personal data are kept, too.
        counts: what became of the calls, by the names of `CacheStatistics`.
    """

    freshness: Freshness
    keeps_personal: bool
    counts: Counter[str]

    def now(self) -> float:
        """Tell the time: seconds since the epoch."""
        ...

    async def open(self) -> None:
        """Get ready; called by each client that enters."""
        ...

    async def aclose(self) -> None:
        """Let go; called by each client that leaves."""
        ...

    async def read(self, key: str) -> CacheEntry | None:
        """Give what is kept under a key."""
        ...

    async def write(self, key: str, entry: CacheEntry) -> None:
        """Keep an answer, in place of an older one."""
        ...

    async def claim(self, key: str, holder: str, *, for_s: float) -> bool:
        """Take the right to fetch what belongs under a key, or keep it; False: somebody else has it for now."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Give the right back, if it is still held."""
        ...


def statistics_of(counts: Counter[str]) -> CacheStatistics:
    """Freeze counts."""
    return CacheStatistics(**counts)


def account_of(origin: str, identity: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """Name an account without giving it away: whose answers may be given to whom.

    Args:
        origin: scheme, host and port.
        identity: what the service tells callers apart by.
        headers: what every request of the caller carries.
    """
    own = sorted((name, value) for name, value in headers.items() if name not in {"user-agent", "cr-source"})
    return _digest([origin, *identity, own])


def key_of(account: str, request: Request) -> str:
    """Name a request of an account: two of them are the same only if the service could not tell them apart."""
    return _digest([account, request.endpoint, request.method, request.path, request.query, request.headers])


def row_of(endpoint: Endpoint[Any], request: Request) -> Endpoint[Any]:
    """Find the row of the table that a request belongs to, also where its caller only knew the path."""
    return endpoint if endpoint.template or request.method != "GET" else endpoint_for(request.path)


def is_kept(row: Endpoint[Any], request: Request, *, keeps_personal: bool) -> bool:
    """Whether answers to a request may be kept: it only reads, it is known, and nobody's secret is in it."""
    is_readable = request.method == "GET" and not request.body and not request.is_secret
    is_known = bool(row.template) and issubclass(row.result, Result)
    return is_readable and is_known and (keeps_personal or not row.is_personal)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Leave out what an answer says of anything but its body."""
    return {name: value for name, value in headers.items() if name in _KEPT_HEADERS}


def data_age_s(row: Endpoint[Any], request: Request, *, at: float) -> float:
    """Say how many seconds ago the period had ended for sure that a request asks for; 0 for the present.

    Times without an offset are an app's own, whose offset the request does not say: the farthest west counts.
    """
    ends = dict(request.query).get(row.period_end) if row.period_end else None
    if ends is None:
        return 0.0
    ended = datetime.fromisoformat(ends)
    if ended.tzinfo is None:
        ended = ended.replace(tzinfo=UTC) + _FARTHEST_ZONE
    return max(at - ended.timestamp(), 0.0)


def _digest(parts: list[Any]) -> str:
    return blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()

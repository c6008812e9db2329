"""A cache in the memory of one process."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field

from apteligent_async._cache.entries import CacheEntry, CacheStatistics, statistics_of
from apteligent_async._cache.freshness import Freshness
from apteligent_async._scheduling.policy import checked, is_whole, must_be

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryCache"]


@define(eq=False, kw_only=True)
class MemoryCache:
    """Keeps answers in the memory of one process, for any number of clients and accounts.

    Its state is the answers, least recently used first, and what they weigh.

    Attributes:
        freshness: how old answers may be; see `Freshness`.
        max_bytes: how much is kept; the least recently used answers go first.
        keeps_personal: whether answers with personal data (users, breadcrumbs, diagnostics) are kept, too.
        clock: tells the seconds since the epoch.

    Raises:
        ConfigurationError: a setting is not possible.
    """

    freshness: Freshness = field(
        factory=Freshness, validator=must_be(Freshness, "a Freshness, such as Freshness(young_s=30)")
    )
    max_bytes: int = field(
        default=64 * 1024 * 1024,
        validator=checked(lambda value: is_whole(value) and value >= 0, "a whole number of bytes, at least 0"),
    )
    keeps_personal: bool = False
    clock: Callable[[], float] = field(default=time.time, repr=False)
    counts: Counter[str] = field(factory=Counter, init=False, repr=False)
    _entries: OrderedDict[str, CacheEntry] = field(factory=OrderedDict, init=False, repr=False)
    _bytes: int = field(default=0, init=False)

    def __len__(self) -> int:
        return len(self._entries)

    def now(self) -> float:
        """Tell the time: seconds since the epoch."""
        return self.clock()

    def statistics(self) -> CacheStatistics:
        """Say what became of the calls so far."""
        return statistics_of(self.counts)

    def clear(self) -> None:
        """Forget all answers."""
        self._entries.clear()
        self._bytes = 0

    async def open(self) -> None:
        """Do nothing: there is nothing to get ready."""

    async def aclose(self) -> None:
        """Do nothing: what is kept is for the next client."""

    async def read(self, key: str) -> CacheEntry | None:
        """Give what is kept under a key."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    async def write(self, key: str, entry: CacheEntry) -> None:
        """Keep an answer, unless it is larger than all that may be kept."""
        self._drop(key)
        if entry.size > self.max_bytes:
            return
        self._entries[key] = entry
        self._bytes += entry.size
        while self._bytes > self.max_bytes:
            self._drop(next(iter(self._entries)))

    async def claim(self, key: str, holder: str, *, for_s: float) -> bool:  # noqa: ARG002  the port's words
        """Agree: identical calls of one process are joined before they come here."""
        return True

    async def release(self, key: str, holder: str) -> None:
        """Do nothing."""

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size

"""Answers that are kept, and identical calls that are made once.

| file | what it holds |
| --- | --- |
| `freshness` | how long an answer may be given again: pure |
| `entries` | what is kept, under which key, and the port that every store fills |
| `memory`, `sqlite` | the stores |
| `flights` | identical calls in flight, made once |
| `cached_calls` | what a call does with all of it |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._on_demand import on_demand

if TYPE_CHECKING:
    from apteligent_async._cache.cached_calls import CachedCalls
    from apteligent_async._cache.entries import CacheEntry, CacheMode, CacheStatistics, CacheStore
    from apteligent_async._cache.flights import Errand
    from apteligent_async._cache.freshness import Freshness
    from apteligent_async._cache.memory import MemoryCache
    from apteligent_async._cache.sqlite import SQLiteCache

__all__ = [
    "CacheEntry",
    "CacheMode",
    "CacheStatistics",
    "CacheStore",
    "CachedCalls",
    "Errand",
    "Freshness",
    "MemoryCache",
    "SQLiteCache",
]

_HOMES = {
    "cached_calls": "CachedCalls",
    "entries": "CacheEntry CacheMode CacheStatistics CacheStore",
    "flights": "Errand",
    "freshness": "Freshness",
    "memory": "MemoryCache",
    "sqlite": "SQLiteCache",
}

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _HOMES)

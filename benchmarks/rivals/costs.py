"""Measures what waiting costs in one real limiter; prints the costs as JSON.

Started by `benchmarks.scheduler_cost` with the interpreter of the rivals' environment:

    .venv-rivals/bin/python -m benchmarks.rivals.costs aiolimiter 1000 100000
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any, Final

from attrs import asdict

from benchmarks.rivals.virtual_time import run, take_over
from benchmarks.waiting import Acquire, Turnstile, costs_of

__all__ = ["LIMITERS"]

LIMITERS: Final = ("aiolimiter", "pyrate-limiter", "throttled-py")
"""The packages whose waiting is measured."""

_LONG_S: Final = 1e6


def _aiolimiter() -> Turnstile:
    from aiolimiter import AsyncLimiter

    def made(count: float, period_s: float, *, used: int = 0) -> Acquire:
        limiter = AsyncLimiter(count, period_s)
        limiter._level, limiter._last_check = used, limiter._loop.time()  # noqa: SLF001  spends without a loop's turn
        acquire: Acquire = limiter.acquire
        return acquire

    return Turnstile(
        client="aiolimiter",
        wide=lambda: made(1e9, 1.0),
        dripping=lambda: made(100, 100 / 20_000),
        shut=lambda: made(1, _LONG_S, used=1),
    )


def _pyrate() -> Turnstile:
    from pyrate_limiter import Limiter, Rate

    def made(count: int, period_ms: int) -> Acquire:
        limiter = Limiter(Rate(count, period_ms))
        return lambda: limiter.try_acquire_async("any")

    def shut() -> Acquire:
        limiter = Limiter(Rate(1, int(_LONG_S * 1000)))
        limiter.try_acquire("any")
        return lambda: limiter.try_acquire_async("any")

    return Turnstile(
        client="pyrate-limiter", wide=lambda: made(1_000_000_000, 1), dripping=lambda: made(100, 5), shut=shut
    )


def _throttled() -> Turnstile:
    from throttled.asyncio import RateLimiterType, Throttled, rate_limiter, store

    def made(limit: int, period_s: int, burst: int) -> Any:
        quota = rate_limiter.per_duration(timedelta(seconds=period_s), limit, burst=burst)
        return Throttled(
            key="any",
            using=RateLimiterType.TOKEN_BUCKET.value,
            quota=quota,
            store=store.MemoryStore(),
            timeout=_LONG_S,
        ).limit

    return Turnstile(
        client="throttled-py",
        wide=lambda: made(1_000_000_000, 1, 1_000_000_000),
        dripping=lambda: made(20_000, 1, 100),
        shut=lambda: made(1, int(_LONG_S), 1),
    )


_MADE: Final = dict(zip(LIMITERS, (_aiolimiter, _pyrate, _throttled), strict=True))


def main() -> None:
    """Measure the limiter named on the command line."""
    name, few, many = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clock = take_over(1000.0)

    async def measured() -> list[dict[str, Any]]:
        return [asdict(cost) for cost in await costs_of(_MADE[name](), few=few, many=many)]

    print(json.dumps(run(clock, measured())))


if __name__ == "__main__":
    main()

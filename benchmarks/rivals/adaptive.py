"""adaptive-rate-limiter in its recommended mode: told the limit, and fed the headers that it reads."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from adaptive_rate_limiter import TEXT, RequestMetadata
from adaptive_rate_limiter.backends import MemoryBackend
from adaptive_rate_limiter.providers.base import DiscoveredBucket, ProviderInterface, RateLimitInfo
from adaptive_rate_limiter.scheduler import RateLimiterConfig, StateManager, create_scheduler
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.rivals.wire import Reply, Wire
    from benchmarks.scenarios import Scenario

__all__ = ["adaptive_rate_limiter"]

_FOREVER: Final = 1e9


class _LimitedError(Exception):
    """The form in which the package learns of a 429."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("429")
        self.status_code = 429
        self.retry_after_s = reply.retry_after_s
        self.cached_rate_limit_headers = reply.headers


class _Identity:
    """Who is calling, as the package wants it."""

    base_url = "http://wire"
    timeout = _FOREVER

    def get_headers(self) -> dict[str, str]:
        return {}

    async def classify(self, request: dict[str, Any]) -> RequestMetadata:  # noqa: ARG002  one kind of request only
        return _metadata("any")


@frozen
class _Provider(ProviderInterface):
    """Tells the package the limit in calls per minute, the only unit that it has."""

    rpm: int
    name = "wire"

    async def discover_limits(self, *_: Any, **__: Any) -> dict[str, DiscoveredBucket]:
        return {"wire": DiscoveredBucket(bucket_id="wire", rpm_limit=self.rpm, tpm_limit=1_000_000)}

    def parse_rate_limit_response(self, *_: Any, **__: Any) -> RateLimitInfo:
        return RateLimitInfo()  # documented as never called on the path of an answer

    async def get_bucket_for_model(self, *_: Any, **__: Any) -> str:
        return "wire"


def _metadata(request_id: str) -> RequestMetadata:
    return RequestMetadata(
        request_id=request_id, model_id="wire", resource_type=TEXT, estimated_tokens=1, timeout=_FOREVER
    )


@asynccontextmanager
async def adaptive_rate_limiter(wire: Wire, told: Scenario) -> AsyncIterator[Any]:
    """Submit to its intelligent scheduler, with its defaults, but no bound on the queue and on patience."""
    identity, provider = _Identity(), _Provider(max(1, round(60 * told.budget / told.window_s)))
    scheduler = create_scheduler(
        client=identity,
        mode="intelligent",
        provider=provider,
        classifier=identity,
        state_manager=StateManager(MemoryBackend(), provider=provider),
        config=RateLimiterConfig(
            max_concurrent_executions=10_000,
            max_queue_size=100_000,
            request_timeout=_FOREVER,
            max_failures=1_000_000,
            metrics_enabled=False,
        ),
    )

    async def request() -> Reply:
        reply = await wire.call()
        if reply.status == 429:
            raise _LimitedError(reply)
        return reply

    numbers = count()
    async with scheduler:

        async def issue() -> None:
            while True:
                result = await scheduler.submit_request(_metadata(str(next(numbers))), request)
                try:
                    await result.request.future
                except _LimitedError as refused:
                    await asyncio.sleep(refused.retry_after_s)
                    continue
                return

        yield issue

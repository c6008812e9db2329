"""The way from a package to a server of the zoo, in the running loop's time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

    from benchmarks.scenarios import Scenario
    from benchmarks.zoo import Server

__all__ = ["Reply", "Wire"]


class Reply(NamedTuple):
    """One answer on the wire."""

    status: int
    headers: dict[str, str]

    @property
    def retry_after_s(self) -> float:
        """The seconds to stay away that a 429 names."""
        return float(self.headers["retry-after"])


class Wire:
    """The way to the server, in the running loop's time."""

    def __init__(self, server: Server, scenario: Scenario, dice: Random) -> None:
        self.server = server
        self._link = scenario.link
        self._budget = scenario.budget
        self._dice = dice

    async def call(self) -> Reply:
        """Send one request and wait for its answer."""
        await asyncio.sleep(self._link.way(self._link.up_s, self._dice))
        answer = self.server.call(time.monotonic())
        headers = self._headers(time.monotonic())
        await asyncio.sleep(self._link.way(self._link.down_s, self._dice))
        return Reply(200 if answer.is_allowed else 429, headers)

    def _headers(self, now: float) -> dict[str, str]:
        """Word the state in every dialect that one of the packages reads."""
        left = max(0, self.server.left(now))
        reset_s = max(0.0, self.server.meter.reset_at(now) - now)
        whole_s = str(int(-(-reset_s // 1)))
        return {
            "content-type": "application/json",
            "via": "1.1 wire",
            "retry-after": whole_s,
            "x-ratelimit-bucket": "wire",
            "x-ratelimit-scope": "user",
            "x-ratelimit-limit": str(self._budget),
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-used": str(self._budget - left),
            "x-ratelimit-reset": whole_s,
            "x-ratelimit-reset-after": f"{reset_s:.3f}",
            "x-ratelimit-reset-at": f"{time.time() + reset_s:.3f}",
            "x-ratelimit-limit-requests": str(self._budget),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": whole_s,
        }

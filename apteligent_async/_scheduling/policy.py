"""The settings a user may pass; frozen, checked when made."""

from __future__ import annotations

import math
from typing import Literal, get_args

from attrs import field, frozen

from apteligent_async.errors import ConfigurationError

__all__ = ["RatePolicy", "RetryPolicy"]

Mode = Literal["exclusive", "shared", "polite"]
OnFull = Literal["raise", "wait", "shed"]


@frozen(kw_only=True)
class RatePolicy:
    """How one client spends the budget of its client id.

    Attributes:
        mode: ``shared`` (the default) keeps at most a quarter of what is left under way, so that clients that know
            nothing of each other do not overdraw; it costs one to two seconds per window. ``exclusive`` is a promise
            that nobody else spends the budget: everything that is proven goes out at once. ``polite`` spreads its
            calls over the window at the speed that the service advertises: the kindest to others, and the slowest.
        share: the part of every window's budget that this client may spend, above 0 and at most 1; None for all of it.
        reserve: the part of the budget that bulk calls leave to interactive ones at the start of a window, from 0 to
            1. It falls to nothing towards the window's end, so that no token is wasted.
        max_in_flight: calls under way at once, at least 1; also the number of connections.
        max_queue: calls that may wait; None for no bound.
        on_full: what a call beyond `max_queue` does: ``raise`` `QueueFull`, ``wait`` for room outside the line, or
            ``shed`` the least urgent, youngest waiting call if it is less urgent than the newcomer.

    Raises:
        ConfigurationError: a value is out of range; the message names the range.
    """

    mode: Mode = "shared"
    share: float | None = None
    reserve: float = 0.1
    max_in_flight: int = 100
    max_queue: int | None = None
    on_full: OnFull = "raise"

    def __attrs_post_init__(self) -> None:
        _one_of("mode", self.mode, get_args(Mode))
        _one_of("on_full", self.on_full, get_args(OnFull))
        _require(self.share is None or 0 < self.share <= 1, "share", self.share, "above 0 and at most 1, or None")
        _require(0 <= self.reserve <= 1, "reserve", self.reserve, "from 0 to 1")
        _require(self.max_in_flight >= 1, "max_in_flight", self.max_in_flight, "at least 1")
        _require(self.max_queue is None or self.max_queue >= 0, "max_queue", self.max_queue, "at least 0, or None")


@frozen(kw_only=True)
class RetryPolicy:
    """When a failed call is sent again.

    Waits grow exponentially and are drawn evenly between zero and the cap of the attempt ("full jitter"). Answers of
    429 are not counted here: they wait for the budget, not for luck.

    Attributes:
        max_attempts: requests for one call, the first included, that may fail through the service or the link.
        base_s: the cap of the first wait, in seconds; it doubles with each failure.
        cap_s: the cap of every wait, in seconds.
        max_rate_limited: answers of 429 for one call before `RateLimitedError`.

    Raises:
        ConfigurationError: a value is out of range.
    """

    max_attempts: int = 4
    base_s: float = 0.5
    cap_s: float = 30.0
    max_rate_limited: int = field(default=10)

    def __attrs_post_init__(self) -> None:
        _require(self.max_attempts >= 1, "max_attempts", self.max_attempts, "at least 1")
        _require(0 <= self.base_s < math.inf, "base_s", self.base_s, "a number of seconds")
        _require(0 <= self.cap_s < math.inf, "cap_s", self.cap_s, "a number of seconds")
        _require(self.max_rate_limited >= 1, "max_rate_limited", self.max_rate_limited, "at least 1")


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    _require(value in allowed, name, value, "one of " + ", ".join(allowed))


def _require(holds: bool, name: str, value: object, wanted: str) -> None:  # noqa: FBT001  the check's own result
    if not holds:
        raise ConfigurationError(f"{name}={value!r} is not possible: it must be {wanted}.")

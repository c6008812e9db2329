"""The rate limit of one OAuth2 client: what is counted, what the headers say, and the truth behind them.

The published wording fixes very little (the length of the bucket, what ``Rate-Limit-Remaining`` means, how it is
rounded and whether refused calls count are all open), so each open point is a setting.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from attrs import evolve, field, frozen

from apteligent_async.simulator.settings import number, whole
from apteligent_async.simulator.windows import FixedWindow, LazyWindow, SlidingLog, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from apteligent_async.simulator.windows import Window

__all__ = ["Counts", "LogEntry", "Quota", "QuotaSettings", "Reading", "Refused", "Rounding", "Verdict", "WindowKind"]


class WindowKind(StrEnum):
    """How calls are counted; see `apteligent_async.simulator.windows`."""

    FIXED = "fixed"
    LAZY = "lazy"
    SLIDING = "sliding"
    GCRA = "gcra"


class Reading(StrEnum):
    """What ``Rate-Limit-Remaining`` is: the published speed (calls/minute to the reset), or a count of calls."""

    SPEED = "speed"
    COUNT = "count"


class Rounding(StrEnum):
    """How ``Rate-Limit-Remaining`` and ``Rate-Limit-Reset`` become text; ``exact`` sends decimals."""

    FLOOR = "floor"
    CEIL = "ceil"
    ROUND = "round"
    EXACT = "exact"


class Counts(StrEnum):
    """Whether ``Rate-Limit-Remaining`` is taken after the present call was charged, or before."""

    AFTER = "after"
    BEFORE = "before"


class Refused(StrEnum):
    """Whether a call that was answered 429 is charged all the same."""

    COUNTED = "counted"
    FREE = "free"


@frozen(kw_only=True)
class QuotaSettings:
    """The rate limit of every client of a service.

    Attributes:
        limit: calls per minute, averaged over a bucket.
        bucket_s: length of a bucket, in seconds.
        starts_at: an instant on the service's clock at which a fixed bucket starts.
        initial_use: calls that were already charged when the service first hears of a client.
        burst: size of the bucket where it refills continuously; the whole budget if None.

    Raises:
        ValueError: a setting is not possible.
    """

    limit: int = whole(20, low=1)
    bucket_s: float = number(60.0, low=0.001)
    window: WindowKind = field(default=WindowKind.FIXED, converter=WindowKind)
    reading: Reading = field(default=Reading.SPEED, converter=Reading)
    rounding: Rounding = field(default=Rounding.ROUND, converter=Rounding)
    counts: Counts = field(default=Counts.AFTER, converter=Counts)
    refused: Refused = field(default=Refused.COUNTED, converter=Refused)
    starts_at: float = number(0.0, low=-math.inf)
    initial_use: int = whole(0)
    burst: int | None = whole(low=1)

    @property
    def budget(self) -> int:
        """Calls per bucket, at least one."""
        return max(1, math.floor(self.limit * self.bucket_s / 60 + 1e-9))

    def open_window(self) -> Window:
        """Make an untouched window of this kind."""
        match self.window:
            case WindowKind.FIXED:
                return FixedWindow(self.budget, self.bucket_s, starts_at=self.starts_at)
            case WindowKind.LAZY:
                return LazyWindow(self.budget, self.bucket_s)
            case WindowKind.SLIDING:
                return SlidingLog(self.budget, self.bucket_s)
            case WindowKind.GCRA:
                return TokenBucket(self.budget, self.bucket_s, burst=self.burst or self.budget)
            case _:
                assert_never(self.window)


@frozen
class LogEntry:
    """One call that reached the quota: when, whether it was charged, whether it was answered 429."""

    at: float
    is_counted: bool
    is_refused: bool


@frozen(kw_only=True)
class Verdict:
    """What the quota says to one call; `remaining`, `reset` and `actual` are as the wire states them."""

    is_allowed: bool
    limit: int
    remaining: float
    reset: float
    actual: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The three headers that every answer to a known client carries."""
        return (
            ("Rate-Limit-Limit", str(self.limit)),
            ("Rate-Limit-Remaining", str(self.remaining)),
            ("Rate-Limit-Reset", str(self.reset)),
        )

    @property
    def body(self) -> dict[str, object]:
        """The JSON of a 429, as documented."""
        return {
            "actual": self.actual,
            "message": "API rate limit exceeded",
            "limit": self.limit,
            "reset": self.reset,
            "success": 0,
        }


class Quota:
    """One client's budget, shared by all of its tokens.

    Its state is a window, the log of every call, and the latest instant it was told: an earlier one is taken as that.
    """

    def __init__(self, settings: QuotaSettings) -> None:
        self.settings = settings
        self._window: Window | None = None
        self._log: list[LogEntry] = []
        self._latest = -math.inf

    @property
    def log(self) -> Sequence[LogEntry]:
        """Every call so far, oldest first; the initial use is not in it."""
        return self._log

    def call(self, now: float) -> Verdict:
        """Admit or refuse one call that arrives at `now`, and charge it."""
        now = self._latest = max(now, self._latest)
        window = self._window_at(now)
        left_before = window.left(now)
        is_allowed = left_before > 0
        is_counted = is_allowed or self.settings.refused is Refused.COUNTED
        if is_counted:
            window.count(now)
        self._log.append(LogEntry(now, is_counted, not is_allowed))
        left = window.left(now) if self.settings.counts is Counts.AFTER else left_before
        return self._verdict(is_allowed=is_allowed, left=left, window=window, now=now)

    @contextmanager
    def limited(self, limit: int, *, now: float) -> Generator[None]:
        """Allow another number of calls a minute while the block runs; what was charged stays charged."""
        usual = self.settings
        self._resize(evolve(usual, limit=limit), now)
        try:
            yield
        finally:
            self._resize(usual, now)

    def _resize(self, settings: QuotaSettings, now: float) -> None:
        now = max(now, self._latest)
        self._window_at(now).resize(settings.budget, now)
        self.settings = settings

    def left(self, now: float) -> int:
        """Return the truth: how many calls would be admitted at this instant."""
        return self._window_at(now).left(now)

    def reset_in(self, now: float) -> float:
        """Return the truth behind ``Rate-Limit-Reset``, in seconds."""
        return self._window_at(now).reset_in(now)

    def bound_seconds(self, calls: int, *, ready_at: float, round_trip: float = 0.0) -> float:
        """Return the clairvoyant lower bound on the makespan of `calls` calls that are all ready at one instant.

        It knows the true phase and what the log had charged before `ready_at`; later foreign use is not foreseen.
        Half of `round_trip` passes before a call is counted. May be asked during or after the run.
        """
        window = self._fresh_window(min([ready_at, *(entry.at for entry in self._log[:1])]))
        for entry in self._log:
            if entry.at >= ready_at:
                break
            if entry.is_counted:
                window.count(entry.at)
        arrival = ready_at + round_trip / 2
        return window.earliest(calls, arrival) + round_trip / 2 - ready_at

    def _window_at(self, now: float) -> Window:
        if self._window is None:
            self._window = self._fresh_window(now)
        return self._window

    def _fresh_window(self, now: float) -> Window:
        window = self.settings.open_window()
        for _ in range(self.settings.initial_use):
            window.count(now)
        return window

    def _verdict(self, *, is_allowed: bool, left: int, window: Window, now: float) -> Verdict:
        reset_s = window.reset_in(now)
        remaining = float(left)
        if self.settings.reading is Reading.SPEED:
            remaining = left * 60 / max(reset_s, 0.001)
        return Verdict(
            is_allowed=is_allowed,
            limit=self.settings.limit,
            remaining=self._as_stated(remaining),
            reset=self._as_stated(reset_s),
            actual=round(window.counted(now) * 60 / self.settings.bucket_s),
        )

    def _as_stated(self, number: float) -> float:
        match self.settings.rounding:
            case Rounding.FLOOR:
                return math.floor(number)
            case Rounding.CEIL:
                return math.ceil(number)
            case Rounding.ROUND:
                return round(number)
            case Rounding.EXACT:
                return round(number, 3)
            case _:
                assert_never(self.settings.rounding)

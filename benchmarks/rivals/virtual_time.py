"""Virtual time for packages that read the real clock: patched clock functions and an asyncio loop that jumps.

Call `take_over` before the package under test is imported: it may copy `time.monotonic` into its own namespace.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import selectors
import time
from datetime import datetime as RealDatetime  # noqa: N812  the patch takes the other name
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Clock", "DeadlockError", "run", "take_over"]

T = TypeVar("T")

_EPOCH: Final = 1_750_000_000.0  # the wall clock's reading where the virtual clock is at 0
_STEP_S: Final = 1e-7  # every turn takes this long: timers that a float cannot tell from now would spin for ever


class DeadlockError(RuntimeError):
    """Every task waits and no timer is set."""


@define
class Clock:
    """The one clock of the process, in seconds."""

    now: float

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += max(seconds, _STEP_S)


class _AnyDatetime(type):
    """Lets real instants pass for instances of the patched class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, RealDatetime)


def take_over(start_at: float) -> Clock:
    """Replace every clock of this process by a virtual one, which starts at `start_at`."""
    clock = Clock(start_at)

    class VirtualDatetime(RealDatetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return RealDatetime.fromtimestamp(_EPOCH + clock.now, tz)

        @classmethod
        def utcnow(cls) -> Any:
            return RealDatetime.fromtimestamp(_EPOCH + clock.now, dt.UTC).replace(tzinfo=None)

    patches: dict[str, Any] = {
        "time": lambda: _EPOCH + clock.now,
        "time_ns": lambda: int((_EPOCH + clock.now) * 1e9),
        "monotonic": lambda: clock.now,
        "monotonic_ns": lambda: int(clock.now * 1e9),
        "perf_counter": lambda: clock.now,
        "perf_counter_ns": lambda: int(clock.now * 1e9),
        "sleep": clock.advance,
    }
    for name, replacement in patches.items():
        setattr(time, name, replacement)
    setattr(dt, "datetime", VirtualDatetime)  # noqa: B010  an assignment would redefine a type
    return clock


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer it moves the clock there."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            self._clock.advance(0)
            return ready
        if timeout is None:
            raise DeadlockError("every task waits and no timer is set")
        self._clock.advance(timeout)
        return []


def run(clock: Clock, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own in virtual time.

    Raises:
        DeadlockError: nothing will ever happen again.

    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_JumpingSelector(clock))) as runner:
        return runner.run(main)

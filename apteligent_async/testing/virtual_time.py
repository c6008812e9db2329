"""Event loops whose clock stands still while there is work and jumps when there is none, on asyncio and on trio.

An hour of waiting takes no time, and a test that measures time on the loop's clock gets the same figures in every run.
What needs real time (threads, sockets, signals, subprocesses) cannot take part: the asyncio loop refuses it, on trio
the clock runs away from it. `time.time` and `time.monotonic` stay as they are.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, TypeVarTuple

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor


__all__ = ["NeedsRealTime", "VirtualLoop", "run_virtually", "virtual_backend"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SHORTEST_JUMP_S = 1e-6
"""Timers that a float cannot tell from now would spin for ever."""


class NeedsRealTime(AssertionError):  # noqa: N818  says what is the matter
    """Something in virtual time needs real time, or waits for what will never come."""


class _JumpingSelector(selectors.DefaultSelector):
    """Moves its instant by the loop's next timer instead of waiting for it. Sealed, it takes no further sockets."""

    instant = 0.0
    is_sealed = False

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.is_sealed:
            raise NeedsRealTime("a socket in virtual time: use a transport in process, or a loop in real time")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NeedsRealTime("everything waits, and no timer is set: nothing would ever happen")
        if timeout:
            self.instant += max(timeout, _SHORTEST_JUMP_S)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time, which begins at 0.

    For pytest-asyncio (1.4 or newer), in ``conftest.py``::

        def pytest_asyncio_loop_factories():
            return {"virtual": VirtualLoop}

    Raises:
        NeedsRealTime: from whatever asks it for a thread, a socket or a signal, and from the loop itself if everything
            waits and no timer is set.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._jumping.is_sealed = True

    def time(self) -> float:
        """Return the seconds that were jumped so far."""
        return self._jumping.instant

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], object], *args: *Ts) -> NoReturn:  # noqa: ARG002
        """Refuse: a thread takes real time."""
        raise NeedsRealTime("a thread in virtual time")

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> NoReturn:  # noqa: ARG002
        """Refuse: signals come in real time."""
        raise NeedsRealTime("a signal handler in virtual time")


def virtual_backend(name: str) -> tuple[str, dict[str, Any]]:
    """Give a backend in virtual time, for the ``anyio_backend`` fixture of pytest's anyio plugin.

    In ``conftest.py``::

        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request):
            return virtual_backend(request.param)

    Args:
        name: ``asyncio`` or ``trio``; the latter must be installed.

    Raises:
        ValueError: there is no such backend.
    """
    if name == "asyncio":
        return name, {"loop_factory": VirtualLoop}
    if name == "trio":
        from trio.testing import MockClock  # noqa: PLC0415  not a dependency

        return name, {"clock": MockClock(autojump_threshold=0)}
    raise ValueError(f"no such backend: {name!r}; there are asyncio and trio")


def run_virtually(function: Callable[..., Awaitable[T]], *arguments: Any, backend: str = "asyncio") -> T:
    """Run one coroutine function to its end in virtual time, under no plugin: for property tests and scripts.

    Args:
        function: called with the arguments.
        arguments: by position.
        backend: ``asyncio`` or ``trio``.

    Returns:
        What it returns.
    """
    name, options = virtual_backend(backend)
    if name == "trio":
        import trio  # noqa: PLC0415  not a dependency

        return trio.run(function, *arguments, **options)  # anyio passes the clock on from 4.14 only
    return anyio.run(function, *arguments, backend=name, backend_options=options)

"""An asyncio loop whose clock stands still while there is work and jumps when there is none.

It dies of whatever real time would be needed for: a thread, a socket, or a wait that nothing ends.
"""

from __future__ import annotations

import asyncio
import selectors


class _JumpingSelector(selectors.DefaultSelector):
    instant = 0.0
    is_sealed = False

    def register(self, *arguments):
        if self.is_sealed:
            raise AssertionError("a socket in virtual time")
        return super().register(*arguments)

    def select(self, timeout=None):
        if timeout is None:
            raise AssertionError("everything waits, and no timer is set")
        if timeout:
            self.instant += max(timeout, 1e-6)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps cost nothing."""

    def __init__(self):
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._jumping.is_sealed = True

    def time(self):
        """Return the seconds that were jumped so far."""
        return self._jumping.instant

    def run_in_executor(self, executor, func, *arguments):
        """Refuse: a thread takes real time."""
        raise AssertionError("a thread in virtual time")

    def add_signal_handler(self, *arguments):
        """Refuse: nobody's signals are ours."""
        raise AssertionError("a signal handler")

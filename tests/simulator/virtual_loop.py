"""An asyncio loop whose clock stands still while there is work and jumps when there is none."""

from __future__ import annotations

import asyncio
import selectors


class _JumpingSelector(selectors.DefaultSelector):
    instant = 0.0

    def select(self, timeout=None):
        if timeout:
            self.instant += max(timeout, 1e-6)
            timeout = 0
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps cost nothing."""

    def __init__(self):
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self):
        """Return the seconds that were jumped so far."""
        return self._jumping.instant

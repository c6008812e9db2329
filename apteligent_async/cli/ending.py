"""How a command that serves ends when it is told to from outside."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["end_on_sigterm"]


def end_on_sigterm() -> None:
    """Take SIGTERM as the wish to end in order, with exit code 0."""
    signal.signal(signal.SIGTERM, _end)


def _end(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signal module's signature
    sys.exit(0)

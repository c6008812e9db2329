"""Which event loop runs, and what time it is by its clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from apteligent_async.errors import ClientStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["loop_clock", "running_loop"]


def loop_clock() -> Callable[[], float]:
    """Give what tells `anyio.current_time` of the running loop, and of no other: anyio looks for the loop each time.

    That look takes thirty times as long as to read the clock, and every call reads it ten times.
    """
    is_asyncio = anyio.get_cancelled_exc_class() is asyncio.CancelledError
    return asyncio.get_running_loop().time if is_asyncio else anyio.current_time


def running_loop() -> Hashable:
    """Give what tells the running loop from every other.

    Raises:
        ClientStateError: none runs.
    """
    try:
        return anyio.lowlevel.current_token()
    except RuntimeError:
        raise ClientStateError("No event loop runs here: use a client inside asyncio.run() or trio.run().") from None
